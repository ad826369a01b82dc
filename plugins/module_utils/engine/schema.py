# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shape of an inventory: every variable against its role's argument spec, all problems at once.

Ansible's own validator stops at a role and names neither list items nor what was probably meant. This one
walks the same specs (`meta/argument_specs.yml`) and tells the full path, as `alb_load_balancers[0].port`.
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

# Larger numbers mean nothing to AWS, and Python does not print one of more than 4,300 digits.
LARGEST_NUMBER = 10**15
LONGEST_QUOTE = 200


def _number(check: t.Callable[[t.Any], t.Any]) -> t.Callable[[t.Any], t.Any]:
    """Return a conversion to a number that refuses truth values, exponents, and what is no finite number."""

    def convert(value: t.Any) -> t.Any:
        if isinstance(value, bool) or (isinstance(value, str) and not re.fullmatch(r"\s*[+-]?[0-9.]{1,30}\s*", value)):
            raise TypeError("it is no number")
        converted = check(value)
        if not abs(converted) <= LARGEST_NUMBER:  # neither is NaN
            raise ValueError("it is too large")
        return converted

    return convert


def _plain(value: t.Any) -> t.Any:
    """Return the value as JSON brings it to a module: keys are text at every depth. Raises ValueError if it cannot."""
    if isinstance(value, dict):
        return {_text(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        raise ValueError("it is too large")
    return _text(value) if isinstance(value, str) else value


def _text(value: t.Any) -> str:
    """Return the value as text. Raises ValueError for half of a surrogate pair, which no file or request can hold."""
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
    """`values` converted and completed by a spec's `options`, as a module would see them.

    `where` is the path of what holds them ("" for an environment's variables). Problems are collected;
    an option with a problem keeps the value that was given.
    """
    prefix = f"{where}." if where else ""
    values = {str(name): value for name, value in values.items()}
    for name in values:
        if name not in options:
            near = nearest(name, options)
            right = f"did you mean {near}?" if near else f"it can have {', '.join(sorted(options))}"
            problems.add(f"{prefix}{name}", "there is no such option", right.rstrip("?"))
    conformed: dict[str, t.Any] = {}
    for name, spec in options.items():
        value = values.get(name)
        if value is None:
            value = spec.get("default")
        if value is None:
            if spec.get("required"):
                problems.add(f"{prefix}{name}", "it is missing", remedy(spec))
            conformed[name] = None
        else:
            conformed[name] = conform(spec, value, f"{prefix}{name}", problems)
    return conformed


def conform(spec: Spec, value: t.Any, where: str, problems: Problems) -> t.Any:
    """One value converted to its spec's type, with what it holds; problems are collected."""
    kind = spec.get("type", "str")
    if kind == "dict" and "options" in spec and isinstance(value, dict):
        return conform_options(spec["options"], value, where, problems)
    if value is None:
        problems.add(where, "it has no value", remedy(spec))
        return value
    try:
        converted = CONVERT[kind](value)
    except (TypeError, ValueError, ArithmeticError):
        problems.add(where, f"{_quoted(spec, value)} is not {IN_WORDS[kind]}", remedy(spec))
        return value
    choices = spec.get("choices")
    if choices and kind != "list" and converted not in choices:
        problems.add(where, f"{_quoted(spec, value)} is unknown", remedy(spec))
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
    """Refuse variables that look like a role's (`network_zone`) or nearly are one (`netwrk_cidr`)."""
    for name in sorted(set(given) - set(known)):
        near = nearest(name, known)
        if near or any(name.startswith(f"{prefix}_") for prefix in prefixes):
            right = f"did you mean {near}" if near else "remove it, or rename it if it is a variable of your own"
            problems.add(name, "no role has a variable of that name", right)


def nearest(name: str, known: t.Iterable[str]) -> str | None:
    """What was probably meant, if anything comes close."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.8)
    return matches[0] if matches else None


def remedy(spec: Spec) -> str:
    """Return what would be right."""
    if spec.get("choices"):
        return f"give one of {', '.join(map(str, spec['choices']))}"
    return f"give {IN_WORDS.get(spec.get('type', 'str'), 'a value')}"


def _quoted(spec: Spec, value: t.Any) -> str:
    """Return a value for a message: not a secret, and not much of a long one."""
    if spec.get("no_log"):
        return "the value"
    try:
        text = repr(value)
    except ValueError:  # a number of more digits than Python prints
        return "the value"
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"
