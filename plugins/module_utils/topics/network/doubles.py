# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describe several VPCs with the tags of one environment, so that the user can decide which of them to remove.

AWS does not tell when a VPC was created. The oldest resource in it tells since when it is used.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, dig, observe

Described = t.Mapping[str, t.Any]
# What is told of a VPC: the word, the read, the list, the filter, and the time of creation if AWS tells it.
CONTENTS = (
    ("subnet", "describe_subnets", "Subnets", "vpc-id", ""),
    ("internet gateway", "describe_internet_gateways", "InternetGateways", "attachment.vpc-id", ""),
    ("NAT gateway", "describe_nat_gateways", "NatGateways", "vpc-id", "CreateTime"),
    ("network interface", "describe_network_interfaces", "NetworkInterfaces", "vpc-id", "Attachment.AttachTime"),
    ("instance", "describe_instances", "Reservations", "vpc-id", "LaunchTime"),
)
ENDED = ("deleted", "terminated")


@dataclass(frozen=True)
class Vpc:
    """A VPC: the numbers of the resources in it by their kinds, and since when it is used, None if that is unknown."""

    id: str
    contents: t.Mapping[str, int]
    used: datetime | None

    def __str__(self) -> str:
        counted = [f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in self.contents.items() if count]
        since = f", in use since {self.used:%Y-%m-%dT%H:%M:%SZ}" if self.used else ""
        return f"{self.id}: {', '.join(counted) or 'empty'}{since}"


def doubles(environment: str, ids: t.Sequence[str], clients: Clients) -> GroundworkError:
    """Return the error for several VPCs of an environment. Read what is in them."""
    reads = {
        kind: Read("ec2", operation, result, {_filter(operation): [{"Name": name, "Values": list(ids)}]})
        for kind, operation, result, name, _time in CONTENTS
    }
    answers = observe(clients, reads)
    return told(environment, [_vpc(one, answers) for one in ids])


def _filter(operation: str) -> str:
    return "Filter" if operation == "describe_nat_gateways" else "Filters"


def _vpc(own: str, answers: t.Mapping[str, list[t.Any]]) -> Vpc:
    inside = {kind: [one for one in _flat(kind, answers[kind]) if _is_inside(own, one)] for kind, *_more in CONTENTS}
    times = [_time(one, path) for kind, _read, _list, _name, path in CONTENTS if path for one in inside[kind]]
    return Vpc(own, {kind: len(found) for kind, found in inside.items()}, min(filter(None, times), default=None))


def _flat(kind: str, answer: list[t.Any]) -> list[t.Any]:
    found = [one for group in answer for one in group["Instances"]] if kind == "instance" else answer
    return [one for one in found if _state(one) not in ENDED]


def _state(one: Described) -> str:
    state = one.get("State", "")
    return str(state["Name"] if isinstance(state, t.Mapping) else state)


def _is_inside(own: str, one: Described) -> bool:
    return own in (one.get("VpcId"), *(link.get("VpcId") for link in one.get("Attachments", ())))


def _time(one: Described, path: str) -> datetime | None:
    try:
        found = dig(one, path)
    except LookupError:
        return None
    return found if isinstance(found, datetime) else None


def told(environment: str, vpcs: t.Sequence[Vpc]) -> GroundworkError:
    """Return the error. The VPC that is used for the longest time, or that has most in it, is the first."""
    first, *others = sorted(vpcs, key=_precedence)
    lines = "\n".join(f"- {vpc}" for vpc in (first, *others))
    surplus = " and ".join(vpc.id for vpc in others)
    return GroundworkError(
        f"{len(vpcs)} VPCs have the tags of the environment {environment}, probably by runs at the same time. Nothing "
        f"was changed. The oldest is the first:\n{lines}\nKeep {first.id} if it is the one in use, and delete "
        f"{surplus} with everything in it, for example in the VPC console. To keep a VPC for something else, remove "
        "the tags that begin with groundwork: from it and from everything in it. Then run again."
    )


def _precedence(vpc: Vpc) -> tuple[float, int, str]:
    return vpc.used.timestamp() if vpc.used else float("inf"), -sum(vpc.contents.values()), vpc.id
