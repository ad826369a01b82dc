"""Killed anywhere, and two at once: no page without its assets, and the next run completes it."""

from __future__ import annotations

import re
import threading
import typing as t
from collections.abc import Callable

import pytest
from accounts.site_content import Site

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError

ASSET = re.compile(rb'(?:href|src)="(?:\.\./|/)?([^"]+)"')


def next_release(site: Site) -> None:
    """Everything changes: a new style sheet under a new name, a page that goes, one that comes."""
    site.put("old.html", '<img src="logo.svg">')
    site.publish()
    for gone in ("app.3f2a9c1b.css", "app.4e5d6c7b.js", "logo.svg", "old.html"):
        site.remove(gone)
    site.put("app.5a6b7c8d.css", "body { color: blue }")
    site.put("picture.svg", "<svg>2</svg>")
    site.put("index.html", '<link rel="stylesheet" href="/app.5a6b7c8d.css"><img src="picture.svg">')
    site.put("guide/index.html", '<link rel="stylesheet" href="../app.5a6b7c8d.css">')
    site.put("new.html", '<img src="picture.svg">')


def broken(content: t.Mapping[str, bytes]) -> list[str]:
    """Pages with an asset that is not there."""
    return [
        f"{path} -> {asset.decode()}"
        for path, text in content.items()
        if path.endswith(".html")
        for asset in ASSET.findall(text)
        if asset.decode() not in content
    ]


def kill_points(site: Site) -> int:
    site.publish()
    return len(site.wire.requests)


@pytest.mark.usefixtures("process_ended")
@pytest.mark.parametrize("first", [True, False], ids=["first publication", "next release"])
@pytest.mark.exhaustive
def test_killed_after_any_request(new_site: Callable[[], Site], fill: t.Callable[[Site], None], first: bool) -> None:
    def ready() -> t.Any:
        site = new_site()
        site.make_bucket()
        fill(site)
        if not first:
            next_release(site)
        return site

    whole = ready()
    points, expected = kill_points(whole), whole.content()
    invalidated = set(whole.edge.paths)
    assert points > 8
    for point in range(points):
        site = ready()
        site.wire.requests, site.wire.killed_after = [], point
        with pytest.raises(site.cloud.Killed):
            site.publish()
        site.wire.killed_after = None
        last_request = site.wire.requests[-1]
        assert broken(site.content()) == [], f"killed after {last_request}"
        begun = any(one.startswith("PUT releases/current.json") for one in site.wire.requests)
        whole_already = last_request.startswith("PUT releases/2")
        told_before = {path for batch in site.edge.made for path in batch["Paths"]["Items"]}
        done = site.publish()
        assert site.content() == expected, f"killed after {last_request}"
        assert done["changed"] is not whole_already
        told_now = {path for batch in site.edge.made for path in batch["Paths"]["Items"]}
        assert told_now >= invalidated and (whole_already or not begun or told_now - told_before or not invalidated)
        assert not site.publish()["changed"], f"killed after {last_request}"


@pytest.mark.usefixtures("process_ended")
@pytest.mark.parametrize("operation", ["CreateInvalidation", "GetInvalidation"])
def test_killed_around_the_invalidation(site: Site, operation: str) -> None:
    """The next run finds nothing else to do, and invalidates all the same."""
    next_release(site)
    site.given["keep_assets"] = 0
    site.edge.killed_at = operation
    with pytest.raises(site.cloud.Killed):
        site.publish()
    paths = site.edge.paths
    assert broken(site.content()) == [] and "logo.svg" in site.content()
    site.edge.killed_at = ""
    site.publish()
    assert set(site.edge.paths) - set(paths) <= {"/new.html", "/picture.svg"}  # somebody may have asked for them
    assert set(paths) <= set(site.edge.paths) and "logo.svg" not in site.content()
    assert site.edge.calls[-1] == "GetInvalidation"
    assert not site.publish()["changed"]


@pytest.mark.usefixtures("process_ended")
def test_an_interrupted_run_is_resumed_without_putting_all_again(site: Site) -> None:
    for number in range(20):
        site.put(f"pictures/{number}.svg", f"<svg>{number}</svg>")
    site.wire.earlier = 2  # S3 tells times in whole seconds: what is put is younger than the claim
    site.wire.killed_after = 18
    with pytest.raises(site.cloud.Killed):
        site.publish()
    site.wire.killed_after = None
    there = site.content()
    assert len(there) > 10
    done = site.publish()
    assert done["counts"]["unchanged"] == len(there) and done["counts"]["uploaded"] == 25 - len(there)
    site.put("pictures/1.svg", "<svg>other</svg>")
    site.publish()
    back = site.publish(release=done["release"])
    assert back["counts"]["copied"] == 1 and site.content()["pictures/1.svg"] == b"<svg>1</svg>"


@pytest.mark.usefixtures("process_ended")
@pytest.mark.parametrize("form", ["assets/{}.{}1b2c3d.js", "pages/{}-{}.html"])
def test_what_an_interrupted_run_has_uploaded_is_no_deletion(site: Site, form: str) -> None:
    """Each build has other names. What was never part of a release is not missing in the source."""

    def build(name: str, number: int) -> None:
        for old in [*site.source.glob("assets/*"), *site.source.glob("pages/*")]:
            old.unlink()
        for at in range(number):
            site.put(form.format(at, name), name)
        site.put("index.html", f'<link rel="stylesheet" href="/app.3f2a9c1b.css"><img src="logo.svg"><p>{name}')

    def kill(request: str) -> None:
        if request.startswith("PUT releases/2"):
            raise site.cloud.Killed

    build("1a", 10)
    site.publish()
    build("2e", 60)
    site.wire.before = kill
    with pytest.raises(site.cloud.Killed):
        site.publish()
    site.wire.before = lambda _request: None
    assert form.format(59, "2e") in site.content()
    build("3f", 10)
    site.publish()
    assert site.warnings == []
    assert (form.format(0, "2e") in site.content()) is ("assets" in form)
    assert not site.publish()["changed"]


@pytest.mark.usefixtures("process_ended")
def test_another_content_after_an_interrupted_run(site: Site) -> None:
    next_release(site)
    site.wire.killed_after = 9
    site.wire.requests = []
    with pytest.raises(site.cloud.Killed):
        site.publish()
    site.wire.killed_after = None
    site.put("index.html", '<img src="third.svg">')
    site.put("third.svg", "<svg>3</svg>")
    site.publish()
    assert site.content()["index.html"] == b'<img src="third.svg">' and broken(site.content()) == []
    assert not site.publish()["changed"]


def test_who_is_publishing_is_told(site: Site) -> None:
    """The first one has not ended: as far as anybody knows it is at work."""
    site.wire.killed_after = 5
    with pytest.raises(site.cloud.Killed):
        site.publish()
    site.wire.killed_after = None
    with pytest.raises(
        GroundworkError, match=r"\S+@\S+ has been publishing the release \S+ since .* its lease expires in 1\d\d s"
    ):
        site.publish()
    assert site.writes == []


def test_two_at_once_do_not_interleave(site: Site) -> None:
    """The second one begins and ends between the first one's look and its first write."""
    nested: list[dict[str, t.Any]] = []

    def meanwhile(request: str) -> None:
        if request.startswith("PUT releases/current.json") and not nested:
            nested.append({})
            lock, requests = site.wire._lock, site.wire.requests
            site.wire._lock, site.wire.requests = threading.Lock(), []
            nested[0] = site.publish()
            site.wire._lock, site.wire.requests = lock, requests

    site.wire.before = meanwhile
    with pytest.raises(GroundworkError, match="Another process has begun to publish in the meantime"):
        site.publish()
    assert nested[0]["changed"] and broken(site.content()) == []
    assert not site.publish()["changed"]


def test_after_a_failure_the_next_run_need_not_wait(site: Site) -> None:
    site.publish()
    site.put("index.html", "<p>new")
    site.edge.create_invalidation = refuse
    with pytest.raises(GroundworkError, match="AWS refused CreateInvalidation with AccessDenied"):
        site.publish()
    del site.edge.create_invalidation
    assert site.publish()["changed"] and site.edge.paths == ["/", "/index.html"]


def refuse(**_arguments: t.Any) -> t.NoReturn:
    from botocore.exceptions import ClientError

    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "CreateInvalidation")
