# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The desired configuration of a server: packages, accounts, files, validators and services."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import ACCOUNT_NAME
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import (
    Secrets,
    fill,
    parameters_in,
)

Kind = t.Literal["file", "link", "directory", "absent", "aside"]
Action = t.Literal["reload", "restart"]

MODE = re.compile(r"[0-7]{3,4}")


@dataclass(frozen=True)
class Touch:
    """The services that reload or restart when an item changes."""

    reload: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()

    def services(self) -> frozenset[str]:
        """Return the names of all these services."""
        return frozenset(self.reload + self.restart)


@dataclass(frozen=True)
class Account:
    """A system user with its own group, no shell and no password. `members` also belong to its group.

    `uid` is the number of the account and of its group, 0 for any. An existing account keeps another number, unless
    `require_uid` is set.
    """

    name: str
    home: str
    members: tuple[str, ...] = ()
    touch: Touch = Touch()
    uid: int = 0
    require_uid: bool = False


@dataclass(frozen=True)
class Entry:
    """The desired state of a path. `mode` is a number, and `target` is the text of a link.

    What is at a path of the kind "aside" is renamed, so that no daemon includes it and nothing is lost.
    """

    path: str
    kind: Kind
    content: bytes = b""
    target: str = ""
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    secret: bool = False
    touch: Touch = Touch()


@dataclass(frozen=True)
class Purge:
    """Files that match `pattern` are removed unless they are declared: an earlier run created them."""

    pattern: str
    touch: Touch = Touch()


@dataclass(frozen=True)
class Include:
    """A pattern of files that daemons include. Files of others are set aside, except those that match `keep`."""

    pattern: str
    keep: tuple[str, ...] = ()
    touch: Touch = Touch()


@dataclass(frozen=True)
class Validator:
    """A daemon's check of its configuration. It fails by its exit code, or if `refuse` matches a line of its output."""

    argv: tuple[str, ...]
    services: frozenset[str]
    refuse: str = ""


@dataclass(frozen=True)
class Service:
    """A systemd service. It is reloaded if it is active and the command `check` fails: its effect was undone.

    If `started` and `enabled` are None, they stay as they are, and a change restarts the service only if it runs.
    """

    name: str
    started: bool | None = True
    enabled: bool | None = True
    check: tuple[str, ...] = ()


@dataclass(frozen=True)
class Server:
    """The desired configuration of a server. `name` distinguishes several configurations of one server."""

    name: str
    packages: tuple[str, ...] = ()
    accounts: tuple[Account, ...] = ()
    entries: tuple[Entry, ...] = ()
    purges: tuple[Purge, ...] = ()
    includes: tuple[Include, ...] = ()
    validators: tuple[Validator, ...] = ()
    services: tuple[Service, ...] = ()
    purged_services: tuple[str, ...] = ()  # patterns of names


def parse_server(options: t.Mapping[str, t.Any], problems: Problems) -> Server:
    """Return the desired configuration. Add to `problems` what is wrong.

    The option `secrets` contains the values for the placeholders in files. Without it the placeholders stay.
    """
    secrets = options.get("secrets")
    services = tuple(_service(item) for item in options["services"])
    known = {service.name for service in services}
    server = Server(
        name=options["name"],
        packages=tuple(dict.fromkeys(options["packages"])),
        accounts=tuple(_account(item) for item in options["accounts"]),
        entries=tuple(_entry(item, f"files[{at}]", secrets, problems) for at, item in enumerate(options["files"])),
        purges=tuple(Purge(item["pattern"], _touch(item)) for item in options["purge"]),
        includes=tuple(
            Include(item["pattern"], tuple(item.get("keep") or ()), _touch(item))
            for item in options.get("includes") or ()
        ),
        validators=tuple(_validator(item) for item in options["validators"]),
        services=services,
        purged_services=tuple(options.get("purge_services") or ()),
    )
    _check_accounts(server, problems)
    _check_paths(server, problems)
    _check_services(server, known, problems)
    _check_placeholders(options, problems)
    return server


def _touch(item: t.Mapping[str, t.Any]) -> Touch:
    return Touch(tuple(item.get("reload") or ()), tuple(item.get("restart") or ()))


def _account(item: t.Mapping[str, t.Any]) -> Account:
    return Account(
        name=item["name"],
        home=item["home"],
        members=tuple(item.get("members") or ()),
        touch=_touch(item),
        uid=item.get("uid") or 0,
        require_uid=bool(item.get("require_uid")),
    )


def _service(item: t.Mapping[str, t.Any]) -> Service:
    if item.get("state") == "unchanged":
        return Service(item["name"], None, None, tuple(item.get("check") or ()))
    started, enabled = item.get("state", "started") == "started", item.get("enabled", True)
    return Service(item["name"], started, enabled, tuple(item.get("check") or ()))


def _validator(item: t.Mapping[str, t.Any]) -> Validator:
    return Validator(tuple(item["argv"]), frozenset(item["services"]), item.get("refuse") or "")


def _entry(item: t.Mapping[str, t.Any], where: str, secrets: Secrets | None, problems: Problems) -> Entry:
    kind: Kind = item.get("state") or "file"
    content = item.get("content")
    if kind == "file" and content is None:
        problems.add(where, f"{item['path']} has no content", "give content")
    if kind == "link" and not item.get("target"):
        problems.add(where, f"the link {item['path']} has no target", "give target")
    if not str(item["path"]).startswith("/"):
        problems.add(f"{where}.path", f"'{item['path']}' is not an absolute path", "begin it with /")
    mode = str(item.get("mode") or ("0755" if kind == "directory" else "0644"))
    if not MODE.fullmatch(mode):
        problems.add(f"{where}.mode", f"'{mode}' is not a valid mode", "give octal digits in quotes, as '0644'")
        mode = "0644"
    return Entry(
        path=item["path"],
        kind=kind,
        content=fill(content or "", secrets, f"{where}.content", problems).encode(errors="replace"),
        target=item.get("target") or "",
        owner=item.get("owner") or "root",
        group=item.get("group") or "root",
        mode=int(mode, 8),
        secret=bool(parameters_in(content)),
        touch=_touch(item),
    )


def _check_accounts(server: Server, problems: Problems) -> None:
    for at, account in enumerate(server.accounts):
        if not ACCOUNT_NAME.fullmatch(account.name):
            problems.add(
                f"accounts[{at}].name",
                f"'{account.name}' is not a valid account name",
                "use at most 32 lower case letters, digits, hyphens and underscores, beginning with a letter",
            )


def _check_paths(server: Server, problems: Problems) -> None:
    seen: set[str] = set()
    for at, entry in enumerate(server.entries):
        if entry.path in seen:
            problems.add(f"files[{at}].path", f"'{entry.path}' is declared twice", "declare it once")
        seen.add(entry.path)


def _check_placeholders(options: t.Mapping[str, t.Any], problems: Problems) -> None:
    """Add to `problems` the placeholders outside of files: the arguments of a command are not secret, for example."""
    elsewhere = {name: value for name, value in options.items() if name not in ("files", "secrets")}
    attributes = [{**item, "content": None} for item in options["files"]]
    for path in parameters_in([elsewhere, attributes]):
        problems.add("secrets", f"the placeholder for {path} is outside a file", "use it in files[].content only")


def _check_services(server: Server, known: t.Collection[str], problems: Problems) -> None:
    touches = [
        *((f"accounts[{at}]", account.touch) for at, account in enumerate(server.accounts)),
        *((f"files[{at}]", entry.touch) for at, entry in enumerate(server.entries)),
        *((f"purge[{at}]", purge.touch) for at, purge in enumerate(server.purges)),
        *((f"includes[{at}]", include.touch) for at, include in enumerate(server.includes)),
    ]
    for where, touch in touches:
        for name in sorted(touch.services() - set(known)):
            problems.add(where, f"'{name}' is not a service", f"use one of {', '.join(sorted(known)) or 'services'}")
    for at, validator in enumerate(server.validators):
        for name in sorted(validator.services - set(known)):
            problems.add(f"validators[{at}]", f"'{name}' is not a service", "use one of services")
