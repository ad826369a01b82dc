# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secrets of a site: parameters of Parameter Store, which reach the site as environment variables or in files.

What is computed here contains placeholders only (docs/decisions/0025).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ssm_generated_secret import (
    ARGUMENTS as GENERATED,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import (
    KEY_PARAMETER,
    PARAMETER_NAME,
    VARIABLE_NAME,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import placeholder
from ansible_collections.groundwork.aws.plugins.module_utils.topics.secrets.run import parse_secret

Options = dict[str, t.Any]
Variables = t.Mapping[str, t.Any]

FOLDER = "secrets"  # in the folder of a site in /etc/groundwork, which is the collection's own
ENVIRONMENT_QUOTING = "php-fpm"
FILE_QUOTINGS = ("dotenv", "php")
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
PLACEHOLDER = re.compile(r"@secret\(([^()|]*)(?:\|([^()|]*))?\)@")
OTHER_PLACEHOLDER = "@groundwork("
DEFAULT_LENGTH = GENERATED["length"]["default"]
DEFAULT_CHARACTERS = GENERATED["characters"]["default"]


@dataclass(frozen=True)
class Secret:
    """A secret of a site. `given` is whether its parameter exists already; otherwise its value is generated."""

    name: str
    parameter: str
    given: bool
    length: int
    characters: str
    environment: bool

    @property
    def variable(self) -> str:
        """Return the placeholder for the value, as it is written into a pool of php-fpm."""
        return _quoted(self.parameter, ENVIRONMENT_QUOTING)


@dataclass(frozen=True)
class SecretFile:
    """A file with secrets. `content` has the placeholders of the module `server`."""

    name: str
    content: str
    quotings: t.Mapping[str, frozenset[str]]  # by the parameter


def secrets_of(site: Variables, folder: str) -> tuple[Secret, ...]:
    """Return the secrets of one of `lamp_sites`. `folder` is the path of the site's own parameters."""
    return tuple(
        Secret(
            name=one["name"],
            parameter=one.get("parameter") or f"{folder}/{one['name']}",
            given=bool(one.get("parameter")),
            length=one.get("length") or DEFAULT_LENGTH,
            characters=one.get("characters") or DEFAULT_CHARACTERS,
            environment=bool(one.get("environment", True)),
        )
        for one in site.get("secrets") or ()
    )


def files_of(site: Variables, secrets: t.Iterable[Secret]) -> tuple[SecretFile, ...]:
    """Return the files with secrets of one of `lamp_sites`."""
    paths = {secret.name: secret.parameter for secret in secrets}
    return tuple(_file(one, paths) for one in site.get("secret_files") or ())


def _file(given: Variables, paths: t.Mapping[str, str]) -> SecretFile:
    found: dict[str, frozenset[str]] = {}
    for name, quoting in PLACEHOLDER.findall(given["content"]):
        found[paths[name]] = found.get(paths[name], frozenset()) | {quoting}
    content = PLACEHOLDER.sub(lambda match: _quoted(paths[match[1]], match[2] or ""), given["content"])
    return SecretFile(given["name"], content, found)


def _quoted(parameter: str, quoting: str) -> str:
    written = placeholder(parameter)
    return written.replace(")@", f"|{quoting})@") if quoting else written


def wanted(secrets: t.Sequence[Secret], files: t.Iterable[SecretFile]) -> list[Options]:
    """Return the options of the module `ssm_generated_secret` for each secret of a site."""
    quotings: dict[str, set[str]] = {}
    for file in files:
        for parameter, used in file.quotings.items():
            quotings.setdefault(parameter, set()).update(used - {""})
    for secret in secrets:
        if secret.environment:
            quotings.setdefault(secret.parameter, set()).add(ENVIRONMENT_QUOTING)
    return [_options(secret, sorted(quotings.get(secret.parameter, ()))) for secret in secrets]


def _options(secret: Secret, quotings: list[str]) -> Options:
    own = {"length": secret.length, "characters": secret.characters}
    return {**generated(secret.parameter), **own, "generate": not secret.given, "quotings": quotings}


def generated(parameter: str) -> Options:
    """Return the options of the module `ssm_generated_secret` for a variable with a generated secret."""
    own = {"name": parameter, "generate": True, "quotings": [ENVIRONMENT_QUOTING]}
    return {**own, "length": DEFAULT_LENGTH, "characters": DEFAULT_CHARACTERS}


def merged(options: t.Iterable[Options]) -> list[Options]:
    """Return each parameter once. Sites can share one, which is generated if one of them generates it."""
    found: dict[str, Options] = {}
    for one in options:
        other = found.get(one["name"])
        if other is None:
            found[one["name"]] = one
        else:
            generating = one if one["generate"] else other
            found[one["name"]] = {**generating, "quotings": sorted({*one["quotings"], *other["quotings"]})}
    return list(found.values())


# Checks ----------------------------------------------------------------------------------------------------------


def check_secrets(site: Variables, reserved: t.Container[str], where: str, problems: Problems) -> None:
    """Add to `problems` what is wrong with the options `secrets` and `secret_files` of a site."""
    names: set[str] = set()
    for at, secret in enumerate(site.get("secrets") or ()):
        place = f"{where}.secrets[{at}]"
        _check_secret(secret, site, reserved, place, problems)
        if secret["name"] in names:
            problems.add(f"{place}.name", f"'{secret['name']}' is used twice", "use another name")
        names.add(secret["name"])
    files: set[str] = set()
    for at, file in enumerate(site.get("secret_files") or ()):
        place = f"{where}.secret_files[{at}]"
        if not FILE_NAME.fullmatch(file["name"]):
            right = "use letters, digits, dots, hyphens and underscores, and no dot or hyphen first, as wp-salts.php"
            problems.add(f"{place}.name", f"'{file['name']}' is not a valid file name", right)
        elif file["name"] in files:
            problems.add(f"{place}.name", f"'{file['name']}' is used twice", "use another name")
        files.add(file["name"])
        _check_content(file["content"], names, f"{place}.content", problems)


def _check_secret(
    secret: Variables, site: Variables, reserved: t.Container[str], where: str, problems: Problems
) -> None:
    name, parameter, variable = secret["name"], secret.get("parameter"), secret.get("environment", True)
    if not VARIABLE_NAME.fullmatch(name):
        problems.add(f"{where}.name", f"'{name}' is not a valid name", "use letters, digits and underscores")
    elif variable and name in reserved:
        problems.add(f"{where}.name", f"the role sets the variable {name}", "use another name")
    elif variable and name in (site.get("environment") or {}):
        problems.add(f"{where}.name", f"'{name}' is in environment too", "remove it there, or use another name")
    if not parameter:
        below = problems.scope(f"{problems.prefix}{where}.")
        length, characters = secret.get("length") or DEFAULT_LENGTH, secret.get("characters") or DEFAULT_CHARACTERS
        parse_secret({"name": "/groundwork", "length": length, "characters": characters}, below)
        return
    for given in ("length", "characters"):
        if secret.get(given) is not None:
            problems.add(f"{where}.{given}", "the parameter has its value already", f"remove {given} or parameter")
    check_parameter(parameter, f"{where}.parameter", problems)


def check_parameter(parameter: str, where: str, problems: Problems) -> None:
    """Add to `problems` what is wrong with the path of a parameter that a server reads."""
    if not PARAMETER_NAME.fullmatch(parameter):
        right = "give the path of a SecureString, as /mail/smtp-password"
        problems.add(where, f"'{parameter}' is not the path of a parameter", right)
    elif KEY_PARAMETER.fullmatch(parameter):
        wrong = f"'{parameter}' has the private key for the servers, which no server may read"
        problems.add(where, wrong, "give another parameter")


def _check_content(content: str, names: t.Collection[str], where: str, problems: Problems) -> None:
    if OTHER_PLACEHOLDER in content:
        wrong = f"contains {OTHER_PLACEHOLDER}, which begins a placeholder of this collection"
        problems.add(where, wrong, "write a secret of the site as @secret(NAME)@")
    for name, quoting in PLACEHOLDER.findall(content):
        if name not in names:
            right = f"declare it in secrets, or use one of {', '.join(sorted(names)) or 'them'}"
            problems.add(where, f"'{name}' is not a secret of the site", right)
        if quoting and quoting not in FILE_QUOTINGS:
            problems.add(where, f"'{quoting}' is not a way to quote", f"use one of {', '.join(FILE_QUOTINGS)}")
    if "@secret(" in PLACEHOLDER.sub("", content):
        problems.add(where, "contains a placeholder that is not complete", "write it as @secret(NAME)@")
    if not PLACEHOLDER.search(content):
        problems.add(where, "contains no secret", "write one as @secret(NAME)@, or put the file into the application")


def check_rotation(rotate: str, sites: t.Sequence[Variables], problems: Problems) -> None:
    """Add to `problems` a value of `lamp_rotate` that does not name a generated secret."""
    site, _colon, name = rotate.partition(":")
    own = {one["name"]: one for one in sites}.get(site, {})
    secrets = {secret["name"]: secret for secret in own.get("secrets") or ()}
    known = [f"{one['name']}:{s['name']}" for one in sites for s in one.get("secrets") or () if not s.get("parameter")]
    if name == "database-password" and own:
        wrong = (
            "a database password cannot be rotated without failing requests: PHP and MariaDB would change it in turn"
        )
        problems.add("rotate", wrong, f"rotate another secret: {', '.join(known) or 'there is none'}")
    elif name not in secrets:
        right = f"give one of {', '.join(known) or 'lamp_sites[].secrets, which has none that is generated'}"
        problems.add("rotate", f"'{rotate}' is not a secret of a site", right)
    elif parameter := secrets[name].get("parameter"):
        right = f"write a new value to {parameter}, and run site.yml"
        problems.add("rotate", f"the value of '{rotate}' is not generated by this collection", right)
