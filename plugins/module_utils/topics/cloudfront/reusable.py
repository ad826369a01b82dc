# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the modules of CloudFront's origin access controls and policies, which differ only in their `Kind`.

These resources have no tags. They belong to an environment if they have the name `<environment>-<name>` and a
comment of `comment_of`. A resource of that name with another comment is an error. An update contains the version that
was read (If-Match), so that it fails if the resource was changed in between.
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateCachePolicy.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, region_clash
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change, Ids, Lookup, Ref, shown
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.canonical import (
    differences,
    has,
    merged,
    plain,
    updated,
    whole,
)

COMPONENT = "static_site"
IN_REGION = ", region "  # CloudFront's resources are in all regions, the environment is in one
Config = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Kind:
    """A type of resource. `noun` is the part of the names of the API's operations and members."""

    resource: str  # AWS' name of the type, such as "cache policy"
    noun: str  # "cache_policy"
    plural: str
    comment: str = "Comment"  # the member that contains the comment
    listed: str = ""  # the member of a list's item that contains the resource; "" if the item is its configuration
    arguments: t.Mapping[str, t.Any] = field(default_factory=dict)

    @property
    def member(self) -> str:
        """Return the noun as it is written in the API's members, such as `CachePolicy`."""
        return "".join(part.title() for part in self.noun.split("_"))

    def ref(self, name: str) -> Ref:
        """Return the reference to the id of the resource `name`."""
        return Ref(self.resource, name)

    def read(self) -> Read:
        """Return the read of all resources of the kind, without AWS' managed ones."""
        where = f"{self.member}List"
        result, marker = f"{where}.Items", f"{where}.NextMarker"
        return Read("cloudfront", f"list_{self.plural}", result, self.arguments, marker=marker)

    def lookup(self, name: str) -> Lookup:
        """Return how to find the resource, whose name only one of its kind can have."""
        read = self.read()
        return Lookup(
            read.operation,
            read.result,
            read.arguments,
            lambda item: bool(self.entry(item)[1]["Name"] == name),
            marker=read.marker,
        )

    def entry(self, item: Config) -> tuple[str, Config]:
        """Return the id and the configuration of an item of the list."""
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
    """The desired resource. `config` is canonical, without name and comment."""

    name: str
    config: Config


@dataclass(frozen=True)
class Observed:
    """The existing resource. `config` is canonical. `etag` is its version, which is read only for an update."""

    id: str
    config: Config
    etag: str = ""


def comment_of(owner: Owner) -> str:
    """Return the comment that marks a resource without tags as the environment's."""
    region = f"{IN_REGION}{owner.region}" if owner.region else ""
    return f"groundwork.aws: environment {owner.environment}, component {owner.component}{region}"


def is_of(owner: Owner, comment: str) -> bool:
    """Return whether a resource with this comment is the environment's. A comment from before has no region."""
    return comment in (comment_of(owner), comment_of(owner).partition(IN_REGION)[0])


def check_comment(owner: Owner, what: str, name: str, comment: str) -> None:
    """Raise GroundworkError if an existing resource with this comment does not belong to the environment."""
    if is_of(owner, comment):
        return
    base, _in, other = comment.partition(IN_REGION)
    if other and is_of(owner, base):
        problems = Problems()
        problems.add(*region_clash(what, name, owner.environment, other, owner.region))
        problems.raise_if_any()
    raise GroundworkError(
        f"The {what} {name} exists, and its comment is not this environment's. If it is the environment's, put back "
        f"the comment '{comment_of(owner)}', else use another name."
    )


def by_name(kind: Kind, owner: Owner, items: t.Iterable[Config]) -> dict[str, str]:
    """Return the ids of the environment's resources in a list, by their names without the environment."""
    entries = [kind.entry(item) for item in items]
    prefix = owner.name("")
    return {
        str(config["Name"]).removeprefix(prefix): found
        for found, config in entries
        if str(config["Name"]).startswith(prefix) and is_of(owner, config.get(kind.comment, ""))
    }


def converge_reusable(
    run: Run, kind: Kind, parse: t.Callable[[t.Mapping[str, t.Any], Problems], Reusable | None]
) -> dict[str, t.Any]:
    """Create or update the resource, and return the module's result. Raise GroundworkError on failure."""
    owner, desired = run.parse(run.options.get("component", COMPONENT), parse)
    wanted = {**desired.config, "Name": owner.name(desired.name), kind.comment: comment_of(owner)}
    observed = look(kind, wanted, run.clients)
    if observed:
        what, name = kind.resource, f"{wanted['Name']} ({observed.id})"
        check_comment(owner, what, name, observed.config.get(kind.comment, ""))
    ref = kind.ref(desired.name)
    ids: Ids = {ref: observed.id} if observed else {}
    result = run.make(plan(kind, desired.name, wanted, observed), ids)
    return {**result, "id": shown(ref, ids), "name": wanted["Name"]}


def look(kind: Kind, wanted: Config, clients: Clients) -> Observed | None:
    """Read the resource with one call. If it has to be updated, read its version with a second call."""
    entries = [kind.entry(item) for item in observe(clients, {"all": kind.read()})["all"]]
    found = next(((id_, config) for id_, config in entries if config["Name"] == wanted["Name"]), None)
    if found is None:
        return None
    seen = Observed(found[0], plain(found[1]))
    if has(seen.config, wanted):
        return seen
    get = f"get_{kind.noun}_config"
    reads = {
        "version": Read("cloudfront", get, "", {"Id": seen.id}, absent=(f"NoSuch{kind.member}",)),
    }
    answers = observe(clients, reads)["version"]
    return Observed(seen.id, plain(answers[0][f"{kind.member}Config"]), answers[0]["ETag"]) if answers else None


def plan(kind: Kind, name: str, wanted: Config, observed: Observed | None) -> list[Change]:
    """Return the change that creates the resource or updates the version that was read, or an empty list."""
    ref, member = kind.ref(name), f"{kind.member}Config"
    if observed is None:
        create = Call(
            "cloudfront",
            f"create_{kind.noun}",
            {member: whole(wanted)},
            yields={ref: f"{kind.member}.Id"},
            lookup=kind.lookup(wanted["Name"]),
        )
        return [Change("create", kind.resource, name, (create,), after={"id": ref, **wanted})]
    target = merged(observed.config, wanted)
    before, after = differences(observed.config, target)
    if (before, after) == (None, None):
        return []
    arguments = {"Id": observed.id, "IfMatch": observed.etag, member: whole(target)}
    update = Call("cloudfront", f"update_{kind.noun}", arguments)
    lookup = updated(f"get_{kind.noun}_config", observed.id, member, wanted)
    return [Change("update", kind.resource, name, (update.found_by(lookup),), before, after)]
