# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module `acm_certificates`."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ansible_collections.groundwork.aws.plugins.module_utils.engine.apply import settle
from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import covers
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import DeadlineError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ids, shown
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.changes import (
    former,
    issued,
    plan_certificates,
    superseded,
    undeclared,
    validations,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.observed import (
    ISSUED,
    Certificate,
    Described,
    Observed,
    describe_read,
    look,
    names_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.options import (
    COMPONENT,
    Certificates,
    CertificateWish,
    certificate_ref,
    parse_certificates,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.usage import Usage, look_at_usage

# ACM renews a certificate 60 days before its end, or 45 days. What has less left has a problem.
# https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html
RENEWAL = timedelta(days=30)
RELEASE_DEADLINE = 120.0


def converge_certificates(run: Run) -> dict[str, t.Any]:
    """Return the module's result. Raise GroundworkError on failure."""
    owner, desired = run.parse(COMPONENT, parse_certificates)
    desired = replace(desired, planned=desired.planned and run.check_mode)
    observed = run.observe(
        lambda: look(owner, desired, run.clients), lambda seen, problems: _check_given(desired, seen, problems)
    )
    ids = observed.ids(desired)
    usage = _usage(run, owner, desired, observed)
    result = run.make(plan_certificates(desired, observed, owner, usage), ids)
    _tell(run, desired, observed, usage)
    waiting = [wish for wish in desired.wanted if not _is_issued(wish, observed)]
    details = {} if run.check_mode else _details(run, waiting, ids)
    if desired.wait and not run.check_mode:
        for wish in waiting:
            settle(issued(wish, desired.deadline), run.clients, ids, run.clock)
        waiting = []
    return {
        **result,
        "certificates": [_told(wish, ids, details, waiting) for wish in desired.wanted],
        "pending": [wish.name for wish in waiting],
        "replaced": sorted(one.arn for one in superseded(desired, observed)),
        "undeclared": sorted(one.arn for one in undeclared(desired, observed)),
        "used": [
            {"name": one.name, "names": sorted(one.names)}
            for one in sorted(observed.certificates, key=lambda one: one.arn)
            if one.status == ISSUED and one.described.get("InUse")
        ],
    }


def _is_issued(wish: CertificateWish, observed: Observed) -> bool:
    current = observed.current(wish)
    return current is not None and current.status == ISSUED


def _usage(run: Run, owner: Owner, desired: Certificates, observed: Observed) -> Usage:
    """Return what uses the certificates that leave.

    ACM may report a distribution for some time after it has got another certificate.
    """
    leaving: list[Certificate] = []
    if desired.replaced:
        leaving += former(desired, observed)
    if desired.purge:
        leaving += undeclared(desired, observed)
    if run.check_mode:
        return look_at_usage(owner, leaving, run.clients)
    try:
        return wait_until(
            lambda: look_at_usage(owner, leaving, run.clients),
            lambda seen: not any(":distribution/" in user for one in leaving for user in seen.keepers(one.arn)),
            until="CloudFront to release the certificate",
            deadline=RELEASE_DEADLINE,
            interval=10.0,
            clock=run.clock,
        )
    except DeadlineError as error:  # another distribution uses it, and keeps it
        return t.cast(Usage, error.seen)


def _details(run: Run, waiting: t.Sequence[CertificateWish], ids: Ids) -> dict[str, Described]:
    """Return the descriptions of certificates that are not issued yet, by name."""
    reads = {wish.name: describe_read(ids[certificate_ref(wish.name)], wish.region) for wish in waiting}
    return {name: answer[0] for name, answer in observe(run.clients, reads).items() if answer}


def _told(
    wish: CertificateWish, ids: Ids, details: t.Mapping[str, Described], waiting: t.Sequence[CertificateWish]
) -> dict[str, t.Any]:
    return {
        "name": wish.name,
        "arn": shown(certificate_ref(wish.name), ids),
        "names": list(wish.names),
        "region": wish.region,
        "issued": wish not in waiting,
        "validations": validations(details.get(wish.name, {})),
    }


def _check_given(desired: Certificates, observed: Observed, problems: Problems) -> None:
    """Add to `problems` certificates of the user that do not exist, are not valid, or do not cover their names."""
    for at, one in enumerate(desired.given):
        where, described = f"given[{at}].arn", observed.details.get(one.arn)
        if described is None:
            problems.add(where, f"{one.arn} does not exist in this account", "give the ARN of an existing certificate")
            continue
        if described["Status"] != ISSUED:
            problems.add(where, f"{one.arn} has the status {described['Status']}", "give one that is issued")
        elif described["NotAfter"] <= datetime.now(UTC):
            problems.add(where, f"{one.arn} expired at {described['NotAfter']:%Y-%m-%d}", "give one that is valid")
        uncovered = [name for name in one.names if not any(covers(each, name) for each in names_of(described))]
        if uncovered:
            wrong = f"{one.arn} is for {', '.join(sorted(names_of(described)))}, and not for {', '.join(uncovered)}"
            problems.add(where, wrong, "give one that covers all names")


def _tell(run: Run, desired: Certificates, observed: Observed, usage: Usage) -> None:
    """Warn about certificates that stay although they are not declared, and about those that are not renewed."""
    if not desired.purge:
        for one in undeclared(desired, observed):
            run.warn(f"The certificate {one.name} ({one.arn}) is not declared. Set purge to delete it.")
    for one in observed.certificates:
        if users := usage.keepers(one.arn):
            run.warn(f"The certificate {one.name} ({one.arn}) stays, because {', '.join(users)} uses it.")
    current = (observed.current(wish) for wish in desired.wanted)
    now = datetime.now(UTC)
    late = {one.arn: describe_read(one.arn, one.region) for one in current if one and ends_soon(one.described, now)}
    for arn, answer in observe(run.clients, late).items():
        for described in answer:
            run.warn(renewal(arn, described))


def ends_soon(described: Described, now: datetime) -> bool:
    """Return whether an issued certificate is valid for less than a month."""
    end = described.get("NotAfter")
    return described["Status"] == ISSUED and end is not None and end <= now + RENEWAL


def renewal(arn: str, described: Described) -> str:
    """Return two sentences about a certificate that is valid for less than a month."""
    summary = described.get("RenewalSummary", {})
    options = summary.get("DomainValidationOptions", ())
    status, reason = summary.get("RenewalStatus", "not begun"), summary.get("RenewalStatusReason", "")
    pending = sorted(one["DomainName"] for one in options if one["ValidationStatus"] != "SUCCESS")
    told = f" The validation of {', '.join(pending)} is pending: check its records." if pending else ""
    names, end = ", ".join(sorted(names_of(described))), f"{described['NotAfter']:%Y-%m-%d}"
    why = f" ({reason})" if reason else ""
    return f"The certificate {arn} for {names} ends at {end}, and its renewal is {status}{why}.{told}"
