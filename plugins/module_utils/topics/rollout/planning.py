# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the release of an application to many servers, in batches, and the way back. These functions are pure."""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from urllib.parse import urlsplit

from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import covers
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems

PERCENT = re.compile(r"\d+%")

Release = dict[str, t.Any]  # an element of the option `releases` of the module `releases`


@dataclass(frozen=True)
class Has:
    """A server's releases of a site: the id of the current one, and the ids of all kept ones.

    `command` is what the server runs before it serves the release, unless another server has.
    """

    current: str
    kept: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Server:
    """A server before the release. `serving` is whether its load balancer sends it requests."""

    name: str
    tier: str
    sites: t.Mapping[str, Has]
    serving: bool = True

    @property
    def number(self) -> int:
        """Return the server's number, by which `public-10` is sorted after `public-2`."""
        digits = self.name.rpartition("-")[2]
        return int(digits) if digits.isdecimal() else 0


@dataclass(frozen=True)
class Batch:
    """Servers that get the release together. `rotated` are drained first, because others of their tier serve."""

    name: str
    servers: tuple[Server, ...]
    rotated: tuple[str, ...]


@dataclass(frozen=True)
class Wish:
    """The role's variables. `hosts` are the sites' host names; sites without one are not probed."""

    releases: tuple[Release, ...]
    canary: int
    batch: str
    tiers: t.Mapping[str, t.Sequence[str]]  # all servers of each tier, including those that are not changed
    groups: t.Mapping[str, str]  # the tier of each target group
    urls: t.Mapping[str, str]  # of each target group
    names: t.Mapping[str, t.Sequence[str]]  # the domain names of each target group
    hosts: t.Mapping[str, str]
    probe_paths: tuple[str, ...]


def parse_release(options: t.Mapping[str, t.Any], problems: Problems, *, counts: t.Mapping[str, int] | None) -> None:
    """Add to `problems` what is wrong with the role's variables, named without the role's prefix.

    `counts` are the tiers' numbers of servers, or None if they are not known.
    """
    for at, tier in enumerate(options["tiers"] if counts is not None else ()):
        if tier not in (counts or {}):
            right = f"use some of {', '.join(sorted(counts or {}))}"
            problems.add(f"tiers[{at}]", f"'{tier}' is not the name of a tier", right)
    if counts is not None:
        check_target_groups("target_groups", options["target_groups"], counts, problems)
    _check_canary(options, counts or {}, problems)
    check_batch("batch", options["batch"], problems)
    if not 0 <= options["error_threshold"] <= 100:
        problems.add(
            "error_threshold", f"{options['error_threshold']:g} % is out of range", "give a number from 0 to 100"
        )
    for name, most in (("probe_requests", 10000), ("deadline", 86400)):
        if not 1 <= options[name] <= most:
            problems.add(name, f"{options[name]} is out of range", f"give a whole number from 1 to {most}")
    for name in ("warm_paths", "probe_paths"):
        check_paths(name, options[name], problems)


def check_batch(name: str, batch: t.Any, problems: Problems) -> None:
    """Add to `problems` a batch that is not a number or a share of servers."""
    if size_of(batch, 100) is None:
        right = "give a whole number from 1, or a share of the tier from 1% to 100%, in quotes"
        problems.add(name, f"'{batch}' is not a number of servers", right)


def check_target_groups(name: str, groups: t.Mapping[str, t.Any], tiers: t.Collection[str], problems: Problems) -> None:
    """Add to `problems` target groups whose tiers do not exist."""
    for group, tier in groups.items():
        if str(tier) not in tiers:
            right = f"use some of {', '.join(sorted(tiers)) or 'none'}"
            problems.add(f"{name}.{group}", f"'{tier}' is not the name of a tier", right)


def check_paths(name: str, paths: t.Sequence[str], problems: Problems) -> None:
    """Add to `problems` invalid paths, and an empty list of paths."""
    if not paths:
        problems.add(name, "is empty", "give at least one path, as /")
    for at, path in enumerate(paths):
        if not path.startswith("/"):
            problems.add(f"{name}[{at}]", f"'{path}' does not begin with /", "begin the path with /")


def _check_canary(options: t.Mapping[str, t.Any], counts: t.Mapping[str, int], problems: Problems) -> None:
    canary = options["canary"]
    if canary < 1:
        problems.add("canary", f"a first batch of {canary} servers is not possible", "give 1 or more")
    for tier in options["tiers"]:
        if 1 < counts.get(tier, 0) <= canary:
            wrong = f"{canary} servers are all servers of the tier {tier}"
            problems.add("canary", wrong, f"give at most {counts[tier] - 1}, so that others serve meanwhile")


def size_of(batch: str, servers: int) -> int | None:
    """Return the number of servers of a batch, or None if `batch` is invalid. A share of the tier is rounded down."""
    text = str(batch)
    if PERCENT.fullmatch(text) and 1 <= int(text[:-1]) <= 100:
        return max(1, servers * int(text[:-1]) // 100)
    return int(text) if text.isdecimal() and int(text) >= 1 else None


def check(servers: t.Sequence[Server], wish: Wish, problems: Problems) -> None:
    """Add to `problems` servers without the site, and releases that are neither on all servers nor packed."""
    for release in wish.releases:
        site, wanted = release["name"], release["id"]
        bare = [server.name for server in servers if not server.sites[site].current]
        if bare:
            right = "run groundwork.aws.site first, which configures them"
            problems.add("lamp_sites", f"'{site}' has no release yet on {', '.join(bare)}", right)
        lacking = [server.name for server in servers if wanted not in server.sites[site].kept]
        if lacking and not bare and not release["archive"]:
            right = f"give a release that all servers keep: {_kept_by_all(servers, site)}"
            problems.add("lamp_release", f"'{wanted}' of '{site}' is not on {', '.join(lacking)}", right)


def _kept_by_all(servers: t.Sequence[Server], site: str) -> str:
    kept = [set(server.sites[site].kept) for server in servers]
    return ", ".join(sorted(set.intersection(*kept))) or "none"


def batches(servers: t.Iterable[Server], wish: Wish) -> list[Batch]:
    """Return the batches: first the canaries of all tiers, then the next servers of each tier."""
    by_tier: dict[str, list[Server]] = {}
    for server in sorted(servers, key=lambda one: (one.number, one.name)):
        if not _is_done(server, wish):
            by_tier.setdefault(server.tier, []).append(server)
    slices = [_slices(by_tier[tier], wish, tier) for tier in wish.tiers if tier in by_tier]
    found = []
    for at, parts in enumerate(zip_longest(*slices, fillvalue=[])):
        together = tuple(server for part in parts for server in part)
        found.append(_batch(f"batch {at + 1}" if at else "canary", together, wish))
    return found


def _batch(name: str, servers: t.Iterable[Server], wish: Wish) -> Batch:
    together = tuple(servers)
    return Batch(name, together, tuple(one.name for one in together if len(wish.tiers[one.tier]) > 1))


def _is_done(server: Server, wish: Wish) -> bool:
    return server.serving and _is_released(server, wish)


def _is_released(server: Server, wish: Wish) -> bool:
    return all(server.sites[one["name"]].current == one["id"] for one in wish.releases)


def released_before(servers: t.Sequence[Server], wish: Wish) -> list[Server]:
    """Return the servers that an interrupted run has updated, and that go back with the others if this release fails.

    If more than half of the servers have the release, the result is empty. Then the site serves the release, and the
    failure of another server does not take it back.
    """
    having = [server for server in servers if _is_done(server, wish)]
    return having if len(having) * 2 <= len(servers) else []


def _slices(members: list[Server], wish: Wish, tier: str) -> list[list[Server]]:
    size = size_of(wish.batch, len(wish.tiers[tier])) or 1
    rest = members[wish.canary :]
    return [members[: wish.canary], *(rest[at : at + size] for at in range(0, len(rest), size))]


def back(server: Server, servers: t.Sequence[Server], wish: Wish) -> list[Release]:
    """Return the releases that a server goes back to: its own, or the most common one if it has the new one already."""
    found = []
    for release in wish.releases:
        own = server.sites[release["name"]]
        others = Counter(
            one.sites[release["name"]].current
            for one in servers
            if one.sites[release["name"]].current not in ("", release["id"])
        )
        before = own.current if own.current != release["id"] else max(others, key=others.__getitem__, default="")
        if before and before in own.kept:
            found.append({**release, "id": before, "archive": None, "command": None})
    return found


def probing(batch: Batch, wish: Wish) -> list[dict[str, t.Any]]:
    """Return the probes of a batch through the load balancers of its tiers."""
    tiers = {server.name: server.tier for server in batch.servers}
    return probes(
        tiers=tiers,
        releases=wish.releases,
        groups=wish.groups,
        urls=wish.urls,
        names=wish.names,
        hosts=wish.hosts,
        paths=wish.probe_paths,
    )


def probes(
    *,
    tiers: t.Mapping[str, str],
    releases: t.Sequence[t.Mapping[str, t.Any]],
    groups: t.Mapping[str, str],
    urls: t.Mapping[str, str],
    names: t.Mapping[str, t.Sequence[str]],
    hosts: t.Mapping[str, str],
    paths: t.Sequence[str],
) -> list[dict[str, t.Any]]:
    """Return the probes of servers through their load balancers, as options of the module `http_probe`.

    `tiers` are those of the servers, and `groups` those of the target groups. `urls` and `names` are those of target
    groups. Sites that are not in `hosts` are not probed, nor are those that no visitor reaches.
    """
    found = []
    for group, tier in groups.items():
        servers = [name for name, own in tiers.items() if own == tier]
        if servers and group in urls:
            for release in releases:
                way = _way(urls[group], names.get(group, ()), hosts.get(release["name"]))
                if way:
                    found.append(
                        {
                            "name": f"{release['name']} through {group}",
                            **way,
                            "paths": list(paths),
                            "servers": servers,
                            "release": release["id"],
                        }
                    )
    return found


def _way(url: str, names: t.Sequence[str], host: str | None) -> dict[str, str]:
    """Return how a site is requested at the URL of a target group, or nothing if it is not.

    The certificates of a load balancer cover its names. It is requested by its DNS name, and a distribution by one of
    the names: it answers for no other.
    """
    if host is None:
        return {}
    if not url.startswith("https://"):
        return {"url": url, "host": host, "tls_name": ""}
    covered = bool(host) and any(covers(name, host) for name in names)
    if host and not covered and urlsplit(url).hostname in names:
        return {}
    tls_name = host if covered else next(iter(names), "")
    return {"url": url, "host": host or tls_name, "tls_name": tls_name}


def commands(planned: t.Sequence[Batch], wish: Wish) -> dict[str, str]:
    """Return the release commands that one of the servers runs, by site."""
    has = [(site, has) for batch in planned for server in batch.servers for site, has in server.sites.items()]
    wanted = {one["name"] for one in wish.releases}
    return {site: ", ".join(one.command) for site, one in has if site in wanted and one.command}


def changes(planned: t.Sequence[Batch], wish: Wish) -> list[dict[str, str]]:
    """Return the plan in the form of a module's `changes`."""
    found = [
        {"action": "run", "resource": "release command", "name": f"{site}: {told}"}
        for site, told in commands(planned, wish).items()
    ]
    for server in (server for batch in planned for server in batch.servers):
        moved = [one for one in wish.releases if server.sites[one["name"]].current != one["id"]]
        named = [f"{one['name']} {one['id']} on {server.name}" for one in moved]
        found += [{"action": "update", "resource": "current release", "name": name} for name in named]
        if not moved:
            found.append({"action": "create", "resource": "targets", "name": server.name})
    return found


def differences(planned: t.Iterable[Batch], wish: Wish) -> list[dict[str, str]]:
    """Return the plan in the form of a module's `diff`, batch by batch."""
    return [
        {
            "before_header": batch.name,
            "after_header": batch.name,
            "before": _currents(batch, {}),
            "after": _currents(batch, {one["name"]: one["id"] for one in wish.releases}),
        }
        for batch in planned
    ]


def _currents(batch: Batch, ids: t.Mapping[str, str]) -> str:
    lines = [
        f"{server.name}: {site} {ids.get(site, has.current)}\n"
        for server in batch.servers
        for site, has in server.sites.items()
    ]
    return "".join(lines)


def report(servers: t.Sequence[Server], wish: Wish) -> dict[str, t.Any]:
    """Return the whole plan as data for a playbook, and as lines of text for the user."""
    planned = batches(servers, wish)
    before = _batch("released before", released_before(servers, wish) if planned else (), wish)
    return {
        "batches": [_told(batch, wish) for batch in planned],
        "before": [_told(before, wish)] if before.servers else [],
        "servers": {
            server.name: {
                "rotated": server.name in batch.rotated,
                "forward": list(wish.releases),
                "back": back(server, servers, wish),
            }
            for batch in (*planned, before)
            for server in batch.servers
        },
        "lines": [
            *(
                f"{site}: one server runs the release command first, unless that has been done: {told}"
                for site, told in commands(planned, wish).items()
            ),
            *(
                f"{batch.name}: {server.name}: {_step(server, batch, wish)}"
                for batch in planned
                for server in batch.servers
            ),
        ],
        "changes": changes(planned, wish),
        "diff": differences(planned, wish),
    }


def _told(batch: Batch, wish: Wish) -> dict[str, t.Any]:
    return {
        "name": batch.name,
        "servers": [server.name for server in batch.servers],
        "rotated": list(batch.rotated),
        "probes": probing(batch, wish),
    }


def _step(server: Server, batch: Batch, wish: Wish) -> str:
    """Return the step of a server as text: `app 3f2a9c01d4e5 -> 5b1c07aa9e12, drained first`."""
    moves = [(one["name"], server.sites[one["name"]].current, one["id"]) for one in wish.releases]
    told = [f"{site} {before} -> {after}" for site, before, after in moves if before != after]
    if not server.serving:
        way = "registered with its load balancer again"
    elif server.name in batch.rotated:
        way = "drained first"
    else:
        way = "not drained, because its tier has no other server"
    return ", ".join([*told, way])
