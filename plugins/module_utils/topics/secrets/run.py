# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generate a secret on first use and keep it in SSM Parameter Store. It is never overwritten."""

from __future__ import annotations

import math
import secrets
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import PARAMETER_NAME
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_list
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
    """A parameter of type SecureString. `key_id` is a KMS key, or "" for the account's default key of SSM."""

    name: str
    length: int
    characters: str
    key_id: str


def parse_secret(options: t.Mapping[str, t.Any], problems: Problems) -> Secret | None:
    """Return the desired secret, or None if the options of `ssm_generated_secret` add problems."""
    before = len(problems.found)
    secret = Secret(options["name"], options["length"], options["characters"], options.get("key_id") or "")
    _check_name(secret.name, problems)
    _check_strength(secret, problems)
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
    """Return the change that creates the parameter, or none if it exists. The diff does not contain the value.

    If two runs create the parameter at once, both use the value of the first. This function is pure.
    """
    if current:
        return []
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
    after = {"Type": "SecureString", "Length": secret.length}
    return [Change("create", "parameter", secret.name, (call,), after=after)]


def converge_secret(run: Run) -> dict[str, t.Any]:
    """Return the module's result with the secret as `value`, generated if needed. Raise GroundworkError on failure."""
    owner, secret = run.parse(run.options["component"], parse_secret)
    current = _read(run.clients, secret)
    changes = plan(owner, secret, current, generate(secret))
    result = run.make(changes, {})
    if not current and not run.check_mode:
        current = wait_until(
            lambda: _read(run.clients, secret),
            bool,
            until=f"the parameter {secret.name} to be readable",
            deadline=VISIBLE_DEADLINE,
            interval=POLL_INTERVAL,
            clock=run.clock,
        )
    return {**result, "name": secret.name, "value": current["Value"] if current else KNOWN_AFTER_APPLY}


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
