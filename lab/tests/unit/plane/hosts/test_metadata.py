from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest

from groundwork_lab.model import MetadataOptions, World
from groundwork_lab.plane.hosts import metadata
from groundwork_lab.plane.hosts.metadata import Request, Response, Tokens

NOW = 1_800_000_000
TOKENS = Tokens(b"key")
MACS = "/latest/meta-data/network/interfaces/macs"
MAC = f"{MACS}/02:aa:bb:cc:dd:01"


def ask(
    world: World, path: str, *, method: str = "GET", token: bool = True, source: str = "10.20.0.5", **headers: str
) -> Response:
    sent = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    if token and method == "GET":
        sent.setdefault(metadata.TOKEN_HEADER.lower(), TOKENS.issue("i-1", NOW + 60))
    who = metadata.caller(world, "vpc-1", IPv4Address(source))
    return metadata.respond(Request(method, path, sent), who, world, TOKENS, NOW)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/latest", "dynamic/\nmeta-data/\nuser-data"),
        ("/latest/", "dynamic/\nmeta-data/\nuser-data"),
        ("/2021-03-23/meta-data/instance-id", "i-1"),
        ("/latest/meta-data/ami-id", "ami-1"),
        ("/latest/meta-data/instance-type", "t3.micro"),
        ("/latest/meta-data/hostname", "ip-10-20-0-5.eu-central-1.compute.internal"),
        ("/latest/meta-data/local-hostname", "ip-10-20-0-5.eu-central-1.compute.internal"),
        ("/latest/meta-data/local-ipv4", "10.20.0.5"),
        ("/latest/meta-data/public-ipv4", "198.19.0.7"),
        ("/latest/meta-data/public-hostname", "ec2-198-19-0-7.eu-central-1.compute.amazonaws.com"),
        ("/latest/meta-data/mac", "02:aa:bb:cc:dd:01"),
        ("/latest/meta-data/placement/", "availability-zone\nregion"),
        ("/latest/meta-data/placement/availability-zone", "eu-central-1a"),
        ("/latest/meta-data/placement/region", "eu-central-1"),
        ("/latest/meta-data/public-keys/", "0=mine"),
        ("/latest/meta-data/public-keys/0/", "openssh-key"),
        ("/latest/meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA mine"),
        ("/latest/meta-data/security-groups", "web\nssh"),
        ("/latest/meta-data/services/domain", "amazonaws.com"),
        (f"{MACS}/", "02:aa:bb:cc:dd:01/"),
        (f"{MAC}/device-number", "0"),
        (f"{MAC}/interface-id", "eni-1"),
        (f"{MAC}/ipv4-associations/198.19.0.7", "10.20.0.5"),
        (f"{MAC}/local-ipv4s", "10.20.0.5"),
        (f"{MAC}/security-group-ids", "sg-1\nsg-2"),
        (f"{MAC}/subnet-ipv4-cidr-block", "10.20.0.0/24"),
        (f"{MAC}/vpc-ipv4-cidr-blocks", "10.20.0.0/16"),
        ("/latest/user-data", "#!/bin/sh\n"),
    ],
)
def test_answers(make_world: Any, path: str, body: str) -> None:
    response = ask(make_world(), path)
    assert (response.status, response.body.decode()) == (200, body)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"user_data": b""}, "/latest/user-data"),
        ({"public_ip": None}, "/latest/meta-data/public-ipv4"),
        ({"public_ip": None}, "/latest/meta-data/public-hostname"),
        ({"public_ip": None}, f"{MAC}/ipv4-associations/"),
        ({"dns_hostnames": False}, "/latest/meta-data/public-hostname"),
        ({"public_key": None}, "/latest/meta-data/public-keys/"),
        ({}, "/latest/meta-data/tags/instance/Name"),
        ({}, "/latest/meta-data/iam/info"),
        ({}, "/latest/meta-data/nothing"),
        ({}, "/latest/meta-data/ami-id/below"),
        ({}, "/1999-01-01/meta-data/ami-id"),
    ],
)
def test_what_does_not_apply_is_not_found(make_world: Any, fields: dict[str, Any], path: str) -> None:
    assert ask(make_world(**fields), path).status == 404


def test_lists_versions(make_world: Any) -> None:
    lines = ask(make_world(), "/").body.decode().splitlines()
    assert lines[0] == "1.0"
    assert lines[-1] == "latest"
    assert "2021-03-23" in lines


def test_shows_tags_when_allowed(make_world: Any) -> None:
    world = make_world(metadata=MetadataOptions("optional", 1, True, tags=True))
    assert ask(world, "/latest/meta-data/tags/instance").body == b"Name\ntier"
    assert ask(world, "/latest/meta-data/tags/instance/tier").body == b"public"


def test_gives_the_profiles_role(make_world: Any) -> None:
    arn = "arn:aws:iam::123456789012:instance-profile/path/web"
    world = make_world(instance_profile_arn=arn, role="web")
    assert json.loads(ask(world, "/latest/meta-data/iam/info").body)["InstanceProfileArn"] == arn
    assert ask(world, "/latest/meta-data/iam/security-credentials/").body == b"web"
    credentials = json.loads(ask(world, "/latest/meta-data/iam/security-credentials/web").body)
    assert credentials["Code"] == "Success"
    assert credentials["AccessKeyId"].startswith("ASIA")
    assert len(credentials["AccessKeyId"]) == 20
    assert credentials["Expiration"] > credentials["LastUpdated"]


def test_identity_document(make_world: Any) -> None:
    document = json.loads(ask(make_world(), "/latest/dynamic/instance-identity/document").body)
    assert document["instanceId"] == "i-1"
    assert document["privateIp"] == "10.20.0.5"
    assert document["region"] == "eu-central-1"
    assert document["pendingTime"] == "2026-01-02T03:04:05Z"


TTL = metadata.TTL_HEADER


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({TTL: "1"}, 200),
        ({TTL: "21600"}, 200),
        ({TTL: "0"}, 400),
        ({TTL: "21601"}, 400),
        ({TTL: "-1"}, 400),
        ({TTL: "1.5"}, 400),
        ({TTL: "²"}, 400),
        ({TTL: ""}, 400),
        ({}, 400),
        ({TTL: "60", "X-Forwarded-For": "10.0.0.1"}, 403),
    ],
)
def test_token_requests(make_world: Any, headers: dict[str, str], status: int) -> None:
    response = ask(make_world(), metadata.TOKEN_PATH, method="PUT", **headers)
    assert response.status == status
    assert response.hop_limit == (2 if status == 200 else None)


def test_token_opens_until_it_expires(make_world: Any) -> None:
    token = ask(make_world(), metadata.TOKEN_PATH, method="PUT", **{TTL: "60"}).body.decode()
    assert ask(make_world(), "/latest/meta-data/ami-id", **{metadata.TOKEN_HEADER: token}).status == 200
    assert TOKENS.valid(token, "i-1", NOW + 59)
    assert not TOKENS.valid(token, "i-1", NOW + 60)
    assert not TOKENS.valid(token, "i-2", NOW)
    assert not Tokens(b"other").valid(token, "i-1", NOW)


@pytest.mark.parametrize(
    ("tokens", "sent", "status"),
    [
        ("required", None, 401),
        ("optional", None, 200),
        ("required", "nonsense", 401),
        ("optional", "nonsense", 401),
        ("required", f"{NOW + 60:x}-é", 401),
    ],
)
def test_requests_with_a_bad_or_no_token(make_world: Any, tokens: Any, sent: str | None, status: int) -> None:
    world = make_world(metadata=MetadataOptions(tokens, 1, True))
    headers = {metadata.TOKEN_HEADER: sent} if sent else {}
    assert ask(world, "/latest/meta-data/ami-id", token=False, **headers).status == status


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_disabled_service_forbids(make_world: Any, method: str) -> None:
    world = make_world(metadata=MetadataOptions("optional", 1, False))
    assert ask(world, metadata.TOKEN_PATH, method=method, **{TTL: "60"}).status == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("PUT", "/latest/meta-data", 405), ("POST", "/latest/meta-data", 405), ("DELETE", metadata.TOKEN_PATH, 405)],
)
def test_other_methods(make_world: Any, method: str, path: str, status: int) -> None:
    assert ask(make_world(), path, method=method, **{TTL: "60"}).status == status


@pytest.mark.parametrize(("vpc_id", "address"), [("vpc-1", "10.20.0.6"), ("vpc-2", "10.20.0.5")])
def test_strangers_are_nobody(make_world: Any, vpc_id: str, address: str) -> None:
    assert metadata.caller(make_world(), vpc_id, IPv4Address(address)) is None


def test_a_nat_gateways_interface_is_nobody(make_world: Any) -> None:
    world = make_world()
    interfaces = {"eni-1": replace(world.interfaces["eni-1"], owner="nat-gateway", owner_id="nat-1")}
    assert ask(replace(world, interfaces=interfaces), "/latest/meta-data/ami-id").status == 403
