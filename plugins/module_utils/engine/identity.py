# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find resources of EC2 that a plan would create again because a user has edited one of their tags.

A resource is recognized by its tags. If one of them is missing or different, a run would create a second resource, or
get the old one back for the client token of its creation, and time out waiting for it. So before a plan creates
something, the tags of the resources of the same types are read: two calls, which a plan that creates nothing does not
make.
"""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, dig, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import COMPONENT, ENVIRONMENT
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change

Tags = t.Mapping[str, str]

NAME = "Name"
IDENTITY = (NAME, ENVIRONMENT, COMPONENT, "groundwork:tier", "groundwork:server")
DENIED = ("UnauthorizedOperation", "AccessDenied")  # the tags are read for a better message only
# AWS reports these for an hour after their end: the operation, its argument, and the paths of the items and states.
ENDING: t.Mapping[str, tuple[str, str, str, str]] = {
    "instance": ("describe_instances", "InstanceIds", "Reservations", "Instances.0.State.Name"),
    "natgateway": ("describe_nat_gateways", "NatGatewayIds", "NatGateways", "State"),
    "vpc-endpoint": ("describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints", "State"),
}
ENDED = ("deleted", "deleting", "failed", "shutting-down", "terminated")


@dataclass(frozen=True)
class Wanted:
    """A resource that a plan creates: its type, as in TagSpecifications, and the tags that identify it."""

    kind: str
    tags: Tags


@dataclass(frozen=True)
class Edited:
    """An existing resource that has all identifying tags of a wanted one but `key`, whose value should be `value`."""

    id: str
    kind: str
    name: str
    key: str
    found: str | None
    value: str

    def __str__(self) -> str:
        told = f"its tag {self.key} is missing" if self.found is None else f"its tag {self.key} is '{self.found}'"
        return f"{self.kind} {self.id} ({self.name}): {told}. {put_back(self.id, self.key, self.value)}"


def put_back(resource_id: str, key: str, value: str) -> str:
    """Return the sentence that tells how to put a tag of a resource of EC2 back."""
    command = f"aws ec2 create-tags --resources {resource_id} --tags 'Key={key},Value={value}'"
    return f'Put back {key}={value}, for example with "{command}", and run again.'


def refuse_edited(clients: Clients, changes: t.Sequence[Change]) -> None:
    """Raise GroundworkError if a plan would create a resource again whose tags were edited."""
    wanted = wanted_of(changes)
    if not wanted:
        return
    answers = observe(clients, reads(wanted))
    found = edited(wanted, told(answers["names"] + answers["own"]))
    there = _still_there(clients, found)
    refuse([one for one in found if one.id in there])


def refuse(found: t.Iterable[Edited]) -> None:
    """Raise GroundworkError with all resources whose tags were edited."""
    lines = [f"- {one}" for one in found]
    if lines:
        listed = "\n".join(lines)
        raise GroundworkError(
            "Nothing was changed. Tags of these resources were edited, so that the environment does not recognize "
            f"them:\n{listed}"
        )


def wanted_of(changes: t.Iterable[Change]) -> list[Wanted]:
    """Return the resources of EC2 that the changes create with tags. The first specification is the resource's."""
    given = [
        call.arguments["TagSpecifications"][0]
        for change in changes
        for call in change.calls
        if call.service == "ec2" and call.arguments.get("TagSpecifications")
    ]
    tagged = [(one["ResourceType"], {tag["Key"]: tag["Value"] for tag in one["Tags"]}) for one in given]
    return [wanted_as(kind, tags) for kind, tags in tagged]


def wanted_as(kind: str, tags: Tags) -> Wanted:
    """Return a resource of this type, with those of its tags that identify it."""
    return Wanted(kind, {key: tags[key] for key in IDENTITY if key in tags})


def reads(wanted: t.Sequence[Wanted]) -> dict[str, Read]:
    """Return the reads of the names of the environment, and of all tags of the collection."""
    kinds = {"Name": "resource-type", "Values": sorted({one.kind for one in wanted})}
    names = sorted({f"{one.tags[ENVIRONMENT]}-*" for one in wanted if ENVIRONMENT in one.tags})

    def read(**more: t.Sequence[str]) -> Read:
        filters = [kinds, *({"Name": name, "Values": list(values)} for name, values in more.items())]
        return Read("ec2", "describe_tags", "Tags", {"Filters": filters}, absent=DENIED)

    return {"names": read(key=[NAME], value=names), "own": read(key=["groundwork:*"])}


def told(tags: t.Iterable[t.Mapping[str, str]]) -> dict[tuple[str, str], Tags]:
    """Return the tags of each resource, by its type and id."""
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for tag in tags:
        found[tag["ResourceType"], tag["ResourceId"]][tag["Key"]] = tag.get("Value", "")
    return dict(found)


def edited(wanted: t.Iterable[Wanted], existing: t.Mapping[tuple[str, str], Tags]) -> list[Edited]:
    """Return the existing resources whose tags differ from those of a wanted one in a single, edited tag."""
    found: dict[str, Edited] = {}
    components = _components(existing.values())
    for one in wanted:
        for (kind, own), tags in existing.items():
            differing = [key for key, value in one.tags.items() if tags.get(key) != value]
            if kind == one.kind and len(differing) == 1 and _was_edited(differing[0], one.tags, tags, components):
                [key] = differing
                found.setdefault(own, Edited(own, kind, one.tags[NAME], key, tags.get(key), one.tags[key]))
    return list(found.values())


def _was_edited(key: str, wanted: Tags, tags: Tags, components: t.Mapping[tuple[str, str], int]) -> bool:
    """Return whether a tag is not that of another resource, environment or component."""
    value = tags.get(key)
    if value is None:
        return True
    if key == NAME:
        return not value.startswith(f"{wanted[ENVIRONMENT]}-")
    if key == ENVIRONMENT:
        return not wanted[NAME].startswith(f"{value}-")
    if key == COMPONENT:
        return components[tags.get(ENVIRONMENT, ""), value] == 1
    return True


def _components(existing: t.Iterable[Tags]) -> dict[tuple[str, str], int]:
    """Return how many resources each component of each environment has."""
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for tags in existing:
        counted[tags.get(ENVIRONMENT, ""), tags.get(COMPONENT, "")] += 1
    return counted


def _still_there(clients: Clients, found: t.Sequence[Edited]) -> set[str]:
    """Return the ids of the resources that AWS does not report as ended."""
    wanted = {one.id: ENDING[one.kind] for one in found if one.kind in ENDING}
    answers = observe(
        clients,
        {
            own: Read("ec2", operation, result, {argument: [own]}, absent=(*DENIED, *_unknown(own)))
            for own, (operation, argument, result, _state) in wanted.items()
        },
    )
    return {
        one.id
        for one in found
        if one.id not in answers
        or any(str(dig(item, wanted[one.id][3])).lower() not in ENDED for item in answers[one.id])
    }


def _unknown(resource_id: str) -> tuple[str, ...]:
    prefix = resource_id.partition("-")[0]
    return {
        "i": ("InvalidInstanceID.NotFound",),
        "nat": ("NatGatewayNotFound",),
        "vpce": ("InvalidVpcEndpointId.NotFound",),
    }.get(prefix, ())
