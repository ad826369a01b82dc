// The layer that keeps objects: how old what it has is.

import crypto from 'crypto';
import fs from 'fs';

const DATE = 40;  // where nginx' cache file tells when it was stored or found still good, 8 bytes, lowest first

// nginx has no variable for it, and what it stored of the headers stays as it was when it asks again.
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
        r.warn(`no age: ${error}`);  // the file has gone meanwhile
    }
}

export default {answer};
