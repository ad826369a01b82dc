"""A server that the inventory does not show is an error that tells why."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.inventory import (
    Expected,
    Source,
    blocking,
    explain,
    hidden_servers,
    mismatches,
    read_sources,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import Server

DEV = Path(__file__).parents[6] / "inventories" / "dev"
REGION = "eu-central-1"
NAMES = ["private-1", "private-2", "public-1", "public-2"]


def server(name: str, state: str = "running", called: str = "") -> Server:
    tier, _dash, number = name.partition("-")
    values = {name: "" for name, kind in t.get_type_hints(Server).items() if kind is str}
    of_it = {"id": f"i-{name}", "tier": tier, "number": int(number), "state": state}
    rest = {
        "security_group_ids": (),
        "volume_ids": (),
        "metadata": ("", 0, ""),
        "tags": {"Name": f"dev-{called or name}"},
    }
    return Server(**{**values, **of_it, **rest})


ALL = {name: f"i-{name}" for name in NAMES}


def without(*names: str) -> dict[str, str]:
    return {name: server_id for name, server_id in ALL.items() if name not in names}


def blocked(
    shown: t.Mapping[str, str],
    states: t.Mapping[str, str],
    tiers: t.Collection[str] = ("public", "private"),
    starts_servers: bool = False,
) -> tuple[list[str], list[str]]:
    """The names of the servers that are hidden, and of those that stop the playbook."""
    expected = Expected(frozenset(tiers), shown, (), starts_servers)
    servers = [server(name, states.get(name, "running")) for name in NAMES]
    hidden = hidden_servers(Owner("dev", "servers"), expected, servers)
    return [one.name for one in hidden], [one.name for one in blocking(expected, servers, hidden)]


PRIVATE_STOPPED = {"private-1": "stopped", "private-2": "stopping"}


@pytest.mark.parametrize(
    ("given", "hidden", "stopping"),
    [
        ((ALL, {}), [], []),
        (({}, {}), NAMES, NAMES),
        (({}, {}, ["public"]), NAMES[2:], NAMES[2:]),
        (({}, {}, []), [], []),
        (({}, {}, ["public", "private"], True), NAMES, NAMES),
        # A server that runs and is not shown would go on as it is while the others change.
        ((without("private-2"), {}), ["private-2"], ["private-2"]),
        ((without("private-2"), {"private-2": "pending"}), ["private-2"], ["private-2"]),
        # It is shown only by its own name and with its own id.
        (({**without("public-1"), "dev-public-1": "i-public-1"}, {}), ["public-1"], ["public-1"]),
        (({**ALL, "public-1": "i-before"}, {}), ["public-1"], ["public-1"]),
        # One that is stopped stops only a playbook for whose tier there is no other.
        ((without("private-2"), {"private-2": "stopped"}), ["private-2"], []),
        ((without(*NAMES[:2]), PRIVATE_STOPPED), NAMES[:2], NAMES[:2]),
        ((without(*NAMES[:2]), PRIVATE_STOPPED, ["public"]), [], []),
        ((without(*NAMES[:2]), PRIVATE_STOPPED, ["public", "private"], True), NAMES[:2], []),
        ((without(*NAMES[:2]), {"private-1": "stopped"}), NAMES[:2], NAMES[:2]),
    ],
)
def test_who_is_hidden_and_who_stops_the_playbook(
    given: tuple[t.Any, ...], hidden: list[str], stopping: list[str]
) -> None:
    assert blocked(*given) == (hidden, stopping)


def test_a_successor_that_has_not_got_its_predecessors_name_yet_is_shown() -> None:
    successor = server("public-1", called="public-1-next")
    expected = Expected(frozenset(["public"]), {"public-1-next": successor.id}, (), False)
    assert hidden_servers(Owner("dev", "servers"), expected, [successor]) == []


@pytest.fixture
def told(tmp_path: Path) -> t.Callable[..., str]:
    """What is told of servers that are not shown by an inventory with this text, or these settings over dev's."""

    def tell(
        settings: t.Mapping[str, t.Any] | str,
        servers: t.Sequence[Server] = (server("public-1"),),
        shown: t.Mapping[str, str] | None = None,
    ) -> str:
        dev = yaml.safe_load((DEV / "aws_ec2.yml").read_text())
        text = settings if isinstance(settings, str) else yaml.safe_dump({**dev, **settings})
        (tmp_path / "my.aws_ec2.yml").write_text(text)
        expected = Expected(frozenset(["public", "private"]), shown or {}, (str(tmp_path),), False)
        return explain(Owner("dev", "servers"), REGION, expected, servers, read_sources(expected.sources))

    return tell


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"regions": ["us-east-1"]}, f"regions is us-east-1, but aws_region is {REGION}. Give both the same region."),
        (
            {"filters": {"tag:groundwork:environment": "prod"}},
            "filters has tag:groundwork:environment: prod, which excludes dev. Correct the filter.",
        ),
        (
            {"filters": {"tag:groundwork:component": ["web*", "db"]}},
            "filters has tag:groundwork:component: web*, db, which excludes servers. Correct the filter.",
        ),
        (
            {"filters": {"instance-state-name": ["stopped"]}},
            "filters has instance-state-name: stopped, which excludes running. Correct the filter.",
        ),
        (
            {"compose": {}},
            "compose has no server_id. Copy compose and keyed_groups from inventories/local/aws_ec2.yml.",
        ),
        ({"compose": None, "filters": None}, "compose has no server_id."),
        ("{", "cannot be read: "),
        ("- a list", "cannot be read: it is not a dictionary. Correct the file."),
    ],
)
def test_the_cause_is_told_with_its_file(told: t.Any, tmp_path: Path, settings: t.Any, cause: str) -> None:
    assert f"- {tmp_path}/my.aws_ec2.yml: {cause}" in told(settings)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"regions": []},
        {"regions": [REGION, "us-east-1"], "filters": {"tag:groundwork:environment": "d*"}},
        {"regions": ["{{ lookup('env', 'AWS_REGION') }}"]},
    ],
)
def test_without_a_known_cause_the_way_to_find_it_is_told(told: t.Any, tmp_path: Path, settings: t.Any) -> None:
    told_lines = told(settings).splitlines()
    assert told_lines[:3] == [
        f"The inventory does not contain these servers of the environment dev, which exist in {REGION}:",
        "- public-1 (i-public-1), which is running",
        "Correct the cause and run again:",
    ]
    assert f"Run ansible-inventory -i {tmp_path} --graph and read its warnings" in told_lines[3]


def test_a_server_under_another_name_is_told(told: t.Any) -> None:
    message = told({}, shown={"dev-public-1": "i-public-1"})
    assert message.endswith(
        "\n- The inventory contains public-1 as dev-public-1. Correct hostnames in its aws_ec2.yml."
    )


def test_for_stopped_servers_the_inventory_is_not_blamed(told: t.Any) -> None:
    message = told({"compose": {}}, [server("public-1", "stopped")])
    assert message.splitlines()[1:] == [
        "- public-1 (i-public-1), which is stopped",
        "Correct the cause and run again:",
        "- The inventory does not contain stopped servers. Run site.yml, which starts them, or start them in EC2. To "
        "release to the other tiers only, give those in release_tiers.",
    ]


@pytest.mark.parametrize(
    ("sources", "given"), [((), "nothing"), (("/etc/hosts", "localhost,"), "/etc/hosts, localhost,")]
)
def test_an_inventory_without_a_file_for_the_plugin_is_told(sources: tuple[str, ...], given: str) -> None:
    expected = Expected(frozenset(["public"]), {}, sources, False)
    message = explain(Owner("dev", "servers"), REGION, expected, [server("public-1")], read_sources(sources))
    assert f"- The inventory ({given}) has no file whose name ends in aws_ec2.yml" in message


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"regions": ["eu-central-1"], "filters": {"tag:groundwork:environment": "dev"}}, []),
        ({}, []),
        ({"regions": "{{ region }}", "filters": {"tag:groundwork:environment": ["de*"]}}, []),
        ({"filters": "broken"}, []),
        (
            {"regions": ["eu-west-1", "eu-west-2"]},
            [("aws_region", "'eu-central-1' is not in regions of a/aws_ec2.yml, which has eu-west-1, eu-west-2")],
        ),
        (
            {"filters": {"tag:groundwork:environment": "prod"}},
            [("environment_name", "'dev' is not the environment of a/aws_ec2.yml, which is prod")],
        ),
    ],
)
def test_a_file_of_another_environment_or_region_is_told(
    settings: dict[str, t.Any], told: list[tuple[str, str]]
) -> None:
    found = mismatches("dev", "eu-central-1", [Source("a/aws_ec2.yml", settings)])
    assert [(variable, wrong) for variable, wrong, _right in found] == told
