# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan: the API calls that change the existing resources into the desired ones, as plain data.

A planner is a pure function from (desired, observed) to a list of `Change`s. A change holds the API calls to make.
Where a call needs the id of a resource that may not exist yet, it holds a `Ref`. The diff shows a `Ref` as
`(known after apply)`; its value is filled in when the call is made. Check mode prints the list of changes, and a real
run makes the same list.
"""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, field, replace

KNOWN_AFTER_APPLY = "(known after apply)"


@dataclass(frozen=True)
class Ref:
    """The id (or another attribute) of a resource, by the resource's name."""

    resource: str  # AWS' term: "subnet", "security group"
    name: str
    attribute: str = "id"


THIS_HOUR = Ref("run", "hour", "start")
THIS_RUN = Ref("run", "id", "start")


@dataclass(frozen=True)
class Token:
    """A client token of `length` characters: the same parts give the same token. Parts may be Refs.

    A token with THIS_HOUR among its parts is valid for one hour only. AWS remembers tokens for a day, and would answer
    a later request of the same token with a resource that has been deleted since. One with THIS_RUN is valid for the
    repetitions of one run only, where a resource may be deleted and created again within an hour.
    """

    parts: tuple[t.Any, ...]
    length: int = 64  # the most that EC2 accepts

    def digest(self, ids: t.Mapping[Ref, t.Any]) -> str:
        """Return the token, in hexadecimal digits."""
        text = "\n".join(str(resolve(part, ids)) for part in self.parts)
        return hashlib.sha256(text.encode()).hexdigest()[: self.length]


@dataclass(frozen=True)
class Joined:
    """A text whose parts may be Refs or Tokens, for a call that takes ids in one string, or a number as text."""

    parts: tuple[t.Any, ...]
    separator: str = ","

    def text(self, ids: t.Mapping[Ref, t.Any], unknown: t.Any = None) -> str:
        """Return the text with every Ref resolved, or `unknown` in place of an unknown one."""
        return self.separator.join(str(resolve(part, ids, unknown=unknown)) for part in self.parts)


@dataclass(frozen=True)
class Lookup:
    """How to find what a creating call has made, when its response was lost.

    `operation` of the call's service reads the list at the dotted path `result` ("" for the whole response), and
    `matches` says which item the call makes. `absent` are error codes that mean that there is none.
    """

    operation: str
    result: str
    arguments: t.Mapping[str, t.Any] = field(default_factory=dict)
    matches: t.Callable[[t.Mapping[str, t.Any]], bool] = lambda _: True
    absent: tuple[str, ...] = ()
    marker: str = ""


@dataclass(frozen=True)
class Call:
    """One API call of a boto3 client, which is not made yet.

    `arguments` may hold Refs at any depth. `yields` maps Refs to the dotted paths of their values in the response
    ("Instances.0.InstanceId"). `settled` are error codes that count as success, because an interrupted run has already
    made the call. `instead` maps an error code to the call to make in its place, which yields the same Refs. `passing`
    are error codes of a temporary condition, until whose end the call is repeated, besides those of all calls
    (engine/apply.py). `code:words` matches only errors whose message contains these words. `patience` is for how many
    seconds, with 0 for as long as most conditions take.
    `repeatable` is true if a second request has no further effect although the operation creates or registers
    something, and `lookup` finds what the call has created if it is not (engine/send.py). `echoes` are error codes of a
    repetition that show that AWS accepted the first request, whose response was lost. `refusals` is the dotted path of
    the items of the response that AWS refused, where it refuses only a part of a request and reports success.
    `remedies` tell the user what to do, by error code, where engine/remedies.py does not. `region` is given if the
    resource is in one region, whatever the environment's region.
    """

    service: str
    operation: str
    arguments: t.Mapping[str, t.Any]
    yields: t.Mapping[Ref, str] = field(default_factory=dict)
    settled: tuple[str, ...] = ()
    instead: t.Mapping[str, Call] = field(default_factory=dict)
    passing: tuple[str, ...] = ()
    patience: float = 0.0
    repeatable: bool = False
    lookup: Lookup | None = None
    echoes: tuple[str, ...] = ()
    refusals: str = ""
    remedies: t.Mapping[str, str] = field(default_factory=dict)
    region: str = ""

    def yielding(self, ref: Ref, path: str) -> Call:
        """Return the same call, which also takes the value of `ref` from `path` in the response."""
        return replace(self, yields={**self.yields, ref: path})

    def settled_by(self, *codes: str) -> Call:
        """Return the same call, for which these error codes count as success."""
        return replace(self, settled=(*self.settled, *codes))

    def found_by(self, lookup: Lookup) -> Call:
        """Return the same call, with how to find what it has created."""
        return replace(self, lookup=lookup)

    def safe_to_repeat(self) -> Call:
        """Return the same call, of which a second request has no further effect."""
        return replace(self, repeatable=True)


@dataclass(frozen=True)
class Wait:
    """A condition to wait for: `ready(response)` of a read call, with a deadline and a poll interval in seconds.

    `broken(response)` returns the reason if the condition can never be met, else None. `standing(response)` returns a
    sentence about the progress, which is added to the error message of a timeout, or "".
    """

    until: str  # completes "waiting for …": an infinitive phrase, as "the NAT gateway to be available"
    call: Call
    ready: t.Callable[[t.Mapping[str, t.Any]], bool]
    broken: t.Callable[[t.Mapping[str, t.Any]], str | None] = lambda _: None
    deadline: float = 300.0
    interval: float = 2.0
    standing: t.Callable[[t.Mapping[str, t.Any]], str] = lambda _: ""


@dataclass(frozen=True)
class Change:
    """One step of a plan, with the API calls that make it.

    --diff shows `before` and `after`, which must not contain a secret. `wait` is done before any later call that
    refers to this resource, and at the latest after all changes. `awaits` are resources whose waits must be done before
    this change although its calls do not refer to them.
    """

    action: t.Literal["create", "update", "delete"]
    resource: str
    name: str
    calls: tuple[Call, ...]
    before: t.Mapping[str, t.Any] = field(default_factory=dict)
    after: t.Mapping[str, t.Any] = field(default_factory=dict)
    wait: Wait | None = None
    awaits: tuple[Ref, ...] = ()

    def __str__(self) -> str:
        return f"{self.action} {self.resource} {self.name}"


def ec2(operation: str, /, **arguments: t.Any) -> Call:
    """Return a call of EC2."""
    return Call("ec2", operation, arguments)


Ids = dict[Ref, t.Any]


def references(value: t.Any) -> t.Iterator[Ref]:
    """Yield every Ref inside a nested value."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, (Token, Joined)):
        yield from references(value.parts)
    elif isinstance(value, t.Mapping):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from references(item)


def resolve(value: t.Any, ids: t.Mapping[Ref, t.Any], *, unknown: t.Any = None) -> t.Any:
    """Return `value` with every Ref replaced by its value.

    An unknown Ref becomes `unknown`. Raise KeyError, which is a bug of the planner, if `unknown` is None.
    """
    if isinstance(value, Ref):
        if value not in ids and unknown is not None:
            return unknown
        return ids[value]
    if isinstance(value, (Token, Joined)):
        return value.digest(ids) if isinstance(value, Token) else value.text(ids, unknown)
    if isinstance(value, t.Mapping):
        return {key: resolve(item, ids, unknown=unknown) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve(item, ids, unknown=unknown) for item in value]
    return value


def shown(value: t.Any, ids: t.Mapping[Ref, t.Any]) -> t.Any:
    """Return `value` as a plan shows it: with KNOWN_AFTER_APPLY in place of unknown ids."""
    return resolve(value, ids, unknown=KNOWN_AFTER_APPLY)
