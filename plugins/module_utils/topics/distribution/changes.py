# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a distribution: the changes from the desired and the current state. Pure functions."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import (
    THIS_HOUR,
    Call,
    Change,
    Ids,
    Lookup,
    Ref,
    Token,
    Wait,
    shown,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.canonical import (
    differences,
    has,
    merged,
    plain,
    updated,
    whole,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import ORIGIN_ACCESS_CONTROL
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.content import (
    content_tags,
    plan_content,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.finding import Found
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.options import (
    Distribution,
    distribution_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.remembering import names_told

RESOURCE = "distribution"
DEPLOYED = "Deployed"
INTERVAL = 3.0  # seconds; a deployment takes minutes
# Members that are required in an update and optional in a creation, also in cache behaviors that the update adds.
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/distribution-overview-required-fields.html
REQUIRED_OF_BEHAVIORS = {"FieldLevelEncryptionId": "", "LambdaFunctionAssociations": [], "SmoothStreaming": False}
# What to do if CloudFront refuses the distribution.
REMEDIES = {
    "CNAMEAlreadyExists": "Another distribution has this alias. Remove the alias there first.",
    "DistributionAlreadyExists": "If it was created moments ago, run again. If its tags were edited, put back Name, "
    "groundwork:environment and groundwork:component. If it was deleted by hand, delete its origin access control too, "
    "and run again.",
}
HIDDEN = "(hidden)"  # the value of a custom origin header may be a secret


@dataclass(frozen=True)
class Observed:
    """The existing distribution. `config` is canonical."""

    found: Found
    config: t.Mapping[str, t.Any]
    etag: str
    status: str
    domain_name: str


def plan_distribution(owner: Owner, desired: Distribution, observed: Observed | None, ids: Ids) -> list[Change]:
    """Return the change that creates the distribution, or the changes that update it.

    `ids` are the values of references. A reference without a value is a resource that does not exist yet.
    """
    if observed is None:
        return [_creation(owner, desired)]
    deadline = desired.deadline if desired.wait else None
    content = plan_content(desired.name, observed.found, desired.content, deadline)
    return [*_update(desired, observed, ids), *_tags(owner, desired, observed, ids), *content]


def _creation(owner: Owner, desired: Distribution) -> Change:
    ref = distribution_ref(desired.name)
    config = {**merged({}, desired.config), "CallerReference": Token(_reference(owner, desired))}
    tags = {"Items": tag_list({**_wanted_tags(owner, desired), **content_tags(desired.content)})}
    create = Call(
        "cloudfront",
        "create_distribution_with_tags",
        {"DistributionConfigWithTags": {"DistributionConfig": whole(config), "Tags": tags}},
        yields={
            ref: "Distribution.Id",
            distribution_ref(desired.name, "arn"): "Distribution.ARN",
            distribution_ref(desired.name, "domain_name"): "Distribution.DomainName",
        },
        lookup=Lookup("list_distributions", "DistributionList.Items", matches=_matches(desired)),
        remedies=REMEDIES,
    )
    facts = {"id": ref, "domain_name": distribution_ref(desired.name, "domain_name"), **_told(desired.config)}
    return Change(
        "create", RESOURCE, desired.name, (create,), after=facts, wait=deployed(desired) if desired.wait else None
    )


def _matches(desired: Distribution) -> t.Callable[[t.Mapping[str, t.Any]], bool]:
    """Return a predicate that says whether an item of ListDistributions is the distribution."""

    def seen(config: t.Mapping[str, t.Any], origins: t.Iterable[t.Mapping[str, t.Any]]) -> tuple[str, list[str]]:
        return config.get("Comment", ""), sorted(origin["DomainName"] for origin in origins)

    wanted = seen(desired.config, desired.config["Origins"])
    return lambda item: seen(item, item["Origins"].get("Items", ())) == wanted


def _reference(owner: Owner, desired: Distribution) -> tuple[t.Any, ...]:
    """Return the parts of the CallerReference. CloudFront creates only one distribution per reference.

    A repeated request has the same origin access control as the first one. A distribution that is created again after
    its removal has a new one. Without origin access controls the current hour is used instead. docs/decisions/0011
    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html
    """
    controls = sorted((ref for ref in desired.uses if ref.resource == ORIGIN_ACCESS_CONTROL.resource), key=str)
    return (owner.name(desired.name), *(controls or [THIS_HOUR]))


def _told(config: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the members of a configuration that --diff shows: no empty ones, and no secrets."""
    told = {key: value for key, value in merged({}, config).items() if value not in ("", None, [], {})}
    return t.cast(dict[str, t.Any], _without_secrets(told))


def _without_secrets(value: t.Any) -> t.Any:
    if isinstance(value, t.Mapping):
        return {key: HIDDEN if key == "HeaderValue" else _without_secrets(item) for key, item in value.items()}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value


def _update(desired: Distribution, observed: Observed, ids: Ids) -> t.Iterator[Change]:
    target = merged(observed.config, _known(desired.config, ids))
    before, after = differences(observed.config, target)
    if (before, after) == (None, None):
        return
    behaviors = [{**REQUIRED_OF_BEHAVIORS, **behavior} for behavior in target["CacheBehaviors"]]
    config = whole({**target, "CacheBehaviors": behaviors})
    arguments = {"Id": observed.found.id, "IfMatch": observed.etag, "DistributionConfig": config}
    wanted = _known(desired.config, ids)
    lookup = updated("get_distribution_config", observed.found.id, "DistributionConfig", wanted)
    update = Call("cloudfront", "update_distribution", arguments, lookup=lookup, remedies=REMEDIES)
    before, after = _without_secrets(before), _without_secrets(after)
    wait = deployed(desired, wanted) if desired.wait else None
    yield Change("update", RESOURCE, desired.name, (update,), before, after, wait)


def _known(value: t.Any, ids: Ids) -> t.Any:
    """Return `value` with its references replaced by their `ids`. Keep references without an id."""
    if isinstance(value, t.Mapping):
        return {key: _known(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [_known(item, ids) for item in value]
    return ids.get(value, value) if isinstance(value, Ref) else value


def deployed(desired: Distribution, config: t.Mapping[str, t.Any] | None = None) -> Wait:
    """Return the wait for the deployment to all edge locations.

    With `config`, in canonical form, it is the deployment of this configuration: CloudFront may still report an earlier
    one, which was deployed.
    """

    def ready(answer: t.Mapping[str, t.Any]) -> bool:
        seen = answer.get("Distribution", {})
        return seen.get("Status") == DEPLOYED and (config is None or has(plain(seen["DistributionConfig"]), config))

    return Wait(
        f"the distribution {desired.name} to be deployed to all edge locations",
        Call("cloudfront", "get_distribution", {"Id": distribution_ref(desired.name)}, settled=("NoSuchDistribution",)),
        ready,
        deadline=desired.deadline,
        interval=INTERVAL,
    )


def _wanted_tags(owner: Owner, desired: Distribution) -> dict[str, t.Any]:
    return {**owner.global_tags(desired.name), **names_told(desired.uses)}


def _tags(owner: Owner, desired: Distribution, observed: Observed, ids: Ids) -> t.Iterator[Change]:
    wanted, actual = _wanted_tags(owner, desired), observed.found.tags
    missing = {key: value for key, value in wanted.items() if actual.get(key) != shown(value, ids)}
    if missing:
        call = Call(
            "cloudfront", "tag_resource", {"Resource": observed.found.arn, "Tags": {"Items": tag_list(missing)}}
        )
        before = {key: actual.get(key) for key in missing}
        yield Change("update", "tags", f"{RESOURCE} {desired.name}", (call,), before, missing)
