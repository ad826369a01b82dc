"""The answers of the instance metadata service. Pure functions, with the time as a parameter.

Sources: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html (the tree),
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html and
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html (tokens, errors),
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html .
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

from groundwork_lab import credentials, settings
from groundwork_lab.model import Instance, Interface, World

TOKEN_PATH = "/latest/api/token"  # noqa: S105 - a path, not a secret
TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN_HEADER = "X-aws-ec2-metadata-token"  # noqa: S105 - a header's name
LONGEST_TTL = 21600  # seconds: six hours

# the versions that the service lists; here each has the tree of the latest version
VERSIONS = (
    *("1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01"),
    *("2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12", "2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19"),
    *("2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01", "2020-08-24", "2020-10-27"),
    *("2021-01-03", "2021-03-23", "2021-07-15", "2022-07-09", "2022-09-24", "2024-04-11", "latest"),
)

# a folder of the tree, or the content of a leaf
Node = Mapping[str, "Node | bytes"]


@dataclass(frozen=True)
class Request:
    """An HTTP request. The names in `headers` are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Response:
    """An HTTP response. `hop_limit` is the IP TTL of its packets, None for the system's default."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)
    hop_limit: int | None = None


@dataclass(frozen=True)
class Caller:
    """The instance that sent the request, and the interface that it used."""

    instance: Instance
    interface: Interface


def caller(world: World, vpc_id: str, address: IPv4Address) -> Caller | None:
    """Return the instance with this source address in this VPC, or None."""
    for interface in world.interfaces.values():
        if (interface.vpc_id, interface.private_ip, interface.owner) == (vpc_id, address, "instance"):
            instance = world.instances.get(interface.owner_id)
            return Caller(instance, interface) if instance else None
    return None


class Tokens:
    """Session tokens that contain their own proof: the expiry, and a keyed hash of it and the instance."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, instance_id: str, expires: int) -> str:
        """Return a token for `instance_id` that is valid until `expires` (seconds since the epoch)."""
        return f"{expires:x}-{self._proof(instance_id, expires)}"

    def valid(self, token: str, instance_id: str, now: int) -> bool:
        expires, _, proof = token.partition("-")
        try:
            until = int(expires, 16)
        except ValueError:
            return False
        return hmac.compare_digest(proof.encode(), self._proof(instance_id, until).encode()) and now < until

    def _proof(self, instance_id: str, expires: int) -> str:
        return hmac.new(self._key, f"{instance_id} {expires}".encode(), hashlib.sha256).hexdigest()


def respond(request: Request, who: Caller | None, world: World, tokens: Tokens, now: int) -> Response:
    """Return the response to a request at `now` (seconds since the epoch)."""
    if who is None or not who.instance.metadata.enabled:
        return _error(403, "Forbidden")
    if request.method == "PUT":
        return _token(request, who.instance, tokens, now)
    if request.method not in ("GET", "HEAD"):
        return _error(405, "Method Not Allowed")
    token = request.headers.get(TOKEN_HEADER.lower())
    if token is None and who.instance.metadata.tokens == "required":
        return _error(401, "Unauthorized")
    if token is not None and not tokens.valid(token, who.instance.id, now):
        return _error(401, "Unauthorized")
    return answer(request.path, who, world, datetime.fromtimestamp(now, UTC))


def _token(request: Request, instance: Instance, tokens: Tokens, now: int) -> Response:
    """Return a token. Its packets have the hop limit of the instance's metadata options.

    Refuse a request through a proxy (X-Forwarded-For), because a misconfigured proxy could leak tokens.
    """
    if request.path != TOKEN_PATH:
        return _error(405, "Method Not Allowed")
    if "x-forwarded-for" in request.headers:
        return _error(403, "Forbidden")
    ttl = request.headers.get(TTL_HEADER.lower(), "")
    if not ttl.isascii() or not ttl.isdigit() or not 1 <= int(ttl) <= LONGEST_TTL:
        return _error(400, "Bad Request")
    return Response(
        200,
        tokens.issue(instance.id, now + int(ttl)).encode(),
        headers={TTL_HEADER: ttl},
        hop_limit=instance.metadata.hop_limit,
    )


def answer(path: str, who: Caller, world: World, now: datetime) -> Response:
    """Return the content at `path` for this caller. The content of a folder is its listing."""
    parts = [part for part in path.split("?", maxsplit=1)[0].split("/") if part]
    if not parts:
        return Response(200, "\n".join(VERSIONS).encode())
    if parts[0] not in VERSIONS:
        return _error(404, "Not Found")
    node: Node | bytes = tree(who, world, now)
    for part in parts[1:]:
        if isinstance(node, bytes) or part not in node:
            return _error(404, "Not Found")
        node = node[part]
    if isinstance(node, bytes):
        return Response(200, node, _content_type(parts))
    return Response(200, _listing(node, parts[1:]).encode())


def _content_type(parts: list[str]) -> str:
    return "application/octet-stream" if parts[1:] == ["user-data"] else "text/plain"


def _listing(node: Node, parts: list[str]) -> str:
    """Return the names in a folder, with a slash after folders. `public-keys` lists key names (`0=name`)."""
    if parts == ["meta-data", "public-keys"]:
        return "\n".join(f"{index}={_key_name(key)}" for index, key in node.items())
    return "\n".join(name if isinstance(child, bytes) else f"{name}/" for name, child in node.items())


def _key_name(key: Node | bytes) -> str:
    """Return the comment of an OpenSSH public key, its third word, which is the name of the key pair."""
    text = key["openssh-key"] if not isinstance(key, bytes) else key
    words = text.split() if isinstance(text, bytes) else []
    return words[2].decode() if len(words) > 2 else ""


def tree(who: Caller, world: World, now: datetime) -> Node:
    """Return the tree below a version. Categories that do not apply are missing, so that their answer is 404."""
    top: dict[str, Node | bytes] = {
        "dynamic": {"instance-identity": {"document": _document(who)}},
        "meta-data": _meta_data(who, world, now),
    }
    if who.instance.user_data:
        top["user-data"] = who.instance.user_data
    return top


def _meta_data(who: Caller, world: World, now: datetime) -> Node:
    instance, interface = who.instance, who.interface
    hostname = local_hostname(interface.private_ip).encode()
    categories: dict[str, Node | bytes | None] = {
        "ami-id": instance.image_id.encode(),
        "ami-launch-index": b"0",
        "hostname": hostname,
        "iam": _iam(instance, now),
        "instance-action": b"none",
        "instance-id": instance.id.encode(),
        "instance-life-cycle": b"on-demand",
        "instance-type": instance.instance_type.encode(),
        "local-hostname": hostname,
        "local-ipv4": str(interface.private_ip).encode(),
        "mac": interface.mac.encode(),
        "network": {"interfaces": {"macs": _interfaces(instance, world)}},
        "placement": {"availability-zone": instance.zone.encode(), "region": settings.REGION.encode()},
        "public-hostname": _public_hostname(interface, world),
        "public-ipv4": _text(interface.public_ip),
        "public-keys": _public_keys(instance),
        "reservation-id": f"r-{instance.id.removeprefix('i-')}".encode(),
        "security-groups": _group_names(interface, world),
        "services": {"domain": b"amazonaws.com", "partition": b"aws"},
        "tags": _tags(instance),
    }
    return _present(categories)


def _interfaces(instance: Instance, world: World) -> Node:
    own = (i for i in world.interfaces.values() if i.owner == "instance" and i.owner_id == instance.id)
    ordered = sorted(own, key=lambda i: (i.id != instance.interface_id, i.id))
    return {i.mac: _interface(i, number, world) for number, i in enumerate(ordered)}


def _interface(interface: Interface, number: int, world: World) -> Node:
    subnet, vpc = world.subnets.get(interface.subnet_id), world.vpcs.get(interface.vpc_id)
    public, private = interface.public_ip, str(interface.private_ip).encode()
    categories: dict[str, Node | bytes | None] = {
        "device-number": str(number).encode(),
        "interface-id": interface.id.encode(),
        "ipv4-associations": {str(public): private} if public else None,
        "local-hostname": local_hostname(interface.private_ip).encode(),
        "local-ipv4s": private,
        "mac": interface.mac.encode(),
        "owner-id": settings.ACCOUNT.encode(),
        "public-hostname": _public_hostname(interface, world),
        "public-ipv4s": _text(public),
        "security-group-ids": "\n".join(interface.security_group_ids).encode(),
        "security-groups": _group_names(interface, world),
        "subnet-id": interface.subnet_id.encode(),
        "subnet-ipv4-cidr-block": _text(subnet.cidr) if subnet else None,
        "vpc-id": interface.vpc_id.encode(),
        "vpc-ipv4-cidr-block": _text(vpc.cidrs[0]) if vpc else None,
        "vpc-ipv4-cidr-blocks": "\n".join(map(str, vpc.cidrs)).encode() if vpc else None,
    }
    return _present(categories)


def _group_names(interface: Interface, world: World) -> bytes:
    groups = (world.security_groups.get(group_id) for group_id in interface.security_group_ids)
    return "\n".join(group.name for group in groups if group).encode()


def _public_keys(instance: Instance) -> Node | None:
    """Return the public key of the key pair with its name as the comment, or None without a key pair."""
    if not instance.public_key:
        return None
    key = " ".join([*instance.public_key.split()[:2], instance.key_name or ""]).strip()
    return {"0": {"openssh-key": key.encode()}}


def _tags(instance: Instance) -> Node | None:
    """Return the tags, if the instance's options include them (InstanceMetadataTags), or None."""
    if not instance.metadata.tags:
        return None
    return {"instance": {key: value.encode() for key, value in sorted(instance.tags.items())}}


def _iam(instance: Instance, now: datetime) -> Node | None:
    """Return the instance profile, and the credentials of its role if it has one, or None without a profile."""
    arn = instance.instance_profile_arn
    if not arn:
        return None
    info = {
        "Code": "Success",
        "LastUpdated": _timestamp(now),
        "InstanceProfileArn": arn,
        "InstanceProfileId": f"AIPA{hashlib.sha256(arn.encode()).hexdigest()[:17].upper()}",
    }
    if instance.role is None:
        return {"info": _json(info)}
    keys = credentials.of_instance(instance.id, instance.role)
    told = {
        "Code": "Success",
        "LastUpdated": _timestamp(now),
        "Type": "AWS-HMAC",
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key,
        "Token": keys.token,
        "Expiration": _timestamp(now + timedelta(hours=6)),
    }
    return {"info": _json(info), "security-credentials": {instance.role: _json(told)}}


def _document(who: Caller) -> bytes:
    instance = who.instance
    return _json(
        {
            "accountId": settings.ACCOUNT,
            "architecture": "x86_64",
            "availabilityZone": instance.zone,
            "billingProducts": None,
            "devpayProductCodes": None,
            "imageId": instance.image_id,
            "instanceId": instance.id,
            "instanceType": instance.instance_type,
            "kernelId": None,
            "marketplaceProductCodes": None,
            "pendingTime": instance.launch_time,
            "privateIp": str(who.interface.private_ip),
            "ramdiskId": None,
            "region": settings.REGION,
            "version": "2017-09-30",
        }
    )


def local_hostname(address: IPv4Address) -> str:
    """Return the private DNS name: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/hostname-types.html"""
    return f"{short_hostname(address)}.{settings.REGION}.compute.internal"


def short_hostname(address: IPv4Address) -> str:
    return "ip-" + str(address).replace(".", "-")


def _public_hostname(interface: Interface, world: World) -> bytes | None:
    vpc = world.vpcs.get(interface.vpc_id)
    if interface.public_ip is None or vpc is None or not vpc.dns_hostnames:
        return None
    dashed = str(interface.public_ip).replace(".", "-")
    return f"ec2-{dashed}.{settings.REGION}.compute.amazonaws.com".encode()


def _present(categories: Mapping[str, Node | bytes | None]) -> Node:
    return {name: node for name, node in categories.items() if node is not None}


def _text(value: object) -> bytes | None:
    return None if value is None else str(value).encode()


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode()


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _error(status: int, reason: str) -> Response:
    """Return an error page. Clients only use its status."""
    page = f"<html><head><title>{status} - {reason}</title></head><body><h1>{status} - {reason}</h1></body></html>\n"
    return Response(status, page.encode(), "text/html")
