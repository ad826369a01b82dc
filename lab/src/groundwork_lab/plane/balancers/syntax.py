"""HAProxy's configuration syntax: quoting, wildcards as regular expressions, ELB's placeholders as formats.

https://docs.haproxy.org/2.6/configuration.html, sections 2.2 (quoting) and 8.2.4 (custom log format).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_ESCAPES = {"'": r"\'", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


def quoted(text: str) -> str:
    """Return one word of the configuration for any `text`.

    Single quotes preserve all characters except quotes and line ends, which are escaped outside of them.
    """
    parts = re.split(r"(['\n\r\t])", text)
    return "".join(_ESCAPES.get(part) or f"'{part}'" for part in parts if part) or "''"


def literal(text: str) -> str:
    """Return `text` for a log-format string, where `%` begins a variable."""
    return text.replace("%", "%%")


def wildcard(pattern: str, *, any_character: str = ".", escapes: bool = False) -> str:
    r"""Return a regular expression for an ELB pattern: `*` matches any number of characters, `?` matches one.

    With `escapes`, `\*` and `\?` match these characters themselves.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
    """
    special = {"*": f"{any_character}*", "?": any_character}
    parts = re.findall(r"\\[*?]|.", pattern, re.DOTALL) if escapes else pattern
    return "".join(special.get(part) or re.escape(part[-1]) for part in parts)


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return a log-format string for a redirect's `template` with `#{name}` placeholders.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html
    """
    parts = re.split(r"#\{(\w+)\}", template)
    return "".join(values[part] if index % 2 else literal(part) for index, part in enumerate(parts))
