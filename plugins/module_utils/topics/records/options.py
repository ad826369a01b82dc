# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the options of `route53_records`, without calls to AWS."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import (
    LONGEST_NAME,
    check_host_name,
    check_names,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import ACM_CERTIFICATE_ARN
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY, Ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.options import check_certificate_names
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.ownership import LONGEST_MARK

COMPONENT = "dns"  # the role's name
ZONE = "hosted zone"
RECORD = "record"
# https://docs.aws.amazon.com/general/latest/gr/cf_region.html
DISTRIBUTIONS = "Z2FDTNDATAQYW2"
RESOURCE = re.compile(r"[A-Za-z0-9-]{1,64}")
DISTRIBUTION = re.compile(r"[a-z0-9]+\.cloudfront\.net")

Options = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Alias:
    """A name that leads to a load balancer or a distribution, by its DNS name and its hosted zone.

    `resource` is the environment's name for what it leads to.
    """

    name: str
    target: str
    zone_id: str
    ipv6: bool
    resource: str = ""


@dataclass(frozen=True)
class CertificateNames:
    """A certificate and its names."""

    arn: str
    names: tuple[str, ...]

    @property
    def region(self) -> str:
        """Return the region, or "" if the ARN is not known yet."""
        match = ACM_CERTIFICATE_ARN.fullmatch(self.arn)
        return match["region"] if match else ""


@dataclass(frozen=True)
class Records:
    """All records of an environment. The records of names in `kept` are declared, and not changed in this run.

    In check mode the zone and the validation records may be `planned` already.
    """

    zone: str
    create: bool
    elsewhere: bool
    aliases: tuple[Alias, ...]
    kept: tuple[str, ...]
    certificates: tuple[CertificateNames, ...]
    check_delegation: bool
    wait: bool
    deadline: float
    purge: bool
    planned: bool
    adopt: tuple[str, ...] = ()
    forget: bool = False
    unseen: tuple[str, ...] = ()


def zone_ref(name: str) -> Ref:
    """Return the reference to the id of the hosted zone."""
    return Ref(ZONE, name)


def parse_records(options: Options, problems: Problems) -> Records | None:
    """Return the desired records, or None if the options add problems."""
    before = len(problems.found)
    zone = options["zone"]
    check_zone(zone, "zone", problems)
    if options["create"] and options["elsewhere"]:
        right = "give only one of create and elsewhere"
        problems.add("elsewhere", "a zone that is not in this account cannot be created here", right)
    names = [one["name"] for one in options["aliases"]]
    check_names([*names, *options["kept"]], "aliases", zone, problems)
    for at, one in enumerate(options["aliases"]):
        if one["resource"] and not RESOURCE.fullmatch(one["resource"]):
            right = "use at most 64 letters, digits and hyphens"
            problems.add(f"aliases[{at}].resource", f"'{one['resource']}' is not a valid name", right)
    check_lengths(names, "aliases", problems)
    for at, one in enumerate(options["certificates"]):
        check_names(one["names"], f"certificates[{at}].names", zone, problems)
        if one["arn"] != KNOWN_AFTER_APPLY and not ACM_CERTIFICATE_ARN.fullmatch(one["arn"]):
            right = "give one such as arn:aws:acm:<region>:<account>:certificate/<id>"
            problems.add(f"certificates[{at}].arn", f"'{one['arn']}' is not the ARN of a certificate of ACM", right)
    check_range("deadline", options["deadline"], 60, 259200, problems)
    if len(problems.found) > before:
        return None
    return Records(
        zone,
        options["create"],
        options["elsewhere"],
        tuple(_alias(one) for one in options["aliases"]),
        tuple(options["kept"]),
        tuple(CertificateNames(one["arn"], tuple(one["names"])) for one in options["certificates"]),
        options["check_delegation"],
        options["wait"],
        float(options["deadline"]),
        options["purge"],
        options["planned"],
        tuple(options["adopt"]),
        options["forget"],
        tuple(options["unseen"]),
    )


def check_zone(zone: str, where: str, problems: Problems) -> None:
    """Add to `problems` an invalid name of a zone."""
    if check_host_name(zone, where, problems, wildcard=False) and zone.endswith((".amazonaws.com", ".cloudfront.net")):
        problems.add(where, f"'{zone}' is a domain of AWS", "give a domain of your own")


def check_names_in_zone(names: t.Sequence[str], where: str, zone: str, problems: Problems) -> None:
    """Add to `problems` names that cannot have a certificate and records in the zone."""
    check_certificate_names(names, where, problems, zone)
    check_lengths(names, where, problems)


def check_lengths(names: t.Sequence[str], where: str, problems: Problems) -> None:
    """Add to `problems` names that are too long for the TXT record beside them."""
    most = LONGEST_NAME - LONGEST_MARK
    for at, name in enumerate(names):
        if len(name) > most:
            right = f"use at most {most}, because a TXT record with a longer name is beside it"
            problems.add(f"{where}[{at}]", f"'{name[:40]}…' has {len(name)} characters", right)


def _alias(one: Options) -> Alias:
    is_edge = bool(DISTRIBUTION.fullmatch(one["target"]))
    zone_id = one["zone_id"] or (DISTRIBUTIONS if is_edge else "")
    return Alias(one["name"], one["target"].rstrip("."), zone_id, one["ipv6"], one["resource"])
