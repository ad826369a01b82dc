// The cache layer: the age of cached objects, and which of them may be used when they have expired.

import crypto from 'crypto';
import fs from 'fs';

// Offsets in the head of nginx's cache file of numbers of 8 bytes, little-endian: when the object expires, how long it may
// be used after that while the origin fails, and when it was stored or revalidated.
const EXPIRES = 8, IF_ERROR = 24, DATE = 40;

// Return the head of the object's file, or undefined if it is not cached. nginx has no variables for these numbers, and
// does not update the stored headers when it revalidates an object.
function head(r) {
    const name = crypto.createHash('md5').update(r.headersIn['Edge-Key']).digest('hex');
    const file = fs.openSync(`${r.variables.edge_folder}/${r.variables.edge_zone}/${name.slice(-2)}/${name}`);
    const found = Buffer.alloc(DATE + 8);
    const read = fs.readSync(file, found, 0, DATE + 8, 0);
    fs.closeSync(file);
    return read == DATE + 8 ? found : undefined;
}

// Return '1' if an error of the origin must reach the viewer, because the cached object is too old to be used instead.
function strict(r) {
    let found;
    try {
        found = head(r);
    } catch (error) {
        return '';  // it is not cached
    }
    const now = Math.floor(Date.now() / 1000);
    return found && found.readUInt32LE(EXPIRES) + found.readUInt32LE(IF_ERROR) < now ? '1' : '';
}

function answer(r) {
    if (r.variables.upstream_cache_status != 'HIT' && r.variables.upstream_cache_status != 'STALE') {
        return;
    }
    try {
        const found = head(r);
        if (found) {
            r.headersOut['Edge-Stored'] = String(found.readUInt32LE(DATE));
        }
    } catch (error) {
        r.warn(`The age of a cached object is unknown: ${error}`);  // the file was removed meanwhile
    }
}

export default {answer, strict};
