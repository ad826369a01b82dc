"""The batches of a release, and the release that each server goes back to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.rollout.planning import (
    Has,
    Server,
    Wish,
    back,
    batches,
    check,
    parse_release,
    released_before,
    report,
    size_of,
)

APP = {"name": "app", "id": "new", "archive": "/cache/app-new.tar.gz", "group": "site-app", "keep": 3}
GOOD: dict[str, Any] = {
    "tiers": ["public", "private"],
    "canary": 1,
    "batch": "50%",
    "error_threshold": 1.0,
    "probe_requests": 50,
    "deadline": 180,
    "warm_paths": ["/"],
    "probe_paths": ["/"],
    "target_groups": {"public": "public"},
}


def wish(tiers: dict[str, int], **given: Any) -> Wish:
    names = {tier: [f"{tier}-{number + 1}" for number in range(count)] for tier, count in tiers.items()}
    made = Wish(
        releases=(APP,),
        canary=1,
        batch="50%",
        tiers=names,
        groups={tier: tier for tier in tiers},
        urls={tier: f"http://{tier}.test" for tier in tiers},
        names={},
        hosts={"app": ""},
        probe_paths=("/",),
    )
    return replace(made, **given)


def server(name: str, current: str = "old", *, serving: bool = True) -> Server:
    kept = tuple(dict.fromkeys((current, "new", "old", "older")))
    return Server(name, name.rpartition("-")[0], {"app": Has(current, kept)}, serving)


def servers(of: Wish, **current: str) -> list[Server]:
    names = [name for tier in of.tiers.values() for name in tier]
    return [server(name, current.get(name.replace("-", "_"), "old")) for name in names]


@pytest.mark.parametrize(
    ("tiers", "given", "expected"),
    [
        ({"public": 2, "private": 2}, {}, ["public-1 private-1", "public-2 private-2"]),
        ({"public": 4}, {}, ["public-1", "public-2 public-3", "public-4"]),
        ({"public": 4}, {"batch": "100%"}, ["public-1", "public-2 public-3 public-4"]),
        ({"public": 4}, {"batch": "1%"}, ["public-1", "public-2", "public-3", "public-4"]),
        ({"public": 4}, {"canary": 2, "batch": "1"}, ["public-1 public-2", "public-3", "public-4"]),
        ({"public": 3, "private": 1}, {"batch": "2"}, ["public-1 private-1", "public-2 public-3"]),
        ({"public": 1, "private": 0}, {}, ["public-1"]),
    ],
)
def test_batches(tiers: dict[str, int], given: dict[str, Any], expected: list[str]) -> None:
    wanted = wish(tiers, **given)
    planned = batches(servers(wanted), wanted)
    assert [" ".join(one.name for one in batch.servers) for batch in planned] == expected
    assert [batch.name for batch in planned][:2] == ["canary", "batch 2"][: len(planned)]


def test_servers_come_in_the_order_of_their_numbers() -> None:
    wanted = wish({"public": 11}, batch="100%")
    assert [one.number for batch in batches(servers(wanted), wanted) for one in batch.servers] == list(range(1, 12))


def test_who_has_it_and_serves_is_left_alone() -> None:
    wanted = wish({"public": 3})
    there = [server("public-1", "new"), server("public-2", "new", serving=False), server("public-3")]
    assert [one.name for batch in batches(there, wanted) for one in batch.servers] == ["public-2", "public-3"]
    assert report([server("public-1", "new")], wanted)["batches"] == []


def test_the_only_server_of_a_tier_stays_in_its_balancer() -> None:
    wanted = wish({"public": 2, "private": 1})
    canary = batches(servers(wanted), wanted)[0]
    assert (len(canary.servers), canary.rotated) == (2, ("public-1",))
    assert report(servers(wanted), wanted)["lines"] == [
        "canary: public-1: app old -> new, drained first",
        "canary: private-1: app old -> new, not drained, because its tier has no other server",
        "batch 2: public-2: app old -> new, drained first",
    ]


@pytest.mark.parametrize(
    ("name", "current", "expected"),
    [
        ("public-1", {}, "old"),
        ("public-1", {"public_1": "older"}, "older"),
        # An interrupted run got to it: it goes back to what most of the others have.
        ("public-1", {"public_1": "new", "public_2": "older"}, "old"),
    ],
)
def test_what_a_server_goes_back_to(name: str, current: dict[str, str], expected: str) -> None:
    wanted = wish({"public": 4})
    there = servers(wanted, **current)
    own = next(one for one in there if one.name == name)
    assert [(one["id"], one["archive"]) for one in back(own, there, wanted)] == [(expected, None)]


def test_there_is_nothing_to_go_back_to() -> None:
    wanted = wish({"public": 1})
    lone = Server("public-1", "public", {"app": Has("new", ("new",))}, serving=False)
    assert back(lone, [lone], wanted) == []


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        ({"public_1": "new"}, ["public-1"]),
        ({"public_1": "new", "public_2": "new"}, ["public-1", "public-2"]),
        # Three of four serve it: that one cannot follow does not take it from them.
        ({"public_1": "new", "public_2": "new", "public_3": "new"}, []),
    ],
)
def test_an_interrupted_run_is_taken_back_too(current: dict[str, str], expected: list[str]) -> None:
    wanted = wish({"public": 4})
    there = servers(wanted, **current)
    assert [one.name for one in released_before(there, wanted)] == expected
    told = report(there, wanted)
    assert [batch["servers"] for batch in told["before"]] == ([expected] if expected else [])
    assert set(told["servers"]) >= set(expected)


def test_probes_ask_a_batch_through_its_balancers() -> None:
    wanted = wish({"public": 2, "private": 2}, hosts={"app": "shop.example.com"})
    told = report(servers(wanted), wanted)
    assert [(one["url"], one["servers"], one["host"]) for one in told["batches"][0]["probes"]] == [
        ("http://public.test", ["public-1"], "shop.example.com"),
        ("http://private.test", ["private-1"], "shop.example.com"),
    ]


AWS = "https://dev-public-1.eu-central-1.elb.amazonaws.com"
WWW = ["www.example.com", "*.shop.example.com"]


@pytest.mark.parametrize(
    ("url", "names", "host", "asked"),
    [
        (AWS, WWW, "www.example.com", (AWS, "www.example.com", "www.example.com")),
        (AWS, WWW, "de.shop.example.com", (AWS, "de.shop.example.com", "de.shop.example.com")),
        (AWS, WWW, "", (AWS, "www.example.com", "www.example.com")),
        (AWS, WWW, "intern.test", (AWS, "intern.test", "www.example.com")),
        (AWS, [], "intern.test", (AWS, "intern.test", "")),
        ("https://www.example.com", WWW, "", ("https://www.example.com", "www.example.com", "www.example.com")),
        ("https://www.example.com", WWW, "intern.test", None),
    ],
    ids=["a name", "a wildcard", "the first site", "another host", "no names", "a distribution", "not behind it"],
)
def test_a_site_is_asked_for_by_a_name_that_the_certificate_covers(
    url: str, names: list[str], host: str, asked: tuple[str, str, str] | None
) -> None:
    wanted = wish({"public": 2}, hosts={"app": host}, urls={"public": url}, names={"public": names})
    found = report(servers(wanted), wanted)["batches"][0]["probes"]
    assert [(one["url"], one["host"], one["tls_name"]) for one in found] == ([asked] if asked else [])


def test_a_site_that_no_host_leads_to_is_not_asked_for() -> None:
    wanted = wish({"public": 2}, hosts={})
    assert report(servers(wanted), wanted)["batches"][0]["probes"] == []


def test_the_plan_as_changes_and_differences() -> None:
    wanted = wish({"public": 2})
    told = report([server("public-1"), server("public-2", "new", serving=False)], wanted)
    assert [(one["action"], one["resource"], one["name"]) for one in told["changes"]] == [
        ("update", "current release", "app new on public-1"),
        ("create", "targets", "public-2"),
    ]
    assert [(one["before"], one["after"]) for one in told["diff"]] == [
        ("public-1: app old\n", "public-1: app new\n"),
        ("public-2: app new\n", "public-2: app new\n"),
    ]


def test_the_plan_tells_the_release_command_once_and_the_way_back_has_none() -> None:
    wanted = wish({"public": 2}, releases=({**APP, "command": {"lines": ["php migrate"]}},))
    both = [
        replace(one, sites={"app": replace(one.sites["app"], command=("php migrate",))})
        for one in (server("public-1"), server("public-2"))
    ]
    told = report(both, wanted)
    assert told["lines"][0] == (
        "app: one server runs the release command first, unless that has been done: php migrate"
    )
    assert [change["name"] for change in told["changes"] if change["action"] == "run"] == ["app: php migrate"]
    assert [one["command"] for one in told["servers"]["public-1"]["back"]] == [None]
    assert [one["command"]["lines"] for one in told["servers"]["public-1"]["forward"]] == [["php migrate"]]


@pytest.mark.parametrize(
    ("kept", "archive", "message"),
    [
        (("old", "new"), None, ""),
        (("old", "older"), "/packed/app-new.tar.gz", ""),
        (
            ("old", "older"),
            None,
            "lamp_release: 'new' of 'app' is not on public-1; give a release that all servers keep: old, older.",
        ),
        (
            (),
            None,
            "lamp_sites: 'app' has no release yet on public-1; run groundwork.aws.site first, which configures them.",
        ),
    ],
)
def test_what_nobody_has_cannot_be_released(kept: tuple[str, ...], archive: str | None, message: str) -> None:
    problems = Problems()
    one = Server("public-1", "public", {"app": Has(kept[0] if kept else "", kept)})
    check([one], wish({"public": 1}, releases=({**APP, "archive": archive},)), problems)
    assert [str(problem) for problem in problems.found] == ([message] if message else [])


@pytest.mark.parametrize(
    ("batch", "servers_of_tier", "expected"),
    [("50%", 4, 2), ("50%", 3, 1), ("10%", 4, 1), ("100%", 4, 4), ("3", 4, 3)]
    + [(nonsense, 4, None) for nonsense in ("0", "0%", "101%", "-1", "half", "1.5", "")],
)
def test_the_size_of_a_batch(batch: str, servers_of_tier: int, expected: int | None) -> None:
    assert size_of(batch, servers_of_tier) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, ""),
        ({"batch": "2", "canary": 3, "error_threshold": 0}, ""),
        ({"tiers": ["publik"]}, "release_tiers[0]: 'publik' is not the name of a tier; use some of private, public."),
        ({"canary": 0}, "release_canary: a first batch of 0 servers is not possible; give 1 or more."),
        (
            {"canary": 4},
            "release_canary: 4 servers are all servers of the tier public; give at most 3, "
            "so that others serve meanwhile.",
        ),
        (
            {"batch": "0"},
            "release_batch: '0' is not a number of servers; "
            "give a whole number from 1, or a share of the tier from 1% to 100%, in quotes.",
        ),
        ({"error_threshold": 101}, "release_error_threshold: 101 % is out of range; give a number from 0 to 100."),
        ({"probe_requests": 0}, "release_probe_requests: 0 is out of range; give a whole number from 1 to 10000."),
        ({"deadline": 0}, "release_deadline: 0 is out of range; give a whole number from 1 to 86400."),
        ({"warm_paths": []}, "release_warm_paths: is empty; give at least one path, as /."),
        ({"probe_paths": ["shop"]}, "release_probe_paths[0]: 'shop' does not begin with /; begin the path with /."),
        (
            {"target_groups": {"web": ["public"]}},
            "release_target_groups.web: '['public']' is not the name of a tier; use some of private, public.",
        ),
    ],
)
def test_what_can_be_asked_for(given: dict[str, Any], message: str) -> None:
    problems = Problems("release_")
    parse_release({**GOOD, **given}, problems, counts={"public": 4, "private": 1})
    assert [str(problem) for problem in problems.found] == ([message] if message else [])
