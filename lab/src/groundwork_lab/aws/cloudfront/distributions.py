"""Distributions. An update replaces the whole configuration. Only a disabled, deployed one can be deleted.

https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateDistribution.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from groundwork_lab.aws import certificates
from groundwork_lab.aws.cloudfront import defaults, logs, pages, reusable, rules, tags, unserved
from groundwork_lab.aws.cloudfront.state import Backend, Distribution
from groundwork_lab.aws.cloudfront.versions import new_domain, new_id
from groundwork_lab.aws.context import refuse
from groundwork_lab.model import World

LIMIT = 500
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-web-distributions
Request = Mapping[str, Any]


def create_distribution(backend: Backend, request: Request) -> dict[str, Any]:
    return _create(backend, request["DistributionConfig"], [])


def create_distribution_with_tags(backend: Backend, request: Request) -> dict[str, Any]:
    both = request["DistributionConfigWithTags"]
    return _create(backend, both["DistributionConfig"], tags.items(both["Tags"]))


def _create(backend: Backend, config: Mapping[str, Any], wanted: list[dict[str, str]]) -> dict[str, Any]:
    reference = config["CallerReference"]
    existing = next((it for it in backend.distributions.values() if it.config["CallerReference"] == reference), None)
    if existing is not None:
        message = "The caller reference that you are using to create a distribution is associated with another one."
        refuse("DistributionAlreadyExists", f"{message} Already exists: {existing.id}")
    tags.check(wanted)
    whole = _checked(backend, config)
    if len(backend.distributions) >= LIMIT:
        refuse("TooManyDistributions", f"Processing your request will cause you to exceed the maximum of {LIMIT}.")
    made = Distribution(new_id(), whole, domain_name=new_domain())
    made.arn = backend.arn("distribution", made.id)
    backend.distributions[made.id] = made
    backend.tagger.tag_resource(made.arn, wanted)
    return {**_answer(made), "Location": f"https://cloudfront.amazonaws.com/2020-05-31/distribution/{made.id}"}


def _checked(backend: Backend, config: Mapping[str, Any], own: str = "") -> dict[str, Any]:
    """Return the complete configuration of the distribution with the id `own`, which a new one does not have yet."""
    whole = defaults.complete(config)
    unserved.check(whole)
    rules.check(whole, _known(backend, own))
    logs.check(backend.context, whole["Logging"])
    return whole


def _known(backend: Backend, own: str) -> rules.Known:
    others = [each for each in backend.distributions.values() if each.id != own]
    return rules.Known(
        access_controls=reusable.ORIGIN_ACCESS_CONTROL.all(backend),
        cache_policies=reusable.CACHE_POLICY.all(backend),
        origin_request_policies=reusable.ORIGIN_REQUEST_POLICY.all(backend),
        response_headers_policies=reusable.RESPONSE_HEADERS_POLICY.all(backend),
        live_functions={each.arn for each in backend.functions.values() if "LIVE" in each.stages},
        certified=partial(_certified, backend),
        taken={alias.lower() for each in others for alias in each.aliases},
    )


def _certified(backend: Backend, arn: str) -> tuple[str, ...] | None:
    """Return the names of a certificate that is issued in us-east-1, or None."""
    found = certificates.find(backend.context, arn) if f":{certificates.EDGE_REGION}:" in arn else None
    usable = found is not None and certificates.is_issued(found) and certificates.is_supported(found)
    return certificates.names(found) if usable else None


def get_distribution(backend: Backend, request: Request) -> dict[str, Any]:
    return _answer(existing(backend, request["Id"]))


def get_distribution_config(backend: Backend, request: Request) -> dict[str, Any]:
    found = existing(backend, request["Id"])
    return {"DistributionConfig": found.config, "ETag": found.etag}


def update_distribution(backend: Backend, request: Request) -> dict[str, Any]:
    """Replace the whole configuration. An update must contain more members than a creation."""
    found, config = existing(backend, request["Id"]), request["DistributionConfig"]
    found.check(request.get("IfMatch"))
    missing = defaults.missing_in_update(config)
    if missing:
        refuse("InvalidArgument", f"The parameter {missing} is required.")
    if config["CallerReference"] != found.config["CallerReference"]:
        refuse("IllegalUpdate", "The update contains modifications that are not allowed: CallerReference.")
    found.replace(_checked(backend, config, found.id))
    found.status = "InProgress"
    return _answer(found)


def delete_distribution(backend: Backend, request: Request) -> dict[str, Any]:
    """Delete a distribution that is disabled and deployed.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HowToDeleteDistribution.html
    """
    found = existing(backend, request["Id"])
    found.check(request.get("IfMatch"))
    if found.config["Enabled"] or found.status != "Deployed":
        refuse("DistributionNotDisabled", "The distribution you are trying to delete has not been disabled.")
    del backend.distributions[found.id]
    backend.tagger.delete_all_tags_for_resource(found.arn)
    return {}


def list_distributions(backend: Backend, request: Request) -> dict[str, Any]:
    found = {each.id: _summary(each) for each in backend.distributions.values()}
    return {"DistributionList": pages.listed(request, pages.by_id(found))}


def list_conflicting_aliases(backend: Backend, request: Request) -> dict[str, Any]:
    """Return the aliases that are equal to an alias or overlap with it, with ids whose first part is hidden.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListConflictingAliases.html
    """
    existing(backend, request["DistributionId"])
    wanted = request["Alias"].lower()
    found = [
        {
            "Alias": alias,
            "DistributionId": f"{'*' * 7}{distribution.id[7:]}",
            "AccountId": f"{'*' * 6}{backend.account_id[6:]}",
        }
        for distribution in backend.distributions.values()
        for alias in distribution.aliases
        if _overlaps(alias.lower(), wanted) or _overlaps(wanted, alias.lower())
    ]
    return {"ConflictingAliasesList": {"MaxItems": pages.LARGEST_PAGE, **pages.counted(found)}}


def _overlaps(alias: str, name: str) -> bool:
    """Return whether an alias, which may be a wildcard, covers a name."""
    return alias == name or (alias.startswith("*.") and name.endswith(alias[1:]))


def existing(backend: Backend, wanted: str) -> Distribution:
    """Return the distribution with this id. Refuse an unknown id."""
    if wanted not in backend.distributions:
        refuse("NoSuchDistribution", "The specified distribution does not exist.")
    return backend.distributions[wanted]


def follow(backend: Backend, world: World) -> None:
    """Mark the configurations and invalidations that `world` contains as deployed and completed."""
    for distribution in backend.distributions.values():
        followed = world.distributions.get(distribution.id)
        if followed is None:
            continue
        if followed.config is distribution.config:
            distribution.status = "Deployed"
        for done in followed.invalidations:
            distribution.invalidations[done.id].status = "Completed"


def _answer(distribution: Distribution) -> dict[str, Any]:
    whole = {**_described(distribution), "DistributionConfig": distribution.config}
    return {"Distribution": whole, "ETag": distribution.etag}


def _summary(distribution: Distribution) -> dict[str, Any]:
    return {**distribution.config, **_described(distribution), "ETag": distribution.etag}


def _described(distribution: Distribution) -> dict[str, Any]:
    return {
        "Id": distribution.id,
        "ARN": distribution.arn,
        "Status": distribution.status,
        "LastModifiedTime": distribution.modified,
        "InProgressInvalidationBatches": len(distribution.in_progress),
        "DomainName": distribution.domain_name,
        "ActiveTrustedSigners": defaults.NOBODY,
        "ActiveTrustedKeyGroups": defaults.NOBODY,
        "AliasICPRecordals": [{"CNAME": each, "ICPRecordalStatus": "APPROVED"} for each in distribution.aliases],
    }


OPERATIONS = {
    "CreateDistribution": create_distribution,
    "CreateDistributionWithTags": create_distribution_with_tags,
    "GetDistribution": get_distribution,
    "GetDistributionConfig": get_distribution_config,
    "UpdateDistribution": update_distribution,
    "DeleteDistribution": delete_distribution,
    "ListDistributions": list_distributions,
    "ListConflictingAliases": list_conflicting_aliases,
}
