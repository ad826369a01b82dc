# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Delete a distribution.

It is disabled first. It can be deleted when all edge locations have that configuration, minutes later.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HowToDeleteDistribution.html
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change, Ref, Wait
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.canonical import updated
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.finding import (
    Existing,
    candidates,
    distributions_read,
    existing,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.options import distribution_ref

Described = t.Mapping[str, t.Any]
DEPLOYED = "Deployed"


def etag_ref(own: str) -> Ref:
    """Return the reference to the version of a distribution that was disabled, by its id."""
    return Ref("distribution", own, "etag")


def disabling(own: str, version: Described) -> Call:
    """Return the call that disables a distribution. `version` is the response of GetDistributionConfig."""
    return Call(
        "cloudfront",
        "update_distribution",
        {
            "Id": own,
            "IfMatch": version["ETag"],
            "DistributionConfig": {**version["DistributionConfig"], "Enabled": False},
        },
        yields={etag_ref(own): "ETag"},
        lookup=updated("get_distribution_config", own, "DistributionConfig", {"Enabled": False}),
    )


def disabled(own: str, name: str, deadline: float) -> Wait:
    """Return the wait for a distribution to be disabled at all edge locations."""
    return Wait(
        f"the distribution {name} ({own}) to be disabled at all edge locations",
        Call("cloudfront", "get_distribution", {"Id": own}, settled=("NoSuchDistribution",)),
        lambda answer: not answer or answer["Distribution"]["Status"] == DEPLOYED,
        deadline=deadline,
        interval=5.0,
    )


def deletion(own: str, etag: t.Any) -> Call:
    """Return the call that deletes a distribution of this version."""
    return Call(
        "cloudfront",
        "delete_distribution",
        {"Id": own, "IfMatch": etag},
        settled=("NoSuchDistribution",),
        passing=("DistributionNotDisabled",),
    )


def delete_distribution(run: Run, owner: Owner, name: str) -> dict[str, t.Any]:
    """Delete the distribution if it exists, and return the module's result. This takes two calls if it does not."""
    tagged = candidates(owner, name, observe(run.clients, {"tagged": distributions_read(owner)})["tagged"])
    there = existing(run.clients, owner, name, tagged, lambda _domain: False)
    changes = _changes(name, there, float(run.options["deadline"])) if there else []
    return run.make(changes, {})


def _changes(name: str, there: Existing, deadline: float) -> list[Change]:
    own, one = there.found.id, there.answer["Distribution"]
    config = one["DistributionConfig"]
    version = {"ETag": there.answer["ETag"], "DistributionConfig": config}
    before = {"id": own, "enabled": config["Enabled"], "status": one["Status"]}
    calls = (disabling(own, version),) if config["Enabled"] else ()
    ref = distribution_ref(name)
    first = Change("update", ref.resource, name, calls, before, {"enabled": False}, disabled(own, name, deadline))
    etag = etag_ref(own) if config["Enabled"] else version["ETag"]
    last = Change("delete", ref.resource, name, (deletion(own, etag),), {"id": own}, awaits=(ref,))
    return [*([first] if config["Enabled"] or one["Status"] != DEPLOYED else []), last]
