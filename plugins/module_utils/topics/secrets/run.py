# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generate a secret on first use and keep it in SSM Parameter Store. Only a rotation overwrites it."""

from __future__ import annotations

import math
import secrets
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import PARAMETER_NAME
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import (
    QUOTINGS,
    SHORTEST_SECRET,
    is_unicode,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY, Call, Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until

LEAST_ENTROPY = 96  # bits
LONGEST_VALUE = 4096  # characters of a standard parameter

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
LONGEST_NAME = 1011
RESERVED_NAMES = ("/aws", "/ssm")

VISIBLE_DEADLINE = 60.0  # seconds until a new parameter can be read
POLL_INTERVAL = 1.0


@dataclass(frozen=True)
class Secret:
    """A parameter of type SecureString. `key_id` is a KMS key, or "" for the account's default key of SSM.

    `generate` is whether a value is generated if the parameter is missing, `rotate` whether an existing one is
    replaced, and `quotings` are the ways in which the value is written.
    """

    name: str
    length: int
    characters: str
    key_id: str
    generate: bool = True
    rotate: bool = False
    quotings: tuple[str, ...] = ()


def parse_secret(options: t.Mapping[str, t.Any], problems: Problems) -> Secret | None:
    """Return the desired secret, or None if the options of `ssm_generated_secret` add problems."""
    before = len(problems.found)
    secret = Secret(
        options["name"],
        options["length"],
        options["characters"],
        options.get("key_id") or "",
        options.get("generate", True),
        options.get("rotate", False),
        tuple(options.get("quotings") or ()),
    )
    _check_name(secret.name, problems)
    if secret.generate:
        _check_strength(secret, problems)
    elif secret.rotate:
        problems.add("rotate", "the value of the parameter is not generated", "remove rotate, or set generate")
    return secret if len(problems.found) == before else None


def _check_name(name: str, problems: Problems) -> None:
    if not PARAMETER_NAME.fullmatch(name):
        problems.add(
            "name",
            f"'{name}' is not a valid parameter path",
            "give a path such as /groundwork/dev/lamp/shop/database-password",
        )
    elif name.lower().startswith(RESERVED_NAMES):
        problems.add("name", f"AWS reserves '{name}'", "use a path that does not begin with /aws or /ssm")
    elif len(name) > LONGEST_NAME:
        problems.add("name", f"has {len(name)} characters", f"use at most {LONGEST_NAME}")


def _check_strength(secret: Secret, problems: Problems) -> None:
    different = set(secret.characters)
    if len(different) < 2 or not secret.characters.isascii() or not secret.characters.isprintable():
        problems.add(
            "characters",
            "cannot be used to generate a secret",
            "give at least two different printable ASCII characters",
        )
        return
    if "{" in different:  # SSM interprets {{ }} in a value as a reference to another parameter
        problems.add("characters", "'{' has a meaning in Parameter Store", "remove it")
    least = math.ceil(LEAST_ENTROPY / math.log2(len(different)))
    if not least <= secret.length <= LONGEST_VALUE:
        problems.add(
            "length",
            f"{secret.length} is out of range for {len(different)} different characters",
            f"give {least} to {LONGEST_VALUE}, so that the secret cannot be guessed",
        )


def generate(secret: Secret) -> str:
    """Return a new value from the operating system's random generator, with equally likely characters."""
    alphabet = sorted(set(secret.characters))
    return "".join(secrets.choice(alphabet) for __ in range(secret.length))


def plan(owner: Owner, secret: Secret, current: t.Mapping[str, t.Any] | None, value: str) -> list[Change]:
    """Return the change that creates or rotates the parameter, or none. The diff does not contain the value.

    If two runs create the parameter at once, both use the value of the first. This function is pure.
    """
    after = {"Type": "SecureString", "Length": secret.length}
    if current and not secret.rotate:
        return []
    if current:
        # Without a key, the existing one stays: https://docs.aws.amazon.com/cli/latest/reference/ssm/put-parameter.html
        key = {"KeyId": secret.key_id} if secret.key_id else {}
        new = {"Name": secret.name, "Value": value, "Type": "SecureString", "Overwrite": True, **key}
        call = Call("ssm", "put_parameter", new).safe_to_repeat()
        version = _version(current)
        before = {"Type": "SecureString", "Version": version}
        return [Change("update", "parameter", secret.name, (call,), before, {**after, "Version": version + 1})]
    arguments = {
        "Name": secret.name,
        "Description": "Generated on first use.",
        "Value": value,
        "Type": "SecureString",
        "Overwrite": False,
        "Tags": tag_list(owner.tags(secret.name.rpartition("/")[2])),
        **({"KeyId": secret.key_id} if secret.key_id else {}),
    }
    call = Call("ssm", "put_parameter", arguments, settled=("ParameterAlreadyExists",))
    return [Change("create", "parameter", secret.name, (call,), after=after)]


def converge_secret(run: Run) -> dict[str, t.Any]:
    """Return the module's result with the secret as `value`, generated if needed. Raise GroundworkError on failure."""
    owner, secret = run.parse(run.options["component"], parse_secret)
    current = _read(run.clients, secret)
    if not current and not secret.generate:
        raise GroundworkError(
            f"The parameter {secret.name} does not exist. Create it as a SecureString, or correct its path."
        )
    changes = plan(owner, secret, current, generate(secret))
    version = _version(current) + bool(changes)
    result = run.make(changes, {})
    if changes and not run.check_mode:
        current = wait_until(
            lambda: _read(run.clients, secret),
            lambda found: _version(found) >= version,
            until=f"the parameter {secret.name} to be readable",
            deadline=VISIBLE_DEADLINE,
            interval=POLL_INTERVAL,
            clock=run.clock,
        )
    known = current and not (changes and run.check_mode)
    value = str(current["Value"]) if current and known else KNOWN_AFTER_APPLY
    if known:
        _check_value(secret, value)
    return {**result, "name": secret.name, "value": value, "version": max(version, _version(current))}


def _version(parameter: t.Mapping[str, t.Any] | None) -> int:
    """Return the version of a parameter, which each overwriting increases, 0 for a missing one."""
    return int(parameter["Version"]) if parameter else 0


def _check_value(secret: Secret, value: str) -> None:
    """Raise GroundworkError if a server cannot get the value byte for byte. The message does not contain it."""
    wrong = ""
    if len(value) < SHORTEST_SECRET:
        wrong = f"it has less than {SHORTEST_SECRET} characters"
    elif not is_unicode(value):
        wrong = "it cannot be encoded as UTF-8"
    for quoting in () if wrong else secret.quotings:
        try:
            QUOTINGS[quoting](value)
        except ValueError as error:
            wrong = f"it cannot be written for {quoting}: {error}"
    if wrong:
        raise GroundworkError(f"The value of the parameter {secret.name} cannot be used, because {wrong}. Change it.")


def _read(clients: Clients, secret: Secret) -> dict[str, t.Any] | None:
    arguments = {"Name": secret.name, "WithDecryption": True}
    read = Read("ssm", "get_parameter", "Parameter", arguments, absent=("ParameterNotFound",))
    found = observe(clients, {"parameter": read})["parameter"]
    parameter: dict[str, t.Any] | None = found[0] if found else None
    if parameter and parameter["Type"] != "SecureString":
        raise GroundworkError(
            f"The parameter {secret.name} exists with type {parameter['Type']}, so every user who may read parameters "
            "can read it. Delete it, or give the secret another name."
        )
    return parameter
