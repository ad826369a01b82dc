# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the existing certificates: in each region the list of all certificates, and the tags of the environment's."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import (
    COMPONENT,
    ENVIRONMENT,
    REGION,
    Owner,
    tag_dict,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ids
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.options import (
    Certificates,
    CertificateWish,
    certificate_ref,
)

Described = t.Mapping[str, t.Any]
# ListCertificates returns only certificates with RSA keys of 1024 and 2048 bits by default.
# https://docs.aws.amazon.com/acm/latest/APIReference/API_Filters.html
ALGORITHMS = ("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")
ISSUED, PENDING = "ISSUED", "PENDING_VALIDATION"
UNKNOWN = ("ResourceNotFoundException",)


@dataclass(frozen=True)
class Certificate:
    """A certificate of the environment. `described` is an item of ListCertificates."""

    described: Described
    name: str
    region: str
    tags: t.Mapping[str, str]

    @property
    def arn(self) -> str:
        return str(self.described["CertificateArn"])

    @property
    def status(self) -> str:
        return str(self.described["Status"])

    @property
    def names(self) -> frozenset[str]:
        return names_of(self.described)

    def fits(self, wish: CertificateWish) -> bool:
        """Return whether it is the wanted certificate, or will be when it is issued."""
        return (
            (self.name, self.region) == (wish.name, wish.region)
            and self.status in (ISSUED, PENDING)
            and _is_like(self.described, wish)
        )


@dataclass(frozen=True)
class Observed:
    """The environment's certificates. `details` are answers of DescribeCertificate, by ARN."""

    certificates: tuple[Certificate, ...] = ()
    details: t.Mapping[str, Described] = field(default_factory=dict)

    def current(self, wish: CertificateWish) -> Certificate | None:
        """Return the certificate that fulfils the wish: an issued one first, and one in use."""
        found = [one for one in self.certificates if one.fits(wish)]
        found.sort(key=lambda one: (one.status == ISSUED, bool(one.described.get("InUse")), one.arn))
        return found[-1] if found else None

    def ids(self, desired: Certificates) -> Ids:
        """Return the ARNs of the wanted certificates that exist."""
        found = ((wish, self.current(wish)) for wish in desired.wanted)
        return {certificate_ref(wish.name): one.arn for wish, one in found if one}


def names_of(described: Described) -> frozenset[str]:
    """Return the names of a described certificate."""
    listed = described.get("SubjectAlternativeNameSummaries") or described.get("SubjectAlternativeNames") or ()
    return frozenset((described["DomainName"], *listed))


def _is_like(described: Described, wish: CertificateWish) -> bool:
    algorithm = str(described.get("KeyAlgorithm", wish.key_algorithm)).replace("-", "_")
    return (
        names_of(described) == frozenset(wish.names)
        and algorithm == wish.key_algorithm
        and described.get("Type", "AMAZON_ISSUED") == "AMAZON_ISSUED"
    )


def look(owner: Owner, desired: Certificates, clients: Clients) -> Observed:
    """Return what exists, in two calls for each region.

    The tagging API tells of a new certificate some seconds late. If a wanted one is missing, the tags of all
    certificates with its names are read from ACM itself. What is given, and what needs a user's attention, takes one
    call each.
    """
    reads: dict[str, Read] = {}
    for region in desired.regions:
        reads[f"tagged {region}"] = tagged_read(owner, region)
        reads[f"all {region}"] = all_read(region)
    answers = observe(clients, reads)
    found = [one for region in desired.regions for one in _owned(owner, region, answers)]
    found += _untold(owner, desired, found, answers, clients)
    given = {one.arn: describe_read(one.arn, one.region) for one in desired.given}
    details = {arn: answer[0] for arn, answer in observe(clients, given).items() if answer}
    return Observed(tuple(found), details)


def tagged_read(owner: Owner, region: str) -> Read:
    """Return the read of the tags of the owner's certificates in a region."""
    wanted = {ENVIRONMENT: owner.environment, COMPONENT: owner.component}
    filters = [{"Key": key, "Values": [value]} for key, value in wanted.items()]
    arguments = {"ResourceTypeFilters": ["acm:certificate"], "TagFilters": filters}
    return Read("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", arguments, region=region)


def all_read(region: str) -> Read:
    """Return the read of all certificates of a region."""
    arguments = {"Includes": {"keyTypes": list(ALGORITHMS)}}
    return Read("acm", "list_certificates", "CertificateSummaryList", arguments, region=region)


def describe_read(arn: str, region: str) -> Read:
    """Return the read of one certificate with its validations."""
    return Read("acm", "describe_certificate", "Certificate", {"CertificateArn": arn}, UNKNOWN, region=region)


def is_ours(owner: Owner, tags: t.Mapping[str, str]) -> bool:
    """Return whether a certificate with these tags is the owner's, and not of an environment in another region."""
    return owner.owns_tags(tags) and tags.get(REGION, owner.region) == owner.region


def _owned(owner: Owner, region: str, answers: t.Mapping[str, list[t.Any]]) -> t.Iterator[Certificate]:
    tags = {one["ResourceARN"]: tag_dict(one) for one in answers[f"tagged {region}"]}
    for one in answers[f"all {region}"]:
        own = tags.get(one["CertificateArn"], {})
        if is_ours(owner, own):
            yield Certificate(one, owner.short(own), region, own)


def _untold(
    owner: Owner,
    desired: Certificates,
    told: t.Sequence[Certificate],
    answers: t.Mapping[str, list[t.Any]],
    clients: Clients,
) -> t.Iterator[Certificate]:
    """Yield the wanted certificates of which the tagging API does not tell yet."""
    missing = [wish for wish in desired.wanted if not any(one.fits(wish) for one in told)]
    known = {one.arn for one in told}
    asked = {
        one["CertificateArn"]: (one, wish.region)
        for wish in missing
        for one in answers[f"all {wish.region}"]
        if one["CertificateArn"] not in known and _is_like(one, wish)
    }
    reads = {
        arn: Read("acm", "list_tags_for_certificate", "Tags", {"CertificateArn": arn}, UNKNOWN, region=region)
        for arn, (_one, region) in asked.items()
    }
    for arn, answer in observe(clients, reads).items():
        tags = tag_dict({"Tags": answer})
        if is_ours(owner, tags):
            yield Certificate(asked[arn][0], owner.short(tags), asked[arn][1], tags)
