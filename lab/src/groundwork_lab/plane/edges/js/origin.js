// The origin layer: how long an answer may stay in the cache, and whether it is compressed.

import edge from 'edge.js';
import pages from 'pages.js';

const ALWAYS = [404, 405, 414, 500, 501, 502, 503, 504];
const ON_REQUEST = [400, 403, 412, 415];
const ERROR_SECONDS = 10;
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

function directives(text) {
    const found = {};
    (text ?? '').toLowerCase().split(',').forEach((part) => {
        const at = part.indexOf('=');
        const name = (at < 0 ? part : part.slice(0, at)).trim();
        found[name] = at < 0 ? true : part.slice(at + 1).trim().replace(/^"|"$/g, '');
    });
    return found;
}

// Return s-maxage, or else max-age, or undefined.
function age(control) {
    const text = control['s-maxage'] ?? control['max-age'];
    return /^\d+$/.test(text ?? '') ? Number(text) : undefined;
}

// Return the seconds to keep an answer in the cache; 0 to revalidate it at each request, -1 to not store it.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
function lifetime(ttl, cacheControl, expires, now) {
    const control = directives(cacheControl);
    const within = (seconds) => Math.max(ttl.min, Math.min(ttl.max, seconds));
    if (control['no-store'] || control['private']) {
        return ttl.min > 0 ? ttl.min : -1;
    }
    if (control['no-cache']) {
        return ttl.min;
    }
    if (age(control) !== undefined) {
        return within(age(control));
    }
    if (expires) {
        const date = Date.parse(expires);
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

// Set the headers that control nginx's cache and compression.
function keep(r, site, behavior) {
    const out = r.headersOut, now = Date.now(), status = r.status;
    const seconds = status >= 400 ? errorLifetime(site, behavior.ttl, status, out['Cache-Control'])
        : lifetime(behavior.ttl, out['Cache-Control'], out['Expires'], now);
    // nginx does not store an answer with 0 seconds, but it stores one that has expired long ago.
    out['X-Accel-Expires'] = seconds < 0 ? '0' : seconds == 0 ? '@1' : String(seconds);
    out['Edge-Stored'] = String(Math.floor(now / 1000));
    if (out['ETag'] && !/^(W\/)?"/.test(out['ETag'])) {
        delete out['ETag'];
    }
    if (!compresses(r, behavior) && !out['Content-Encoding']) {
        out['Content-Encoding'] = 'identity';  // nginx does not compress an answer with an encoding
    }
}

function answer(r) {
    const site = edge.sites[r.headersIn['Edge-Site']];
    keep(r, site, site.behaviors[Number(r.headersIn['Edge-Behavior'])]);
}

// Answer with 502 if the origin could not be reached, or 504 if it timed out.
function unreachable(r) {
    const status = Number((r.variables.upstream_status ?? '').split(/[,:] */).pop()) == 504 ? 504 : 502;
    const words = status == 504 ? "CloudFront attempted to establish a connection with the origin, but either the attempt failed or the origin closed the connection."
        : "CloudFront wasn't able to connect to the origin.";
    r.headersOut['Content-Type'] = 'text/html';
    pages.answer(r, status, pages.page(r, status, words));
}

export default {answer, unreachable};
