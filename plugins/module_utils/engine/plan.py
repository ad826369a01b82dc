# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: which API calls would turn what is into what should be, as plain data.

A planner is a pure function from (desired, observed) to a list of `Change`s. A change holds the very calls
that would be made; where a call needs the id of something that may not exist yet, it holds a `Ref`, which
shows as `(known after apply)` and is filled in when the call is made. Check mode prints the changes, a real
run makes them: both see the same list, so the plan is the run.
"""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, field, replace

KNOWN_AFTER_APPLY = "(known after apply)"


@dataclass(frozen=True)
class Ref:
    """The id (or another attribute) of a resource, by the name that people gave it."""

    resource: str  # as in AWS' words: "subnet", "security group"
    name: str
    attribute: str = "id"


THIS_HOUR = Ref("run", "hour", "start")


@dataclass(frozen=True)
class Token:
    """A client token: the same parts give the same token. Parts may be Refs, so that it is known when they are.

    With THIS_HOUR among them a token serves for repeating a request that was just lost, and not for a day: AWS
    remembers tokens, and would answer with what has been deleted since.
    """

    parts: tuple[t.Any, ...]

    def digest(self, ids: t.Mapping[Ref, t.Any]) -> str:
        """The token, 64 ASCII characters: the most that EC2 takes."""
        text = "\n".join(str(resolve(part, ids)) for part in self.parts)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Joined:
    """Text of parts that may be Refs or Tokens: where a call takes ids in one string, or a number as text."""

    parts: tuple[t.Any, ...]
    separator: str = ","

    def text(self, ids: t.Mapping[Ref, t.Any], unknown: t.Any = None) -> str:
        """The text."""
        return self.separator.join(str(resolve(part, ids, unknown=unknown)) for part in self.parts)


@dataclass(frozen=True)
class Call:
    """One API call of a boto3 client, not made yet.

    `arguments` may hold Refs at any depth. `yields` maps Refs to where the response holds their values, as
    dotted paths with list indices ("Instances.0.InstanceId"). `settled` are error codes that mean that the
    call was already done by an interrupted run: they count as success. `instead` has the call to make in its
    place, which yields the same, when AWS answers with that error code. `passing` are error codes that pass by
    themselves, as a dependency on something that is just being deleted: the call is made again for a while. Where a
    code alone says too little, words of AWS' message follow it after a colon.
    """

    service: str
    operation: str
    arguments: t.Mapping[str, t.Any]
    yields: t.Mapping[Ref, str] = field(default_factory=dict)
    settled: tuple[str, ...] = ()
    instead: t.Mapping[str, Call] = field(default_factory=dict)
    passing: tuple[str, ...] = ()

    def yielding(self, ref: Ref, path: str) -> Call:
        """The same call, from whose response `ref` is learnt at `path`."""
        return replace(self, yields={**self.yields, ref: path})

    def settled_by(self, *codes: str) -> Call:
        """The same call, for which these error codes are success."""
        return replace(self, settled=(*self.settled, *codes))


@dataclass(frozen=True)
class Wait:
    """A condition to await: `ready(response)` of a read call, with a deadline and a poll interval in seconds.

    `broken(response)` gives the reason when it can never become ready, else None. `standing(response)` tells how far
    it is, which is said when it does not come in time; nothing for "".
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
    """One step that a person can understand, with the calls that make it.

    `before` and `after` are what --diff shows; they hold no secret. `wait` is awaited before any later call
    that refers to this resource, and at the latest when all changes are made. `awaits` are resources whose waits
    this change needs done although its calls do not refer to them.
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
    """A call of EC2."""
    return Call("ec2", operation, arguments)


Ids = dict[Ref, t.Any]


def references(value: t.Any) -> t.Iterator[Ref]:
    """Every Ref inside a nested value."""
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
    """`value` with every Ref replaced by what it stands for.

    An unknown Ref becomes `unknown`, or raises KeyError when that is None: a planner's error.
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
    """`value` as a person sees it in a plan: unknown ids as the typed placeholder."""
    return resolve(value, ids, unknown=KNOWN_AFTER_APPLY)
