r"""Domain names as Route 53 keeps them: in lower case, with the final dot, other characters as octal escapes.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
"""

from __future__ import annotations

import re

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
ESCAPE = re.compile(r"\\([0-3][0-7]{2})")


class InvalidNameError(ValueError):
    """A text that is not a domain name, with Route 53's name and description of the problem."""


def canonical(name: str) -> str:
    r"""Return the name as Route 53 tells it: `\052.example.com.` for `*.Example.com`. Raise InvalidNameError."""
    told = "".join(_escaped(each) for each in decoded(name).lower())
    told = told if told.endswith(".") else f"{told}."
    problem = _problem(told.removesuffix("."))
    if problem:
        raise InvalidNameError(f"FATAL problem: {problem} encountered with '{name}'")
    return told


def _problem(name: str) -> str:
    labels = [decoded(label) for label in name.split(".")]
    if not name:
        return "DomainNameEmpty (Domain name is empty)"
    if not all(labels):
        return "DomainLabelEmpty (Domain label is empty)"
    if any(len(label) > 63 for label in labels):
        return "DomainLabelTooLong (Domain label is too long)"
    if len(".".join(labels)) > 253:
        return "DomainNameTooLong (Domain name is too long)"
    if any(character > "\x7f" for character in "".join(labels)):
        return "UnsupportedCharacter (Value contains unsupported characters)"
    return ""


def decoded(name: str) -> str:
    """Return the name with the characters of its octal escapes."""
    return ESCAPE.sub(lambda found: chr(int(found[1], 8)), name)


def _escaped(character: str) -> str:
    return character if character in PLAIN else f"\\{ord(character):03o}"


def place(name: str) -> str:
    """Return the key by which Route 53 sorts canonical names: the labels in reverse, as `com.example.www.`.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html
    """
    return ".".join(reversed(name.removesuffix(".").split("."))) + "."


def is_within(name: str, domain: str) -> bool:
    """Return whether a canonical name is the domain or is below it."""
    return f".{name}".endswith(f".{domain}")
