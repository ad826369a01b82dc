"""A site on its own domain: certificates, records, HTTPS and redirects follow from the names alone."""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from asking import get
from laptop import Laptop
from running_site import Site
from visitors import visitors_of

ZONE, WWW, STATIC, ADDED = "example.test", "www.example.test", "static.example.test", "shop.example.test"
PAGE = """<?php
header('Content-Type: application/json');
echo json_encode(array_intersect_key($_SERVER, array_flip(['HTTPS', 'SERVER_PORT', 'HTTP_HOST', 'REQUEST_URI'])));
"""
FOREIGN = [  # records of somebody else in the same zone
    {"Name": f"{ZONE}.", "Type": "MX", "TTL": 300, "ResourceRecords": [{"Value": "10 mail.example.test."}]},
    {"Name": f"old.{ZONE}.", "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": "192.0.2.7"}]},
]
POINTS = 10
TLS_1_3 = {
    ("TLSv1.3", f"TLS_{name}") for name in ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")
}
TLS_1_2 = {("TLSv1.2", f"ECDHE-RSA-{name}") for name in ("AES128-GCM-SHA256", "AES256-GCM-SHA384")}
OFFERED = {WWW: TLS_1_2 | TLS_1_3, STATIC: {*TLS_1_2, ("TLSv1.2", "ECDHE-RSA-CHACHA20-POLY1305"), *TLS_1_3}}
ACCEPTED = {
    "cert_revocation": "the lab's authority has no CRL and no OCSP, which Amazon's has",
    "BREACH": "the site is compressed, as CloudFront does it, and its pages have no secrets",
}
BUDGET = 8  # calls more than without names, in a run with nothing to do


def records(laptop: Laptop, zone: str) -> list[dict[str, Any]]:
    listed = laptop.client("route53").list_resource_record_sets(HostedZoneId=zone)
    return list(listed["ResourceRecordSets"])


@pytest.fixture(scope="module")
def zone(laptop: Laptop, site: Site) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The id of a hosted zone with records of somebody else, whose domain is registered, and its records."""
    assert site
    route53 = laptop.client("route53")
    made = route53.create_hosted_zone(Name=ZONE, CallerReference="names")["HostedZone"]["Id"]
    changes = [{"Action": "CREATE", "ResourceRecordSet": record} for record in FOREIGN]
    route53.change_resource_record_sets(HostedZoneId=made, ChangeBatch={"Changes": changes})
    registered = laptop.run("groundwork-lab", "register", ZONE)
    assert registered.returncode == 0, registered.stderr
    yield made, records(laptop, made)
    laptop.run("groundwork-lab", "deregister", ZONE)
    route53.change_resource_record_sets(
        HostedZoneId=made, ChangeBatch={"Changes": [{**one, "Action": "DELETE"} for one in changes]}
    )
    route53.delete_hosted_zone(Id=made)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    source = tmp_path_factory.mktemp("app")
    (source / "index.php").write_text(PAGE)
    sites = [{"name": "app", "source": {"path": str(source)}, "front_controller": "index.php"}]
    names = {"dns_zone": ZONE, "alb_names": {"public": [WWW, ZONE]}, "static_site_aliases": [STATIC]}
    return {**names, "lamp_sites": sites}


@pytest.fixture(scope="module")
def idle(laptop: Laptop, zone: object) -> int:
    """The calls of a run with nothing to do, without names."""
    assert zone
    laptop.calls(reset=True)
    play = laptop.play()
    assert (play.code, play.changes()) == (0, [])
    return total(laptop)


def total(laptop: Laptop) -> int:
    return sum(sum(operations.values()) for operations in laptop.calls()["calls"].values())


@pytest.fixture(scope="module")
def named(
    laptop: Laptop, zone: tuple[str, list[dict[str, Any]]], given: dict[str, Any], idle: int
) -> Iterator[dict[str, Any]]:
    """The site with names. Afterwards they are removed, and the zone has the records that it had."""
    assert idle
    planned = laptop.play("--check", "--diff", variables=given)
    assert planned.code == 0, planned.failures()
    made = laptop.play(variables=given)
    assert made.code == 0, made.failures()
    assert {one for one in made.changes() if one.startswith("localhost: ")} <= set(planned.changes())
    yield given
    back = laptop.play(variables={"dns_zone": ZONE, "dns_purge": True, "alb_purge": True})
    assert back.code == 0, back.failures()
    assert records(laptop, zone[0]) == zone[1]


def test_names_serve_https_with_a_certificate_that_clients_trust(named: dict[str, Any]) -> None:
    assert named
    for name in (WWW, ZONE):
        told = get(f"https://{name}/where/ever?a=1").json()
        assert told == {"HTTPS": "on", "SERVER_PORT": "443", "HTTP_HOST": name, "REQUEST_URI": "/where/ever?a=1"}
    assert get(f"https://{STATIC}/").status == 200


def test_http_is_redirected_with_path_and_query(named: dict[str, Any]) -> None:
    assert named
    for name in (WWW, ZONE):
        answer = get(f"http://{name}/a/b?c=d&e=%20f")
        assert answer.status == 301
        assert answer.headers["Location"] == f"https://{name}:443/a/b?c=d&e=%20f"


def test_a_forged_header_changes_nothing(named: dict[str, Any], site: Site) -> None:
    """The other load balancer has no names, and its requests came by HTTP."""
    assert named
    told = get(f"{site.urls['private']}/", {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}).json()
    assert (told.get("HTTPS"), told["SERVER_PORT"]) == (None, "80")


def test_an_unknown_name_gets_the_default_certificate(named: dict[str, Any]) -> None:
    assert named
    context = ssl.create_default_context()
    context.check_hostname = False
    plain = socket.create_connection((WWW, 443), 5)
    with context.wrap_socket(plain, server_hostname="unknown.example.org") as secure:
        certificate: Any = secure.getpeercert()
    assert ("DNS", WWW) in certificate["subjectAltName"]


@pytest.mark.parametrize("name", [WWW, STATIC])
def test_http2_is_negotiated_and_old_tls_is_refused(laptop: Laptop, named: dict[str, Any], name: str) -> None:
    assert named
    argv = ("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_version}", f"https://{name}/")
    assert laptop.as_visitor(*argv).stdout == "2"
    assert laptop.as_visitor(*argv, "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0").returncode == 35


def test_a_run_with_nothing_to_do_makes_few_calls_more(laptop: Laptop, named: dict[str, Any], idle: int) -> None:
    laptop.calls(reset=True)
    again = laptop.play(variables=named)
    assert (again.code, again.changes()) == (0, [])
    assert total(laptop) - idle <= BUDGET


def test_a_certificate_that_gains_a_name_fails_no_request(laptop: Laptop, named: dict[str, Any]) -> None:
    more = {**named, "alb_names": {"public": [WWW, ZONE, ADDED]}}
    with visitors_of([f"https://{WWW}/"], rate=50) as seen:
        play = laptop.play("--tags", "infrastructure", variables=more)
    assert play.code == 0, play.failures()
    assert [place["failures"] for place in seen] == [[]]
    assert get(f"https://{ADDED}/").json()["HTTP_HOST"] == ADDED
    owned = laptop.client("acm").list_certificates()["CertificateSummaryList"]
    assert len([one for one in owned if one["DomainName"] == WWW]) == 1, "the former certificate is removed"


def test_a_name_that_moves_to_another_load_balancer_fails_no_request(laptop: Laptop, named: dict[str, Any]) -> None:
    """The former load balancer serves it until resolvers have forgotten that, and nothing of it remains afterwards."""
    purged = {**named, "alb_purge": True, "dns_purge": True}
    at = {"public": {"public": [WWW, ZONE, ADDED]}, "private": {"public": [WWW, ZONE], "private": [ADDED]}}
    before = laptop.play("--tags", "infrastructure", variables={**purged, "alb_names": at["public"]})
    assert before.code == 0, before.failures()
    for there in ("private", "public"):
        after = {**purged, "alb_names": at[there]}
        with visitors_of([f"https://{ADDED}/", f"https://{WWW}/"], rate=50) as seen:
            play = laptop.play("--tags", "infrastructure", variables=after)
        assert play.code == 0, play.failures()
        assert [place["failures"] for place in seen] == [[], []]
        assert opened(laptop) == {"public": [80, 443], "private": [80, 443] if there == "private" else [80]}
        again = laptop.play("--tags", "infrastructure", variables=after)
        assert (again.code, again.changes()) == (0, [])
    owned = laptop.client("acm").list_certificates()["CertificateSummaryList"]
    assert sorted(one["DomainName"] for one in owned) == [WWW], "one certificate for each load balancer with names"


def opened(laptop: Laptop) -> dict[str, list[int]]:
    """The ports that the load balancers listen at and that their security groups admit, which are the same."""
    elb, ec2 = laptop.client("elbv2"), laptop.client("ec2")
    found = {}
    for one in elb.describe_load_balancers()["LoadBalancers"]:
        listeners = elb.describe_listeners(LoadBalancerArn=one["LoadBalancerArn"])["Listeners"]
        groups = ec2.describe_security_groups(GroupIds=one["SecurityGroups"])["SecurityGroups"]
        ports = sorted(listener["Port"] for listener in listeners)
        assert sorted(rule["FromPort"] for group in groups for rule in group["IpPermissions"]) == ports
        found[one["LoadBalancerName"].removeprefix("local-")] = ports
    return found


def test_killed_at_ten_points_the_next_run_completes_it(laptop: Laptop, named: dict[str, Any]) -> None:
    """Each run brings another name, and goes on with what those before it have left."""
    given = {**named, "alb_purge": True, "dns_purge": True}
    names = [WWW, ZONE]
    with visitors_of([f"https://{WWW}/"], rate=20) as seen:
        for writes in range(1, POINTS + 1):
            names.append(f"k{writes}.{ZONE}")
            variables = {**given, "alb_names": {"public": list(names)}}
            laptop.play_until(writes, "", "--tags", "infrastructure", variables=variables)
        done = laptop.play("--tags", "infrastructure", variables=variables)
    assert done.code == 0, done.failures()
    assert [place["failures"] for place in seen] == [[]]
    for name in names:
        assert get(f"https://{name}/").json()["HTTP_HOST"] == name
    again = laptop.play("--tags", "infrastructure", variables=variables)
    assert (again.code, again.changes()) == (0, [])
    owned = laptop.client("acm").list_certificates()["CertificateSummaryList"]
    assert [one["DomainName"] for one in owned] == [WWW]
    assert sorted(owned[0]["SubjectAlternativeNameSummaries"]) == sorted(names)


@pytest.mark.parametrize("name", [WWW, STATIC])
def test_scanners_see_what_the_policy_offers_and_nothing_weak(
    laptop: Laptop, named: dict[str, Any], name: str, tmp_path: Path
) -> None:
    """The policies are ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09 and TLSv1.2_2021, here with an RSA certificate.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html
    """
    assert named
    scanned = laptop.as_visitor("sslscan", "--no-failed", "--xml=-", f"{name}:443")
    ciphers = {(one["sslversion"], one["cipher"]) for one in attributes(scanned.stdout, "cipher")}
    offered = {one["type"] + one["version"] for one in attributes(scanned.stdout, "protocol") if one["enabled"] == "1"}
    assert offered == {"tls1.2", "tls1.3"}
    assert ciphers == OFFERED[name]
    report = tmp_path / "report.json"
    options = ["--quiet", "--color", "0", "--add-ca", os.environ["SSL_CERT_FILE"], "--jsonfile", str(report)]
    tested = laptop.as_visitor("testssl", *options, f"https://{name}/")
    assert report.exists(), tested.stdout + tested.stderr
    found = {one["id"]: f"{one['severity']}: {one['finding']}" for one in json.loads(report.read_text())}
    bad = {key: told for key, told in found.items() if told.split(":")[0] in ("MEDIUM", "HIGH", "CRITICAL", "FATAL")}
    assert set(bad) <= ACCEPTED.keys(), bad


def attributes(xml: str, tag: str) -> list[dict[str, str]]:
    """Return the attributes of all elements with a tag."""
    return [dict(element.attrib) for element in ElementTree.fromstring(xml).iter(tag)]  # noqa: S314 - sslscan's own


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"alb_names": {"public": ["www.example.org"]}}, "www.example.org"),
        ({"static_site_aliases": [WWW]}, WWW),
        ({"dns_zone": "missing.test", "alb_names": {}, "static_site_aliases": ["a.missing.test"]}, "missing.test"),
    ],
)
def test_a_wrong_name_is_one_message_before_any_write(
    laptop: Laptop, named: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    laptop.calls(reset=True)
    play = laptop.play(variables={**named, **changes})
    assert play.code != 0
    told = json.dumps(play.failures())
    assert words in told
    writes = {name: count for name, count in laptop.calls()["writes"].items() if name != "s3"}
    assert writes == {}
