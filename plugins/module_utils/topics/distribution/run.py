# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `cloudfront_distribution`: look, plan, and make it so."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.apply import settle
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ids, shown
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.canonical import plain
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.functions import ABSENT
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.functions import RESOURCE as FUNCTION
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    KINDS,
    by_name,
    comment_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.changes import (
    DEPLOYED,
    Observed,
    deployed,
    plan_distribution,
)
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
    """The result of the module `cloudfront_distribution`."""
    owner, desired = run.parse(COMPONENT, parse_distribution)
    observed, ids = look(owner, desired, run.clients)
    if not run.check_mode:
        _check_names(desired, ids)
    changes = plan_distribution(owner, desired, observed, ids)
    result = run.make(changes, ids)
    began = observed is not None and observed.status != DEPLOYED and not any(change.wait for change in changes)
    if began and desired.wait and not run.check_mode:  # an earlier run did not live to see it
        settle(deployed(desired), run.clients, ids, run.clock)
    return {**result, "distribution": _facts(desired, ids)}


def look(owner: Owner, desired: Distribution, clients: Clients) -> tuple[Observed | None, Ids]:
    """What there is, and the ids of what it should refer to. Two calls, and one for each kind of what is new to it."""
    domains = {origin["DomainName"] for origin in desired.config["Origins"]}
    tagged = candidates(owner, desired.name, observe(clients, {"tagged": distributions_read(owner)})["tagged"])
    there = existing(clients, owner, desired.name, tagged, domains.__contains__)
    observed = _observed(there) if there else None
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
    """All of each kind of which something is referred to that is not known yet."""
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
    """The functions' ARNs. One that the distribution uses is there, as AWS refuses to delete it: nothing is asked."""
    used = {arn.rpartition("/")[2]: arn for arn in _used(observed.config)} if observed else {}
    wanted = {owner.name(ref.name): ref for ref in desired.uses if ref.resource == FUNCTION}
    ids: Ids = {ref: used[name] for name, ref in wanted.items() if name in used}
    answers = observe(clients, {name: _published(name) for name, ref in wanted.items() if ref not in ids})
    for name, summaries in answers.items():
        for summary in summaries:
            if summary["FunctionConfig"]["Comment"] == comment_of(owner):
                ids[wanted[name]] = summary["FunctionMetadata"]["FunctionARN"]
    return ids


def _used(config: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    for behavior in (config["DefaultCacheBehavior"], *config["CacheBehaviors"]):
        for association in behavior["FunctionAssociations"]:
            yield association["FunctionARN"]


def _published(name: str) -> Read:
    return Read("cloudfront", "describe_function", "FunctionSummary", {"Name": name, "Stage": "LIVE"}, absent=ABSENT)


def _check_names(desired: Distribution, ids: Ids) -> None:
    problems = Problems()
    for ref, where in desired.places.items():
        if ref in ids:
            continue
        if ref.resource == FUNCTION:
            wrong, right = f"no function '{ref.name}' of this environment is published", "publish it first"
        else:
            known = sorted(other.name for other in ids if other.resource == ref.resource)
            wrong = f"this environment has no {ref.resource} '{ref.name}'"
            right = f"make it first; there are {', '.join(known) or 'none'}"
        problems.add(where, wrong, right)
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
