"""Random valid and invalid calls of the lab's API from a seed, with operations and parameters of botocore's models.

`Api` sends a call to a control plane in this process, without sockets. `Caller` generates calls: from the shapes of an
operation, or by changing a call that was accepted before. It uses existing ids, deleted ids, ids of other types,
boundary values and garbage. The ids in `spared` are never used.
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import unquote, urlencode

import botocore.session
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from moto.backends import get_backend
from moto.core.utils import camelcase_to_underscores

from groundwork_lab.api import ControlPlane
from groundwork_lab.api.middleware import Middleware
from groundwork_lab.aws.corrections import discover
from groundwork_lab.aws.ec2.answering import NO_DATA_PLANE
from groundwork_lab.aws.services import services
from groundwork_lab.credentials import ACCESS_KEY
from groundwork_lab.settings import ACCOUNT, REGION

SERVICES = {service.client: service for service in services() if not service.version}
SESSION = botocore.session.Session()

Params = dict[str, Any]


@cache
def model_of(service: str) -> Any:
    return SESSION.get_service_model(service)


@cache
def _wire(service: str) -> tuple[Any, Any]:
    protocol = model_of(service).resolved_protocol
    return create_serializer(protocol, include_validation=False), create_parser(protocol)


class UnsendableError(Exception):
    """No client could put these parameters into a request."""


@dataclass(frozen=True)
class Answer:
    status: int
    parsed: Mapping[str, Any]

    @property
    def refused(self) -> bool:
        return 400 <= self.status < 500

    @property
    def code(self) -> str:
        return str(self.parsed.get("Error", {}).get("Code", ""))


class Api:
    """The API of a control plane in this process."""

    def __init__(self, plane: ControlPlane) -> None:
        self._doors = {
            door: Middleware(
                plane.context, discover(), plane.calls, plane.faults, plane.history, plane.context.changed, door
            )
            for door in ("api", "s3")
        }

    def __call__(self, service: str, operation: str, /, **params: Any) -> Mapping[str, Any]:
        """Make a call that must be accepted."""
        answer = self.send(service, operation, params)
        assert answer.status < 300, (service, operation, params, answer)
        return answer.parsed

    def send(self, service: str, operation: str, params: Params, mangle: Any = None) -> Answer:
        """Make a call. `mangle` changes the request's body."""
        shape = model_of(service).operation_model(operation)
        serializer, parser = _wire(service)
        try:
            request = serializer.serialize_to_request(params, shape)
            environ = _environ(service, request, mangle)
        except Exception as error:  # botocore raises different types; such parameters never leave a client
            raise UnsendableError from error
        told: list[Any] = []
        door = self._doors["s3" if service == "s3" else "api"]
        body = b"".join(door(environ, lambda status, headers: told.extend((status, headers))))
        status, headers = int(told[0].split()[0]), HeadersDict(told[1])
        response = {"status_code": status, "headers": headers, "body": body}
        if shape.has_streaming_output:
            response["body"] = io.BytesIO(body) if status < 300 else body
        return Answer(status, parser.parse(response, shape.output_shape))


def _environ(service: str, request: Mapping[str, Any], mangle: Any) -> dict[str, Any]:
    body = request["body"]
    if isinstance(body, dict):
        body = urlencode(body, doseq=True)
    raw = body.encode() if isinstance(body, str) else bytes(body.read() if hasattr(body, "read") else body or b"")
    raw = mangle(raw) if mangle else raw
    path, _mark, query = request["url_path"].partition("?")
    asked = request["query_string"]
    more = urlencode(asked, doseq=True) if isinstance(asked, dict) else str(asked)
    environ = {
        "REQUEST_METHOD": request["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path).encode().decode("latin-1") or "/",
        "QUERY_STRING": "&".join(filter(None, [query, more])),
        "RAW_URI": path + ("?" + "&".join(filter(None, [query, more])) if query or more else ""),
        "REQUEST_URI": path,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(raw),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(raw)),
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20300101/{REGION}/"
        f"{SERVICES[service].signing_name}/aws4_request, SignedHeaders=host, Signature=0",
    }
    for name, value in request["headers"].items():
        key = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = str(value).encode().decode("latin-1")
    return environ


# -- values ---------------------------------------------------------------------------------------------------------

POOL_OF = {  # parameter names and the names of their values in responses
    "Groups": "GroupId",
    "SecurityGroups": "GroupId",
    "SecurityGroupIds": "GroupId",
    "SecurityGroupId": "GroupId",
    "Subnets": "SubnetId",
    "GatewayId": "InternetGatewayId",
    "IfMatch": "ETag",
    "ResourceArn": "Arn",
    "AssociationId": "NetworkAclAssociationId",
}
PLAUSIBLE: tuple[tuple[str, tuple[Any, ...]], ...] = (
    (
        r"Cidr",
        (
            "0.0.0.0/0",
            "10.0.0.0/16",
            "10.0.1.0/24",
            "10.0.1.7/24",
            "10.0.0.0/33",
            "10.9.0.0/8",
            "::/0",
            "10.0.0.0",
            "/",
        ),
    ),
    (r"^(Availability)?Zone(Name)?s?$|AvailabilityZone", (f"{REGION}a", f"{REGION}b", f"{REGION}z", "us-east-1a")),
    (r"InstanceType", ("t3.micro", "t3.small", "m5.large", "t9.nano")),
    (r"Protocol", ("tcp", "udp", "icmp", "-1", "6", "HTTP", "HTTPS", "TCP", "gopher")),
    (r"Port", (80, 443, 0, -1, 65535, 65536, "traffic-port")),
    (r"IpAddress|PublicIp|PrivateIp", ("10.0.1.10", "10.0.1.0", "10.0.1.300", "198.19.0.1", "172.31.0.9", "fe80::1")),
    (r"Policy|Document", ('{"Version": "2012-10-17", "Statement": []}', "{", "[]", '{"Statement": 1}')),
    (r"Filters?$|^Name$", ("vpc-id", "tag:Name", "web", "instance-state-name", "nothing")),
    (r"Attribute", ("instanceType", "userData", "description", "launchPermission", "nothing")),
    (r"Path|Key$", ("/", "/a/b", "a", "a/../b", "%00", "é" * 40)),
    (r"Date|Time", ("2030-01-01T00:00:00Z", "yesterday")),
    (r"UserData|Code|Body|Blob", ("I2Nsb3VkLWNvbmZpZw==", "%%%")),
    (r"DomainName", ("example.com", "bucket.s3.eu-central-1.amazonaws.com", "-", "a..b", "x" * 300)),
    (r"Matcher|HttpCode|StatusCode", ("200", "200-299", "200,302", "abc", "99", "0")),
)
GARBAGE = (
    "",
    " ",
    "None",
    "-1",
    "0",
    "*",
    "a" * 300,
    "ä\n\"'\\<&>{}%s$(x)",
    "\u0000",
    "i-",
    "vpc-0",
    "arn:aws:x:::y/z",
)
NUMBERS = (0, 1, 2, 5, 80, 443, 32766, 32767, 65535, 65536, -1, -2, 2**31, 10**12)
TEXT_OF_NUMBERS = ("", "x", "1.5", "NaN", "0x10", " 1")

SCALARS: Mapping[str, tuple[Any, ...]] = {
    "boolean": (True, False, True, False, "maybe"),
    "timestamp": (datetime(2030, 1, 1, tzinfo=UTC), "2030-01-01T00:00:00Z"),
    "blob": (b"", b"#!/bin/sh\n", b"function handler(e) { return e.request }", b"\xff\x00"),
}


@dataclass
class Caller:
    """Generates calls. The same seed and the same answers result in the same calls."""

    seed: int
    spared: frozenset[str] = frozenset()
    pools: dict[str, list[str]] = field(default_factory=dict)
    accepted: dict[tuple[str, str], list[Params]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - calls that can be made again by their seed
        self._known: set[tuple[str, str]] = set()

    # what is known

    def learn(self, service: str, operation: str, params: Params, answer: Mapping[str, Any]) -> None:
        """Store an accepted call, and all ids and names in its answer."""
        calls = self.accepted.setdefault((service, operation), [])
        calls.append(deepcopy(params))
        del calls[:-4]
        for name, value in (*_texts("", params), *_texts("", answer)):
            if value in self.spared or (name, value) in self._known or not 0 < len(value) < 300:
                continue
            self._known.add((name, value))
            pool = self.pools.setdefault(name, [])
            pool.append(value)
            del pool[:-30]

    # calls

    def call(self, operations: list[tuple[str, str]]) -> tuple[str, str, Params]:
        """Return the next call: a new one, or a changed one that was accepted before."""
        if self.accepted and self.random.random() < 0.6:
            service, operation = self.random.choice(sorted(self.accepted))
            params = deepcopy(self.random.choice(self.accepted[service, operation]))
            shape = model_of(service).operation_model(operation).input_shape
            for _part in range(self.random.choice((0, 1, 1, 2))):
                self._change(params, shape)
            return service, operation, params
        service, operation = self.random.choice(operations)
        shape = model_of(service).operation_model(operation).input_shape
        return service, operation, self.structure(shape) if shape else {}

    def mangled(self, body: bytes) -> bytes:
        """Return a request's body that no client would send."""
        at = self.random.randrange(len(body) + 1)
        return self.random.choice(
            (body[:at], body[:at] + b"\xff\x00<&" + body[at:], b"{}", b"<a/>", b"a=b&a=c", b"null")
        )

    def _change(self, params: Params, shape: Any) -> None:
        if shape is None or not shape.members:
            return
        name = self.random.choice(sorted(shape.members))
        inner = params.get(name)
        kind = shape.members[name].type_name
        if isinstance(inner, dict) and kind == "structure" and self.random.random() < 0.8:
            self._change(inner, shape.members[name])
        elif isinstance(inner, list) and inner and kind == "list" and self.random.random() < 0.8:
            member = shape.members[name].member
            at = self.random.randrange(len(inner))
            if isinstance(inner[at], dict) and member.type_name == "structure":
                self._change(inner[at], member)
            else:
                inner[at] = self.value(member, name)
        elif inner is not None and self.random.random() < 0.2:
            del params[name]
        else:
            params[name] = self.value(shape.members[name], name)

    def structure(self, shape: Any, depth: int = 0) -> Params:
        made = {}
        for name, member in shape.members.items():
            if name == "DryRun":
                wanted = self.random.random() < 0.02
            elif name in shape.required_members:
                wanted = self.random.random() < 0.95
            else:
                wanted = self.random.random() < 0.25 / (depth + 1)
            if wanted:
                made[name] = self.value(member, name, depth)
        return made

    def value(self, shape: Any, name: str, depth: int = 0) -> Any:
        if shape.type_name == "structure":
            return self.structure(shape, depth + 1) if depth < 6 else {}
        if shape.type_name == "list":
            count = self.random.choice((0, 1, 1, 1, 2))
            return [self.value(shape.member, name, depth + 1) for _item in range(count)]
        if shape.type_name == "map":
            return {self.text(shape.key, name): self.value(shape.value, name, depth + 1)}
        if shape.type_name in ("integer", "long", "float", "double"):
            return self.number(shape)
        return self.random.choice(SCALARS[shape.type_name]) if shape.type_name in SCALARS else self.text(shape, name)

    def number(self, shape: Any) -> Any:
        limits = [shape.metadata[each] for each in ("min", "max") if each in shape.metadata]
        if limits and self.random.random() < 0.5:
            return int(self.random.choice(limits)) + self.random.choice((0, 0, -1, 1))
        return self.random.choice(NUMBERS if self.random.random() < 0.9 else TEXT_OF_NUMBERS)

    def text(self, shape: Any, name: str) -> str:
        chance = self.random.random()
        if shape.enum and chance < 0.9:
            return str(self.random.choice(shape.enum))
        pools = [each for each in (name, POOL_OF.get(name), name.removesuffix("s"), shape.name) if each in self.pools]
        if pools and chance < 0.75:
            return self.random.choice(self.pools[str(pools[0])])
        plausible = next((values for pattern, values in PLAUSIBLE if re.search(pattern, name)), None)
        if plausible and chance < 0.9:
            return str(self.random.choice(plausible))
        if self.pools and chance < 0.97:
            return self.random.choice(self.pools[self.random.choice(sorted(self.pools))])
        return self.random.choice(GARBAGE)


def _texts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield all strings in a structure, by the name of their member."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key != "ResponseMetadata":
                yield from _texts(str(key), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(name.removesuffix("s") if isinstance(inner, str) else name, inner)


def operations() -> list[tuple[str, str]]:
    """Return the operations of all services of the lab, without those that moto does not know."""
    return [
        (service, operation)
        for service in SERVICES
        for operation in model_of(service).operation_names
        if (service, operation) not in LENGTHY and _is_there(service, operation)
    ]


LENGTHY = frozenset(  # megabytes of constant data
    {("ec2", "DescribeInstanceTypes"), ("ec2", "DescribeInstanceTypeOfferings"), ("iam", "ListPolicies")}
    | {("iam", "GetAccountAuthorizationDetails"), ("ec2", "GetInstanceTypesFromInstanceRequirements")}
)


@cache
def _handlers(service: str) -> tuple[Any, ...]:
    backends = get_backend(SERVICES[service].moto)[ACCOUNT]
    paths = backends[REGION if REGION in backends.regions else "aws"].url_paths
    return tuple(getattr(handler, "__self__", handler) for handler in paths.values())


def _is_there(service: str, operation: str) -> bool:
    if service == "ec2" and operation in NO_DATA_PLANE:
        return False
    name = camelcase_to_underscores(operation)
    return service in ("elbv2", "s3") or any(hasattr(handler, name) for handler in _handlers(service))
