// The origin layer: how long an answer may stay in the cache, and whether it is compressed.

import edge from 'edge.js';
import keys from 'keys.js';
import pages from 'pages.js';

const ALWAYS = [404, 414, 500, 501, 502, 503, 504];
const ON_REQUEST = [400, 403, 405, 412, 415];
const ERROR_SECONDS = 10;
const TOO_MUCH = 80000;  // more than proxy_buffer_size
const FOREVER = 31536000;
// Headers of one connection, which an answer over HTTP/2 must not have.
const OF_THE_CONNECTION = ['Keep-Alive', 'Proxy-Connection', 'TE', 'Trailer', 'Upgrade'];
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html
const COMPRESSED = [
    'application/dash+xml', 'application/eot', 'application/font', 'application/font-sfnt', 'application/javascript',
    'application/json', 'application/opentype', 'application/otf', 'application/pdf', 'application/pkcs7-mime',
    'application/protobuf', 'application/rss+xml', 'application/truetype', 'application/ttf',
    'application/vnd.apple.mpegurl', 'application/vnd.mapbox-vector-tile', 'application/vnd.ms-fontobject',
    'application/wasm', 'application/xhtml+xml', 'application/xml', 'application/x-font-opentype',
    'application/x-font-truetype', 'application/x-font-ttf', 'application/x-httpd-cgi', 'application/x-javascript',
    'application/x-mpegurl', 'application/x-opentype', 'application/x-otf', 'application/x-perl', 'application/x-ttf',
    'font/eot', 'font/opentype', 'font/otf', 'font/ttf', 'image/svg+xml', 'text/css', 'text/csv', 'text/html',
    'text/javascript', 'text/js', 'text/plain', 'text/richtext', 'text/tab-separated-values', 'text/xml',
    'text/x-component', 'text/x-java-source', 'text/x-script', 'vnd.apple.mpegurl',
];

// Return an origin's Cache-Control as {directive: true or value}, in lower case. A value in quotes can have commas.
function directives(text) {
    const found = {};
    ((text ?? '').toLowerCase().match(/(?:"[^"]*"?|[^,"])+/g) ?? []).forEach((part) => {
        const at = part.indexOf('=');
        const name = (at < 0 ? part : part.slice(0, at)).trim();
        found[name] = at < 0 ? true : part.slice(at + 1).trim().replace(/^"|"$/g, '');
    });
    return found;
}

function seconds(text) {
    return /^\d+$/.test(text ?? '') ? Number(text) : undefined;
}

// Return s-maxage, or else max-age, or undefined.
function age(control) {
    return seconds(control['s-maxage'] ?? control['max-age']);
}

// Return the milliseconds of an HTTP date, or NaN. Date.parse() alone accepts much more.
// https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
function dated(text) {
    const time = '\\d\\d:\\d\\d:\\d\\d', month = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
    const fixed = new RegExp(`^[A-Z]{3}, (\\d\\d) (${month}) (\\d{4}) (${time}) GMT$`, 'i').exec(text);
    const rfc850 = new RegExp(`^[A-Z]+day, (\\d\\d)-(${month})-(\\d\\d) (${time}) GMT$`, 'i').exec(text);
    const asctime = new RegExp(`^[A-Z]{3} (${month}) ([ \\d]\\d) (${time}) (\\d{4})$`, 'i').exec(text);
    const at = (day, name, year, clock) => Date.parse(`${day.trim().padStart(2, '0')} ` +
        `${name[0].toUpperCase()}${name.slice(1).toLowerCase()} ${year} ${clock} GMT`);
    return fixed ? at(fixed[1], fixed[2], fixed[3], fixed[4])
        : rfc850 ? at(rfc850[1], rfc850[2], `${Number(rfc850[3]) < 70 ? 20 : 19}${rfc850[3]}`, rfc850[4])
        : asctime ? at(asctime[2], asctime[1], asctime[4], asctime[3]) : NaN;
}

// Return the seconds to keep an answer in the cache; 0 to revalidate it at each request, -1 to not store it.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html
// (content negotiation: "If your origin returns Vary:*")
function lifetime(ttl, out, now) {
    const control = directives(out['Cache-Control']), expires = out['Expires'];
    if (ttl.min == 0 && /(^|,)\s*\*\s*(,|$)/.test(out['Vary'] ?? '')) {
        return -1;
    }
    const within = (seconds) => Math.max(ttl.min, Math.min(ttl.max, seconds));
    if (control['no-store'] || control['private']) {
        return ttl.min > 0 ? ttl.min : -1;
    }
    if (control['no-cache'] === true) {  // with the names of headers, only these are not cached
        return ttl.min;
    }
    if (age(control) !== undefined) {
        return within(age(control));
    }
    if (expires) {
        const date = dated(expires);
        return within(isNaN(date) ? 0 : Math.max(0, Math.floor((date - now) / 1000)));
    }
    return Math.max(ttl.min, ttl.default);
}

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
function errorLifetime(site, ttl, status, cacheControl) {
    const told = age(directives(cacheControl)), error = site.errors[String(status)];
    const least = error ? error.seconds : ERROR_SECONDS;
    if (ALWAYS.indexOf(status) < 0 && (ON_REQUEST.indexOf(status) < 0 || told === undefined)) {
        return -1;
    }
    return told === undefined ? least : Math.max(least, Math.min(ttl.max, told));
}

function compresses(r, behavior) {
    const out = r.headersOut, key = behavior.key;
    const type = (out['Content-Type'] ?? '').split(';')[0].trim().toLowerCase();
    const size = Number(out['Content-Length'] ?? -1);
    return behavior.compress && (key.gzip || key.brotli) && !out['Content-Encoding'] &&
        [200, 403, 404].indexOf(r.status) >= 0 && size >= 1000 && size <= 10000000 && COMPRESSED.indexOf(type) >= 0;
}

// Return how long nginx may use an expired answer, in the words of RFC 5861: while it asks the origin in the background,
// and while the origin fails. Without stale-if-error, CloudFront uses an expired object as long as the origin fails.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html (serve stale content)
function staleness(ttl, status, cacheControl) {
    const control = directives(cacheControl);
    const bounded = (text, otherwise) => Math.min(seconds(text) ?? otherwise, Math.max(ttl.max, 0));
    return status >= 400 ? 'stale-if-error=0'
        : `stale-while-revalidate=${bounded(control['stale-while-revalidate'], 0)}, ` +
            `stale-if-error=${control['stale-if-error'] === undefined ? FOREVER : bounded(control['stale-if-error'], 0)}`;
}

// Set the headers that control nginx's cache and compression. The viewer layer sets Cache-Control to the origin's again.
function keep(r, site, behavior) {
    const out = r.headersOut, now = Date.now(), status = r.status, second = Math.floor(now / 1000);
    const length = status >= 400 ? errorLifetime(site, behavior.ttl, status, out['Cache-Control'])
        : lifetime(behavior.ttl, out, now);
    const stale = staleness(behavior.ttl, status, out['Cache-Control']);
    const lines = r.rawHeadersOut.filter((pair) => pair[0].toLowerCase() == 'cache-control');
    out['Edge-Cache-Control'] = lines.map((pair) => pair[1]).join(', ');
    out['Cache-Control'] = stale;
    // nginx does not store an answer with 0 seconds, but it stores one that has expired.
    out['X-Accel-Expires'] = length < 0 ? '0' : `@${length == 0 ? second - 1 : second + length}`;
    out['Edge-Stored'] = String(second);
    if (out['ETag'] && !/^(W\/)?"/.test(out['ETag'])) {
        delete out['ETag'];
    }
    if (!compresses(r, behavior) && !out['Content-Encoding']) {
        out['Content-Encoding'] = 'identity';  // nginx does not compress an answer with an encoding
    }
}

// Return the values of Vary that the viewer gets.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html
// (HTTP response headers that CloudFront removes or replaces)
function varied(behavior, text) {
    return text.split(',').map((each) => each.trim()).filter((each) => {
        const name = each.toLowerCase();
        return name == '*' ? behavior.ttl.min == 0 : ['accept-encoding', 'cookie'].indexOf(name) >= 0 ||
            keys.sends(behavior, 'headers', name);
    }).join(', ');
}

// Remove what CloudFront does not pass on to viewers, and does not cache.
function clean(r, behavior) {
    const out = r.headersOut;
    if (r.status != 101) {
        const named = (r.variables.upstream_http_connection ?? '').split(',').map((name) => name.trim());
        OF_THE_CONNECTION.concat(named.filter((name) => name != '')).forEach((name) => {
            delete out[name];
        });
    }
    if (behavior.key.cookies.mode == 'none' && behavior.sent.cookies.mode == 'none') {
        delete out['Set-Cookie'];
    }
    if (out['Vary']) {
        out['Vary'] = varied(behavior, out['Vary']);
    }
}

// End an interim response (RFC 9110, 15.2): nginx takes it for the final one, and would wait for the end of its body. A
// header filter cannot change the status, but the next layer answers with 502 if the headers exceed its buffer.
function interim(r) {
    r.headersOut['Edge-Interim'] = 'x'.repeat(TOO_MUCH);
}

function answer(r) {
    const site = edge.sites[r.headersIn['Edge-Site']], behavior = site.behaviors[Number(r.headersIn['Edge-Behavior'])];
    if (r.status >= 100 && r.status < 200 && r.status != 101) {
        interim(r);
        return;
    }
    keep(r, site, behavior);
    clean(r, behavior);
}

// Answer with 502 if the origin could not be reached, or 504 if it timed out.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-502-bad-gateway.html
function unreachable(r) {
    const status = Number((r.variables.upstream_status ?? '').split(/[,:] */).pop()) == 504 ? 504 : 502;
    const words = status == 502 && !r.variables.upstream_addr ? "CloudFront wasn't able to resolve the origin domain name."
        : status == 502 && !connected(r) ? "CloudFront wasn't able to connect to the origin."
            : 'CloudFront attempted to establish a connection with the origin, but either the attempt failed or the ' +
                'origin closed the connection.';
    r.headersOut['Content-Type'] = 'text/html';
    pages.answer(r, status, pages.page(r, status, words));
}

// Return whether the last attempt sent the request: after TCP's connection, and TLS with a good certificate.
function connected(r) {
    return /\d$/.test(r.variables.upstream_connect_time ?? '');
}

// Ask an origin again whose certificate does not cover the Host header: it may cover the origin's domain name.
function failed(r) {
    const v = r.variables, again = v.edge_scheme == 'https' && v.edge_name && v.edge_asked != v.edge_name;
    const refused = /(^|[,:] )502$/.test(v.upstream_status ?? '') && v.upstream_addr && !connected(r);
    if (again && refused && r.headersIn['Edge-Host'] != v.edge_name) {
        v.edge_asked = v.edge_name;
        r.internalRedirect('@named');
        return;
    }
    unreachable(r);
}

export default {answer, failed, unreachable};
