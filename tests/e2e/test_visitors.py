"""Real content, and visitors who walk through it while it is published, killed in the middle, and published again."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import brotli
import pytest
from asking import get
from laptop import LOCK_CALLS, ROOT, Laptop, besides_lock
from running_site import Site

CRAWLER = Path(__file__).with_name("crawler.py")
DOCUMENTATION = Path("/usr/share/doc/python3-doc/html")
SAMPLE = ROOT / "roles" / "static_site" / "files" / "site"
CHAPTERS = ("tutorial", "howto", "install", "installing", "distributing", "extending", "using", "whatsnew")
STYLESHEET = "_static/pydoctheme.css"
BUCKET = "groundwork-local-site"
KILLS = 20 if os.environ.get("GROUNDWORK_MANY_KILLS") else 8
PUBLISH = ("ansible-playbook", "-i", "inventories/local", "playbooks/publish.yml")
# A few of the documentation's own references lead to what its Debian package leaves out.
LENIENT = {"static_site_allow_missing_references": True, "static_site_not_found_page": ""}


@pytest.fixture(scope="module")
def edge(site: Site) -> str:
    return site.edge


@pytest.fixture(scope="module", autouse=True)
def sample(laptop: Laptop) -> Iterator[None]:
    """At the end the site is the sample again, with the distribution that it had."""
    yield
    play = laptop.play("--tags", "static_site", variables={"static_site_max_deletions": "100%"})
    assert play.code == 0, play.failures()


@pytest.fixture(scope="module")
def documentation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python's documentation from Debian's package, links followed: a thousand files, 67 MB."""
    return Path(shutil.copytree(DOCUMENTATION, tmp_path_factory.mktemp("site") / "documentation"))


@pytest.fixture(scope="module")
def chapters(documentation: Path) -> Path:
    """Some chapters of it, which are published faster."""
    target = documentation.with_name("chapters")
    for name in ("_static", "_images", *CHAPTERS):
        shutil.copytree(documentation / name, target / name)
    for page in documentation.glob("*.html"):
        if not page.name.startswith(("genindex", "py-modindex", "search")):  # which need what is left out here
            shutil.copy(page, target)
    return target


def edition(documentation: Path, number: int) -> None:
    """Another edition: every page and the stylesheet are new, and the stylesheet's name has its fingerprint."""
    folder = documentation / "_static"
    (old,) = folder.glob("pydoctheme*.css")
    text = re.sub(r"^/\* edition .*\n", "", old.read_text())
    text = f"/* edition {number} */\n{text}"
    name = f"pydoctheme.{hashlib.sha256(text.encode()).hexdigest()[:10]}f.css"
    old.unlink()
    (folder / name).write_text(text)
    for page in documentation.rglob("*.html"):
        page.write_text(re.sub(r"pydoctheme[.0-9a-f]*\.css(\?[^\"]*)?", name, page.read_text(errors="replace")))


def variables(source: Path) -> str:
    return json.dumps({"static_site_source": str(source), "static_site_max_deletions": "100%", **LENIENT})


@contextmanager
def visitors(url: str) -> Iterator[dict[str, Any]]:
    """Three visitors wander, each with another encoding; afterwards the dictionary holds what they saw."""
    seen: dict[str, Any] = {}
    argv = [sys.executable, str(CRAWLER), url, "3"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as crawler:
        try:
            yield seen
        finally:
            crawler.terminate()
            seen.update(json.loads(crawler.communicate(timeout=60)[0]))


def publish(laptop: Laptop, source: Path) -> subprocess.CompletedProcess[str]:
    return laptop.run(*PUBLISH, "-e", variables(source))


def publish_and_kill(laptop: Laptop, source: Path, after: float) -> bool:
    """Publish, and kill it after so many seconds; whether it was still at work."""
    argv = [*PUBLISH, "-e", variables(source)]
    with laptop.start(*argv) as run:
        try:
            run.wait(after)
        except subprocess.TimeoutExpired:
            laptop.kill(run)
            return True
        return False


def test_a_documentation_is_published_whole(laptop: Laptop, edge: str, documentation: Path) -> None:
    done = publish(laptop, documentation)
    assert done.returncode == 0, done.stdout + done.stderr
    crawled = subprocess.run(
        [sys.executable, str(CRAWLER), "--once", f"{edge}/index.html"], capture_output=True, check=True
    )
    seen = json.loads(crawled.stdout)
    assert len(seen["pages"]) > 400
    assert seen["broken"] == []


def test_nothing_to_do_costs_a_few_reads(laptop: Laptop, documentation: Path) -> None:
    laptop.calls(reset=True)
    done = publish(laptop, documentation)
    assert done.returncode == 0, done.stdout + done.stderr
    counted = laptop.calls()
    assert besides_lock(counted) == {}
    objects = sum(1 for path in documentation.rglob("*") if path.is_file())
    assert sum(counted["calls"]["s3"].values()) <= -(-objects // 1000) + 2 + LOCK_CALLS
    assert "cloudfront" not in counted["calls"]


def test_killed_anywhere_no_visitor_misses_an_asset(laptop: Laptop, edge: str, chapters: Path) -> None:
    """SIGKILL at a random moment of each of many publications, each completed by the next."""
    moments = random.Random(20)  # noqa: S311 - repeatable on purpose
    for number in (1, 2):  # the first one deletes what other tests have left
        edition(chapters, number)
        began = time.monotonic()
        assert publish(laptop, chapters).returncode == 0
        took = time.monotonic() - began
    killed = 0
    with visitors(f"{edge}/index.html") as seen:
        for number in range(3, KILLS + 3):
            edition(chapters, number)
            killed += publish_and_kill(laptop, chapters, moments.uniform(0.3 * took, 0.9 * took))
        done = publish(laptop, chapters)
        assert done.returncode == 0, done.stdout + done.stderr
    assert killed >= KILLS / 2, f"{killed} of {KILLS} were still at work when they were killed"
    assert seen["broken"] == []
    assert seen["visits"] > 10 * KILLS, seen["visits"]
    assert set(seen["statuses"]) <= {"200", "404"}
    (stylesheet,) = (chapters / "_static").glob("pydoctheme.*.css")
    assert stylesheet.name in get(f"{edge}/index.html").text


def test_back_to_an_older_release_without_an_upload(laptop: Laptop, edge: str, chapters: Path) -> None:
    listed = laptop.play("--tags", "releases", playbook="playbooks/publish.yml")
    (releases,) = [result["releases"] for task, _, result in listed.results() if task.endswith("List the releases")]
    assert len(releases) > 1
    given = {"static_site_release": releases[1]["id"], **LENIENT}
    laptop.calls(reset=True)
    play = laptop.play(playbook="playbooks/publish.yml", variables=given)
    assert play.code == 0, play.failures()
    writes = laptop.calls()["writes"]
    assert writes["s3"]["PutObject"] <= 2 + 2, "records and the lock only"
    assert writes["s3"]["CopyObject"] > 50
    (stylesheet,) = (chapters / "_static").glob("pydoctheme.*.css")
    page = get(f"{edge}/index.html")
    assert page.status == 200
    assert stylesheet.name not in page.text


def test_a_single_page_app(laptop: Laptop, edge: str, tmp_path: Path) -> None:
    """A real build, of the web interface that Locust ships: routes give the page, a missing script is missing."""
    argv = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", ".", "locust"]
    subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path, [name for name in wheel.namelist() if "webui/dist/" in name])
    build = tmp_path / "locust" / "webui" / "dist"
    given = {
        "static_site_source": str(build),
        "static_site_spa": True,
        "static_site_max_deletions": "100%",
        "static_site_precompress": ["js"],
        **LENIENT,
    }
    play = laptop.play("--tags", "static_site", variables=given)
    assert play.code == 0, play.failures()
    page = (build / "index.html").read_bytes()

    route = get(f"{edge}/some/route")
    assert (route.status, route.body) == (200, page)
    for missing in ("/assets/gone.js", "/assets/gone.css", "/gone.png"):
        assert get(edge + missing).status == 404
    (script,) = build.glob("assets/*.js")
    packed = get(f"{edge}/assets/{script.name}", {"Accept-Encoding": "br"})
    assert (packed.status, packed.headers["Content-Encoding"]) == (200, "br")
    assert len(packed.body) < script.stat().st_size / 3
    assert packed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert get(f"{edge}/assets/{script.name}", {"Accept-Encoding": "identity"}).body == script.read_bytes()


def restyle(site: Path) -> None:
    """Another edition of the sample: a stylesheet of another name, and pages that need it."""
    (old,) = site.glob("assets/style.*.css")
    new = old.with_name("style.0a1b2c3d.css")
    old.rename(new)
    new.write_text(f"{new.read_text()}{'main { margin: auto }' * 100}")
    for page in site.rglob("*.html"):
        page.write_text(page.read_text().replace(old.name, new.name))


def see_all(edge: str, site: Path, *, packed: bool) -> None:
    """Every visitor gets every page and all that it loads, whatever they accept; Brotli as it was `packed`."""
    types = {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml; charset=utf-8",
    }
    paths = {"/": "index.html", "/guide/": "guide/index.html"}
    for page in site.rglob("*.html"):
        paths |= {path: path[1:] for path in re.findall(r'"(/assets/[^"]+)"', page.read_text())}
    for path, name in paths.items():
        content, kind = (site / name).read_bytes(), Path(name).suffix
        for accepted, unpack in (("br", brotli.decompress), ("gzip", gzip.decompress), ("identity", bytes)):
            answer = get(edge + path, {"Accept-Encoding": accepted})
            encoding = answer.headers.get("Content-Encoding", "identity")
            assert (answer.status, answer.headers["Content-Type"]) == (200, types[kind]), (path, accepted)
            assert ("immutable" in answer.headers["Cache-Control"]) == path.startswith("/assets/"), (path, accepted)
            assert encoding in ("identity", accepted), (path, accepted)
            assert (answer.body if encoding == "identity" else unpack(answer.body)) == content, (path, accepted)
            if packed and accepted == "br" and kind != ".svg":
                assert answer.body == brotli.compress(content, mode=brotli.MODE_TEXT, quality=11), path


def test_what_is_packed_serves_until_nobody_asks_for_it(laptop: Laptop, edge: str, tmp_path: Path) -> None:
    """Packed, published without it, the function made to follow, and got rid of: no visitor is the worse for it."""
    site = Path(shutil.copytree(SAMPLE, tmp_path / "site"))

    def variants() -> set[str]:
        listed = laptop.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="site/")["Contents"]
        return {one["Key"] for one in listed if one["Key"].endswith(".br")}

    def play(*words: str, **more: object) -> None:
        given = {"static_site_source": str(site), "static_site_max_deletions": "100%", **more}
        done = laptop.play(*words, variables=given, playbook="site.yml" if words else "playbooks/publish.yml")
        assert done.code == 0, done.failures()

    play("--tags", "static_site", static_site_precompress=["css", "html"])
    with visitors(f"{edge}/") as seen:
        see_all(edge, site, packed=True)
        restyle(site)
        play()
        see_all(edge, site, packed=True)
        play("--tags", "static_site")
        assert "site/index.html.br" in variants()
        see_all(edge, site, packed=False)
        play(static_site_keep_variants=False)
        assert variants() == set()
        see_all(edge, site, packed=False)
    assert seen["broken"] == []
    assert set(seen["statuses"]) == {"200"}
    assert {f"{edge}/", f"{edge}/guide/"} <= set(seen["pages"])
