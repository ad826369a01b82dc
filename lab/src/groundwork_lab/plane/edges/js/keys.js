// The cache key and the origin request of a request.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-the-cache-key.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-how-origin-request-policies-and-cache-policies-work-together.html

import events from 'events.js';
import pages from 'pages.js';

// Headers that are always sent, and headers that are never sent or handled separately.
const CONDITIONS = ['if-modified-since', 'if-none-match', 'if-range', 'range'];
const OWN = /^(accept-encoding|connection|content-length|cookie|edge-.*|expect|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|user-agent|via|x-amz-cf-.*|x-edge-.*|x-forwarded-(for|proto)|x-groundwork-.*|x-real-ip)$/;

function selects(selection, name) {
    const listed = selection.names.indexOf(name) >= 0;
    switch (selection.mode) {
    case 'all': return true;
    case 'whitelist': return listed;
    case 'allExcept': return !listed;
    }
    return false;
}

function sends(behavior, kind, name) {
    return selects(behavior.key[kind], name) || selects(behavior.sent[kind], name);
}

// Return Accept-Encoding for the cache key and the origin request, or undefined if it is handled like other headers.
function encodings(behavior, request) {
    const key = behavior.key;
    if (!key.gzip && !key.brotli) {
        return undefined;
    }
    if (request.version == '1.0') {
        return '';
    }
    const wanted = request.headers.filter((pair) => pair[0] == 'accept-encoding').map((pair) => pair[1]).join(',');
    const accepted = wanted.toLowerCase().split(',').filter((word) => !/;\s*q=0(\.0*)?\s*$/.test(word))
        .map((word) => word.split(';')[0].trim());
    const both = [key.brotli && 'br', key.gzip && 'gzip'];
    return both.filter((each) => each && accepted.indexOf(each) >= 0).join(',');
}

// Return what kind of device sends a User-Agent. It can be of several kinds.
function devices(agent) {
    const android = /android/i.test(agent), ios = /ip(hone|ad|od)/i.test(agent);
    const tv = /smart-?tv|apple ?tv|google ?tv|hbbtv|roku|web0s|netcast|crkey|\baft[a-z]/i.test(agent);
    const mobile = !tv && /mobi|iphone|ipod/i.test(agent);
    const tablet = !tv && (/ipad|tablet|kindle|silk/i.test(agent) || (android && !mobile));
    return [
        ['cloudfront-is-android-viewer', android],
        ['cloudfront-is-desktop-viewer', !tv && !mobile && !tablet],
        ['cloudfront-is-ios-viewer', ios],
        ['cloudfront-is-mobile-viewer', mobile],
        ['cloudfront-is-smarttv-viewer', tv],
        ['cloudfront-is-tablet-viewer', tablet],
    ].map((pair) => [pair[0], String(pair[1])]);
}

// Return the headers that CloudFront adds if a policy names them. Those about the viewer's location are not supported.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html
function added(r) {
    const v = r.variables;
    const headers = devices(r.headersIn['User-Agent'] ?? '').concat([
        ['cloudfront-forwarded-proto', v.scheme],
        ['cloudfront-viewer-address', `${r.remoteAddress}:${v.remote_port}`],
        ['cloudfront-viewer-http-version', r.httpVersion],
    ]);
    return v.ssl_protocol ? headers.concat([['cloudfront-viewer-tls', `${v.ssl_protocol}:${v.ssl_cipher}:fullHandshake`]])
        : headers;
}

function target(request, behavior, selected) {
    const query = events.renderQuery(request.query.filter((pair) => selected(pair[0])));
    return query == '' ? request.uri : `${request.uri}?${query}`;
}

// Return the cache key. Path and query string come first, for invalidations; they cannot contain a space.
function key(request, behavior, extra) {
    const wanted = behavior.key;
    const whole = request.headers.concat(extra);
    const headers = whole.filter((pair) => pair[0] != 'accept-encoding' || !(wanted.gzip || wanted.brotli))
        .filter((pair) => selects(wanted.headers, pair[0]));
    const cookies = request.cookies.filter((pair) => selects(wanted.cookies, pair[0]));
    const path = target(request, behavior, (name) => selects(wanted.queries, name));
    return `${path} ${JSON.stringify([headers, cookies, encodings(behavior, request) ?? ''])}`;
}

// Return whether ranges are valid, ascending and apart; CloudFront ignores others.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RangeGETs.html
function orderly(range) {
    const parts = /^bytes=(.*)$/i.exec(range.trim());
    let end = -1;
    return parts !== null && parts[1].split(',').every((each) => {
        const found = /^\s*(\d*)-(\d*)\s*$/.exec(each);
        if (found === null || found[1] + found[2] == '' || end == Infinity) {
            return false;
        }
        const first = found[1] == '' ? Infinity : Number(found[1]);
        const last = found[1] == '' || found[2] == '' ? Infinity : Number(found[2]);
        const good = first > end && first <= last;
        end = last;
        return good;
    });
}

// If-None-Match takes precedence over If-Modified-Since (RFC 9110, 13.2.2), but nginx' cache wants both to be met.
function precedes(request) {
    return request.headers.some((pair) => pair[0] == 'if-none-match');
}

function forwarded(r, request, behavior, extra) {
    const whole = request.headers.concat(extra.filter((pair) =>
        behavior.key.headers.names.concat(behavior.sent.headers.names).indexOf(pair[0]) >= 0));
    const lines = whole.filter((pair) => !OWN.test(pair[0]) && (pair[0] != 'range' || orderly(pair[1]))).filter((pair) =>
        CONDITIONS.indexOf(pair[0]) >= 0 || sends(behavior, 'headers', pair[0]) ||
        (pair[0] == 'content-type' && request.method != 'GET' && request.method != 'HEAD'));
    const asked = r.variables.edge_layer == 'edge_cache' && precedes(request)
        ? lines.filter((pair) => pair[0] != 'if-modified-since') : lines;
    const only = (name) => request.headers.filter((pair) => pair[0] == name).map((pair) => pair[1]).join(', ');
    const agent = sends(behavior, 'headers', 'user-agent') ? only('user-agent') : 'Amazon CloudFront';
    const cookies = request.cookies.filter((pair) => sends(behavior, 'cookies', pair[0]));
    const accepted = encodings(behavior, request) ??
        (sends(behavior, 'headers', 'accept-encoding') ? only('accept-encoding') : undefined);
    const chain = only('x-forwarded-for');
    asked.push(['user-agent', agent]);
    asked.push(['via', `${r.httpVersion} ${pages.NODE} (CloudFront)`]);
    asked.push(['x-amz-cf-id', pages.identify(r)]);
    asked.push(['x-forwarded-for', chain == '' ? r.remoteAddress : `${chain}, ${r.remoteAddress}`]);
    if (accepted !== undefined) {
        asked.push(['accept-encoding', accepted == '' ? 'identity' : accepted]);
    }
    if (cookies.length) {
        asked.push(['cookie', cookies.map((pair) => `${pair[0]}=${pair[1]}`).join('; ')]);
    }
    return asked.filter((pair) => pair[1] != '').map((pair) => `${events.capitalized(pair[0])}: ${pair[1]}`);
}

// Return the value of Upgrade for a WebSocket, or undefined for any other request.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/distribution-working-with.websockets.html
function upgrade(request) {
    const found = request.headers.filter((pair) => pair[0] == 'upgrade').map((pair) => pair[1])[0];
    return request.method == 'GET' && /^websocket$/i.test(found ?? '') ? found : undefined;
}

// Set nginx's variables for the next layers: the server, the URI, the cache key and the headers.
function aim(r, site, index, request, cached) {
    const behavior = site.behaviors[index], v = r.variables, extra = added(r);
    const named = sends(behavior, 'headers', 'host');
    const atRoot = request.uri == '/' && site.root != '';
    const asked = atRoot ? Object.assign({}, request, {uri: `/${site.root}`}) : request;
    v.edge_upgrade = upgrade(request) ?? '';
    v.edge_layer = cached && behavior.caches && v.edge_upgrade == '' ? 'edge_cache' : 'edge_origin';
    v.edge_server = behavior.origin;
    v.edge_site = site.id;
    v.edge_behavior = String(index);
    v.edge_uri = behavior.path + target(asked, behavior, (name) => sends(behavior, 'queries', name));
    v.edge_key = key(request, behavior, extra);
    v.edge_host = named ? v.http_host ?? v.host : behavior.host;
    // One header whose value continues on further lines: nginx copies it unchanged, so any header can be sent.
    v.edge_headers = `-\r\n${forwarded(r, request, behavior, extra).join('\r\n')}`;
}

export default {aim, encodings, sends};
