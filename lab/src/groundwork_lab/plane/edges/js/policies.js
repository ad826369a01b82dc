// The headers of an answer to the viewer: the response headers policy, and the viewer-response function.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html

import events from 'events.js';
import pages from 'pages.js';

const FRAMING = ['connection', 'content-length', 'transfer-encoding', 'keep-alive'];

function set(r, name, value, override) {
    if (override || r.headersOut[name] === undefined) {
        r.headersOut[name] = value;
    }
}

// Return the value of Access-Control-Allow-Origin, or undefined if the origin is not allowed.
function allowed(origins, origin) {
    if (origins.indexOf('*') >= 0) {
        return '*';
    }
    const fits = (pattern) => {
        const parts = pattern.split('*.');
        return parts.length == 1 ? pattern == origin || pattern == origin.replace(/^https?:\/\//, '')
            : origin.startsWith(parts[0]) && origin.endsWith(`.${parts[1]}`);
    };
    return origins.some(fits) ? origin : undefined;
}

function share(r, cors, asked) {
    const origin = asked['Origin'], allow = origin && allowed(cors.origins, origin);
    if (!allow) {
        return;
    }
    const add = (name, value) => set(r, `Access-Control-${name}`, value, cors.override);
    add('Allow-Origin', allow);
    if (cors.credentials) {
        add('Allow-Credentials', 'true');
    }
    if (r.method == 'OPTIONS' && asked['Access-Control-Request-Method']) {
        add('Allow-Methods', cors.methods);
        add('Allow-Headers', cors.headers);
        if (cors.age !== null) {
            add('Max-Age', String(cors.age));
        }
    } else if (cors.exposed != '') {
        add('Expose-Headers', cors.exposed);
    }
}

function time(r, outcome) {
    const words = {Hit: 'cdn-cache-hit,cdn-hit-layer;desc="EDGE"', RefreshHit: 'cdn-cache-refresh'};
    const before = outcome == 'Hit' ? undefined : r.headersOut['Server-Timing'];
    const metrics = [words[outcome] ?? 'cdn-cache-miss,cdn-upstream-layer;desc="EDGE"', `cdn-pop;desc="${pages.POP}"`,
        `cdn-rid;desc="${pages.identify(r)}"`].join(',');
    r.headersOut['Server-Timing'] = before ? `${before},${metrics}` : metrics;
}

function apply(r, added, asked, outcome) {
    added.remove.forEach((name) => {
        delete r.headersOut[name];
        if (name.toLowerCase() == 'server') {
            r.headersOut['Server'] = 'CloudFront';
        }
    });
    if (added.cors) {
        share(r, added.cors, asked);
    }
    added.set.forEach((header) => set(r, header[0], header[1], header[2]));
    const wished = (asked['Pragma'] ?? '').toLowerCase() == 'server-timing';
    if (outcome && added.timing !== null && (wished || Math.random() * 100 < added.timing)) {
        time(r, outcome);
    }
}

function current(r) {
    const pairs = [], cookies = [];
    Object.keys(r.headersOut).forEach((name) => {
        const values = [].concat(r.headersOut[name]), lower = name.toLowerCase();
        values.forEach((value) => {
            if (lower == 'set-cookie') {
                cookies.push(events.parseSetCookie(value));
            } else if (!events.HIDDEN.test(lower)) {
                pairs.push([lower, value]);
            }
        });
    });
    return {pairs, cookies};
}

function replaceHeaders(r, before, answer) {
    before.pairs.forEach((pair) => {
        if (FRAMING.indexOf(pair[0]) < 0) {
            delete r.headersOut[events.capitalized(pair[0])];
        }
    });
    const values = {};
    answer.headers.filter((pair) => FRAMING.indexOf(pair[0]) < 0).forEach((pair) => {
        const name = events.capitalized(pair[0]);
        values[name] = values[name] === undefined ? pair[1] : `${values[name]}, ${pair[1]}`;
    });
    Object.keys(values).forEach((name) => {
        r.headersOut[name] = values[name];
    });
    r.headersOut['Set-Cookie'] = answer.cookies;
}

// Run the function in nginx's header filter. The filter cannot wait, so everything that the function awaits must be
// complete when it returns.
function run(r, site, behavior, load) {
    const before = current(r);
    const response = {
        statusCode: r.status,
        statusDescription: '',
        headers: events.collect(before.pairs),
        cookies: events.collect(before.cookies),
    };
    const request = JSON.parse(r.variables.edge_request);
    const event = events.event('viewer-response', site, pages.identify(r), r.remoteAddress, request, response);
    new Promise((resolve) => resolve(load(events.console(r))(event))).then((given) => {
        if (given === null || typeof given != 'object') {
            throw new events.Invalid('the returned value is not a response');
        }
        const answer = events.answered('viewer-response', given, before.pairs);
        replaceHeaders(r, before, answer);
        r.status = answer.status;
        if (answer.body !== undefined) {
            substitute(r, answer.body);
        }
    }).catch((error) => {
        const invalid = error instanceof events.Invalid, status = invalid ? 502 : 503;
        r.error(`CloudFront function: ${invalid ? error.message : error.stack ?? error}`);
        r.status = status;
        r.headersOut['Content-Type'] = 'text/html';
        r.headersOut['X-Cache'] = `${invalid ? 'FunctionValidationError' : 'FunctionExecutionError'} from cloudfront`;
        delete r.headersOut['Content-Encoding'];
        substitute(r, pages.page(r, status, 'The CloudFront function associated with the CloudFront distribution is ' +
            'invalid or could not run.'));
    });
}

function substitute(r, body) {
    const bytes = Buffer.from(body);
    r.variables.edge_body = bytes.toString('base64') || '=';
    r.headersOut['Content-Length'] = String(bytes.length);
}

// nginx's body filter: replaces the body if the function returned another one.
function body(r, data, flags) {
    const other = r.variables.edge_body;
    if (!other) {
        r.sendBuffer(data, flags);
        return;
    }
    if (other != 'sent') {
        r.variables.edge_body = 'sent';
        r.sendBuffer(Buffer.from(other, 'base64'), {last: true});
        r.done();
    }
}

export default {apply, body, run};
