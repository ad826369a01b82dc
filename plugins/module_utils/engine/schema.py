# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validate variables and options against argument specs, and report all problems at once.

Ansible's validator stops at the first role with a problem, and reports neither the list item nor a similar name. This
one reads the same specs (`meta/argument_specs.yml`) and reports the full path, as `alb_load_balancers[0].port`.
"""

from __future__ import annotations

import difflib
import re
import typing as t

from ansible.module_utils.common.validation import (
    check_type_bool,
    check_type_dict,
    check_type_float,
    check_type_int,
    check_type_list,
    check_type_path,
    check_type_str,
)

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems

Spec = t.Mapping[str, t.Any]

# AWS accepts no larger numbers, and Python does not print a number of more than 4,300 digits.
LARGEST_NUMBER = 10**15
LONGEST_QUOTE = 200


def _number(check: t.Callable[[t.Any], t.Any]) -> t.Callable[[t.Any], t.Any]:
    """Return a conversion to a finite number, which refuses truth values and exponents."""

    def convert(value: t.Any) -> t.Any:
        if isinstance(value, bool) or (isinstance(value, str) and not re.fullmatch(r"\s*[+-]?[0-9.]{1,30}\s*", value)):
            raise TypeError("it is not a number")
        converted = check(value)
        if not abs(converted) <= LARGEST_NUMBER:  # true for NaN too
            raise ValueError("it is too large")
        return converted

    return convert


def _plain(value: t.Any) -> t.Any:
    """Return the value as a module receives it, with text keys at every depth. Raise ValueError if it cannot."""
    if isinstance(value, dict):
        return {_text(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        raise ValueError("it is too large")
    return _text(value) if isinstance(value, str) else value


def _text(value: t.Any) -> str:
    """Return the value as text. Raise ValueError for half of a surrogate pair, which cannot be encoded."""
    text: str = check_type_str(value, allow_conversion=not isinstance(value, (dict, list, tuple)))
    text.encode()
    return text


CONVERT: t.Mapping[str, t.Callable[[t.Any], t.Any]] = {
    "bool": check_type_bool,
    "dict": lambda value: _plain(check_type_dict(value)),
    "float": _number(check_type_float),
    "int": _number(check_type_int),
    "list": check_type_list,
    "path": lambda value: check_type_path(_text(value)),
    "raw": _plain,
    "str": _text,
}
IN_WORDS = {
    "bool": "true or false",
    "dict": "a dictionary",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "path": "a path",
    "raw": "text, a list or a dictionary",
    "str": "a string",
}


def conform_options(options: t.Mapping[str, Spec], values: t.Any, where: str, problems: Problems) -> dict[str, t.Any]:
    """Return `values` converted and completed by a spec's `options`, as a module receives them.

    `where` is the path of the dictionary ("" for an environment's variables). Problems are added to `problems`. An
    option with a problem keeps the given value.
    """
    prefix = f"{where}." if where else ""
    values = {str(name): value for name, value in values.items()}
    for name in values:
        if name not in options:
            near = nearest(name, options)
            right = f"did you mean {near}" if near else f"use one of {', '.join(sorted(options))}"
            problems.add(f"{prefix}{name}", "is not an option", right)
    conformed: dict[str, t.Any] = {}
    for name, spec in options.items():
        value = values.get(name)
        if value is None:
            value = spec.get("default")
        if value is None:
            if spec.get("required"):
                problems.add(f"{prefix}{name}", "is missing", remedy(spec))
            conformed[name] = None
        else:
            conformed[name] = conform(spec, value, f"{prefix}{name}", problems)
    return conformed


def conform(spec: Spec, value: t.Any, where: str, problems: Problems) -> t.Any:
    """Return a value converted to its spec's type, at every depth. Problems are added to `problems`."""
    kind = spec.get("type", "str")
    if kind == "dict" and "options" in spec and isinstance(value, dict):
        return conform_options(spec["options"], value, where, problems)
    if value is None:
        problems.add(where, "has no value", remedy(spec))
        return value
    try:
        converted = CONVERT[kind](value)
    except (TypeError, ValueError, ArithmeticError):
        problems.add(where, f"{_quoted(spec, value)} is not {IN_WORDS[kind]}", remedy(spec))
        return value
    choices = spec.get("choices")
    if choices and kind != "list" and converted not in choices:
        problems.add(where, f"{_quoted(spec, value)} is not a valid value", remedy(spec))
    if kind == "list":
        element = {
            "type": spec.get("elements", "raw"),
            **{k: spec[k] for k in ("options", "choices", "no_log") if k in spec},
        }
        return [conform(element, item, f"{where}[{index}]", problems) for index, item in enumerate(converted)]
    if kind == "dict" and spec.get("options"):
        return conform_options(spec["options"], converted, where, problems)
    return converted


def check_names(
    given: t.Iterable[str], known: t.Collection[str], prefixes: t.Collection[str], problems: Problems
) -> None:
    """Add to `problems` variables that resemble a role's (`network_zone`, `netwrk_cidr`) but are not defined by one."""
    for name in sorted(set(given) - set(known)):
        near = nearest(name, known)
        if near or any(name.startswith(f"{prefix}_") for prefix in prefixes):
            right = f"did you mean {near}" if near else "remove it, or rename it if it is a variable of your own"
            problems.add(name, "is not a variable of any role", right)


def nearest(name: str, known: t.Iterable[str]) -> str | None:
    """Return the most similar of the known names, or None if none is similar."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.8)
    return matches[0] if matches else None


def remedy(spec: Spec) -> str:
    """Return the clause of a problem that says what would be right."""
    if spec.get("choices"):
        return f"give one of {', '.join(map(str, spec['choices']))}"
    return f"give {IN_WORDS.get(spec.get('type', 'str'), 'a value')}"


def _quoted(spec: Spec, value: t.Any) -> str:
    """Return a value for a message: without a secret, and shortened if it is long."""
    if spec.get("no_log"):
        return "the value"
    try:
        text = repr(value)
    except ValueError:  # Python does not print so many digits
        return "the value"
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"
