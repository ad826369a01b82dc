# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the existing images, the resources of bakes, and the users of images."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import (
    COMPONENT as COMPONENT_TAG,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import (
    ENVIRONMENT,
    Owner,
    tag_dict,
    tag_filter,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ids, Ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.options import COMPONENT, Golden
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import VPC
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    GONE,
    Image,
    fits,
    image_of,
    promoted_read,
)

DIGEST = "groundwork:digest"
PROMOTED = "groundwork:promoted"

Id: t.TypeAlias = "str | Ref"  # a Ref if it is only planned


@dataclass(frozen=True)
class Machine:
    """A builder or a tester that is not terminated."""

    name: str
    id: Id
    state: str = ""
    public_ip: str = ""


@dataclass(frozen=True)
class Baked:
    """An image of the environment. `promoted` is the stamp of its promotion, or "" if it was never promoted."""

    name: str
    id: Id
    state: str
    created: str
    digest: str
    promoted: str


@dataclass(frozen=True)
class Observed:
    """The existing resources. `promoted` is an image's id or "".

    `groups` are ids by name, and so are `snapshots`, the snapshots without an image.
    """

    machines: tuple[Machine, ...] = ()
    groups: t.Mapping[str, Id] = field(default_factory=dict)
    images: tuple[Baked, ...] = ()
    snapshots: t.Mapping[str, str] = field(default_factory=dict)
    promoted: Id = ""
    base: Image | None = None
    subnets: t.Mapping[str, tuple[str, str]] = field(default_factory=dict)  # id and VPC
    has_key: bool = False
    users: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # descriptions of its users, by image

    def image(self, image_id: Id) -> Baked | None:
        """Return the environment's image with this id, or None."""
        return next((image for image in self.images if image.id == image_id), None)

    def machine(self, name: str) -> Machine | None:
        """Return the builder or the tester, or None."""
        return next((machine for machine in self.machines if machine.name == name), None)

    def ids(self) -> Ids:
        """Return the ids of the existing resources, by the references of a plan."""
        ids: Ids = {Ref("subnet", name): subnet_id for name, (subnet_id, _vpc) in self.subnets.items()}
        for _subnet, vpc_id in self.subnets.values():
            ids[VPC] = vpc_id
        ids.update({Ref("server", machine.name): machine.id for machine in self.machines})
        ids.update({Ref("security group", name): group_id for name, group_id in self.groups.items()})
        ids.update({Ref("image", image.name): image.id for image in self.images})
        return ids


def reads(owner: Owner, desired: Golden) -> dict[str, Read]:
    """Return the eight reads."""
    own = owner.filters()
    base = {"ImageIds": [desired.base.id]} if desired.base.id else _named(desired)
    environment = {"Filters": [tag_filter(ENVIRONMENT, owner.environment)]}
    pair = {"Filters": [{"Name": "key-name", "Values": [owner.name("servers")]}]}
    return {
        "instances": Read("ec2", "describe_instances", "Reservations", {"Filters": own}),
        "groups": Read("ec2", "describe_security_groups", "SecurityGroups", {"Filters": own}),
        "images": Read("ec2", "describe_images", "Images", {"Owners": ["self"], "Filters": own}),
        "snapshots": Read("ec2", "describe_snapshots", "Snapshots", {"OwnerIds": ["self"], "Filters": own}),
        "parameter": promoted_read(owner.environment),
        "base": Read("ec2", "describe_images", "Images", base, absent=("InvalidAMIID.NotFound",)),
        "subnets": Read("ec2", "describe_subnets", "Subnets", environment),
        "key pairs": Read("ec2", "describe_key_pairs", "KeyPairs", pair),
    }


def _named(desired: Golden) -> dict[str, t.Any]:
    state, name = {"Name": "state", "Values": ["available"]}, {"Name": "name", "Values": [desired.base.name]}
    return {"Owners": [desired.base.owner], "Filters": [name, state]}


def observe_golden(clients: Clients, owner: Owner, desired: Golden) -> Observed:
    """Return the existing resources, without the users of images."""
    return observed(observe(clients, reads(owner, desired)), owner, desired)


def observed(answers: t.Mapping[str, list[t.Any]], owner: Owner, desired: Golden) -> Observed:
    """Return the existing resources from the results of the reads."""
    instances = [i for r in answers["instances"] for i in r["Instances"] if i["State"]["Name"] != "terminated"]
    images = [_baked(image, owner) for image in answers["images"]]
    names = {image.name for image in images}
    candidates = [image for image in map(image_of, answers["base"]) if fits(image, desired.base)]
    return Observed(
        machines=tuple(_machine(instance, owner) for instance in instances),
        groups={owner.short(tag_dict(g)): g["GroupId"] for g in answers["groups"]},
        images=tuple(sorted(images, key=lambda image: (image.created, image.name))),
        snapshots={
            name: s["SnapshotId"] for s in answers["snapshots"] if (name := owner.short(tag_dict(s))) not in names
        },
        promoted=next((parameter["Value"] for parameter in answers["parameter"]), ""),
        base=max(candidates, key=lambda image: (image.created, image.id), default=None),
        subnets={owner.short(tag_dict(s)): (s["SubnetId"], s["VpcId"]) for s in answers["subnets"]},
        has_key=bool(answers["key pairs"]),
    )


def _machine(instance: t.Mapping[str, t.Any], owner: Owner) -> Machine:
    address = instance.get("PublicIpAddress", "")
    return Machine(owner.short(tag_dict(instance)), instance["InstanceId"], instance["State"]["Name"], address)


def _baked(image: t.Mapping[str, t.Any], owner: Owner) -> Baked:
    tags = tag_dict(image)
    return Baked(
        name=owner.short(tags),
        id=image["ImageId"],
        state=image["State"],
        created=str(image.get("CreationDate", "")),
        digest=tags.get(DIGEST, ""),
        promoted=tags.get(PROMOTED, ""),
    )


def observe_users(clients: Clients, seen: Observed) -> Observed:
    """Return the state with all users of the environment's images in the account.

    This takes two calls, and one for each launch template. The builder and the tester are not counted, because they are
    deleted first. All versions of a launch template are counted, because an Auto Scaling group can use any.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplateVersions.html
    """
    ids = [str(image.id) for image in seen.images]
    running = {"Filters": [{"Name": "image-id", "Values": ids}]}
    answers = observe(
        clients,
        {
            "instances": Read("ec2", "describe_instances", "Reservations", running),
            "templates": Read("ec2", "describe_launch_templates", "LaunchTemplates"),
        },
    )
    versions = observe(
        clients,
        {
            one["LaunchTemplateId"]: Read(
                "ec2",
                "describe_launch_template_versions",
                "LaunchTemplateVersions",
                {"LaunchTemplateId": one["LaunchTemplateId"]},
                absent=("InvalidLaunchTemplateId.NotFound",),
            )
            for one in answers["templates"]
        },
    )
    users: dict[str, list[str]] = {}
    for instance in (i for r in answers["instances"] for i in r["Instances"]):
        if instance["State"]["Name"] not in GONE and tag_dict(instance).get(COMPONENT_TAG) != COMPONENT:
            users.setdefault(instance["ImageId"], []).append(f"instance {_called(instance, instance['InstanceId'])}")
    for version in (one for found in versions.values() for one in found):
        name = f"version {version['VersionNumber']} of launch template {version['LaunchTemplateName']}"
        users.setdefault(version.get("LaunchTemplateData", {}).get("ImageId", ""), []).append(name)
    return replace(seen, users={image_id: tuple(found) for image_id, found in users.items()})


def _called(instance: t.Mapping[str, t.Any], instance_id: str) -> str:
    name = tag_dict(instance).get("Name")
    return f"{name} ({instance_id})" if name else instance_id
