# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CloudFront's small reusable resources: access controls and policies. One engine, a row of a table for each.

They have no tags. Their name `<environment>-<name>` and the comment that is written with it tell whose they are;
something of that name without the comment is refused, not taken over. An update names the version that was read
(If-Match), so that what somebody else changed in between is never lost.
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateCachePolicy.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change, Ids, Ref, shown
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.canonical import (
    differences,
    merged,
    plain,
    whole,
)

COMPONENT = "static_site"
Config = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Kind:
    """How the API calls one kind of resource. `noun` is the part of its operations' and members' names."""

    resource: str  # in AWS' words, as people read them
    noun: str  # "cache_policy"
    plural: str
    comment: str = "Comment"  # the member that holds the comment
    listed: str = ""  # the member of a list's item that holds the resource; "" when the item is its configuration
    arguments: t.Mapping[str, t.Any] = field(default_factory=dict)

    @property
    def member(self) -> str:
        """The noun as the API's members have it: `CachePolicy`."""
        return "".join(part.title() for part in self.noun.split("_"))

    def ref(self, name: str) -> Ref:
        """The id of the resource that people call `name`."""
        return Ref(self.resource, name)

    def read(self) -> Read:
        """One read of all resources of the kind, AWS' managed ones left out."""
        where = f"{self.member}List"
        result, marker = f"{where}.Items", f"{where}.NextMarker"
        return Read("cloudfront", f"list_{self.plural}", result, self.arguments, marker=marker)

    def entry(self, item: Config) -> tuple[str, Config]:
        """Id and configuration of an item of the list."""
        if not self.listed:
            return str(item["Id"]), {key: value for key, value in item.items() if key != "Id"}
        return str(item[self.listed]["Id"]), item[self.listed][f"{self.member}Config"]


ORIGIN_ACCESS_CONTROL = Kind(
    "origin access control", "origin_access_control", "origin_access_controls", comment="Description"
)
CUSTOM = {"Type": "custom"}
CACHE_POLICY = Kind("cache policy", "cache_policy", "cache_policies", listed="CachePolicy", arguments=CUSTOM)
ORIGIN_REQUEST_POLICY = Kind(
    "origin request policy",
    "origin_request_policy",
    "origin_request_policies",
    listed="OriginRequestPolicy",
    arguments=CUSTOM,
)
RESPONSE_HEADERS_POLICY = Kind(
    "response headers policy",
    "response_headers_policy",
    "response_headers_policies",
    listed="ResponseHeadersPolicy",
    arguments=CUSTOM,
)
KINDS = (ORIGIN_ACCESS_CONTROL, CACHE_POLICY, ORIGIN_REQUEST_POLICY, RESPONSE_HEADERS_POLICY)


@dataclass(frozen=True)
class Reusable:
    """What should be: `config` is canonical, without name and comment."""

    name: str
    config: Config


@dataclass(frozen=True)
class Observed:
    """The resource of the wanted name, canonical; `etag` is its version, read only where it must be updated."""

    id: str
    config: Config
    etag: str = ""


def comment_of(owner: Owner) -> str:
    """The comment by which a resource without tags is ours."""
    return f"groundwork.aws: environment {owner.environment}, component {owner.component}"


def by_name(kind: Kind, owner: Owner, items: t.Iterable[Config]) -> dict[str, str]:
    """The ids of our resources of a list, by the names that people use."""
    entries = [kind.entry(item) for item in items]
    prefix = owner.name("")
    return {
        str(config["Name"]).removeprefix(prefix): found
        for found, config in entries
        if str(config["Name"]).startswith(prefix) and config.get(kind.comment) == comment_of(owner)
    }


def converge_reusable(
    run: Run, kind: Kind, parse: t.Callable[[t.Mapping[str, t.Any], Problems], Reusable | None]
) -> dict[str, t.Any]:
    """The result of the kind's module: `id` and `name` as AWS has them."""
    owner, desired = run.parse(COMPONENT, parse)
    wanted = {**desired.config, "Name": owner.name(desired.name), kind.comment: comment_of(owner)}
    observed = look(kind, wanted, run.clients)
    if observed and observed.config.get(kind.comment) != wanted[kind.comment]:
        raise GroundworkError(
            f"There is a {kind.resource} {wanted['Name']} ({observed.id}) that is not this environment's: its comment "
            f"is not '{wanted[kind.comment]}'. Delete or rename it, or use another name."
        )
    ref = kind.ref(desired.name)
    ids: Ids = {ref: observed.id} if observed else {}
    result = run.make(plan(kind, desired.name, wanted, observed), ids)
    return {**result, "id": shown(ref, ids), "name": wanted["Name"]}


def look(kind: Kind, wanted: Config, clients: Clients) -> Observed | None:
    """One call when there is nothing to do; a second one reads the version that an update changes."""
    entries = [kind.entry(item) for item in observe(clients, {"all": kind.read()})["all"]]
    found = next(((id_, config) for id_, config in entries if config["Name"] == wanted["Name"]), None)
    if found is None:
        return None
    seen = Observed(found[0], plain(found[1]))
    if differences(seen.config, merged(seen.config, wanted)) == (None, None):
        return seen
    get = f"get_{kind.noun}_config"
    reads = {
        "version": Read("cloudfront", get, "", {"Id": seen.id}, absent=(f"NoSuch{kind.member}",)),
    }
    answers = observe(clients, reads)["version"]
    return Observed(seen.id, plain(answers[0][f"{kind.member}Config"]), answers[0]["ETag"]) if answers else None


def plan(kind: Kind, name: str, wanted: Config, observed: Observed | None) -> list[Change]:
    """Nothing, a creation, or an update of the version that was read. Pure."""
    ref, member = kind.ref(name), f"{kind.member}Config"
    if observed is None:
        create = Call("cloudfront", f"create_{kind.noun}", {member: whole(wanted)}).yielding(ref, f"{kind.member}.Id")
        return [Change("create", kind.resource, name, (create,), after={"id": ref, **wanted})]
    target = merged(observed.config, wanted)
    before, after = differences(observed.config, target)
    if (before, after) == (None, None):
        return []
    arguments = {"Id": observed.id, "IfMatch": observed.etag, member: whole(target)}
    return [
        Change("update", kind.resource, name, (Call("cloudfront", f"update_{kind.noun}", arguments),), before, after)
    ]
