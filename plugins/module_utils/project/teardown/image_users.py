# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find users of the environment's images outside the environment. AWS does not refuse to deregister an image in use."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.options import IMAGES
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import (
    Described,
    Thing,
    Whose,
    some,
)

Answers = t.Mapping[str, list[t.Any]]

GONE = ("InvalidLaunchTemplateId.NotFound",)


def second_reads(first: Answers, wishes: t.Container[str]) -> dict[str, Read]:
    """Return the reads of instances of the images and of all launch templates, if images are to be removed."""
    images = [image["ImageId"] for image in first["images"]]
    if not images or IMAGES not in wishes:
        return {}
    running = {"Filters": [{"Name": "image-id", "Values": images}]}
    return {
        "image users": Read("ec2", "describe_instances", "Reservations", running),
        "everybody's templates": Read("ec2", "describe_launch_templates", "LaunchTemplates"),
    }


def third_reads(answers: Answers, whose: Whose) -> dict[str, Read]:
    """Return the reads of all versions of others' launch templates, because Auto Scaling groups can use any version."""
    return {
        _versions_of(template): Read(
            "ec2",
            "describe_launch_template_versions",
            "LaunchTemplateVersions",
            {"LaunchTemplateId": template["LaunchTemplateId"]},
            GONE,
        )
        for template in _others(answers, whose)
    }


def image_user_things(answers: Answers, whose: Whose) -> list[Thing]:
    """Return others' instances and launch templates that use an image of the environment."""
    images = {image["ImageId"] for image in answers["images"]}
    instances = [i for r in answers.get("image users", []) for i in r["Instances"]]
    return [
        *(
            Thing("instance", one["InstanceId"], tag_dict(one).get("Name", ""), ours=False, needs=some(one["ImageId"]))
            for one in instances
            if one["State"]["Name"] != "terminated" and not whose.owns_described(one)
        ),
        *(
            Thing(
                "launch template", template["LaunchTemplateId"], template["LaunchTemplateName"], ours=False, needs=used
            )
            for template in _others(answers, whose)
            if (used := _named_by(answers[_versions_of(template)]) & images)
        ),
    ]


def _others(answers: Answers, whose: Whose) -> list[Described]:
    return [one for one in answers.get("everybody's templates", []) if not whose.owns_described(one)]


def _versions_of(template: Described) -> str:
    return f"versions of {template['LaunchTemplateId']}"


def _named_by(versions: t.Iterable[Described]) -> frozenset[str]:
    return some(*(one.get("LaunchTemplateData", {}).get("ImageId") for one in versions))
