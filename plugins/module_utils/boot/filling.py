# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server fills in by itself of what it should be: its name, and secrets. Pure."""

from __future__ import annotations

import re
import typing as t

PLACEHOLDER = re.compile(r"@groundwork\((instance-id|parameter:((?:/[A-Za-z0-9_.-]+)+))\)@")
SECRETS = frozenset({"password", "secret_content"})


def parameters_in(value: t.Any) -> list[str]:
    """The paths of all parameters that a nested value has placeholders for."""
    return sorted({found[1] for text in _texts(value) for found in PLACEHOLDER.findall(text) if found[1]})


def bare_secrets(value: t.Any, where: str = "") -> t.Iterator[str]:
    """Where a nested value holds a secret without a placeholder, as `users[0].password`."""
    if isinstance(value, t.Mapping):
        for key, item in value.items():
            path = f"{where}.{key}" if where else str(key)
            if key in SECRETS and item is not None and not parameters_in(item):
                yield path
            else:
                yield from bare_secrets(item, path)
    elif isinstance(value, (list, tuple)):
        for at, item in enumerate(value):
            yield from bare_secrets(item, f"{where}[{at}]")


def fill(value: t.Any, instance_id: str, parameters: t.Mapping[str, str]) -> t.Any:
    """The nested value with everything in the places that are held for it."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda found: parameters[found[2]] if found[2] else instance_id, value)
    if isinstance(value, t.Mapping):
        return {key: fill(item, instance_id, parameters) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [fill(item, instance_id, parameters) for item in value]
    return value


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, t.Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
