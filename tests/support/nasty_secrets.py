"""Secrets with every character that something on the way may escape, expand, split or cut."""

from __future__ import annotations

import base64
import json
import shlex
import urllib.parse
from collections.abc import Iterator

# What a server can be given, byte for byte.
FOR_EVERYBODY = (
    "correct-horse-battery",
    "o'brien's 'quoted' word''",
    'say "friend" and "enter"',
    r"back\slash\n\t\\end-with\\"[:-1],
    """both ' and " and \\' and \\" too""",
    "a${HOME}b$HOME-c`id`$(id)%{x}",
    "percent %s %d %% %(name)s",
    "braces {{ 7 * 7 }} {% raw %} {# #}",
    "  blanks before and after  ",
    "semi;colon#hash=equals[section]",
    "ünïcödé-пароль-密码-😀",
    "separators\u2028and\u2029and\x85end",
    "<b>&amp;</b>?a=b&c=d+e%20f",
    "@groundwork(parameter:/nested)@",
    "true-null-1e5-PHP_VERSION|E_ALL",
    "'''''''''''''",
    "-- ; DROP USER x; /* x */ # \\G",
    "!vault |-unsafe &a *a",
    "a tab\tand more of it",
    "long " * 800,
)
# php-fpm would make something else of these.
NOT_FOR_FPM = (
    "$HOME-is-expanded",
    "the $pool is expanded",
    "two lines\nof a secret",
    "ends with a line break\n",
    "escape \x1b[31m sequence",
    "carriage\r\nreturn here",
)


def marked(secret: str, word: str) -> str:
    """Return the secret with a word inside, by which it is found also when a part of it was changed."""
    middle = len(secret) // 2
    return secret[:middle] + word + secret[middle:]


def forms(secret: str) -> set[str]:
    """Return the secret as it may stand in a log: by itself, escaped or encoded, and each of its lines."""
    return {form for text in {secret, *secret.split("\n")} if len(text) >= 8 for form in _forms(text)}


def _forms(text: str) -> Iterator[str]:
    yield text
    yield repr(text)[1:-1]
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield shlex.quote(text)
    yield text.replace("\\", "\\\\").replace("'", "\\'")  # SQL, and Python within a longer text
    yield text.replace("'", "''")
    yield text.replace("'", "'\"'\"'")


def encoded(secret: str) -> set[str]:
    """Return the secret in encodings that something may write for a machine to read."""
    raw = secret.encode()
    return {base64.b64encode(raw).decode(), raw.hex(), urllib.parse.quote(secret), urllib.parse.quote_plus(secret)}
