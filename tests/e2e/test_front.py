"""CloudFront in front of the servers: visitors reach them through the distribution alone, and its secret rotates."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import get
from laptop import Laptop, Play
from running_site import Site
from visitors import visitors_of

from groundwork_lab.processes import in_namespace
from groundwork_lab.settings import LAPTOP, ORIGIN_FACING, from_environment

ZONE, WWW, STATIC = "front.test", "www.front.test", "/style.css"
PAGE = """<?php
if (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) === '/login') {
    setcookie('user', $_POST['user'] ?? '', ['secure' => true, 'httponly' => true]);
}
header('Content-Type: application/json');
$told = ['HTTPS', 'SERVER_PORT', 'HTTP_HOST', 'REMOTE_ADDR', 'REQUEST_METHOD', 'QUERY_STRING'];
echo json_encode(array_intersect_key($_SERVER, array_flip($told)) + ['user' => $_COOKIE['user'] ?? null]);
"""
PARAMETER = "/groundwork/local/alb/public/origin-verify"
ROTATE = "playbooks/rotate_origin.yml"
RELEASE = "playbooks/release.yml"
INVALIDATED = "localhost: create invalidation alb-public"
BUDGET = 8  # calls more than with names alone, in a run with nothing to do


def total(laptop: Laptop) -> int:
    return sum(sum(operations.values()) for operations in laptop.calls()["calls"].values())


def secret(laptop: Laptop) -> str:
    found = laptop.client("ssm").get_parameter(Name=PARAMETER, WithDecryption=True)
    return str(found["Parameter"]["Value"])


def accepted(laptop: Laptop) -> list[str]:
    """Return the secrets that the load balancer accepts."""
    elb = laptop.client("elbv2")
    [balancer] = elb.describe_load_balancers(Names=["local-public"])["LoadBalancers"]
    listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = [
        rule
        for one in listeners
        if one["Port"] == 443
        for rule in elb.describe_rules(ListenerArn=one["ListenerArn"])["Rules"]
    ]
    [condition] = next(rule for rule in rules if rule["Priority"] == "50000")["Conditions"]
    return list(condition["HttpHeaderConfig"]["Values"])


def address(laptop: Laptop) -> str:
    """Return an address of the load balancer, from the internet."""
    [balancer] = laptop.client("elbv2").describe_load_balancers(Names=["local-public"])["LoadBalancers"]
    return laptop.run("getent", "ahostsv4", balancer["DNSName"]).stdout.split()[0]


def from_cloudfront(laptop: Laptop, *words: str) -> str:
    """Return the status that the load balancer answers to a request from an address of CloudFront."""
    asked = ["--interface", str(ORIGIN_FACING), "--resolve", f"{WWW}:443:{address(laptop)}", *words]
    argv = ["curl", "--silent", "--max-time", "5", "--output", "/dev/null", "--write-out", "%{http_code}", *asked]
    namespace = from_environment().namespace("aws")

    def ask() -> subprocess.CompletedProcess[str]:
        return subprocess.run([*argv, f"https://{WWW}/"], capture_output=True, text=True, check=False)

    return in_namespace(namespace, ask).stdout


@pytest.fixture(scope="module")
def zone(laptop: Laptop, site: Site) -> Iterator[str]:
    """A hosted zone whose domain is registered."""
    assert site
    route53 = laptop.client("route53")
    made = str(route53.create_hosted_zone(Name=ZONE, CallerReference="front")["HostedZone"]["Id"])
    registered = laptop.run("groundwork-lab", "register", ZONE)
    assert registered.returncode == 0, registered.stderr
    yield made
    laptop.run("groundwork-lab", "deregister", ZONE)
    route53.delete_hosted_zone(Id=made)


@pytest.fixture(scope="module")
def named(laptop: Laptop, zone: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], int]]:
    """The site with a name, and the calls of a run with nothing to do. Afterwards it has neither of them."""
    assert zone
    source = tmp_path_factory.mktemp("app")
    (source / "index.php").write_text(PAGE)
    (source / STATIC.lstrip("/")).write_text("body { color: teal }\n")
    sites = [{"name": "app", "source": {"path": str(source)}, "front_controller": "index.php"}]
    given = {"dns_zone": ZONE, "alb_names": {"public": [WWW]}, "lamp_sites": sites}
    made = laptop.play(variables=given)
    assert made.code == 0, made.failures()
    laptop.calls(reset=True)
    again = laptop.play(variables=given)
    assert (again.code, again.changes()) == (0, [])
    yield given, total(laptop)
    back = laptop.play(variables={"dns_zone": ZONE, "dns_purge": True, "alb_purge": True})
    assert back.code == 0, back.failures()
    records = laptop.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert {one["Type"] for one in records} == {"NS", "SOA"}


def is_silent(laptop: Laptop, *plays: Play) -> bool:
    """Return whether no result of the runs contains a secret that the load balancer accepts."""
    text = json.dumps([play.output for play in plays])
    return not any(value in text for value in accepted(laptop))


@pytest.fixture(scope="module")
def fronted(laptop: Laptop, named: tuple[dict[str, Any], int]) -> dict[str, Any]:
    """The site behind a distribution, which a site in use gets in two runs without a failed request.

    Visitors of the second run have no connection to the load balancer any more.
    """
    given = {**named[0], "alb_distributions": [{"name": "public"}]}
    half = {**named[0], "alb_distributions": [{"name": "public", "open": True}]}
    planned = laptop.play("--check", "--diff", variables=half)
    with visitors_of([f"https://{WWW}/"], rate=50) as first:
        opened = laptop.play("--diff", variables=half)
    with visitors_of([f"https://{WWW}/"], rate=50) as second:
        closed = laptop.play("--diff", variables=given)
    for play in (planned, opened, closed):
        assert play.code == 0, play.failures()
    assert [place["failures"] for place in (*first, *second)] == [[], []]
    assert set(opened.changes()) == set(planned.changes())
    assert is_silent(laptop, planned, opened, closed)
    return given


def test_a_page_comes_through_the_edge_and_sees_its_visitor(fronted: dict[str, Any]) -> None:
    assert fronted
    forged = {"X-Forwarded-For": "192.0.2.66", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "81"}
    for headers in ({}, forged, {**forged, "X-Origin-Verify": "forged"}):
        answer = get(f"https://{WWW}/where?a=1", headers)
        assert answer.cache.startswith("Miss from cloudfront")
        assert answer.json() == {
            "HTTPS": "on",
            "SERVER_PORT": "443",
            "HTTP_HOST": WWW,
            "REMOTE_ADDR": str(LAPTOP),
            "REQUEST_METHOD": "GET",
            "QUERY_STRING": "a=1",
            "user": None,
        }
    redirect = get(f"http://{WWW}/a?b=c")
    assert (redirect.status, redirect.headers["Location"]) == (301, f"https://{WWW}/a?b=c")


def test_a_login_survives(fronted: dict[str, Any]) -> None:
    assert fronted
    data = urllib.parse.urlencode({"user": "ada"}).encode()
    with urllib.request.urlopen(f"https://{WWW}/login", data, timeout=5) as answer:
        assert json.load(answer)["REQUEST_METHOD"] == "POST"
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert get(f"https://{WWW}/", {"Cookie": cookie}).json()["user"] == "ada"
    assert get(f"https://{WWW}/").json()["user"] is None


def test_files_are_cached_by_their_query_string(fronted: dict[str, Any]) -> None:
    assert fronted
    for query in ("", "?ver=2"):
        caches = [get(f"https://{WWW}{STATIC}{query}", {"Cookie": f"visit={n}"}).cache for n in range(2)]
        assert [one.partition(" ")[0] for one in caches] == ["Miss", "Hit"], query


def test_the_load_balancer_answers_the_distribution_alone(laptop: Laptop, fronted: dict[str, Any]) -> None:
    assert fronted
    header = f"X-Origin-Verify: {secret(laptop)}"
    told = [from_cloudfront(laptop, *words) for words in ((), ("-H", "X-Origin-Verify: x"), ("-H", header))]
    assert told == ["403", "403", "200"]
    for port in (80, 443):
        url = f"http{'s' if port == 443 else ''}://{WWW}:{port}/"
        argv = [
            "curl",
            "--silent",
            "--max-time",
            "3",
            "--resolve",
            f"{WWW}:{port}:{address(laptop)}",
            "-H",
            header,
            url,
        ]
        assert laptop.as_visitor(*argv).returncode == 28, "curl timed out"


def test_a_second_run_changes_nothing_and_makes_few_calls_more(
    laptop: Laptop, fronted: dict[str, Any], named: tuple[dict[str, Any], int]
) -> None:
    laptop.calls(reset=True)
    again = laptop.play(variables=fronted)
    assert (again.code, again.changes()) == (0, [])
    assert total(laptop) - named[1] <= BUDGET


def released(laptop: Laptop, given: dict[str, Any], style: str, page: str = PAGE) -> tuple[Play, Play]:
    """Release another stylesheet, which visitors request meanwhile. Return the run in check mode, and the run."""
    source = Path(given["lamp_sites"][0]["source"]["path"])
    (source / STATIC.lstrip("/")).write_text(style)
    (source / "index.php").write_text(page)
    planned = laptop.play("--check", playbook=RELEASE, variables=given)
    with visitors_of([f"https://{WWW}{STATIC}"], rate=20) as seen:
        done = laptop.play(playbook=RELEASE, variables=given)
    assert [place["failures"] for place in seen] == [[]]
    return planned, done


def test_a_release_is_not_old_at_the_edge(laptop: Laptop, fronted: dict[str, Any]) -> None:
    before, after = "body { color: teal }\n", "body { color: navy }\n"
    url = f"https://{WWW}{STATIC}"
    assert get(url).text == before
    assert get(url).cache.startswith("Hit")
    planned, done = released(laptop, fronted, after)
    assert done.code == 0, done.failures()
    assert INVALIDATED in planned.changes()
    assert done.changes().count(INVALIDATED) == 1
    assert get(url).text == after
    again = laptop.play(playbook=RELEASE, variables=fronted)
    assert (again.code, again.changes()) == (0, [])
    assert laptop.play(variables=fronted).changes() == []

    _planned, failed = released(laptop, fronted, "body { color: red }\n", "<?php http_response_code(500);")
    assert failed.code != 0
    assert get(url).text == after
    (Path(fronted["lamp_sites"][0]["source"]["path"]) / "index.php").write_text(PAGE)
    _planned, done = released(laptop, fronted, before)
    assert done.code == 0, done.failures()
    assert get(url).text == before


def test_the_secret_rotates_without_a_failed_request(laptop: Laptop, fronted: dict[str, Any]) -> None:
    before = secret(laptop)
    own = {**fronted, "alb_rotate": "public"}
    with visitors_of([f"https://{WWW}/"], rate=50) as seen:
        planned = laptop.play("--check", "--diff", playbook=ROTATE, variables=own)
        assert (planned.code, secret(laptop)) == (0, before), planned.failures()
        done = laptop.play("--diff", playbook=ROTATE, variables=own)
    assert done.code == 0, done.failures()
    assert [place["failures"] for place in seen] == [[]]
    assert done.changes() == planned.changes()
    after = secret(laptop)
    assert after != before
    assert accepted(laptop) == [after]
    assert before not in json.dumps(done.output)
    assert is_silent(laptop, done)
    assert from_cloudfront(laptop, "-H", f"X-Origin-Verify: {before}") == "403"


def test_a_rotation_that_was_killed_is_completed(laptop: Laptop, fronted: dict[str, Any]) -> None:
    before = secret(laptop)
    with visitors_of([f"https://{WWW}/"], rate=50) as seen:
        laptop.play_until(2, "", playbook=ROTATE, variables={**fronted, "alb_rotate": "public"})
        done = laptop.play("--tags", "infrastructure", variables=fronted)
    assert done.code == 0, done.failures()
    assert [place["failures"] for place in seen] == [[]]
    after = secret(laptop)
    assert (after != before, accepted(laptop)) == (True, [after])
