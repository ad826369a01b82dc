# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the files whose names contain a hash of their content, as build tools write them.

Browsers keep such a file for a year, so that an ordinary name must not be taken for one. A missed one is only
revalidated more often. A name is judged by itself first. A hash that looks like an ordinary name is found by its
neighbours: if several names of a folder have a hash in this place, and most of them, it is one too.
Of folders with three hashed names up to 10 % of the names are missed, with five 2 %, and with twenty 0.1 %.
tests/unit/plugins/module_utils/topics/site_content/fingerprints has names of real builds, and measures both errors.
"""

from __future__ import annotations

import re
import typing as t
from collections import Counter

# Folders in which all files are immutable, by the documentation of Next.js, SvelteKit and Astro:
# https://nextjs.org/docs/app/api-reference/config/next-config-js/headers#cache-control
# https://svelte.dev/docs/kit/adapter-static and https://docs.astro.build/en/reference/configuration-reference/#buildassets
IMMUTABLE_FOLDERS = ("/_next/static/", "/_app/immutable/", "/_astro/")

# A hash is the end of a part between dots, after a hyphen or an underscore, or a whole part.
HEXADECIMAL = re.compile(r"(?:^|[-_])([0-9a-f]{8,64})$")  # webpack, Hugo, Parcel, MkDocs
BASE64 = re.compile(r"(?:^|[-_])([A-Za-z0-9_-]{8})$")  # Vite, Rollup, Astro, SvelteKit, VitePress; esbuild: upper case
BASE32 = re.compile(r"[A-Z2-7]{8}")
WHOLE_NAME = 16  # the least number of hexadecimal digits of a hash without a name before it
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")

WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[-_]+")
# The pairs of letters of 95 % of the words in 13,800 names of files.
PAIRS = (
    "ab ac ad ag ai al am an ap ar as at au av ay ba be bi bj bl bo br bu ca ce ch ci ck cl co cr cs ct cu cy da "
    "dd de di dl do dr du ea eb ec ed ee ef eg ek el em en ep eq er es et ev ew ex fa fe ff fi fl fo fr fu ge gh "
    "gi gn go gr ha he hi ho ht hu ia ib ic id ie if ig il im in io ip ir is it iv iz je js ke ky la ld le li ll "
    "lo ls lt lu ly ma mb me mi mo mp na nc nd ne nf ng ni nk no ns nt nu oa ob oc od of og ol om on oo op or os "
    "ot ou ov ow pa pe ph pi pl po pp pr ps pt pu qu ra rc rd re rg ri rk rm rn ro rr rs rt ru rv ry sa sc se sh "
    "si sm so sp ss st su sy ta tc te th ti tl to tr ts tt tu tw ty ub uc ud ue ug ui ul um un up ur us ut va ve "
    "vi wa we wi wo xp xt yl ym yn yp ys ze "
)
USUAL = frozenset(PAIRS.split())
# The number of words and unusual pairs of eight characters. Of random ones it is at least 6 in 95 %, and 3 in 99.9 %.
RANDOM = 6
PERHAPS_RANDOM = 3
RANDOM_LOWER_CASE = 4
RANDOM_BASE32 = 5
PERHAPS_RANDOM_BASE32 = 2
SEVERAL = 3  # the least number of certain names of a folder by which a possible one counts
# If so many names of a folder are certain, and so large a part, a word in capitals, a text without capitals or a number
# counts.
MANY = 10
NEARLY_ALL = 0.8


class _Slot(t.NamedTuple):
    """A part of a name that may be a hash. Hashes of one tool have one `form` in a folder."""

    form: tuple[str, str, int]  # the folder, the alphabet and the length
    certain: bool
    possible: bool
    conceivable: bool = False


def fingerprinted(paths: t.Iterable[str]) -> set[str]:
    """Return the paths with a fingerprint."""
    slots = {path: found for path in paths if (found := _slots(path))}
    each = [slot for found in slots.values() for slot in found]
    certain = Counter(slot.form for slot in each if slot.certain)
    every = Counter(slot.form for slot in each)
    most = {form for form, number in certain.items() if number >= max(SEVERAL, every[form] / 2)}
    nearly_all = {form for form in most if certain[form] >= max(MANY, NEARLY_ALL * every[form])}

    def counts(slot: _Slot) -> bool:
        in_most = slot.possible and slot.form in most
        return slot.certain or in_most or (slot.conceivable and slot.form in nearly_all)

    return {path for path, found in slots.items() if any(map(counts, found))}


def _slots(path: str) -> list[_Slot]:
    folder, _slash, name = path.rpartition("/")
    if any(generated in f"/{folder}/" for generated in IMMUTABLE_FOLDERS):
        return [_Slot((folder, "", 0), certain=True, possible=True)]
    parts = name.split(".")[:-1]
    if not parts or UUID.search(name):
        return []
    return [slot for at, part in enumerate(parts) for slot in _slots_of(folder, part, first=at == 0)]


def _slots_of(folder: str, part: str, *, first: bool) -> t.Iterator[_Slot]:
    found = HEXADECIMAL.search(part)
    if found and not (first and found[1] == part and len(part) < WHOLE_NAME):
        text = found[1]
        certain = not text.isdigit() and len(WORDS.findall(text)) >= 3
        yield _Slot((folder, "hexadecimal", len(text)), certain, not text.isdigit(), DATE.fullmatch(text) is None)
    found = BASE64.search(part)
    if not found or (first and found[1] == part):
        return
    text = found[1]
    marks, has_capitals, perhaps = _marks(text), any(map(str.isupper, text)), text.isupper()
    if BASE32.fullmatch(text):
        yield _Slot((folder, "base32", 8), marks >= RANDOM_BASE32, marks >= PERHAPS_RANDOM_BASE32, perhaps)
    certain, possible = marks >= RANDOM, marks >= PERHAPS_RANDOM
    perhaps = perhaps or certain or (marks >= RANDOM_LOWER_CASE and text.isalnum())
    yield _Slot((folder, "base64", 8), has_capitals and certain, has_capitals and possible, perhaps)


def _marks(text: str) -> int:
    """Return the number of words and of unusual pairs of letters. It is high for random text."""
    low = text.lower()
    pairs = (low[at : at + 2] for at in range(len(low) - 1))
    return len(WORDS.findall(text)) + sum(pair.isalpha() and pair not in USUAL for pair in pairs)
