// CloudFront's event structure: conversion from a request or response of nginx, and back.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html

const HIDDEN = /^(connection|expect|keep-alive|proxy-(authenticate|authorization|connection)|trailer|upgrade|x-accel-.*|x-amz-cf-.*|x-amzn-.*|x-cache|x-edge-.*|x-forwarded-proto|x-real-ip|edge-.*)$/;
const READ_ONLY = {
    'viewer-request': ['content-length', 'host', 'transfer-encoding', 'via'],
    'viewer-response': ['warning', 'via'],
};

function Invalid(message) {
    this.message = message;
}

// Collect [name, value, attributes] by name, with multiValue if a name has several values.
function collect(pairs) {
    const found = {};
    pairs.forEach((pair) => {
        const name = pair[0], entry = {value: pair[1]};
        if (pair[2]) {
            entry.attributes = pair[2];
        }
        if (!Object.prototype.hasOwnProperty.call(found, name)) {
            found[name] = entry;
            return;
        }
        const first = found[name];
        if (!first.multiValue) {
            const alone = {value: first.value};
            if (first.attributes) {
                alone.attributes = first.attributes;
            }
            first.multiValue = [alone];
        }
        first.multiValue.push(entry);
    });
    return found;
}

// The inverse of collect: return all [name, value, attributes]. Throws Invalid.
function spread(collected, kind) {
    const pairs = [];
    Object.keys(collected ?? {}).forEach((name) => {
        const entry = collected[name];
        if (entry === null || typeof entry != 'object') {
            throw new Invalid(`${kind} '${name}' is not an object with a value`);
        }
        const entries = entry.multiValue ?? [entry];
        entries.forEach((each) => {
            if (typeof each.value != 'string') {
                throw new Invalid(`${kind} '${name}' has a value that is not a string`);
            }
            if (/[\r\n\0]/.test(name + each.value + (each.attributes ?? ''))) {
                throw new Invalid(`${kind} '${name}' has a control character`);
            }
            pairs.push([name, each.value, each.attributes]);
        });
    });
    return pairs;
}

function parseQuery(query) {
    return query == '' ? [] : query.split('&').map((part) => {
        const at = part.indexOf('=');
        return at < 0 ? [part, '', undefined, part] : [part.slice(0, at), part.slice(at + 1), undefined, part];
    });
}

// Unchanged parts of a viewer's query string are written as they were received.
function renderQuery(pairs) {
    return pairs.map((pair) => pair[3] ?? (pair[1] == '' ? pair[0] : `${pair[0]}=${pair[1]}`)).join('&');
}

function parseCookies(headers) {
    const pairs = [];
    headers.filter((pair) => pair[0] == 'cookie').forEach((pair) => pair[1].split(';').forEach((part) => {
        const text = part.trim(), at = text.indexOf('=');
        if (text != '') {
            pairs.push(at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]);
        }
    }));
    return pairs;
}

// Parse a viewer's request into lists of pairs, from which the cache key and the origin request are composed.
function received(r) {
    const whole = r.variables.request_uri, at = whole.indexOf('?');
    const headers = r.rawHeadersIn.map((pair) => [pair[0].toLowerCase(), pair[1]]);
    return {
        method: r.method,
        version: r.httpVersion,
        uri: at < 0 ? whole : whole.slice(0, at),
        query: parseQuery(at < 0 ? '' : whole.slice(at + 1)),
        headers: headers.filter((pair) => pair[0] != 'cookie' && !pair[0].startsWith('cloudfront-')),  // a viewer has none
        cookies: parseCookies(headers),
    };
}

function requestOf(request) {
    return {
        method: request.method,
        uri: request.uri,
        querystring: collect(request.query),
        headers: collect(request.headers.filter((pair) => !HIDDEN.test(pair[0]))),
        cookies: collect(request.cookies),
    };
}

function event(type, site, id, ip, request, response) {
    const whole = {
        version: '1.0',
        context: {
            distributionDomainName: site.domain,
            distributionId: site.id,
            eventType: type,
            requestId: id,
        },
        viewer: {ip},
        request: requestOf(request),
    };
    if (response) {
        whole.response = response;
    }
    return whole;
}

// Throw Invalid for headers that a function may not add or change.
function checkHeaders(type, after, before) {
    after.forEach((pair) => {
        const known = before.some((each) => each[0] == pair[0] && each[1] == pair[1]);
        if (pair[0] != pair[0].toLowerCase()) {
            throw new Invalid(`header '${pair[0]}' is not in lower case`);
        }
        if (HIDDEN.test(pair[0]) || (READ_ONLY[type].indexOf(pair[0]) >= 0 && !known)) {
            throw new Invalid(`header '${pair[0]}' cannot be set by a function`);
        }
    });
    return after;
}

// Check and return the request that a viewer-request function returned. Throws Invalid.
function returned(given, before) {
    if (typeof given.uri != 'string' || given.uri[0] != '/') {
        throw new Invalid('request.uri does not begin with /');
    }
    if (given.method !== before.method) {
        throw new Invalid('request.method was changed');
    }
    const headers = checkHeaders('viewer-request', spread(given.headers, 'header'), before.headers);
    const hidden = before.headers.filter((pair) => HIDDEN.test(pair[0]));
    const after = {
        method: before.method,
        version: before.version,
        uri: given.uri.replace(/[^!-~]+/g, (text) => encodeURI(text)),
        query: spread(given.querystring, 'query string'),
        headers: headers.concat(hidden),
        cookies: spread(given.cookies, 'cookie'),
    };
    const query = renderQuery(after.query);
    if (/[\s#?]/.test(after.uri) || /[\s#]/.test(query) || after.uri.length + query.length >= 8192) {
        throw new Invalid('request.uri or the query string has a space, ? or #, or is too long');
    }
    // An unchanged query string is kept character by character.
    if (JSON.stringify(collect(before.query)) == JSON.stringify(given.querystring ?? {})) {
        after.query = before.query;
    }
    return after;
}

function bodyOf(response) {
    const body = response.body;
    if (body === undefined || body === null) {
        return undefined;
    }
    if (typeof body == 'string') {
        return body;
    }
    if (typeof body.data != 'string' || (body.encoding != 'text' && body.encoding != 'base64')) {
        throw new Invalid('response.body has no data, or an encoding that is neither text nor base64');
    }
    return body.encoding == 'base64' ? Buffer.from(body.data, 'base64') : body.data;
}

// Check and convert the response that a function returned: {status, headers, cookies, body}. Throws Invalid.
function answered(type, given, before) {
    const status = Number(given.statusCode);
    if (!(status >= 200 && status <= 599) || status % 1) {
        throw new Invalid('response.statusCode is not a status from 200 to 599');
    }
    return {
        status,
        headers: checkHeaders(type, spread(given.headers, 'header'), before),
        cookies: spread(given.cookies, 'cookie').map((pair) => `${pair[0]}=${pair[1]}${pair[2] ? `; ${pair[2]}` : ''}`),
        body: bodyOf(given),
    };
}

// Return a console that writes to the edge's log.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-functions-logs.html
function console(r) {
    const log = (first) => r.warn(`CloudFront function log: ${typeof first == 'string' ? first : JSON.stringify(first)}`);
    return {log, error: log, info: log, warn: log};
}

function parseSetCookie(text) {
    const at = text.indexOf(';'), pair = at < 0 ? text : text.slice(0, at), is = pair.indexOf('=');
    return [pair.slice(0, is), pair.slice(is + 1), at < 0 ? '' : text.slice(at + 1).trim()];
}

function capitalized(name) {
    return name.replace(/(^|-)[a-z]/g, (text) => text.toUpperCase());
}

export default {
    HIDDEN, Invalid, answered, capitalized, collect, console, event, parseSetCookie, received, renderQuery, returned,
};
