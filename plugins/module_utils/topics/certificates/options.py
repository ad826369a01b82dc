# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the options of `acm_certificates`, without calls to AWS."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import check_names
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import ACM_CERTIFICATE_ARN, REGION
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import AWS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ref

COMPONENT = "dns"  # the role's name
KIND = "certificate"
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?")
# https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html
MOST_NAMES = 100
# https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
LONGEST_FIRST = 64

Options = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class CertificateWish:
    """A desired certificate. `names` begins with the subject's common name, the others are sorted."""

    name: str
    names: tuple[str, ...]
    region: str
    key_algorithm: str


@dataclass(frozen=True)
class Given:
    """A certificate that the user gives by its ARN, with the names that it has to cover."""

    arn: str
    region: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Certificates:
    """All certificates of an environment. `regions` are those whose certificates are read.

    Missing certificates count as issued in check mode if they are `planned`.
    """

    wanted: tuple[CertificateWish, ...]
    given: tuple[Given, ...]
    regions: tuple[str, ...]
    wait: bool
    deadline: float
    replaced: bool
    purge: bool
    planned: bool

    def wish(self, name: str) -> CertificateWish:
        """Return the certificate with this name."""
        return next(one for one in self.wanted if one.name == name)


def certificate_ref(name: str) -> Ref:
    """Return the reference to the ARN of the certificate `name`."""
    return Ref(KIND, name)


def parse_certificates(options: Options, problems: Problems) -> Certificates | None:
    """Return the desired certificates, or None if the options add problems."""
    before = len(problems.found)
    region = str(options.get("region") or "")
    wanted = tuple(
        _parse_one(one, f"certificates[{at}]", region, problems) for at, one in enumerate(options["certificates"])
    )
    names = [one.name for one in wanted]
    for at, name in enumerate(names):
        if name in names[:at]:
            problems.add(f"certificates[{at}].name", f"'{name}' is used twice", "give each certificate its own name")
    given = [_parse_given(one, f"given[{at}]", problems) for at, one in enumerate(options["given"])]
    check_range("deadline", options["deadline"], 60, 259200, problems)
    if len(problems.found) > before:
        return None
    everywhere = region and (options["purge"] or options["all_regions"])
    regions = {one.region for one in wanted} | ({region, AWS.edge} if everywhere else set())
    return Certificates(
        wanted,
        tuple(one for one in given if one),
        tuple(sorted(regions)),
        options["wait"],
        float(options["deadline"]),
        options["replaced"] == "delete",
        options["purge"],
        options["planned"],
    )


def _parse_one(one: Options, where: str, region: str, problems: Problems) -> CertificateWish:
    if not NAME.fullmatch(one["name"]):
        right = "use at most 64 letters, digits and hyphens"
        problems.add(f"{where}.name", f"'{one['name']}' is not a valid name", right)
    own = one.get("region") or region
    if not REGION.fullmatch(own):
        problems.add(f"{where}.region", f"'{own}' is not a region", "give a region code, as eu-central-1")
    names = [str(name) for name in one["names"]]
    check_certificate_names(names, f"{where}.names", problems)
    return CertificateWish(one["name"], in_order(names), own, one["key_algorithm"])


def check_certificate_names(names: t.Sequence[str], where: str, problems: Problems, zone: str = "") -> None:
    """Add to `problems` names that ACM would refuse, and names outside of the zone, unless it is ""."""
    check_names(names, where, zone, problems)
    if not 1 <= len(names) <= MOST_NAMES:
        problems.add(where, f"has {len(names)} names", f"give 1 to {MOST_NAMES}")
    elif all(len(name) > LONGEST_FIRST for name in names):
        wrong = f"all names have more than {LONGEST_FIRST} characters"
        problems.add(where, wrong, f"give one of at most {LONGEST_FIRST} too, which becomes the common name")


def in_order(names: t.Sequence[str]) -> tuple[str, ...]:
    """Return the names as ACM gets them: first the first one that is short enough for the common name."""
    first = next((name for name in names if len(name) <= LONGEST_FIRST), "")
    return (first, *sorted(name for name in names if name != first))


def _parse_given(one: Options, where: str, problems: Problems) -> Given | None:
    match = ACM_CERTIFICATE_ARN.fullmatch(one["arn"])
    if not match:
        right = "give one such as arn:aws:acm:<region>:<account>:certificate/<id>"
        problems.add(f"{where}.arn", f"'{one['arn']}' is not the ARN of a certificate of ACM", right)
        return None
    check_names(one["names"], f"{where}.names", "", problems)
    return Given(one["arn"], match["region"], tuple(one["names"]))
