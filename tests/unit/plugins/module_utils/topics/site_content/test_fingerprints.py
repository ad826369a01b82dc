"""Fingerprints: none missed in real builds, and hardly an ordinary name taken. Run with -s to see the table.

fingerprints/<tool>.txt has the names of a build of 60 to 400 modules with the tool's defaults (Vite 8.4, esbuild 0.28,
webpack 5.113, Next.js 16.4, Astro 5.7, VitePress 1.6, Docusaurus 3, Hugo 0.168 with `fingerprint` and `Resize`). Sphinx
and MkDocs mostly copy files without a fingerprint. ordinary.txt are names of files of packages and web sites: all whose
end could be a hash, and 800 others. hard.txt are ordinary names that look like hashes. beside_one.txt and
beside_two.txt are folders: files of a build, a bar, and ordinary files.
"""

from __future__ import annotations

import random
import re
import string
from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.fingerprints import fingerprinted
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.names import kind_of

NAMES = Path(__file__).parent / "fingerprints"
BUILDS = ("astro", "docusaurus", "esbuild", "hugo", "next", "vite", "vitepress", "webpack")
BASE64 = string.ascii_letters + string.digits + "-_"
BASE32 = string.ascii_uppercase + "234567"
HEXADECIMAL = string.digits + "abcdef"


def names(tool: str) -> list[str]:
    return (NAMES / f"{tool}.txt").read_text().splitlines()


def told(what: str, wrong: int, number: int) -> None:
    print(f"{what:30} {wrong:5} of {number:6} wrong: {wrong / number:.3%}")


@pytest.mark.parametrize("tool", BUILDS)
def test_no_file_of_a_real_build_is_missed(tool: str) -> None:
    paths = names(tool)
    missed = set(paths) - fingerprinted(paths)
    told(f"missed, {tool}", len(missed), len(paths))
    assert missed == set()


@pytest.mark.parametrize("tool", ["sphinx", "mkdocs"])
def test_no_file_without_a_fingerprint_is_taken(tool: str) -> None:
    """Material for MkDocs has a few with one: bundle.a5f9d56c.min.js."""
    taken = {path for path in fingerprinted(names(tool)) if not re.search(r"\.[0-9a-f]{8}\.min\.", path)}
    told(f"taken, {tool}", len(taken), len(names(tool)))
    assert taken == set()


@pytest.mark.parametrize("together", [False, True], ids=["alone", "in one folder"])
def test_few_ordinary_names_are_taken(together: bool) -> None:
    paths = names("ordinary")
    taken = fingerprinted(paths) if together else {path for path in paths if fingerprinted([path])}
    told(f"taken, {'together' if together else 'alone'}", len(taken), len(paths))
    assert len(taken) * 1000 < len(paths)


def test_ordinary_names_are_not_taken_beside_a_build() -> None:
    """Most of these names end in eight characters. A file that is copied into the folder of a build seldom does."""
    build = [path for path in names("vite") if path.startswith("assets/")]
    ordinary = [f"assets/{name}" for name in names("ordinary")]
    noise = random.Random(1)  # noqa: S311 - repeatable on purpose
    taken = 0
    for _number in range(200):
        few = noise.sample(ordinary, 10)
        taken += len(fingerprinted([*build, *few]) & set(few))
    told("taken, beside a build", taken, 2000)
    assert taken * 50 < 2000


def test_names_that_look_like_hashes() -> None:
    taken = {name for name in names("hard") if fingerprinted([name])}
    told("taken, hard names", len(taken), len(names("hard")))
    assert len(taken) <= 7, taken


@pytest.mark.parametrize(
    ("alphabet", "length", "form"),
    [
        (BASE64, 8, "{}-{}.js"),
        (BASE64, 8, "{}.{}.js"),
        (BASE32, 8, "{}-{}.css"),
        (HEXADECIMAL, 8, "{}.{}.chunk.js"),
        (HEXADECIMAL, 20, "{}.{}.js"),
        (HEXADECIMAL, 64, "{}.min.{}.css"),
    ],
)
@pytest.mark.parametrize(("files", "most"), [(3, 0.11), (5, 0.03), (20, 0.005), (200, 0.002)])
def test_builds_of_any_size(alphabet: str, length: int, form: str, files: int, most: float) -> None:
    noise = random.Random(files)  # noqa: S311 - repeatable on purpose
    missed = number = 0
    for _number in range(4000 // files):
        hashes = ["".join(noise.choices(alphabet, k=length)) for _number in range(files)]
        made = {f"assets/{form.format(f'app{at}', one)}" for at, one in enumerate(hashes)}
        missed += len(made - fingerprinted(made))
        number += len(made)
    told(f"missed, {form} in {files}", missed, number)
    assert missed <= most * number


@pytest.mark.parametrize(
    "name",
    [
        "app.3f2a9c1b.js",
        "main.abc123de.chunk.css",
        "main.0a1b2c3d4e5f6a7b8c9d.js",  # webpack's whole hash
        "main.0a1b2c3d.js.LICENSE.txt",
        "app.3f2a9c1b.js.map",
        "0a1b2c3d4e5f6a7b8c9d.png",
        "framework-64ad27b21261a9ce.js",
        "index-BX92kd_1.js",
        "hero-CLDdwZDr.png",
        "app.DEKfSKWO.js",
        "start.BX92kd_1.js",
        "app-5G6KDUWV.js",
        "docs/_next/static/chunks/2awjih3p12e67.js",
        "_app/immutable/entry/start.js",
        "style.min.0a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0a1b.css",
    ],
)
def test_a_fingerprint_is_known_alone(name: str) -> None:
    assert kind_of(name, fingerprinted([name])) == "immutable"


@pytest.mark.parametrize(("lone", "enough"), [("js/59362658.47426898.js", 10), ("js/main.aaaa1111.js", 3)])
def test_a_fingerprint_is_known_by_its_neighbours(lone: str, enough: int) -> None:
    build = [f"js/chunk{number}.{number:02}a1b2c3.js" for number in range(enough)]
    assert fingerprinted(build) == set(build)
    assert fingerprinted([lone, *build]) == {lone, *build}
    assert lone not in fingerprinted([lone, *build[1:]])


@pytest.mark.parametrize("folder", ["beside_one", "beside_two"])
def test_an_ordinary_name_is_not_taken_because_of_a_few_neighbours(folder: str) -> None:
    """Each folder has names with a fingerprint, and ordinary ones that could be one."""
    wrong = number = 0
    for line in names(folder):
        hashed, ordinary = (set(one.split()) for one in line.split("|"))
        taken = fingerprinted(hashed | ordinary)
        assert hashed <= taken
        wrong += len(taken - hashed)
        number += len(ordinary)
    told(f"taken, {folder}", wrong, number)
    assert wrong == 0


def test_numbers_are_not_taken_because_of_their_neighbours() -> None:
    """Numbers of articles and dates of events outnumber the files of a build seldom, and often equal them."""
    build = {f"a/chunk{number}.{number:02}a1b2c3.js" for number in range(9)}
    numbers = {f"a/sku-{10002000 + number}.jpg" for number in range(9)}
    assert fingerprinted(build | numbers) == build


@pytest.mark.parametrize(
    "name",
    [
        "scarlett-2i4-gen2.jpg",
        "report-20240101.pdf",
        "a-550e8400-e29b-41d4-a716-44665544a0b0.jpg",
        "3f2a9c1b",
        "3f2a9c1b.js",
    ],
)
def test_other_names_are_not(name: str) -> None:
    neighbours = {"logo.svg", "team-Photo123.jpg", "invoice-12345678.pdf"}
    assert fingerprinted({*neighbours, name}) == set()
