"""The `World`: the state of all services in the lab's region, for the data plane."""

from __future__ import annotations

from typing import Any

from groundwork_lab import model
from groundwork_lab.apart import Apart
from groundwork_lab.aws.context import Context
from groundwork_lab.aws.corrections import Installed


def take(context: Context, corrections: Installed, before: model.World) -> model.World:
    """Return all resources by id. The caller holds the context's lock.

    Resources that cannot be read are listed in `unreadable`. If they are in `before`, they are returned as in it.
    """
    sources = [each.sources(context) for each in corrections.values() if each.sources]
    unreadable: list[model.Unreadable] = []
    found: dict[str, Any] = {}
    for kind, (things, read) in (item for each in sources for item in each.items()):
        apart = Apart()
        known = getattr(before, kind)
        found[kind] = apart.each(things, read)
        found[kind] |= {name: known[name] for name in apart.reasons if name in known}
        unreadable += (model.Unreadable(kind, name, why) for name, why in apart.reasons.items())
    return model.World(**found, unreadable=tuple(unreadable))
