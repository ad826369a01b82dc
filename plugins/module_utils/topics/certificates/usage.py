# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out what uses a certificate that is to be deleted."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import LOAD_BALANCER_ARN
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.observed import (
    Certificate,
    describe_read,
)

BALANCERS = "alb"  # the component of load balancers
GONE = ("LoadBalancerNotFound", "ListenerNotFound")


@dataclass(frozen=True)
class Usage:
    """What uses certificates, by ARN.

    `beside` are listeners of the environment that offer a certificate beside their default one. `others` are all
    other users. DescribeCertificate tells the load balancers, and not their listeners.
    """

    beside: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    others: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def keepers(self, arn: str) -> tuple[str, ...]:
        """Return what keeps a certificate: AWS does not delete it before."""
        return self.others.get(arn, ())


def look_at_usage(owner: Owner, leaving: t.Sequence[Certificate], clients: Clients) -> Usage:
    """Return what uses certificates that leave. Make no call for those that nothing uses."""
    used = {one.arn: one for one in leaving if one.described.get("InUse", True)}
    answers = observe(clients, {arn: describe_read(arn, one.region) for arn, one in used.items()})
    users = {arn: tuple(answer[0].get("InUseBy", ())) for arn, answer in answers.items() if answer}
    balancers = {
        user: used[arn].region
        for arn, own in users.items()
        for user in own
        if (match := LOAD_BALANCER_ARN.fullmatch(user)) and match["name"].startswith(owner.name(""))
    }
    balancers = _owned(balancers, owner, clients)
    offered = _offered(balancers, clients)
    beside: dict[str, tuple[str, ...]] = {}
    others: dict[str, tuple[str, ...]] = {}
    for arn, own in users.items():
        beside[arn] = tuple(
            listener for user in own for listener, found in offered.get(user, {}).items() if found.get(arn) is False
        )
        others[arn] = tuple(
            user for user in own if user not in balancers or any(found.get(arn) for found in offered[user].values())
        )
    return Usage(beside, others)


def _owned(balancers: t.Mapping[str, str], owner: Owner, clients: Clients) -> dict[str, str]:
    """Return the load balancers that are the environment's. The name of another one can begin in the same way."""
    answers = observe(
        clients,
        {
            arn: Read("elbv2", "describe_tags", "TagDescriptions", {"ResourceArns": [arn]}, GONE, region=region)
            for arn, region in balancers.items()
        },
    )
    tags = {arn: {tag["Key"]: tag["Value"] for one in answer for tag in one["Tags"]} for arn, answer in answers.items()}
    theirs = replace(owner, component=BALANCERS)
    return {arn: region for arn, region in balancers.items() if theirs.owns_tags(tags[arn])}


def _offered(balancers: t.Mapping[str, str], clients: Clients) -> dict[str, dict[str, dict[str, bool]]]:
    """Return for each load balancer and listener the certificates, and whether each is the default one."""
    listeners = observe(
        clients,
        {
            arn: Read("elbv2", "describe_listeners", "Listeners", {"LoadBalancerArn": arn}, GONE, region=region)
            for arn, region in balancers.items()
        },
    )
    tls = {
        (arn, one["ListenerArn"]): balancers[arn]
        for arn, answer in listeners.items()
        for one in answer
        if one["Protocol"] == "HTTPS"
    }
    reads = {
        f"{arn} {listener}": Read(
            "elbv2", "describe_listener_certificates", "Certificates", {"ListenerArn": listener}, GONE, region=region
        )
        for (arn, listener), region in tls.items()
    }
    answers = observe(clients, reads)
    found: dict[str, dict[str, dict[str, bool]]] = {arn: {} for arn in balancers}
    for arn, listener in tls:
        answer = answers[f"{arn} {listener}"]
        found[arn][listener] = {
            str(one["CertificateArn"]): any(other.get("IsDefault") for other in answer if _same(one, other))
            for one in answer
        }
    return found


def _same(one: t.Mapping[str, t.Any], other: t.Mapping[str, t.Any]) -> bool:
    return bool(one["CertificateArn"] == other["CertificateArn"])
