# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `cloudfront_distribution`: look, plan, and make it so."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.aws import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.cloudfront.canonical import plain
from ansible_collections.groundwork.aws.plugins.module_utils.cloudfront.functions import RESOURCE as FUNCTION
from ansible_collections.groundwork.aws.plugins.module_utils.cloudfront.reusable import (
    CACHE_POLICY,
    ORIGIN_ACCESS_CONTROL,
    ORIGIN_REQUEST_POLICY,
    RESPONSE_HEADERS_POLICY,
    by_name,
)
from ansible_collections.groundwork.aws.plugins.module_utils.distribution.changes import Observed, plan_distribution
from ansible_collections.groundwork.aws.plugins.module_utils.distribution.finding import (
    Found,
    distributions_read,
    named,
)
from ansible_collections.groundwork.aws.plugins.module_utils.distribution.options import (
    COMPONENT,
    Distribution,
    distribution_ref,
    parse_distribution,
)
from ansible_collections.groundwork.aws.plugins.module_utils.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.ownership import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.plan import Ids, shown
from ansible_collections.groundwork.aws.plugins.module_utils.running import Run

KINDS = (ORIGIN_ACCESS_CONTROL, CACHE_POLICY, ORIGIN_REQUEST_POLICY, RESPONSE_HEADERS_POLICY)


def converge_distribution(run: Run) -> dict[str, t.Any]:
    """The result of the module `cloudfront_distribution`."""
    owner, desired = run.parse(COMPONENT, parse_distribution)
    observed, ids = look(owner, desired, run.clients)
    if not run.check_mode:
        _check_names(desired, ids)
    changes = plan_distribution(owner, desired, observed, ids)
    result = run.make(changes, ids)
    return {**result, "distribution": _facts(desired, ids)}


def look(owner: Owner, desired: Distribution, clients: Clients) -> tuple[Observed | None, Ids]:
    """What there is, and the ids of what the distribution refers to. Two calls, and one for each kind referred to."""
    used = [kind for kind in KINDS if any(ref.resource == kind.resource for ref in desired.uses)]
    first = observe(clients, {"tagged": distributions_read(owner), **{kind.resource: kind.read() for kind in used}})
    found = named(owner, desired.name, first["tagged"])
    ids: Ids = {
        kind.ref(name): id_ for kind in used for name, id_ in by_name(kind, owner, first[kind.resource]).items()
    }
    ids.update(_functions(owner, desired, found, clients))
    observed = _observed(found, clients) if found else None
    if observed:
        ids[distribution_ref(desired.name)] = observed.found.id
        ids[distribution_ref(desired.name, "arn")] = observed.found.arn
        ids[distribution_ref(desired.name, "domain_name")] = observed.domain_name
    return observed, ids


def _functions(owner: Owner, desired: Distribution, found: Found | None, clients: Clients) -> Ids:
    """A function's ARN follows from its name and the account; the first time, the list of functions tells it."""
    wanted = [ref for ref in desired.uses if ref.resource == FUNCTION]
    if found or not wanted:
        return {ref: f"arn:aws:cloudfront::{found.account}:function/{owner.name(ref.name)}" for ref in wanted if found}
    read = Read(
        "cloudfront", "list_functions", "FunctionList.Items", {"Stage": "LIVE"}, marker="FunctionList.NextMarker"
    )
    arns = {one["Name"]: one["FunctionMetadata"]["FunctionARN"] for one in observe(clients, {"all": read})["all"]}
    return {ref: arns[owner.name(ref.name)] for ref in wanted if owner.name(ref.name) in arns}


def _observed(found: Found, clients: Clients) -> Observed | None:
    read = Read("cloudfront", "get_distribution", "", {"Id": found.id}, absent=("NoSuchDistribution",))
    answers = observe(clients, {"one": read})["one"]
    if not answers:  # deleted, and the tagging API does not know yet
        return None
    one = answers[0]["Distribution"]
    return Observed(found, plain(one["DistributionConfig"]), answers[0]["ETag"], one["Status"], one["DomainName"])


def _check_names(desired: Distribution, ids: Ids) -> None:
    problems = Problems()
    for ref in sorted(desired.uses - set(ids), key=str):
        known = sorted(other.name for other in ids if other.resource == ref.resource)
        right = f"make it first; this environment has {', '.join(known) or 'none'}"
        problems.add("name", f"the distribution refers to the {ref.resource} '{ref.name}', which does not exist", right)
    problems.raise_if_any()


def _facts(desired: Distribution, ids: Ids) -> dict[str, t.Any]:
    domain = shown(distribution_ref(desired.name, "domain_name"), ids)
    aliases = desired.config["Aliases"]
    return {
        "id": shown(distribution_ref(desired.name), ids),
        "arn": shown(distribution_ref(desired.name, "arn"), ids),
        "domain_name": domain,
        "url": f"https://{aliases[0] if aliases else domain}",
    }
