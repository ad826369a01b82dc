# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check before a launch that the region offers the instance type, and that the image has its architecture.

It takes two calls, which a run that launches nothing does not make.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quotas import Quota, vcpu_quota
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import Image

Described = t.Mapping[str, t.Any]

COUNTED = ("pending", "running")  # the states whose vCPUs count: those of instances that are not stopped
TYPES, OFFERINGS = "instance types", "offerings"
EXAMPLES = {"x86_64": "t3.small", "arm64": "t4g.small"}
DEBIAN = {"x86_64": "amd64", "arm64": "arm64"}  # Debian's names of the architectures


@dataclass(frozen=True)
class Launch:
    """Servers that a run launches. `variable` is the option that contains `instance_type` and `image`.

    `image` is None if it is not known yet.
    """

    variable: str
    instance_type: str
    zones: tuple[str, ...]
    image: Image | None
    count: int = 1

    @property
    def option(self) -> str:
        """Return the option that has the instance type."""
        return f"{self.variable}.instance_type".removeprefix(".")


def launch_reads(launches: t.Iterable[Launch]) -> dict[str, Read]:
    """Return the reads of the instance types, and of the Availability Zones that offer them."""
    types = sorted({launch.instance_type for launch in launches})
    if not types:
        return {}
    wanted = {"Name": "instance-type", "Values": types}
    where = {"LocationType": "availability-zone", "Filters": [wanted]}
    return {
        TYPES: Read("ec2", "describe_instance_types", "InstanceTypes", {"Filters": [wanted]}),
        OFFERINGS: Read("ec2", "describe_instance_type_offerings", "InstanceTypeOfferings", where),
    }


def check_launches(
    launches: t.Iterable[Launch], answers: t.Mapping[str, t.Sequence[Described]], problems: Problems
) -> None:
    """Add to `problems` the launches that EC2 would refuse. This function is pure."""
    types = {one["InstanceType"]: one for one in answers.get(TYPES, ())}
    offered: dict[str, set[str]] = {}
    for one in answers.get(OFFERINGS, ()):
        offered.setdefault(one["InstanceType"], set()).add(one["Location"])
    for launch in launches:
        if launch.instance_type not in types:
            wrong = f"'{launch.instance_type}' is not an instance type of the region"
            problems.add(launch.option, wrong, "use another type, or another region")
            continue
        _check_zones(launch, offered.get(launch.instance_type, set()), problems)
        _check_architecture(launch, types[launch.instance_type], problems)


def vcpus_in_use(instances: t.Iterable[Described]) -> Counter[Quota]:
    """Return how much of each quota of vCPUs the instances of a region use. Stopped instances use none."""
    used: Counter[Quota] = Counter()
    for instance in instances:
        quota = vcpu_quota(instance["InstanceType"])
        if quota and instance["State"]["Name"] in COUNTED and instance.get("InstanceLifecycle") != "spot":
            used[quota] += vcpus_of(instance)
    return used


def vcpus_of(instance: Described) -> int:
    """Return the number of vCPUs of an instance."""
    cpus = instance.get("CpuOptions", {})
    return int(cpus.get("CoreCount", 1) * cpus.get("ThreadsPerCore", 1))


def refuse_launches(clients: Clients, launches: t.Sequence[Launch]) -> None:
    """Raise InputError with all launches that EC2 would refuse."""
    problems = Problems()
    check_launches(launches, observe(clients, launch_reads(launches)), problems)
    problems.raise_if_any()


def _check_zones(launch: Launch, offered: t.Collection[str], problems: Problems) -> None:
    """Add to `problems` the zones without the type.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html
    """
    without = [zone for zone in launch.zones if zone and zone not in offered]
    if without:
        wrong = f"{', '.join(without)} does not offer {launch.instance_type}"
        right = f"use a type that all zones offer, or other zones: {', '.join(sorted(offered)) or 'none'} offer it"
        problems.add(launch.option, wrong, right)


def _check_architecture(launch: Launch, described: Described, problems: Problems) -> None:
    image, supported = launch.image, described.get("ProcessorInfo", {}).get("SupportedArchitectures", [])
    if image is None or not image.architecture or not supported or image.architecture in supported:
        return
    wrong = (
        f"{launch.instance_type} has the architecture {' or '.join(supported)}, and the image {image.id} "
        f"({image.name}) has {image.architecture}"
    )
    wanted = next((DEBIAN[one] for one in supported if one in DEBIAN), supported[0])
    like = f", such as {EXAMPLES[image.architecture]}" if image.architecture in EXAMPLES else ""
    right = f"choose an image of {wanted}, or an instance type of {image.architecture}{like}"
    problems.add(launch.option, wrong, right)
