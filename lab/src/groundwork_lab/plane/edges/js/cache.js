// The cache layer: the age of cached objects.

import crypto from 'crypto';
import fs from 'fs';

const DATE = 40;  // offset in nginx's cache file of the time when it was stored or revalidated: 8 bytes, little-endian

// Return the time when the object was stored or revalidated. nginx has no variable for it, and does not update the
// stored headers when it revalidates an object.
function stored(r) {
    const name = crypto.createHash('md5').update(r.headersIn['Edge-Key']).digest('hex');
    const file = fs.openSync(`${r.variables.edge_folder}/${r.variables.edge_zone}/${name.slice(-2)}/${name}`);
    const head = Buffer.alloc(DATE + 8);
    const read = fs.readSync(file, head, 0, DATE + 8, 0);
    fs.closeSync(file);
    return read == DATE + 8 ? head.readUInt32LE(DATE) : undefined;
}

function answer(r) {
    if (r.variables.upstream_cache_status != 'HIT' && r.variables.upstream_cache_status != 'STALE') {
        return;
    }
    try {
        r.headersOut['Edge-Stored'] = String(stored(r) ?? r.headersOut['Edge-Stored']);
    } catch (error) {
        r.warn(`The age of a cached object is unknown: ${error}`);  // the file was removed meanwhile
    }
}

export default {answer};
