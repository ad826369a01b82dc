"""The static site through the edge: private behind, cached in front, published in order."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from asking import get
from laptop import LOCK_CALLS, ROOT, Laptop, Play
from running_site import Site

SAMPLE = ROOT / "roles" / "static_site" / "files" / "site"
BUCKET = "groundwork-local-site"


class Publish(Protocol):
    def __call__(self, *words: str, **variables: object) -> Play: ...


@pytest.fixture(scope="module")
def edge(site: Site) -> str:
    """The distribution's URL, as CloudFront tells it."""
    return site.edge


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the sample site, to be changed."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "site"))


@pytest.fixture
def publish(laptop: Laptop, source: Path) -> Iterator[Publish]:
    """Publishes the copy; at the end the site is the sample again."""

    def run(*words: str, **variables: object) -> Play:
        given = {"static_site_source": str(source), **variables}
        return laptop.play(*words, playbook="playbooks/publish.yml", variables=given)

    yield run
    assert laptop.play(playbook="playbooks/publish.yml").code == 0


def origin_reads(laptop: Laptop) -> int:
    return int(laptop.calls()["calls"].get("origin", {}).get("GetObject", 0))


def test_a_miss_then_hits_with_the_origin_untouched(laptop: Laptop, edge: str) -> None:
    first = get(f"{edge}/guide/?first")
    assert first.status == 200
    before = origin_reads(laptop)
    answers = [get(f"{edge}/guide/") for _ in range(5)]
    assert {answer.cache for answer in answers} == {"Hit from cloudfront"}
    assert {answer.body for answer in answers} == {(SAMPLE / "guide" / "index.html").read_bytes()}
    assert origin_reads(laptop) == before


def test_the_bucket_is_private(laptop: Laptop) -> None:
    assert get(f"http://{BUCKET}.s3.eu-central-1.amazonaws.com/site/index.html").status == 403
    block = laptop.client("s3").get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}


@pytest.mark.parametrize(
    ("path", "file"), [("/", "index.html"), ("/guide/", "guide/index.html"), ("/guide", "guide/index.html")]
)
def test_clean_urls(edge: str, path: str, file: str) -> None:
    answer = get(edge + path)
    assert (answer.status, answer.body) == (200, (SAMPLE / file).read_bytes())
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_page_that_is_not_there(edge: str) -> None:
    answer = get(f"{edge}/nothing/here")
    assert (answer.status, answer.body) == (404, (SAMPLE / "404.html").read_bytes())


def test_security_headers(edge: str) -> None:
    headers = get(f"{edge}/").headers
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"


def test_plain_http_is_sent_to_https(edge: str) -> None:
    answer = get(edge.replace("https:", "http:") + "/guide/")
    assert (answer.status, answer.headers["Location"]) == (301, f"{edge}/guide/")


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_pages_are_compressed(edge: str, encoding: str) -> None:
    answer = get(f"{edge}/guide/", {"Accept-Encoding": encoding})
    assert answer.headers["Content-Encoding"] == encoding
    assert len(answer.body) < len((SAMPLE / "guide" / "index.html").read_bytes())


def test_a_change_is_seen_at_once_and_assets_stay_cached(edge: str, source: Path, publish: Publish) -> None:
    stylesheet = next(source.glob("assets/style.*.css")).relative_to(source)
    get(f"{edge}/{stylesheet}")
    assert get(f"{edge}/").status == 200
    page = source / "index.html"
    page.write_text(page.read_text().replace("is here</h1>", "is new</h1>"))
    assert publish().code == 0
    answer = get(f"{edge}/")
    assert b"is new</h1>" in answer.body
    assert answer.cache == "Miss from cloudfront"
    assert get(f"{edge}/{stylesheet}").cache == "Hit from cloudfront"


def test_headers_of_ones_own_cost_no_more_than_the_budget(laptop: Laptop, edge: str) -> None:
    own = {"static_site_response_headers": {"custom": {"X-Robots-Tag": "noindex"}}}
    play = laptop.play("--tags", "static_site", variables=own)
    assert play.code == 0, play.failures()
    assert get(f"{edge}/").headers["X-Robots-Tag"] == "noindex"
    laptop.calls(reset=True)
    again = laptop.play("--tags", "static_site", variables=own)
    assert (again.code, again.changes()) == (0, []), again.failures()
    calls = laptop.calls()["calls"]
    counted = {service: sum(calls[service].values()) for service in ("cloudfront", "resourcegroupstaggingapi", "s3")}
    assert sum(counted.values()) <= 12 + 3 + LOCK_CALLS, calls  # what serves it, and its few objects
    back = laptop.play("--tags", "static_site")
    assert back.code == 0, back.failures()
    assert "X-Robots-Tag" not in get(f"{edge}/").headers


def test_without_the_policys_statement_the_edge_is_refused(laptop: Laptop, edge: str) -> None:
    s3 = laptop.client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    policy["Statement"] = [one for one in policy["Statement"] if one["Effect"] != "Allow"]
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    assert get(f"{edge}/never-asked-for.css").status == 403
    play = laptop.play("--tags", "static_site")
    assert play.code == 0, play.failures()
    assert [change for change in play.changes() if "policy" in change], play.changes()
    assert get(f"{edge}/never-asked-for-either.css").status == 404
