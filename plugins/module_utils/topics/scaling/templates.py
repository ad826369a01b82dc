# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data of launch template versions, and the comparison of versions.

A version's description contains two digests: one of the instance's settings, and one of the tags of its volume and
network interface. Versions are compared by these digests, because EC2 returns the data in another form than it was
sent. An existing version with the same description is used again.
"""

from __future__ import annotations

import base64
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import specification
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import (
    KNOWN_AFTER_APPLY,
    Ids,
    Joined,
    Ref,
    Token,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.observed import Template, Version
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import ServerGroup
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import Image

Data = dict[str, t.Any]


def template_data(group: ServerGroup, image: Image | None, hop_limit: int, tags: t.Mapping[str, str]) -> Data:
    """Return the RequestLaunchTemplateData of a group. It has no tags of instances, because the group propagates them.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RequestLaunchTemplateData.html
    """
    tier = group.tier
    size = tier.root_volume_gib or (image.root_gib if image else KNOWN_AFTER_APPLY)
    disk = {"VolumeType": "gp3", "VolumeSize": size, "Encrypted": True, "DeleteOnTermination": True}
    interface = {
        "DeviceIndex": 0,
        "Groups": [Ref("security group", name) for name in tier.security_groups],
        "AssociatePublicIpAddress": tier.public_ip,
        "DeleteOnTermination": True,
    }
    data: Data = {
        "ImageId": image.id if image else KNOWN_AFTER_APPLY,
        "InstanceType": tier.instance_type,
        "NetworkInterfaces": [interface],
        "BlockDeviceMappings": [{"DeviceName": image.root_device if image else KNOWN_AFTER_APPLY, "Ebs": disk}],
        "MetadataOptions": {
            "HttpTokens": "required",
            "HttpPutResponseHopLimit": hop_limit,
            "HttpEndpoint": "enabled",
        },
        "TagSpecifications": [*specification("volume", tags), *specification("network-interface", tags)],
    }
    if tier.instance_profile:
        data["IamInstanceProfile"] = {"Name": tier.instance_profile}
    if tier.cpu_credits:
        data["CreditSpecification"] = {"CpuCredits": tier.cpu_credits}
    if tier.user_data:
        data["UserData"] = base64.b64encode(tier.user_data.encode()).decode()
    return data


def description(data: Data) -> Joined:
    """Return the description of a version with this data, which identifies it. It has at most 255 characters."""
    server = {key: value for key, value in data.items() if key != "TagSpecifications"}
    return Joined(("server", Token((server,)), "tags", Token((data["TagSpecifications"],))), " ")


def find_version(template: Template | None, told: Joined, ids: Ids) -> Version | None:
    """Return the newest version with this description, or None.

    A description that contains references to resources that do not exist yet matches no version.
    """
    try:
        wanted = told.text(ids)
    except KeyError:
        return None
    found = [version for version in template.versions.values() if version.description == wanted] if template else []
    return max(found, key=lambda version: version.number, default=None)


def makes_the_same(version: Version | None, told: Joined, ids: Ids) -> bool:
    """Return whether a version has the description's instance settings. Tags of volumes and interfaces may differ."""
    try:
        wanted = told.text(ids)
    except KeyError:
        return False
    return version is not None and version.description.split(" tags ")[0] == wanted.split(" tags ")[0]


def shown_data(data: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return a version's data for --diff, with a digest instead of the user data."""
    shown = {key: value for key, value in data.items() if key != "UserData"}
    if data.get("UserData"):
        shown["UserData"] = Token((data["UserData"],))
    return shown
