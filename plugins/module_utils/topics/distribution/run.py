# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `cloudfront_distribution`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.apply import settle
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, other_region, region_clash
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ids, shown
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.canonical import plain
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.functions import ABSENT
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.functions import RESOURCE as FUNCTION
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import check_name
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    KINDS,
    by_name,
    is_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.changes import (
    DEPLOYED,
    RESOURCE,
    Observed,
    deployed,
    plan_distribution,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.deleting import delete_distribution
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.finding import (
    Existing,
    candidates,
    distributions_read,
    existing,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.options import (
    COMPONENT,
    Distribution,
    distribution_ref,
    parse_distribution,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.remembering import ids_told


def converge_distribution(run: Run) -> dict[str, t.Any]:
    """Create, update or delete the distribution, and return the module's result. Raise GroundworkError on failure."""
    component = run.options.get("component", COMPONENT)
    if run.options.get("state") == "absent":
        return delete_distribution(run, *run.parse(component, _parse_name))
    owner, desired = run.parse(component, parse_distribution)
    observed, ids = run.observe(
        lambda: look(owner, desired, run.clients),
        lambda seen, problems: None if run.check_mode else _check_names(desired, seen[1], problems),
    )
    changes = plan_distribution(owner, desired, observed, ids)
    result = run.make(changes, ids)
    began = observed is not None and observed.status != DEPLOYED and not any(change.wait for change in changes)
    if began and desired.wait and not run.check_mode:  # an earlier run was interrupted during the deployment
        settle(deployed(desired), run.clients, ids, run.clock)
    return {**result, "distribution": _facts(desired, ids)}


def _parse_name(options: t.Mapping[str, t.Any], problems: Problems) -> str:
    check_name(options["name"], problems)
    return str(options["name"])


def look(owner: Owner, desired: Distribution, clients: Clients) -> tuple[Observed | None, Ids]:
    """Return the existing distribution, and the ids of the resources that the desired one refers to.

    This takes two calls, one more for each kind of resource, and one more for each function that is new to the
    distribution.
    """
    domains = {origin["DomainName"] for origin in desired.config["Origins"]}
    tagged = candidates(owner, desired.name, observe(clients, {"tagged": distributions_read(owner)})["tagged"])
    there = existing(clients, owner, desired.name, tagged, domains.__contains__)
    observed = _observed(there) if there else None
    if observed and (other := other_region(observed.found.tags, owner.region)):
        problems = Problems()
        problems.add(*region_clash(RESOURCE, observed.found.id, owner.environment, other, owner.region))
        problems.raise_if_any()
    ids: Ids = {}
    if observed:
        ids = ids_told(observed.found.tags, observed.config)
        ids[distribution_ref(desired.name)] = observed.found.id
        ids[distribution_ref(desired.name, "arn")] = observed.found.arn
        ids[distribution_ref(desired.name, "domain_name")] = observed.domain_name
    ids.update(_listed(owner, desired, ids, clients))
    ids.update(_functions(owner, desired, observed, clients))
    return observed, ids


def _listed(owner: Owner, desired: Distribution, ids: Ids, clients: Clients) -> Ids:
    """Return the ids of all resources of each kind of which an id is missing in `ids`."""
    new = {ref.resource for ref in desired.uses if ref not in ids}
    kinds = [kind for kind in KINDS if kind.resource in new]
    answers = observe(clients, {kind.resource: kind.read() for kind in kinds})
    return {kind.ref(name): id_ for kind in kinds for name, id_ in by_name(kind, owner, answers[kind.resource]).items()}


def _observed(there: Existing) -> Observed:
    one = there.answer["Distribution"]
    return Observed(
        there.found, plain(one["DistributionConfig"]), there.answer["ETag"], one["Status"], one["DomainName"]
    )


def _functions(owner: Owner, desired: Distribution, observed: Observed | None, clients: Clients) -> Ids:
    """Return the functions' ARNs. Functions that the distribution uses exist, as AWS does not delete them."""
    used = {arn.rpartition("/")[2]: arn for arn in _used(observed.config)} if observed else {}
    wanted = {owner.name(ref.name): ref for ref in desired.uses if ref.resource == FUNCTION}
    ids: Ids = {ref: used[name] for name, ref in wanted.items() if name in used}
    answers = observe(clients, {name: _published(name) for name, ref in wanted.items() if ref not in ids})
    for name, summaries in answers.items():
        for summary in summaries:
            if is_of(owner, summary["FunctionConfig"]["Comment"]):
                ids[wanted[name]] = summary["FunctionMetadata"]["FunctionARN"]
    return ids


def _used(config: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    for behavior in (config["DefaultCacheBehavior"], *config["CacheBehaviors"]):
        for association in behavior["FunctionAssociations"]:
            yield association["FunctionARN"]


def _published(name: str) -> Read:
    return Read("cloudfront", "describe_function", "FunctionSummary", {"Name": name, "Stage": "LIVE"}, absent=ABSENT)


def _check_names(desired: Distribution, ids: Ids, problems: Problems) -> None:
    for ref, where in desired.places.items():
        if ref in ids:
            continue
        if ref.resource == FUNCTION:
            wrong, right = f"this environment has no published function '{ref.name}'", "publish it first"
        else:
            known = sorted(other.name for other in ids if other.resource == ref.resource)
            wrong = f"this environment has no {ref.resource} '{ref.name}'"
            right = f"create it first; the environment has {', '.join(known) or 'none'}"
        problems.add_missing(where, wrong, right)


def _facts(desired: Distribution, ids: Ids) -> dict[str, t.Any]:
    domain = shown(distribution_ref(desired.name, "domain_name"), ids)
    aliases = desired.config["Aliases"]
    return {
        "id": shown(distribution_ref(desired.name), ids),
        "arn": shown(distribution_ref(desired.name, "arn"), ids),
        "domain_name": domain,
        "url": f"https://{aliases[0] if aliases else domain}",
    }
