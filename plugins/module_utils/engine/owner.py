# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose is it? Everything that the collection makes carries its environment, its component and its Name.

A module looks only at resources with its own tags, and so touches nothing else: neither another environment's
nor what people made by hand. `Name` is `<environment>-<name>`, unique within the component.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change, Ref, ec2

ENVIRONMENT = "groundwork:environment"
COMPONENT = "groundwork:component"
# https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
SCALING_GROUP = "aws:autoscaling:groupName"


@dataclass(frozen=True)
class Owner:
    """An environment's component (`network`, `nat`, `firewall`, `servers`, `alb`) and the user's own tags."""

    environment: str
    component: str
    extra: t.Mapping[str, str] = field(default_factory=dict)

    def name(self, name: str) -> str:
        """The Name tag of the resource that people call `name`."""
        return f"{self.environment}-{name}"

    def tags(self, name: str, **more: str) -> dict[str, str]:
        """All tags of the resource that people call `name`."""
        own = {"Name": self.name(name), ENVIRONMENT: self.environment, COMPONENT: self.component}
        return {**self.extra, **more, **own}

    def filters(self) -> list[dict[str, t.Any]]:
        """EC2 filters that find what is ours."""
        return [tag_filter(ENVIRONMENT, self.environment), tag_filter(COMPONENT, self.component)]

    def owns(self, resource: t.Mapping[str, t.Any]) -> bool:
        """Whether a described resource carries our tags."""
        return self.owns_tags(tag_dict(resource))

    def owns_tags(self, tags: t.Mapping[str, str]) -> bool:
        """Whether these tags, which some services tell apart from their resource, are ours."""
        return (tags.get(ENVIRONMENT), tags.get(COMPONENT)) == (self.environment, self.component)

    def by_name(self, resources: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, t.Mapping[str, t.Any]]:
        """Those of the described resources that are ours, by the names that people use."""
        return {self.short(tag_dict(resource)): resource for resource in resources if self.owns(resource)}

    def short(self, tags: t.Mapping[str, str]) -> str:
        """The name that people use, from a resource's tags."""
        return tags.get("Name", "").removeprefix(f"{self.environment}-")


def tag_filter(key: str, *values: str) -> dict[str, t.Any]:
    """An EC2 filter on a tag."""
    return {"Name": f"tag:{key}", "Values": list(values)}


def tag_list(tags: t.Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as the API takes them, in a fixed order."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def tag_dict(resource: t.Mapping[str, t.Any]) -> dict[str, str]:
    """The tags of a described resource."""
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


def is_scaled(resource: t.Mapping[str, t.Any]) -> bool:
    """Whether a described instance is one of an Auto Scaling group, which alone launches and registers it."""
    return SCALING_GROUP in tag_dict(resource)


def specification(resource_type: str, tags: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """EC2's TagSpecifications: tags set in the very call that creates, so that a crash leaves no orphan."""
    return [{"ResourceType": resource_type, "Tags": tag_list(tags)}]


def retag(tagged: t.Iterable[tuple[Ref, t.Mapping[str, str], t.Mapping[str, str]]]) -> list[Change]:
    """Changes that add or update tags: of each (resource, actual tags, wanted tags) those that are missing.

    Tags that are not wanted stay: they are other people's. Resources that lack the same tags share one call.
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
        (ec2("create_tags", Resources=refs, Tags=tag_list(missing)),),
        before={name: before for name, (_ref, before) in zip(names, members, strict=True)},
        after=dict.fromkeys(names, missing),
    )
