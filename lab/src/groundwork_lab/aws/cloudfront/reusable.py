"""The resources that distributions refer to by id: origin access controls and the three kinds of policies.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/working-with-policies.html and
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from groundwork_lab.aws.cloudfront import managed, pages, policies
from groundwork_lab.aws.cloudfront.state import Backend, Distribution
from groundwork_lab.aws.cloudfront.versions import Kept, new_id
from groundwork_lab.aws.context import refuse

Request = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of reusable resource. The API's operations, members and errors are composed from `name`.

    `complete` checks a configuration and fills in default values. `references` returns the ids of this kind that a
    distribution refers to.
    """

    name: str
    plural: str
    path: str
    limit: int
    complete: Callable[[Mapping[str, Any]], dict[str, Any]]
    references: Callable[[Distribution], Iterator[str]]
    managed: Mapping[str, Mapping[str, Any]] | None = None  # None if AWS manages none of this kind

    @property
    def config(self) -> str:
        return f"{self.name}Config"

    def kept(self, backend: Backend) -> dict[str, Kept]:
        """Return the account's own resources by id."""
        return backend.settings.setdefault(self.name, {})

    def all(self, backend: Backend) -> dict[str, Mapping[str, Any]]:
        """Return the configurations by id, with those that AWS manages."""
        return {**(self.managed or {}), **{each.id: each.config for each in self.kept(backend).values()}}


def _of_behaviors(member: str) -> Callable[[Distribution], Iterator[str]]:
    return lambda distribution: (each[member] for each in distribution.behaviors if each.get(member))


def _of_origins(distribution: Distribution) -> Iterator[str]:
    return (each["OriginAccessControlId"] for each in distribution.config["Origins"]["Items"])


ORIGIN_ACCESS_CONTROL = Kind(
    "OriginAccessControl",
    "OriginAccessControls",
    "origin-access-control",
    100,
    policies.origin_access_control,
    _of_origins,
)
CACHE_POLICY = Kind(
    "CachePolicy",
    "CachePolicies",
    "cache-policy",
    20,
    policies.cache_policy,
    _of_behaviors("CachePolicyId"),
    managed.CACHE_POLICIES,
)
ORIGIN_REQUEST_POLICY = Kind(
    "OriginRequestPolicy",
    "OriginRequestPolicies",
    "origin-request-policy",
    20,
    policies.origin_request_policy,
    _of_behaviors("OriginRequestPolicyId"),
    managed.ORIGIN_REQUEST_POLICIES,
)
RESPONSE_HEADERS_POLICY = Kind(
    "ResponseHeadersPolicy",
    "ResponseHeadersPolicies",
    "response-headers-policy",
    20,
    policies.response_headers_policy,
    _of_behaviors("ResponseHeadersPolicyId"),
    managed.RESPONSE_HEADERS_POLICIES,
)
KINDS = (ORIGIN_ACCESS_CONTROL, CACHE_POLICY, ORIGIN_REQUEST_POLICY, RESPONSE_HEADERS_POLICY)
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html


def _create(kind: Kind, backend: Backend, request: Request) -> dict[str, Any]:
    config = kind.complete(request[kind.config])
    _check_name(kind, backend, config, None)
    if len(kind.kept(backend)) >= kind.limit:
        refuse(f"TooMany{kind.plural}", "You have reached the maximum number of these for this AWS account.")
    made = Kept(new_id() if kind.managed is None else str(uuid4()), config)
    kind.kept(backend)[made.id] = made
    location = f"https://cloudfront.amazonaws.com/2020-05-31/{kind.path}/{made.id}"
    return {**_described(kind, made), "Location": location}


def _get(kind: Kind, backend: Backend, request: Request) -> dict[str, Any]:
    return _described(kind, _found(kind, backend, request["Id"]))


def _get_config(kind: Kind, backend: Backend, request: Request) -> dict[str, Any]:
    found = _found(kind, backend, request["Id"])
    return {kind.config: found.config, "ETag": found.etag}


def _update(kind: Kind, backend: Backend, request: Request) -> dict[str, Any]:
    found = _found(kind, backend, request["Id"])
    if _is_managed(kind, found.id):
        refuse("IllegalUpdate", "You cannot update a managed policy.")
    found.check(request.get("IfMatch"))
    config = kind.complete(request[kind.config])
    _check_name(kind, backend, config, found.id)
    if config != found.config:
        found.replace(config)
    return _described(kind, found)


def _delete(kind: Kind, backend: Backend, request: Request) -> dict[str, Any]:
    found = _found(kind, backend, request["Id"])
    if _is_managed(kind, found.id):
        refuse("IllegalDelete", "You cannot delete a managed policy.")
    found.check(request.get("IfMatch"))
    if any(found.id in kind.references(distribution) for distribution in backend.distributions.values()):
        message = "it is attached to one or more distributions' cache behaviors or origins"
        refuse(f"{kind.name}InUse", f"Cannot delete the {kind.path.replace('-', ' ')} because {message}.")
    del kind.kept(backend)[found.id]
    return {}


def _list(kind: Kind, backend: Backend, request: Request) -> dict[str, Any]:
    if kind.managed is None:
        found = {each.id: {"Id": each.id, **each.config} for each in kind.kept(backend).values()}
        return {f"{kind.name}List": pages.listed(request, pages.by_id(found))}
    wanted = request.get("Type") or ("managed", "custom")
    shown: dict[str, object] = {}
    if "managed" in wanted:
        shown |= {each: _item(kind, "managed", _found(kind, backend, each)) for each in kind.managed}
    if "custom" in wanted:
        shown |= {each.id: _item(kind, "custom", each) for each in kind.kept(backend).values()}
    return {f"{kind.name}List": pages.listed(request, pages.by_id(shown))}


def _found(kind: Kind, backend: Backend, wanted: str) -> Kept:
    if _is_managed(kind, wanted):
        etag = "E" + wanted.replace("-", "").upper()[:13]  # the same at each request
        return Kept(wanted, dict((kind.managed or {})[wanted]), etag, managed.SINCE)
    kept = kind.kept(backend)
    if wanted not in kept:
        refuse(f"NoSuch{kind.name}", f"The {kind.path.replace('-', ' ')} does not exist.")
    return kept[wanted]


def _is_managed(kind: Kind, wanted: str) -> bool:
    return wanted in (kind.managed or {})


def _check_name(kind: Kind, backend: Backend, config: Mapping[str, Any], own: str | None) -> None:
    names = {each["Name"] for found, each in kind.all(backend).items() if found != own}
    if config["Name"] in names:
        message = f"A {kind.path.replace('-', ' ')} with the name '{config['Name']}' already exists."
        refuse(f"{kind.name}AlreadyExists", message)


def _item(kind: Kind, type_: str, kept: Kept) -> dict[str, Any]:
    return {"Type": type_, kind.name: _described(kind, kept)[kind.name]}


def _described(kind: Kind, kept: Kept) -> dict[str, Any]:
    return {kind.name: {"Id": kept.id, kind.config: kept.config, "LastModifiedTime": kept.modified}, "ETag": kept.etag}


def _operations(kind: Kind) -> dict[str, Callable[[Backend, Request], dict[str, Any]]]:
    return {
        f"Create{kind.name}": partial(_create, kind),
        f"Get{kind.name}": partial(_get, kind),
        f"Get{kind.name}Config": partial(_get_config, kind),
        f"Update{kind.name}": partial(_update, kind),
        f"Delete{kind.name}": partial(_delete, kind),
        f"List{kind.plural}": partial(_list, kind),
    }


OPERATIONS = {name: handler for kind in KINDS for name, handler in _operations(kind).items()}
