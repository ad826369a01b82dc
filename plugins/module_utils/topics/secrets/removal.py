# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove parameters: all below the environment's path, and all with its tag."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import ENVIRONMENT, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    PARAMETERS,
    Batch,
    Removal,
    Sight,
    Thing,
)

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameters.html
DELETION = Batch("ssm", "delete_parameters", "Names", 10)


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    environment = sight.whose.environment
    tag = {"Key": f"tag:{ENVIRONMENT}", "Values": [environment]}
    path = {"Key": "Path", "Option": "Recursive", "Values": [f"/groundwork/{environment}"]}
    yield "tagged parameters", Read("ssm", "describe_parameters", "Parameters", {"ParameterFilters": [tag]})
    yield "parameters", Read("ssm", "describe_parameters", "Parameters", {"ParameterFilters": [path]})
    known = {one["Name"] for one in sight.found("parameters")}
    for name in sorted({one["Name"] for one in sight.found("tagged parameters")} - known):
        which = {"ResourceType": "Parameter", "ResourceId": name}
        yield f"tags {name}", Read("ssm", "list_tags_for_resource", "TagList", which, ("InvalidResourceId",))


def _things(sight: Sight) -> t.Iterator[Thing]:
    found = {one["Name"]: one for one in (*sight.answers["parameters"], *sight.answers["tagged parameters"])}
    for name, parameter in sorted(found.items()):
        secret = parameter["Type"] == "SecureString"
        yield Thing(
            "parameter",
            name,
            name,
            serves=frozenset({PARAMETERS}),
            batch=DELETION,
            tags=tag_dict({"Tags": sight.found(f"tags {name}")}),
            before={"type": parameter["Type"], **({"holds": "a secret that cannot be recovered"} if secret else {})},
        )


REMOVAL = Removal(kinds=("parameter",), things=_things, reads=_reads, after="alb")
