# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check host names, and compare them with zones and with the names of certificates."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems

# https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4 and https://www.rfc-editor.org/rfc/rfc1123#section-2.1
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
LONGEST_LABEL = 63
LONGEST_NAME = 253
ADDRESS = re.compile(r"[0-9.]+|.*:.*")
WILDCARD = "*."


def check_host_name(name: str, where: str, problems: Problems, *, wildcard: bool = True) -> bool:
    """Add to `problems` what is wrong with a host name. Return whether nothing is."""
    wrong, right = _wrong(name, wildcard=wildcard) or ("", "")
    if wrong:
        problems.add(where, f"'{name}' {wrong}", right)
    return not wrong


def _wrong(name: str, *, wildcard: bool) -> tuple[str, str] | None:
    """Return what is wrong with a host name, and what would be right."""
    labels = name.removeprefix(WILDCARD).split(".")
    for is_wrong, wrong, right in (
        ("/" in name, "is a URL or a path", "give the host name alone, as www.example.com"),
        (not name.isascii(), "has characters outside of ASCII", f"write it as DNS has it{_encoded(name)}"),
        (name.endswith("."), "ends with a dot", f"write {name.rstrip('.')}"),
        (name != name.lower(), "has upper case letters", f"write {name.lower()}"),
        (ADDRESS.fullmatch(name), "is an address", "give a host name, as www.example.com"),
        (len(name) > LONGEST_NAME, f"has {len(name)} characters", f"use at most {LONGEST_NAME}"),
        ("*" in name and not wildcard, "has a wildcard", "give one name"),
        (
            any("*" in label for label in labels),
            "has a wildcard in a wrong place",
            "use * only as the whole first label",
        ),
        (len(labels) < 2, "is a single label", "give a name below a domain, as www.example.com"),
    ):
        if is_wrong:
            return wrong, right
    return next(filter(None, map(_wrong_label, labels)), None)


def _encoded(name: str) -> str:
    try:
        return f": {name.encode('idna').decode()}"
    except UnicodeError:
        return ""


def _wrong_label(label: str) -> tuple[str, str] | None:
    if not label:
        return "has two dots in sequence, or begins with one", "remove the extra dot"
    if len(label) > LONGEST_LABEL:
        return f"has a label of {len(label)} characters", f"use at most {LONGEST_LABEL} between two dots"
    if not LABEL.fullmatch(label):
        right = "use letters, digits and hyphens, without a hyphen at the end of a label"
        return f"has the label '{label}', which is not valid in a host name", right
    return None


def check_names(names: t.Sequence[str], where: str, zone: str, problems: Problems) -> None:
    """Add to `problems` invalid host names, duplicates, and names outside of the zone, unless `zone` is ""."""
    for position, name in enumerate(names):
        place = f"{where}[{position}]"
        if not check_host_name(name, place, problems):
            continue
        if name in names[:position]:
            problems.add(place, f"'{name}' is used twice", "use it once")
        if zone and not is_in(name, zone):
            right = f"give a name that ends with .{zone}, or {zone} itself"
            problems.add(place, f"'{name}' is not in the zone {zone} (dns_zone)", right)


def is_in(name: str, zone: str) -> bool:
    """Return whether a name is the zone's or below it."""
    return name.removeprefix(WILDCARD) == zone or name.endswith(f".{zone}")


def covers(pattern: str, name: str) -> bool:
    """Return whether a name of a certificate covers a host name. A wildcard stands for one label.

    https://www.rfc-editor.org/rfc/rfc9525#section-6.3
    """
    if pattern.startswith(WILDCARD):
        label, _dot, rest = name.partition(".")
        return bool(label) and rest == pattern.removeprefix(WILDCARD)
    return pattern == name


def validated(name: str) -> str:
    """Return the name whose control ACM validates for a name. A wildcard has the validation of its domain."""
    return name.removeprefix(WILDCARD)


def concrete(pattern: str) -> str:
    """Return a host name that a name covers, which may be a wildcard."""
    return f"www{pattern[1:]}" if pattern.startswith("*") else pattern
