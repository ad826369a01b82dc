# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `ec2_inventory_check`: compare the servers in the inventory with those in EC2.

A play does not run on a server that is missing from the inventory, and Ansible reports success.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ansible.module_utils.common.yaml import yaml_load

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import ENVIRONMENT, Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    Server,
    instances_read,
    split_instances,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.run import COMPONENT

try:
    from yaml import YAMLError
except ImportError:
    pass  # Ansible itself needs it, and this module runs on the controller


# The plugin aws_ec2 reads files of these names and no others.
SOURCES = ("*aws_ec2.yml", "*aws_ec2.yaml")
TAG = f"tag:{ENVIRONMENT}"
VISIBLE = frozenset({"pending", "running"})  # the states that the inventory's filters ask for


@dataclass(frozen=True)
class Expected:
    """The options. `shown` has the instance ids of the inventory's hosts by name, and must contain all of `tiers`."""

    tiers: frozenset[str]
    shown: t.Mapping[str, str]
    sources: tuple[str, ...]
    starts_servers: bool


@dataclass(frozen=True)
class Source:
    """A file of the inventory plugin, with the plugin's options. `error` says why the file cannot be read."""

    path: str
    options: t.Mapping[str, t.Any]
    error: str = ""


def parse_expected(options: t.Mapping[str, t.Any], _problems: Problems) -> Expected:
    """Return the parsed options."""
    return Expected(
        frozenset(options["tiers"]),
        {str(name): str(server) for name, server in options["shown"].items()},
        tuple(options["sources"]),
        options["starts_servers"],
    )


def check_inventory(run: Run) -> dict[str, t.Any]:
    """Return the module's result. Raise GroundworkError if the playbook would omit servers that it must not omit."""
    owner, expected = run.parse(COMPONENT, parse_expected)
    servers, _gone = split_instances(observe(run.clients, {"instances": instances_read(owner)})["instances"])
    hidden = hidden_servers(owner, expected, servers.values())
    left_out = blocking(expected, servers.values(), hidden)
    if left_out:
        region = str(run.options.get("region") or "")
        raise GroundworkError(
            explain(owner, region, expected, left_out, read_sources(expected.sources)),
            hidden=[server.name for server in left_out],
        )
    if hidden and not expected.starts_servers:
        run.warn(
            f"The inventory does not contain {_listed(hidden)}. The playbook continues with the other servers of the "
            "tier. Run site.yml to start the stopped ones."
        )
    stopped = [{"name": owner.short(one.tags), "id": one.id} for one in hidden if one.state not in VISIBLE]
    return {"changed": False, "hidden": [server.name for server in hidden], "stopped": stopped}


def hidden_servers(owner: Owner, expected: Expected, servers: t.Iterable[Server]) -> list[Server]:
    """Return the servers of the tiers that the inventory does not contain under their tag Name, sorted by name.

    After an interrupted replacement, a server keeps the Name with the suffix `-next` until `replace.yml` is run again.
    """
    shown = expected.shown
    hidden = [one for one in servers if one.tier in expected.tiers and shown.get(owner.short(one.tags)) != one.id]
    return sorted(hidden, key=lambda server: server.name)


def blocking(expected: Expected, servers: t.Iterable[Server], hidden: t.Sequence[Server]) -> list[Server]:
    """Return the hidden servers that the playbook must not omit.

    These are the running ones, which would stay unchanged while the others change, and the stopped ones if the playbook
    does not start servers and the inventory contains no other server of the tier.
    """
    absent = {server.id for server in hidden}
    tiers_shown = {server.tier for server in servers if server.id not in absent}
    return [
        server
        for server in hidden
        if server.state in VISIBLE or not (expected.starts_servers or server.tier in tiers_shown)
    ]


def explain(
    owner: Owner, region: str, expected: Expected, hidden: t.Sequence[Server], sources: t.Sequence[Source]
) -> str:
    """Return the error message: the omitted servers, the cause, and what to do."""
    running = [server for server in hidden if server.state in VISIBLE]
    remedies = []
    if len(running) < len(hidden):
        remedies.append(
            "The inventory does not contain stopped servers. Run site.yml, which starts them, or start them in EC2. To "
            "release to the other tiers only, give those in release_tiers."
        )
    if running:
        remedies += causes(owner, region, expected, running, sources)
    return "\n".join(
        [
            f"The inventory does not contain these servers of the environment {owner.environment}, "
            f"which exist in {region}:",
            *(f"- {_described(server)}" for server in hidden),
            "Correct the cause and run again:",
            *(f"- {remedy}" for remedy in remedies),
        ]
    )


def causes(
    owner: Owner, region: str, expected: Expected, running: t.Sequence[Server], sources: t.Sequence[Source]
) -> list[str]:
    """Return the possible causes why the inventory does not contain these running servers, with the remedies."""
    if not sources:
        given = ", ".join(expected.sources) or "nothing"
        return [
            f"The inventory ({given}) has no file whose name ends in aws_ec2.yml, and only such a file reads the "
            "servers from EC2. Run ansible-playbook with -i inventories/<environment>, a folder like inventories/local."
        ]
    wrong = [line for source in sources for line in _wrong(source, owner, region)]
    called = {server_id: name for name, server_id in expected.shown.items()}
    wrong += [
        f"The inventory contains {server.name} as {called[server.id]}. Correct hostnames in its aws_ec2.yml."
        for server in running
        if server.id in called
    ]
    return wrong or [
        f"The settings of {', '.join(source.path for source in sources)} that were checked are right. Run "
        f"ansible-inventory -i {' -i '.join(expected.sources)} --graph and read its warnings: each server must be in "
        "the group of its tier, such as tier_public. The file may use other credentials, or differ from "
        "inventories/local/aws_ec2.yml in hostnames, compose or keyed_groups."
    ]


def _wrong(source: Source, owner: Owner, region: str) -> list[str]:
    """Return the settings of a source that exclude the environment's servers."""
    if source.error:
        return [f"{source.path}: cannot be read: {source.error}. Correct the file."]
    lines = []
    regions = _texts(source.options.get("regions"))
    if regions and region not in regions:
        lines.append(f"regions is {', '.join(regions)}, but aws_region is {region}. Give both the same region.")
    filters = source.options.get("filters") or {}
    wanted = {one["Name"]: one["Values"][0] for one in owner.filters()} | {"instance-state-name": "running"}
    for name, value in wanted.items():
        patterns = _texts(filters.get(name))
        if patterns and not any(fnmatchcase(value, pattern) for pattern in patterns):
            lines.append(f"filters has {name}: {', '.join(patterns)}, which excludes {value}. Correct the filter.")
    if "server_id" not in (source.options.get("compose") or {}):
        lines.append("compose has no server_id. Copy compose and keyed_groups from inventories/local/aws_ec2.yml.")
    return [f"{source.path}: {line}" for line in lines]


def mismatches(environment: str, region: str, sources: t.Iterable[Source]) -> t.Iterator[tuple[str, str, str]]:
    """Yield a variable, what is wrong and what is right for each file that is of another environment or region.

    A run would have the servers of one environment, and the variables of another one.
    """
    for source in sources:
        regions = _texts(source.options.get("regions"))
        if regions and region not in regions:
            wrong = f"'{region}' is not in regions of {source.path}, which has {', '.join(regions)}"
            yield "aws_region", wrong, "give both the same region"
        filters = source.options.get("filters")
        patterns = _texts(filters.get(TAG)) if isinstance(filters, dict) else []
        if patterns and not any(fnmatchcase(environment, pattern) for pattern in patterns):
            wrong = f"'{environment}' is not the environment of {source.path}, which is {', '.join(patterns)}"
            yield "environment_name", wrong, "correct one of them, and give one inventory to a run"


def read_sources(paths: t.Iterable[str]) -> list[Source]:
    """Read the files that the plugin aws_ec2 reads, among an inventory's sources and in its folders."""
    files = [file for path in paths for file in _candidates(Path(path))]
    return [_source(file) for file in files]


def _candidates(path: Path) -> list[Path]:
    found = sorted(path.iterdir()) if path.is_dir() else [path]
    return [file for file in found if any(fnmatchcase(file.name, pattern) for pattern in SOURCES)]


def _source(file: Path) -> Source:
    try:
        loaded = yaml_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        return Source(str(file), {}, " ".join(str(error).split()))
    return Source(str(file), loaded) if isinstance(loaded, dict) else Source(str(file), {}, "it is not a dictionary")


def _texts(value: t.Any) -> list[str]:
    """Return the values of a setting, or an empty list if it is not given or is a template."""
    texts = [str(one) for one in (value if isinstance(value, list) else [value or ""])]
    return [] if any("{{" in text for text in texts) else [text for text in texts if text]


def _listed(servers: t.Iterable[Server]) -> str:
    return ", ".join(_described(server) for server in servers)


def _described(server: Server) -> str:
    reason = f": {server.state_reason}" if server.state_reason else ""
    return f"{server.name} ({server.id}), which is {server.state}{reason}"
