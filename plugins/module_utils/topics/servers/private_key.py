# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `ssm_private_key`: keep an environment's private key where all its controllers can get it.

The key is a SecureString in Parameter Store, and a file on each controller. What one of the two lacks is copied from
the other. Neither is ever overwritten. No result, diff or error contains the private key.
"""

from __future__ import annotations

import subprocess
import tempfile
import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import KMS_KEY_ID, server_key_parameter
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import hide
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY, Call, Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.local_files import read_file, write_file
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    KeyPair,
    key_pair_of,
    key_pairs_read,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import (
    PublicKey,
    find_public_key,
    public_half,
)

COMPONENT = "servers"
LARGEST_VALUE = (
    4096  # https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
)
VISIBLE_DEADLINE = 60.0  # seconds until a new parameter can be read
POLL_INTERVAL = 1.0
RECOVER = "groundwork.aws.recover with servers_recover=all"


@dataclass(frozen=True)
class KeyFile:
    """The options. `path` is the private key's file; the public key is beside it, with the suffix `.pub`."""

    path: Path
    kms_key: str
    renew: bool

    @property
    def public(self) -> Path:
        """Return the path of the public key."""
        return self.path.with_name(f"{self.path.name}.pub")


@dataclass(frozen=True)
class Held:
    """A private key in one of its two places, with the time of its last change."""

    text: str = field(repr=False)
    public: PublicKey
    changed: datetime


@dataclass(frozen=True)
class Places:
    """The private key of both places, and EC2's key pair, which is read only if the key is not in both of them.

    `beside` is the public key in the file with the suffix `.pub`.
    """

    file: Held | None
    beside: PublicKey | None
    parameter: Held | None
    pair: KeyPair | None = None

    @property
    def complete(self) -> bool:
        """Return whether both places have the same key, and the public key is beside the file."""
        return bool(
            self.file
            and self.parameter
            and self.file.public == self.parameter.public
            and self.beside == self.file.public
        )


def parse_private_key(options: t.Mapping[str, t.Any], problems: Problems) -> KeyFile:
    """Return the parsed options of `ssm_private_key`."""
    kms_key = options.get("kms_key") or ""
    check_kms_key("kms_key", kms_key, problems)
    path = Path(options["path"])
    if not path.name:
        problems.add("path", f"'{options['path']}' is not the path of a file", "give the path of the private key")
    return KeyFile(path, kms_key, options["renew"])


def check_kms_key(variable: str, kms_key: str, problems: Problems) -> None:
    """Add to `problems` a text that does not name a KMS key. The empty text is the account's key of SSM."""
    if kms_key and not KMS_KEY_ID.fullmatch(kms_key):
        right = "give the ARN or the id of a KMS key, or an alias such as alias/groundwork"
        problems.add(variable, f"'{kms_key}' is not a KMS key", right)


# Observation -----------------------------------------------------------------------------------------------------


def parameter_read(name: str) -> Read:
    """Return the read of the key's parameter, which has its value and the time of its last change."""
    return Read("ssm", "get_parameters", "Parameters", {"Names": [name], "WithDecryption": True})


def stored(clients: Clients, name: str) -> Held | None:
    """Return the key in Parameter Store, or None. Raise GroundworkError if the parameter is not such a key."""
    found = observe(clients, {"key": parameter_read(name)})["key"]
    if not found:
        return None
    [parameter] = found
    if parameter["Type"] != "SecureString":
        raise GroundworkError(
            f"The parameter {name} exists with type {parameter['Type']}, so every user who may read parameters can "
            f"read it. Delete it with 'aws ssm delete-parameter --name {name}' and run again."
        )
    public = public_half(parameter["Value"])
    if not public:
        raise GroundworkError(
            f"The parameter {name} does not contain a private key in OpenSSH's format. Delete it with "
            f"'aws ssm delete-parameter --name {name}' and run again where the file of the key exists, which stores it."
        )
    return Held(parameter["Value"], public, parameter["LastModifiedDate"])


def in_file(path: Path) -> Held | None:
    """Return the key in the file, or None. Raise GroundworkError if the file does not contain such a key."""
    text = read_file(path, "path")
    if not text:
        return None
    public = public_half(text)
    if not public:
        raise GroundworkError(
            f"{path} does not contain a private key in OpenSSH's format. Move the file elsewhere and run again, which "
            "fetches the environment's key from Parameter Store."
        )
    return Held(text, public, datetime.fromtimestamp(path.stat().st_mtime, UTC))


# Checks ----------------------------------------------------------------------------------------------------------


def check(desired: KeyFile, name: str, places: Places) -> None:
    """Raise GroundworkError if the places contradict each other, or if no place has the key of the key pair."""
    pair_key = places.pair.key if places.pair else None
    if places.file and places.parameter and places.file.public != places.parameter.public:
        raise GroundworkError(_difference(desired, name, places, pair_key))
    key = places.file or places.parameter
    if key and places.beside and key.public != places.beside:
        raise GroundworkError(
            f"{desired.public} is not the public key of the environment's private key. Delete the file and run again, "
            "which writes it."
        )
    if desired.renew or not pair_key or places.parameter or (places.file and places.file.public == pair_key):
        return
    raise GroundworkError(_lost(desired, name, places))


def _difference(desired: KeyFile, name: str, places: Places, pair_key: PublicKey | None) -> str:
    file, parameter = t.cast(Held, places.file), t.cast(Held, places.parameter)
    newer = "newer" if parameter.changed > file.changed else "older"
    move = f"Move {desired.path} and {desired.public.name} elsewhere and run"
    fetch = f"{move} again, which fetches the key in Parameter Store."
    if pair_key is None:
        pair, then = "", fetch
    elif pair_key == parameter.public:
        pair, then = " EC2's key pair has the key in the parameter.", fetch
    elif pair_key == file.public:
        pair = " EC2's key pair has the key in the file."
        then = f"Delete the parameter with '{_deletion(name)}' and run again, which stores the key in the file."
    else:
        pair = " EC2's key pair has neither of the two keys."
        then = f"{move} {RECOVER}, which installs the key in Parameter Store on the servers."
    return (
        f"The private key in {desired.path} is not the one in the parameter {name}. The parameter, of "
        f"{_moment(parameter.changed)}, is {newer} than the file, of {_moment(file.changed)}.{pair} Nothing was "
        f"changed. {then}"
    )


def _lost(desired: KeyFile, name: str, places: Places) -> str:
    pair, path = t.cast(KeyPair, places.pair).name, desired.path
    if places.file:
        found = f"{path} is not the private key of EC2's key pair {pair}, and the parameter {name} does not exist."
        elsewhere = f"run groundwork.aws.site there once, which stores it, move {path} elsewhere and run again"
        otherwise = f"run {RECOVER}, which installs the key of {path} on the servers"
    else:
        found = f"The private key of EC2's key pair {pair} is missing: neither {path} nor the parameter {name} exists."
        elsewhere = "run groundwork.aws.site there once, which stores it, and run again"
        otherwise = f"run {RECOVER}, which installs a new key on the servers"
    return f"{found} If another controller has the key, {elsewhere}. Otherwise {otherwise}."


def _deletion(name: str) -> str:
    return f"aws ssm delete-parameter --name {name}"


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


# Changes ---------------------------------------------------------------------------------------------------------


def plan(owner: Owner, desired: KeyFile, places: Places, name: str, new: str) -> list[Change]:
    """Return the changes: store the key, and write the files. `new` is the key of an environment without one.

    The files are written by `converge_private_key`, so that these changes have no calls. This function is pure.
    """
    changes = []
    key = places.file or places.parameter
    public = str(key.public) if key else KNOWN_AFTER_APPLY
    if not places.parameter:
        text = places.file.text if places.file else new
        arguments = {
            "Name": name,
            "Description": "The private key for the servers of the environment.",
            "Value": text,
            "Type": "SecureString",
            "Overwrite": False,
            "Tags": tag_list(owner.tags("servers-key")),
            **({"KeyId": desired.kms_key} if desired.kms_key else {}),
        }
        call = Call("ssm", "put_parameter", arguments, settled=("ParameterAlreadyExists",))
        changes.append(
            Change("create", "parameter", name, (call,), after={"Type": "SecureString", "PublicKey": public})
        )
    for path, missing in ((desired.path, not places.file), (desired.public, not places.beside)):
        if missing:
            changes.append(Change("create", "file", path.name, (), after={"Path": str(path), "PublicKey": public}))
    return changes


def converge_private_key(run: Run) -> dict[str, t.Any]:
    """Copy or generate the key, and return the module's result. Raise GroundworkError on failure.

    An existing key is fetched in check mode too, because check mode connects to the servers with it.
    """
    owner, desired = run.parse(COMPONENT, parse_private_key)
    name = server_key_parameter(owner.environment)
    places = _observe(run.clients, owner, desired, name)
    check(desired, name, places)
    new = "" if places.complete or run.check_mode or places.file or places.parameter else generate(owner.environment)
    changes = plan(owner, desired, places, name, new)
    try:
        result = run.make(changes, {})
    except GroundworkError as error:  # AWS repeats a value that it refuses
        held = places.file.text if places.file else new
        raise GroundworkError(**hide({"message": str(error), **error.details}, {name: held})) from None
    key = places.parameter
    if not key and not run.check_mode:
        key = _await_stored(run, name)
        if places.file and key.public != places.file.public:  # another controller has stored its own meanwhile
            raise GroundworkError(_difference(desired, name, Places(places.file, None, key, places.pair), None))
    if key and not places.complete:
        _write(desired, places, key)
    return {**result, "path": str(desired.path), "public_key": str(key.public) if key else KNOWN_AFTER_APPLY}


def _observe(clients: Clients, owner: Owner, desired: KeyFile, name: str) -> Places:
    """Read both places, with one call, and EC2's key pair with another one if the key is not in both of them."""
    beside = find_public_key(read_file(desired.public, "path"))
    places = Places(in_file(desired.path), beside, stored(clients, name))
    if places.complete:
        return places
    pairs = observe(clients, {"pairs": key_pairs_read(owner)})["pairs"]
    return Places(places.file, beside, places.parameter, key_pair_of(pairs[0]) if pairs else None)


def _await_stored(run: Run, name: str) -> Held:
    found = wait_until(
        lambda: stored(run.clients, name),
        bool,
        until=f"the parameter {name} to be readable",
        deadline=VISIBLE_DEADLINE,
        interval=POLL_INTERVAL,
        clock=run.clock,
    )
    return t.cast(Held, found)


def _write(desired: KeyFile, places: Places, key: Held) -> None:
    if not places.file:
        write_file(desired.path, key.text, "path")
    if not places.beside:
        write_file(desired.public, f"{key.public}\n", "path")


def generate(environment: str) -> str:
    """Return a new private key of type ed25519, which OpenSSH generates in a folder that only the user can read."""
    with tempfile.TemporaryDirectory(prefix="groundwork-") as folder:
        path = Path(folder, "key")
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"groundwork-{environment}", "-f", str(path)]
        try:  # pylint: disable-next=ansible-bad-function
            subprocess.run(argv, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        except FileNotFoundError as error:
            raise GroundworkError(
                "The program ssh-keygen is missing. Install OpenSSH's client and run again."
            ) from error
        except subprocess.CalledProcessError as error:
            raise GroundworkError(f"ssh-keygen could not generate a key: {error.stderr.strip()}") from error
        return path.read_text(encoding="utf-8")
