# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ownership: every resource that the collection creates has the tags of its environment and component, and a Name.

A module reads only resources with its own tags. So it changes neither resources of other environments nor resources
that were created by hand. `Name` is `<environment>-<name>`, and is unique within the component.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change, Ref, ec2

ENVIRONMENT = "groundwork:environment"
COMPONENT = "groundwork:component"
# Of resources that AWS has once for all regions, whose names would clash: IAM's and CloudFront's.
REGION = "groundwork:region"
HELD = "groundwork:held"  # of servers that must not be registered with target groups, with the reason
# https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
SCALING_GROUP = "aws:autoscaling:groupName"


@dataclass(frozen=True)
class Owner:
    """An environment's component (`network`, `nat`, `firewall`, `servers`, `alb`), and the user's own tags.

    `region` is the environment's region, "" if it is not known.
    """

    environment: str
    component: str
    extra: t.Mapping[str, str] = field(default_factory=dict)
    region: str = ""

    def name(self, name: str) -> str:
        """Return the Name tag of the resource `name`."""
        return f"{self.environment}-{name}"

    def tags(self, name: str, **more: str) -> dict[str, str]:
        """Return all tags of the resource `name`."""
        own = {"Name": self.name(name), ENVIRONMENT: self.environment, COMPONENT: self.component}
        return {**self.extra, **more, **own}

    def global_tags(self, name: str) -> dict[str, str]:
        """Return all tags of the resource `name`, which is not in a region."""
        return {**self.tags(name), **({REGION: self.region} if self.region else {})}

    def filters(self) -> list[dict[str, t.Any]]:
        """Return the EC2 filters that find the owner's resources."""
        return [tag_filter(ENVIRONMENT, self.environment), tag_filter(COMPONENT, self.component)]

    def owns(self, resource: t.Mapping[str, t.Any]) -> bool:
        """Return whether a described resource has the owner's tags."""
        return self.owns_tags(tag_dict(resource))

    def owns_tags(self, tags: t.Mapping[str, str]) -> bool:
        """Return whether these are the owner's tags, for services that return tags apart from the resource."""
        return (tags.get(ENVIRONMENT), tags.get(COMPONENT)) == (self.environment, self.component)

    def foreign(self, what: str, tags: t.Mapping[str, str]) -> tuple[str, str]:
        """Return what is wrong with the tags of a resource with a name of the environment, and what would be right.

        `what` is the resource with its id or ARN. Another person's resource is never to be deleted.
        """
        wanted = {ENVIRONMENT: self.environment, COMPONENT: self.component}
        lacking = {key: value for key, value in wanted.items() if tags.get(key) != value}
        found = [f"{key} is '{tags[key]}'" if key in tags else f"{key} is missing" for key in lacking]
        back = " and ".join(f"{key}={value}" for key, value in lacking.items())
        return (
            f"{what} exists, and its tags are not this environment's: {' and '.join(found)}",
            f"if it is the environment's, put back {back}, else use another name",
        )

    def by_name(self, resources: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, t.Mapping[str, t.Any]]:
        """Return the owner's resources among `resources`, by their short names."""
        return {self.short(tag_dict(resource)): resource for resource in resources if self.owns(resource)}

    def short(self, tags: t.Mapping[str, str]) -> str:
        """Return a resource's short name: its Name tag without the environment."""
        return tags.get("Name", "").removeprefix(f"{self.environment}-")


def other_region(tags: t.Mapping[str, str], region: str) -> str:
    """Return the region of the environment that has a global resource with these tags, or "" if it is `region`.

    A resource without the tag is of any region: it is from before the tag existed.
    """
    tagged = tags.get(REGION, "")
    return tagged if region and tagged != region else ""


def region_clash(kind: str, name: str, environment: str, other: str, region: str) -> tuple[str, str, str]:
    """Return the problem of a global resource that an environment of the same name has in another region."""
    wrong = f"'{environment}' is an environment in {other} too, and the {kind} {name} of that one is in all regions"
    return "environment_name", wrong, f"use another name for the environment in {region}"


def tag_filter(key: str, *values: str) -> dict[str, t.Any]:
    """Return an EC2 filter on a tag."""
    return {"Name": f"tag:{key}", "Values": list(values)}


def tag_list(tags: t.Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags in the API's format, sorted by key."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def tag_dict(resource: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the tags of a described resource."""
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


def is_scaled(resource: t.Mapping[str, t.Any]) -> bool:
    """Return whether a described instance belongs to an Auto Scaling group."""
    return SCALING_GROUP in tag_dict(resource)


def specification(resource_type: str, tags: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """Return EC2's TagSpecifications, which tag a resource in the call that creates it."""
    return [{"ResourceType": resource_type, "Tags": tag_list(tags)}]


def retag(tagged: t.Iterable[tuple[Ref, t.Mapping[str, str], t.Mapping[str, str]]]) -> list[Change]:
    """Return changes that add or update the missing tags of each (resource, actual tags, wanted tags).

    Other tags stay, because they may be the user's. Resources that lack the same tags share one call.
    """
    groups: dict[tuple[tuple[str, str], ...], list[tuple[Ref, dict[str, str | None]]]] = {}
    for ref, actual, wanted in tagged:
        missing = {key: value for key, value in wanted.items() if actual.get(key) != value}
        if missing:
            before = {key: actual.get(key) for key in missing}
            groups.setdefault(tuple(sorted(missing.items())), []).append((ref, before))
    return [_retag_together(dict(missing), members) for missing, members in groups.items()]


def _retag_together(missing: dict[str, str], members: list[tuple[Ref, dict[str, str | None]]]) -> Change:
    refs = [ref for ref, _before in members]
    names = [f"{ref.resource} {ref.name}" for ref in refs]
    return Change(
        "update",
        "tags",
        ", ".join(names) if len(names) <= 3 else f"{len(names)} resources",
        (ec2("create_tags", Resources=refs, Tags=tag_list(missing)).safe_to_repeat(),),
        before={name: before for name, (_ref, before) in zip(names, members, strict=True)},
        after=dict.fromkeys(names, missing),
    )
