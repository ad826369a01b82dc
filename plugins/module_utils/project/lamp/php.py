# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values of PHP settings and environment variables, in the syntax of php.ini and of php-fpm's pools.

PHP gets every value as the user wrote it. A value that the syntax cannot express raises ValueError.
https://www.php.net/manual/en/configuration.file.php and https://www.php.net/manual/en/install.fpm.configuration.php
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import (
    is_unicode,
    php_fpm_quoted,
    php_quoted,
)

Settings = t.Mapping[str, t.Any]
Quote = t.Callable[[str], str]

DEFAULTS: Settings = {"memory_limit": "128M", "post_max_size": "16M", "upload_max_filesize": "16M"}
PLACEHOLDER = "@groundwork("
UPLOADS = frozenset({"post_max_size", "upload_max_filesize"})
FORM_BYTES = 1024**2  # of a request besides its file
# php-fpm does not accept an empty value. An unset variable of its own environment is empty.
EMPTY_VARIABLE = "$GROUNDWORK_EMPTY"
# php-fpm writes its prefix before relative values: FPM_PHP_INI_TO_EXPAND in sapi/fpm/fpm/fpm_php.h of PHP
FPM_PATHS = frozenset(
    {
        "error_log",
        "extension_dir",
        "mime_magic.magicfile",
        "sendmail_path",
        "session.cookie_path",
        "session_pgsql.sem_file_name",
        "soap.wsdl_cache_dir",
        "uploadprogress.file.filename_template",
        "xdebug.output_dir",
        "xdebug.profiler_output_dir",
        "xdebug.trace_output_dir",
    }
)
# https://www.php.net/manual/en/errorfunc.constants.php
LEVELS = frozenset(
    {
        "E_ALL",
        "E_COMPILE_ERROR",
        "E_COMPILE_WARNING",
        "E_CORE_ERROR",
        "E_CORE_WARNING",
        "E_DEPRECATED",
        "E_ERROR",
        "E_NOTICE",
        "E_PARSE",
        "E_RECOVERABLE_ERROR",
        "E_STRICT",
        "E_USER_DEPRECATED",
        "E_USER_ERROR",
        "E_USER_NOTICE",
        "E_USER_WARNING",
        "E_WARNING",
    }
)
# https://packages.debian.org/search?keywords=php-fpm
DEBIAN = {"12": "8.2", "13": "8.4"}  # the version of PHP, by the version of Debian
DEBIAN_IMAGE = re.compile(r"debian-(\d+)-")
NUMBER = re.compile(r"-?\d+")
EXPRESSION = re.compile(r"[ ~!(]*\w+[ )]*(?:[&|^][ ~!(]*\w+[ )]*)*")
# https://www.php.net/manual/en/faq.using.php#faq.using.shorthandbytes
SIZE = re.compile(r"(?P<number>\d+)(?P<unit>[KMG]?)", re.IGNORECASE)
UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


def unknown(version: str) -> str:
    """Return what is wrong with a version of PHP that no supported Debian has, or ""."""
    if version in DEBIAN.values():
        return ""
    return f"Debian has no PHP {version}: {', '.join(f'{php} in Debian {debian}' for debian, php in DEBIAN.items())}"


def mismatch(version: str, image: str) -> str:
    """Return what is wrong with a version of PHP for the images that match a pattern of names, or "".

    An own image may be of any Debian. Without a pattern, the image is one of Debian, or one that was made from it.
    """
    found = DEBIAN_IMAGE.match(image)
    offered = DEBIAN.get(found[1]) if found else None
    if offered is None or version == offered or unknown(version):
        return ""
    return f"{image} has PHP {offered}, not {version}"


def ini_text(name: str, value: t.Any) -> str:
    """Return the value of a setting as it is written into php.ini. Raise ValueError."""
    return _text(name, value, php_quoted)


def pool_text(name: str, value: t.Any) -> str:
    """Return the value of a setting as it is written into a pool, as php_admin_value. Raise ValueError."""
    if name in FPM_PATHS and not str(value).startswith("/"):
        raise ValueError("php-fpm writes its own prefix before a path that does not begin with /")
    return _text(name, value, php_fpm_quoted)


def _text(name: str, value: t.Any, quote: Quote) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("it is not text, a number, true or false")
    if name == "error_reporting":
        return _levels(value)
    _check_text(value)
    return quote(value)


def _levels(text: str) -> str:
    """Return an expression of error levels. PHP evaluates it, because it is not quoted."""
    if NUMBER.fullmatch(text):
        return text
    names = [word for word in re.findall(r"\w+", text) if not word.isdecimal()]
    unknown = [name for name in names if name not in LEVELS]
    if unknown:
        raise ValueError(f"'{unknown[0]}' is not an error level of PHP, such as E_ALL")
    if not EXPRESSION.fullmatch(text) or not _is_nested(text):
        raise ValueError("it is not a number or an expression such as E_ALL & ~E_DEPRECATED")
    return text.strip()


def _is_nested(text: str) -> bool:
    """Return whether each parenthesis is closed after it was opened."""
    depth = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def environment_text(value: t.Any) -> str:
    """Return the value of an environment variable as it is written into a pool. Raise ValueError.

    A variable is text. YAML reads `no`, `1.10` and `2026-01-01` as something else, and the text is then lost.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError("it is not text or a whole number")
    text = str(value)
    _check_text(text)
    return php_fpm_quoted(text) if text else EMPTY_VARIABLE


def _check_text(text: str) -> None:
    if not is_unicode(text):
        raise ValueError("it cannot be encoded as UTF-8")
    if PLACEHOLDER in text:
        raise ValueError(f"it contains {PLACEHOLDER}, which begins a placeholder of this collection")


def size_in_bytes(value: t.Any) -> int | None:
    """Return the bytes of a size such as 16M, None if it is not one."""
    found = SIZE.fullmatch(str(value)) if not isinstance(value, bool) else None
    return int(found["number"]) * UNITS[found["unit"].upper()] if found else None


def with_defaults(given: Settings) -> dict[str, t.Any]:
    """Return the settings of all sites: the given ones, and the defaults of the others."""
    return {**DEFAULTS, **with_room(given, DEFAULTS)}


def with_room(own: Settings, others: Settings) -> dict[str, t.Any]:
    """Return the settings `own`, in which the largest file fits into the largest request.

    If only one of the two limits is among them, the other one follows it. `others` apply to what is not among them. PHP
    drops a request that is larger than post_max_size, and the application gets an empty form.
    https://www.php.net/manual/en/features.file-upload.common-pitfalls.php
    """
    chosen = own.keys() & UPLOADS
    if len(chosen) != 1 or fits({**others, **own}):
        return dict(own)
    if chosen == {"post_max_size"}:
        return {**own, "upload_max_filesize": own["post_max_size"]}
    return {**own, "post_max_size": (size_in_bytes(own["upload_max_filesize"]) or 0) + FORM_BYTES}


def fits(settings: Settings) -> bool:
    """Return whether the largest file fits into the largest request. What is not a size fits."""
    file, request = (size_in_bytes(settings[name]) for name in ("upload_max_filesize", "post_max_size"))
    return not request or not file or file <= request
