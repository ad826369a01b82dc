# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Placeholders in a configuration, for secrets and for the id of the instance.

A module gets the secrets in one option, `secrets`, which Ansible does not log. All its other options contain only
placeholders. A server of an Auto Scaling group reads the secrets from Parameter Store.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import PARAMETER_NAME, PARAMETER_PATH

Secrets = t.Mapping[str, str]
T = t.TypeVar("T")

SECRETS_ARGUMENT: dict[str, dict[str, t.Any]] = {"secrets": {"type": "dict", "default": {}, "no_log": True}}

INSTANCE_ID_PLACEHOLDER = "@groundwork(instance-id)@"
PARAMETER = re.compile(rf"@groundwork\(parameter:({PARAMETER_PATH})(?:\|([a-z-]+))?\)@")
HIDDEN = "(secret, not shown)"
# Ansible and `hide` replace every occurrence of a secret in a message: a shorter one could be part of other words.
SHORTEST_SECRET = 8

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# php-fpm replaces a value that begins with a dollar sign by a variable of its own environment, and $pool by the pool's
# name: https://www.php.net/manual/en/install.fpm.configuration.php
NOT_FOR_FPM = re.compile(r"\A\$|\$pool")
SPECIAL_IN_QUOTES = re.compile(r'[\\"$`]')


def php_quoted(text: str) -> str:
    """Return `text` as a value in php.ini. Raise ValueError if PHP would read another value.

    PHP interprets nothing between single quotes, and no apostrophe between double quotes.
    https://www.php.net/manual/en/function.parse-ini-file.php
    """
    if CONTROL.search(text):
        raise ValueError("it contains a line break or another control character")
    return "".join(f'"{run}"' if "'" in run else f"'{run}'" for run in re.findall(r"[^']+|'+", text)) or "''"


def php_fpm_quoted(text: str) -> str:
    """Return `text` as a value in the file of a php-fpm pool. Raise ValueError if php-fpm would read another value.

    php-fpm reads such a file line by line, with the syntax of php.ini.
    """
    if not text:
        raise ValueError("it is empty")
    if NOT_FOR_FPM.search(text) or CONTROL.search(text):
        raise ValueError("it begins with a dollar sign, or contains $pool, a line break or another control character")
    return php_quoted(text)


def php_fpm_unquoted(text: str) -> str:
    """Return the value that `php_fpm_quoted` wrote as `text`."""
    return "".join(run[1:-1] for run in re.findall(r"""'[^']*'|"[^"]*\"""", text))


def environment_quoted(text: str) -> str:
    """Return `text` as a value in a file of variables that systemd and a POSIX shell read alike. Raise ValueError.

    In double quotes both take a backslash before these four characters away, and keep everything else.
    systemd.exec(5), EnvironmentFile=, and https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
    """
    if "\0" in text:
        raise ValueError("it contains a NUL character")
    return f'"{SPECIAL_IN_QUOTES.sub(_escaped, text)}"'


def environment_unquoted(text: str) -> str:
    """Return the value that `environment_quoted` wrote as `text`."""
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def php_literal(text: str) -> str:
    """Return `text` as a string in a PHP script. PHP interprets only the backslash and the apostrophe in it.

    https://www.php.net/manual/en/language.types.string.php#language.types.string.syntax.single
    """
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def dotenv_quoted(text: str) -> str:
    """Return `text` as a value in a .env file. Raise ValueError if programs read it in different ways.

    Between single quotes, neither symfony/dotenv nor vlucas/phpdotenv nor a shell interprets anything. How an
    apostrophe is written differs among them.
    """
    if "'" in text or CONTROL.search(text):
        raise ValueError("it contains an apostrophe, a line break or another control character")
    return f"'{text}'"


def line_text(text: str) -> str:
    """Return `text` as the rest of a line that nothing interprets. Raise ValueError if it would not be the same.

    Postfix removes blanks at both ends of a value: https://www.postfix.org/DATABASE_README.html#types
    """
    if CONTROL.search(text) or text != text.strip():
        raise ValueError("it contains a line break or another control character, or begins or ends with a blank")
    return text


QUOTINGS: t.Mapping[str, t.Callable[[str], str]] = {
    "": str,
    "dotenv": dotenv_quoted,
    "environment": environment_quoted,
    "line": line_text,
    "php": php_literal,
    "php-fpm": php_fpm_quoted,
}


def placeholder(path: str) -> str:
    """Return the placeholder for the parameter at `path`."""
    return f"@groundwork(parameter:{path})@"


def parameters_in(value: t.Any) -> list[str]:
    """Return the paths of all parameters whose placeholders are in a nested value."""
    return sorted({found[1] for text in _texts(value) for found in PARAMETER.finditer(text)})


def parameter_of(text: str) -> str | None:
    """Return the path of the parameter if `text` is its placeholder and nothing else, or None."""
    found = PARAMETER.fullmatch(text)
    return found[1] if found and not found[2] else None


def check_secrets(secrets: t.Mapping[str, t.Any], problems: Problems) -> None:
    """Add to `problems` the invalid secrets, with their parameters' paths and without their values."""
    for path, value in secrets.items():
        where = f"secrets.{path}"
        if not PARAMETER_NAME.fullmatch(str(path)):
            problems.add(where, "is not the path of a parameter", "use a path such as /groundwork/dev/web/password")
        if not isinstance(value, str):
            problems.add(where, "the value is not text", "put it in quotes")
        elif len(value) < SHORTEST_SECRET:
            problems.add(where, "the value is too short", f"use at least {SHORTEST_SECRET} characters")
        elif not is_unicode(value):
            problems.add(where, "the value cannot be encoded as UTF-8", "use Unicode text")


def is_unicode(text: str) -> bool:
    """Return whether the text can be encoded: JSON can contain halves of surrogate pairs."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def fill(text: str, secrets: Secrets | None, where: str, problems: Problems) -> str:
    """Return `text` with the secrets in place of their placeholders. Add to `problems` what is wrong with `where`.

    Keep the placeholders if `secrets` is None, as in the plan of a server that does not exist.
    """

    def value_for(found: re.Match[str]) -> str:
        path, quoting = found[1], found[2] or ""
        if quoting not in QUOTINGS:
            problems.add(where, f"'{quoting}' is not a way to quote", f"use one of {', '.join(filter(None, QUOTINGS))}")
        elif secrets is None:
            return found[0]
        elif path not in secrets:
            problems.add(
                where,
                f"contains a placeholder for {path}, which is not in secrets",
                "add the value of this parameter to secrets",
            )
        else:
            try:
                return QUOTINGS[quoting](str(secrets[path]))
            except ValueError as error:
                problems.add(f"secrets.{path}", f"the value cannot be written: {error}", "use another value")
        return ""

    return PARAMETER.sub(value_for, text)


def with_instance_id(value: t.Any, instance_id: str) -> t.Any:
    """Return the nested value with the instance's id in place of its placeholders."""
    if isinstance(value, str):
        return value.replace(INSTANCE_ID_PLACEHOLDER, instance_id)
    if isinstance(value, t.Mapping):
        return {key: with_instance_id(item, instance_id) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_instance_id(item, instance_id) for item in value]
    return value


def hide(value: T, secrets: t.Mapping[str, t.Any]) -> T:
    """Return a nested value, such as an error's message, with every secret hidden, also where it is quoted or escaped.

    Ansible hides a secret only where it is unchanged, but programs quote and escape the values in their messages.
    """
    forms = sorted({form for secret in secrets.values() for form in _forms(str(secret))}, key=len, reverse=True)
    return t.cast(T, _without(value, forms))


def _forms(secret: str) -> t.Iterator[str]:
    """Yield the secret and each of its lines: unchanged, and as programs quote them."""
    for text in {secret, *secret.split("\n")}:
        if len(text) >= SHORTEST_SECRET:
            yield from (text, repr(text)[1:-1], json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
            doubled = text.replace("\\", "\\\\")
            yield from (doubled, text.replace("'", "\\'"), doubled.replace("'", "\\'"))
            yield from (text.replace("'", "'\"'\"'"), text.replace("'", "''"))
            yield SPECIAL_IN_QUOTES.sub(_escaped, text)


def _without(value: t.Any, forms: t.Iterable[str]) -> t.Any:
    if isinstance(value, str):
        for form in forms:
            value = value.replace(form, HIDDEN)
        return value
    if isinstance(value, t.Mapping):
        return {key: _without(item, forms) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without(item, forms) for item in value]
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
