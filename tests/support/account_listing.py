"""Everything that there is in an account, by type: what is compared before and after an environment's life."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Sight, Whose
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.reads import reads_of
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.run import ALL

Listing = dict[str, dict[str, Any]]

# Each type that the teardown reads: service, operation, and the list in the response. Here they have no filters.
TYPES = {
    (read.service, read.operation, read.result.partition(".")[0]) for _key, read in reads_of(ALL, Sight(Whose("")))
}
# It deletes the rules of a security group with the group.
RULES = ("ec2", "describe_security_group_rules", "SecurityGroupRules")
IDS = {kind.result: kind.id for removal in ALL for kind in removal.tagged.values()} | {RULES[2]: "SecurityGroupRuleId"}
# The bucket of the locks is the account's, and stays.
LOCKS = re.compile(r"groundwork-\d{12}-")
# AWS tells for about an hour of what is gone.
GONE = {"NatGateways": ("deleted", "failed")}


def account_listing(client: Callable[[str], Any]) -> Listing:
    """All resources of the account as AWS describes them: {type: {id: description}}."""
    types = sorted({*TYPES, RULES} - {("ec2", "describe_instances", "Reservations")})
    listing = {result: _all(client(service), operation, result) for service, operation, result in types}
    listing["Buckets"] = {name: one for name, one in listing["Buckets"].items() if not LOCKS.match(name)}
    instances: dict[str, Any] = {}
    for reservation in client("ec2").describe_instances()["Reservations"]:
        for one in reservation["Instances"]:
            if one["State"]["Name"] != "terminated":
                instances[one["InstanceId"]] = one
    return {**listing, "Instances": _plain(instances)}


# What AWS and servers choose: ids and the ends of ARNs, addresses, names of hosts, times, fingerprints, host keys.
CHOSEN = (
    (re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(\+00:00|Z)?"), "<time>"),
    (re.compile(r"\b[0-9a-f]{2}(:[0-9a-f]{2}){5,}\b"), "<mac>"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{8,}\b"), "<id>"),
    (re.compile(r"\bd[0-9a-z]{12,}(?=\.cloudfront\.net)"), "<id>"),
    (re.compile(r"(?<![0-9A-Za-z+/])[0-9A-Za-z+/]{43}="), "<fingerprint>"),
    (re.compile(r"\bAAAA[0-9A-Za-z+/=]{16,}"), "<key>"),
    (re.compile(r"\b(AIPA|AROA|E)[0-9A-Z]{12,}\b"), "<id>"),
    (re.compile(r"\b[0-9]+([.-][0-9]+){3}\b(?!/)"), "<address>"),
)


def without_ids(listing: Listing) -> dict[str, Any]:
    """Return the resources of each type without what AWS chooses, so that two accounts can be compared."""
    plain: dict[str, Any] = _sorted(
        {kind: [_anonymous(one) for one in each.values()] for kind, each in listing.items()}
    )
    return plain


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the lines in which two listings differ, with the lines around them."""
    before, after = (json.dumps(each, indent=1, sort_keys=True).splitlines() for each in (one, other))
    return list(difflib.unified_diff(before, after, lineterm=""))


def _anonymous(value: Any) -> Any:
    if isinstance(value, dict):
        return {_anonymous(key): _anonymous(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_anonymous(item) for item in value]
    for pattern, name in CHOSEN if isinstance(value, str) else ():
        value = pattern.sub(name, value)
    return value


def _all(client: Any, operation: str, result: str) -> dict[str, Any]:
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate()
        found = [one for page in pages for one in _items(page[result])]
    else:
        found = _items(getattr(client, operation)()[result])
    return _plain({_id(one, result): one for one in found if one.get("State") not in GONE.get(result, ())})


def _id(one: Mapping[str, Any], result: str) -> str:
    """What tells a resource from another of its type: an id or ARN, or the name, or all of it."""
    key = IDS.get(result) or next((key for key in one if key.upper().endswith("ARN")), "")
    return str(one.get(key) or one.get("Id") or one.get("Name") or one)


def _items(answer: Any) -> list[Any]:
    """A list, in CloudFront's answers wrapped."""
    return answer if isinstance(answer, list) else answer.get("Items", [])


def _plain(found: Mapping[str, Any]) -> dict[str, Any]:
    """Dates as text, lists in an order that AWS does not promise."""
    plain: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return {key: _sorted(plain[key]) for key in sorted(plain)}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value
