// The viewer layer: behaviors, functions, error pages, and the headers of all answers.

import edge from 'edge.js';
import events from 'events.js';
import functions from 'functions.js';
import keys from 'keys.js';
import pages from 'pages.js';
import policies from 'policies.js';

const TOO_LONG = 'Bad request. The request or its URL is too long.';
const OUTCOMES = {HIT: 'Hit', STALE: 'Hit', UPDATING: 'Hit', REVALIDATED: 'RefreshHit'};

// Return the normal form of a path (RFC 3986), which is compared with patterns. The origin gets the original path.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
function normal(path) {
    const plain = path.replace(/%(2[dDeE]|3\d|[46][1-9a-fA-F]|[57][0-9aA]|5[fF]|7[eE])/g, (text) => decodeURIComponent(text));
    const kept = [];
    const parts = plain.split('/').slice(1);
    parts.forEach((part, at) => {
        if (part == '..') {
            kept.pop();
        } else if (part != '.') {
            kept.push(part);
            return;
        }
        if (at == parts.length - 1) {
            kept.push('');
        }
    });
    return `/${kept.join('/')}`;
}

function matching(site, path) {
    const wanted = normal(path);
    return site.behaviors.findIndex((each) => each.pattern === null || new RegExp(each.pattern).test(wanted));
}

function send(r, site, index, request, cached) {
    keys.aim(r, site, index, request, cached);
    r.variables.edge_request = JSON.stringify(request);
    r.internalRedirect(`@${site.id}${site.behaviors[index].response ? '-function' : ''}`);
}

function failed(r, error) {
    const invalid = error instanceof events.Invalid;
    r.error(`CloudFront function: ${invalid ? error.message : error.stack ?? error}`);
    if (invalid) {
        pages.refuse(r, 502, 'The CloudFront function returned an invalid value.', 'FunctionValidationError');
    } else {
        pages.refuse(r, 503, 'The CloudFront function associated with the CloudFront distribution is invalid or could ' +
            'not run.', 'FunctionExecutionError');
    }
}

function generated(r, behavior, answer) {
    answer.headers.filter((pair) => pair[0] != 'content-length').forEach((pair) => {
        r.headersOut[events.capitalized(pair[0])] = pair[1];
    });
    if (answer.cookies.length) {
        r.headersOut['Set-Cookie'] = answer.cookies;
    }
    policies.apply(r, behavior.added, r.headersIn);
    pages.sign(r, 'FunctionGeneratedResponse');
    pages.answer(r, answer.status, answer.body ?? '');
}

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html
// (maximum length of a request and maximum length of a URL)
function tooLong(r) {
    const v = r.variables, url = v.scheme.length + 3 + v.host.length + v.request_uri.length;
    const whole = r.rawHeadersIn.reduce((sum, pair) => sum + pair[0].length + pair[1].length + 4, v.request_uri.length);
    return url > 8192 || whole > 20480;
}

// Answer instead of nginx's own error pages.
function malformed(r) {
    const words = {
        403: 'This distribution is not configured to allow the HTTP request method that was used for this request.',
        413: TOO_LONG,
        502: 'CloudFront could not answer the request.',
    };
    const status = Number(r.variables.status);
    pages.refuse(r, status, words[status] ?? 'Bad request.');
}

// Return the distribution of a host name. An alias with a wildcard is for all names below it, and the longest one counts.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html
function named(host) {
    const labels = host.split('.');
    const names = [host].concat(labels.slice(1).map((_, place) => ['*'].concat(labels.slice(place + 1)).join('.')));
    const known = names.filter((name) => edge.hosts[name] !== undefined);
    return edge.sites[edge.hosts[known[0]]];
}

async function request(r) {
    const site = named(r.variables.host);
    if (!site) {
        pages.refuse(r, 403, 'Bad request. We can\'t connect to the server for this app or website at this time.');
        return;
    }
    r.variables.edge_site = site.id;
    const viewed = events.received(r), index = matching(site, viewed.uri), behavior = site.behaviors[index];
    if (tooLong(r)) {
        pages.refuse(r, 413, TOO_LONG);
        return;
    }
    if (r.method == 'GET' && (Number(r.headersIn['Content-Length'] ?? 0) > 0 || r.headersIn['Transfer-Encoding'])) {
        pages.refuse(r, 403, 'Bad request. A GET request must not have a body.');
        return;
    }
    if (r.variables.scheme == 'http' && behavior.protocol == 'redirect-to-https') {
        const safe = r.method == 'GET' || r.method == 'HEAD';
        pages.redirect(r, safe ? 301 : 307, `https://${r.variables.host}${r.variables.request_uri}`);
        return;
    }
    if (r.variables.scheme == 'http' && behavior.protocol == 'https-only') {
        pages.refuse(r, 403, 'Bad request. This distribution is configured to take HTTPS requests only.');
        return;
    }
    if (behavior.methods.indexOf(r.method) < 0) {
        pages.refuse(r, 403, 'This distribution is not configured to allow the HTTP request method that was used for ' +
            'this request. The distribution supports only cachable requests.');
        return;
    }
    const cached = r.method == 'GET' || r.method == 'HEAD';
    let wanted = viewed;
    if (behavior.request) {
        try {
            const event = events.event('viewer-request', site, pages.identify(r), r.remoteAddress, viewed);
            const given = await functions[behavior.request](events.console(r))(event);
            if (given === null || typeof given != 'object') {
                throw new events.Invalid('the returned value is neither a request nor a response');
            }
            if (given.statusCode !== undefined) {
                generated(r, behavior, events.answered('viewer-request', given, []));
                return;
            }
            wanted = events.returned(given, viewed);
        } catch (error) {
            failed(r, error);
            return;
        }
    }
    send(r, site, index, wanted, cached);
}

// Return the last status of the next layer.
function origins(r) {
    return Number((r.variables.upstream_status ?? '').split(/[,:] */).pop());
}

// Request the custom error page with the behavior of its path. No function runs for it.
function replaced(r) {
    const site = edge.sites[r.variables.edge_site];
    const status = origins(r), error = site.errors[String(status)];
    const page = {method: 'GET', uri: error.page, query: [], headers: [], cookies: []};
    const encoding = events.received(r).headers.filter((pair) => pair[0] == 'accept-encoding');
    keys.aim(r, site, matching(site, error.page), Object.assign(page, {headers: encoding}), true);
    r.variables.edge_status = `${status} ${error.status ?? status}`;
    r.internalRedirect(`@page`);
}

// Return the headers that `no-cache="…"` names: the object is cached without them.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Cookies.html
function uncached(control) {
    const found = /no-cache\s*=\s*"([^"]*)"/i.exec(control ?? '');
    return found ? found[1].toLowerCase().split(',').map((each) => each.trim()).filter((each) => each != '') : [];
}

// Set the headers of an answer from the cache or the origin.
function dress(r, outcome) {
    const out = r.headersOut;
    if (out['Content-Encoding'] == 'identity') {
        delete out['Content-Encoding'];
    }
    if (outcome == 'Hit') {
        const before = /^\d+$/.test(out['Age'] ?? '') ? Number(out['Age']) : 0;  // in a cache between origin and edge
        out['Age'] = String(before + Math.max(0, Math.floor(Date.now() / 1000) - Number(out['Edge-Stored'])));
    }
    const control = out['Edge-Cache-Control'];
    if (outcome == 'Hit') {
        uncached(control).forEach((name) => {
            delete out[events.capitalized(name)];
        });
    }
    delete out['Cache-Control'];
    if (control) {
        out['Cache-Control'] = control;
    }
    ['Edge-Stored', 'Edge-Outcome', 'Edge-Cache-Control'].forEach((name) => {
        delete out[name];
    });
    pages.sign(r, r.status >= 400 ? 'Error' : outcome);
}

function behaviorOf(r) {
    return edge.sites[r.variables.edge_site].behaviors[Number(r.variables.edge_behavior)];
}

function outcomeOf(r) {
    return OUTCOMES[r.headersOut['Edge-Outcome']] ?? 'Miss';
}

function response(r) {
    const behavior = behaviorOf(r), outcome = outcomeOf(r);
    if (behavior.response) {
        r.status = r.status == 304 ? 304 : origins(r);
    }
    dress(r, outcome);
    policies.apply(r, behavior.added, r.headersIn, outcome);
    if (behavior.response && r.status < 400) {
        policies.run(r, edge.sites[r.variables.edge_site], behavior, functions[behavior.response]);
    }
}

function page(r) {
    const codes = r.variables.edge_status.split(' '), found = origins(r) < 400;
    dress(r, outcomeOf(r));
    policies.apply(r, behaviorOf(r).added, r.headersIn);
    r.status = Number(found ? codes[1] : codes[0]);
    r.headersOut['X-Cache'] = 'Error from cloudfront';
    delete r.headersOut['Age'];
}

export default {body: policies.body, malformed, page, replaced, request, response};
