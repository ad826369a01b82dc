# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The quotas of an account, from Service Quotas.

An account may lack the right to read them, or the service may not answer. Then the documented default value is used,
and exceeding it is a warning, because the account's own value may be higher.
"""

from __future__ import annotations

import re
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, read_all


@dataclass(frozen=True)
class Quota:
    """A quota by its codes in Service Quotas. `default` is the value of AWS' documentation."""

    service: str
    code: str
    what: str  # "running On-Demand Standard vCPUs"
    default: int


# https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
STANDARD_VCPUS = Quota("ec2", "L-1216C47A", "vCPUs of running On-Demand Standard instances", 5)
VCPUS: t.Mapping[str, Quota] = {  # by the beginning of the instance type
    "g": Quota("ec2", "L-DB2E81BA", "vCPUs of running On-Demand G and VT instances", 0),
    "vt": Quota("ec2", "L-DB2E81BA", "vCPUs of running On-Demand G and VT instances", 0),
    "p": Quota("ec2", "L-417A185B", "vCPUs of running On-Demand P instances", 0),
    "f": Quota("ec2", "L-74FC7D96", "vCPUs of running On-Demand F instances", 0),
    "x": Quota("ec2", "L-7295265B", "vCPUs of running On-Demand X instances", 0),
    **dict.fromkeys("acdhimrtz", STANDARD_VCPUS),
}
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
ADDRESSES = Quota("ec2", "L-0263D0A3", "Elastic IP addresses in the region", 5)
VPCS = Quota("vpc", "L-F678F1CE", "VPCs in the region", 5)
GATEWAYS = Quota("vpc", "L-FE5A380F", "NAT gateways in an Availability Zone", 5)
RULES = Quota("vpc", "L-0EA8095F", "inbound or outbound rules of a security group", 60)
GROUPS_OF_INTERFACE = Quota("vpc", "L-2AFB9258", "security groups of a network interface", 5)
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
LISTENERS = Quota("elasticloadbalancing", "L-B6DF7632", "listeners of an Application Load Balancer", 50)
LISTENER_RULES = Quota("elasticloadbalancing", "L-7EED9B64", "rules of an Application Load Balancer", 100)


LETTERS = re.compile("[a-z]+")
SPECIAL = frozenset({"dl", "hpc", "inf", "mac", "trn", "u"})  # families with quotas of their own


@dataclass(frozen=True)
class Limit:
    """The value of a quota. `unread` is the reason why it is the default value, or ""."""

    value: int
    unread: str = ""


def vcpu_quota(instance_type: str) -> Quota | None:
    """Return the quota of an instance type, or None for a family that is not known here."""
    found = LETTERS.match(instance_type)
    letters = found[0] if found else ""
    return None if letters in SPECIAL else VCPUS.get(letters) or VCPUS.get(letters[:1])


def read_limits(clients: Clients, quotas: t.Iterable[Quota]) -> dict[Quota, Limit]:
    """Return the values of the quotas, read in parallel. It takes one call each, and never fails."""
    wanted = list(dict.fromkeys(quotas))
    if not wanted:
        return {}
    try:
        clients.client("service-quotas")  # creating clients is not thread-safe
    except GroundworkError as error:
        return {quota: Limit(quota.default, str(error)) for quota in wanted}
    with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
        return dict(zip(wanted, pool.map(lambda quota: _limit(clients, quota), wanted), strict=True))


def _limit(clients: Clients, quota: Quota) -> Limit:
    named = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    try:
        [value] = read_all(clients, Read("service-quotas", "get_service_quota", "Quota.Value", named))
    except GroundworkError as error:
        return Limit(quota.default, str(error))
    except ValueError:
        return Limit(quota.default, "Service Quotas returned no value.")
    return Limit(int(value))


@dataclass(frozen=True)
class Use:
    """How much of a quota is in use, and how much a run would add. `variable` is what asks for it."""

    quota: Quota
    used: int
    added: int
    variable: str
    where: str = ""  # an Availability Zone, if the quota is for each


def check_uses(uses: t.Iterable[Use], limits: t.Mapping[Quota, Limit], problems: Problems) -> None:
    """Add to `problems` the quotas that a run would exceed; as a warning if the account's value could not be read."""
    for use in uses:
        limit = limits[use.quota]
        if use.added <= 0 or use.used + use.added <= limit.value:
            continue
        where = f" {use.where}" if use.where else ""
        told = f"{use.added} more {use.quota.what}{where} are needed, {use.used} are in use, and "
        if limit.unread:
            guess = f"the default quota is {limit.value}; that of the account could not be read: {limit.unread}"
            problems.warn(use.variable, (told + guess).rstrip("."))
        else:
            raising = (
                f"raise it, for example with 'aws service-quotas request-service-quota-increase --service-code "
                f"{use.quota.service} --quota-code {use.quota.code} --desired-value {use.used + use.added}', delete "
                "unused resources, or declare less"
            )
            problems.add(use.variable, f"{told}the quota of the account is {limit.value}", raising)


def refuse_exceeding(clients: Clients, uses: t.Iterable[Use], warn: t.Callable[[str], None]) -> None:
    """Raise InputError if uses exceed the quotas of the account. Those are read that exceed the default values.

    A quota that cannot be read is a warning.
    """
    above = [use for use in uses if use.used + use.added > use.quota.default]
    problems = Problems()
    check_uses(above, read_limits(clients, [use.quota for use in above]), problems)
    for warning in problems.warnings:
        warn(warning)
    problems.raise_if_any()
