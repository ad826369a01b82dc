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

ENVIRONMENT = "groundwork:environment"
COMPONENT = "groundwork:component"


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


def specification(resource_type: str, tags: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """EC2's TagSpecifications: tags set in the very call that creates, so that a crash leaves no orphan."""
    return [{"ResourceType": resource_type, "Tags": tag_list(tags)}]
