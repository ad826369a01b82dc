# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `static_site`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check, Options
from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import is_in
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.project.static_site.options import parse_static_site


def _check(own: Options, known: Known, problems: Problems) -> dict[str, t.Any]:
    parse_static_site(own, problems, zone=known.zone)
    if own["source"]:
        _check_owners(own["aliases"], known, problems)
    names = [*known.host_names, *(own["aliases"] if own["source"] else ())]
    if known.zone and names and not any(is_in(name, known.zone) for name in names):
        wrong = f"none of the names is in '{known.zone}': {', '.join(names)}"
        problems.scope("").add("dns_zone", wrong, "correct the zone, or the names in alb_names and static_site_aliases")
    return {"site_bucket": own["bucket"]}


def _check_owners(aliases: t.Sequence[str], known: Known, problems: Problems) -> None:
    """Add to `problems` names that a load balancer has, too."""
    for at, name in enumerate(aliases):
        if name in known.host_names:
            wrong = f"'{name}' is a name of {known.host_names[name]} too"
            problems.add(f"aliases[{at}]", wrong, "give it to one of them")


CHECK = Check(_check, refers=("dns", "alb"), after="servers")
