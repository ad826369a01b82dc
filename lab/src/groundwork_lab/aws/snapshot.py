"""The `World`: moto's state of the lab's region, for the data plane. The caller holds the context's lock."""

from __future__ import annotations

from typing import Any

from groundwork_lab import model
from groundwork_lab.apart import Apart
from groundwork_lab.aws import cloudfront, ec2, elbv2
from groundwork_lab.aws.context import Context


def take(context: Context, before: model.World) -> model.World:
    """Return all resources by id.

    Resources that cannot be read are listed in `unreadable`. If they are in `before`, they are returned as in it.
    """
    sources = {**ec2.sources(context), **elbv2.sources(context), **cloudfront.sources(context)}
    unreadable: list[model.Unreadable] = []
    found: dict[str, Any] = {}
    for kind, (things, read) in sources.items():
        apart = Apart()
        known = getattr(before, kind)
        found[kind] = apart.each(things, read)
        found[kind] |= {name: known[name] for name in apart.reasons if name in known}
        unreadable += (model.Unreadable(kind, name, why) for name, why in apart.reasons.items())
    return model.World(**found, unreadable=tuple(unreadable))
