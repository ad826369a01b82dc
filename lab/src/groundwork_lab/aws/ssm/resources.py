"""The parameters that a request names, as policies name them.

https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
"""

from __future__ import annotations

import json

from groundwork_lab.aws.context import Context


def resources(context: Context, body: bytes) -> list[str]:
    """Return the ARNs of the parameters in a request."""
    return [_arn(context, each) for each in _names(body)]


def _names(body: bytes) -> list[str]:
    try:
        fields = json.loads(body or b"{}")
    except ValueError:
        return []
    single = [fields[name] for name in ("Name", "Path") if isinstance(fields.get(name), str)]
    return [*single, *(fields.get("Names") or [])]


def _arn(context: Context, name: str) -> str:
    if name.startswith("arn:"):
        return name
    plain = name.partition(":")[0].lstrip("/")  # without a version or label
    return f"arn:aws:ssm:{context.region}:{context.account}:parameter/{plain}"
