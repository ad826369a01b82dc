"""Whatever value a variable of any role has, the answer is a list of problems that name it, or success."""

from __future__ import annotations

import random
import reprlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from garbage import GARBAGE as VALUES
from garbage import places, put, sample

from ansible_collections.groundwork.aws.plugins.action.preflight import ROLES, ActionModule
from ansible_collections.groundwork.aws.plugins.module_utils.arguments.cloudfront_response_headers_policy import (
    ARGUMENTS as HEADERS,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problem
from ansible_collections.groundwork.aws.plugins.module_utils.project.usage import Usage, usage
from ansible_collections.groundwork.aws.plugins.module_utils.project.variables import Specs, Variable, followed, root
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import OWN_OPTIONS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.server_roles.run import RIGHTS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import TIER_OPTIONS

ROOT = Path(__file__).parents[4]
LOADER = DataLoader()
SPECS = {path.parents[1].name: yaml.safe_load(path.read_text()) for path in ROLES.glob("*/meta/argument_specs.yml")}
OPTIONS = {role: loaded["argument_specs"]["main"]["options"] for role, loaded in SPECS.items()}
EVERY = {name: spec for own in OPTIONS.values() for name, spec in own.items()}
PLAYBOOKS = {path.stem: usage(path, ROLES) for path in sorted((ROOT / "playbooks").glob("*.yml"))}
EVERYTHING = Usage(frozenset(OPTIONS), frozenset(EVERY))
SEED = 8

# Templates, a number that Python does not print, one that Ansible's own validation computes for minutes, and one of
# which there is no list.
GARBAGE = [
    *(*VALUES, 10**5000, "1e999999", 10**12),
    *("{{ nope }}", "{{ ", "{% if %}", "{{ 1 / 0 }}", "{{ [] | nope }}", "{{ network_zones[9] }}", "{{ omit }}"),
]
# What suboptions there are where a role's spec tells none.
FREE = {
    "servers_tiers": {"public": TIER_OPTIONS, "private": {**TIER_OPTIONS, **OWN_OPTIONS}},
    "servers_roles": {"private": RIGHTS},
}


def samples() -> dict[str, Any]:
    found = {name: sample(spec) for name, spec in EVERY.items()}
    for name, keys in FREE.items():
        found[name] = {key: sample({"type": "dict", "options": options}) for key, options in keys.items()}
    found["static_site_response_headers"] = sample({"type": "dict", "options": HEADERS})
    return found


SAMPLES = samples()


def trusted(value: Any) -> Any:
    """A value as an inventory file would bring it: its texts are templates."""
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: trusted(part) for key, part in value.items()}
    return [trusted(part) for part in value] if isinstance(value, list) else value


class Preflight(ActionModule):
    """The action without a task. What does not follow from the variables that are changed is templated once."""

    def __init__(self) -> None:
        self._loader = LOADER
        self._templar = Templar(LOADER)
        self._base: dict[str, Variable] = {}
        loaded = {
            path.parent: LOADER.load_from_file(str(path), trusted_as_template=True)
            for path in ROLES.glob("*/defaults/main.yml")
        }
        self._defaults = loaded
        inventory = LOADER.load_from_file(str(ROOT / "inventories/local/group_vars/all.yml"), trusted_as_template=True)
        self.given = {**inventory, "environment_confirm": "local", "inventory_dir": str(ROOT / "inventories/local")}
        self.given |= {"inventory_hostname": "localhost", "hostvars": {}}
        self._base = super()._variables({**OPTIONS}, self.given)

    def _load(self, path: Path) -> dict[str, Any]:
        return dict(self._defaults.get(path.parent, {}))

    def _variables(self, specs: Specs, given: Mapping[str, Any]) -> dict[str, Variable]:
        changed = {name for name in EVERY if name in given and given[name] is not self.given.get(name)}
        touched = {name for name in EVERY if name in changed or followed(name, self._base) & changed}
        new = super()._variables({**{role: {} for role in specs}, "": dict.fromkeys(touched)}, given)
        names = {name for own in specs.values() for name in own}
        return {name: one for name, one in {**self._base, **new}.items() if name in names}

    def told(self, used: Usage, changes: Mapping[str, Any]) -> list[Problem]:
        given = {**self.given, **{name: trusted(value) for name, value in changes.items()}}
        return self._check(used, OPTIONS, given)


@pytest.fixture(scope="module")
def preflight() -> Preflight:
    return Preflight()


def shown(changes: Mapping[str, Any]) -> str:
    """The changes for a message; of a number of 5,000 digits Python tells nothing."""
    short = reprlib.Repr()
    short.maxlevel, short.maxdict, short.maxlist, short.maxstring = 9, 50, 50, 300
    return short.repr(dict(changes))


def check(preflight: Preflight, used: Usage, changes: Mapping[str, Any]) -> None:
    """The invariant: nothing is raised, and each problem is a line that names a variable, once."""
    try:
        problems = preflight.told(used, changes)
    except Exception as error:
        raise AssertionError(f"{shown(changes)}: {error!r}") from error
    lines = [str(problem) for problem in problems]
    assert len(set(lines)) == len(lines), shown(changes)
    for problem, line in zip(problems, lines, strict=True):
        assert root(problem) in EVERY, (shown(changes), line)
        assert line.isprintable() and len(line) < 2000, (shown(changes), line)
        assert problem.wrong and problem.right, (shown(changes), line)


def test_the_inventory_as_it_is_has_no_problem(preflight: Preflight) -> None:
    for name, used in PLAYBOOKS.items():
        assert preflight.told(used, {}) == [], name


def cases(count: int, changed: int) -> Iterator[dict[str, Any]]:
    """Inventories in which so many variables have garbage somewhere; the same at each run."""
    draw = random.Random(f"{SEED} {changed}")  # noqa: S311 - no secret
    for _case in range(count):
        names = draw.sample(sorted(SAMPLES), changed)
        yield {name: put(SAMPLES[name], draw.choice([*places(SAMPLES[name])]), draw.choice(GARBAGE)) for name in names}


@pytest.mark.parametrize(("changed", "count"), [(1, 600), (2, 150), (3, 50)])
def test_no_value_crashes_the_check(preflight: Preflight, changed: int, count: int) -> None:
    used = [EVERYTHING, *PLAYBOOKS.values()]
    for number, changes in enumerate(cases(count, changed)):
        check(preflight, used[number % len(used)], changes)


@pytest.mark.parametrize("name", sorted(EVERY))
def test_each_variable_is_told_by_its_name(preflight: Preflight, name: str) -> None:
    """An expression that refers to nothing, at the top and, where the value is a whole, within."""
    for value in ("{{ nope }}", [{"x": "{{ nope.nope }}"}]):
        [problem] = [one for one in preflight.told(EVERYTHING, {name: value}) if root(one) == name]
        assert "is undefined" in problem.wrong or EVERY[name].get("no_log"), problem


@pytest.mark.parametrize("garbage", [[], {}, "x", None, 5])
def test_every_variable_wrong_at_once(preflight: Preflight, garbage: Any) -> None:
    check(preflight, EVERYTHING, dict.fromkeys(EVERY, garbage))


def test_expressions_that_go_round_are_told_by_name(preflight: Preflight) -> None:
    changes = {"lamp_memory_mb": "{{ lamp_keepalive_timeout }}", "lamp_keepalive_timeout": "{{ lamp_memory_mb }}"}
    problems = preflight.told(EVERYTHING, changes)
    assert {problem.variable for problem in problems} == {*changes}
    assert all(problem.wrong.startswith("Recursive loop") for problem in problems)


def test_a_value_that_contains_itself_is_told_by_name(preflight: Preflight) -> None:
    endless: dict[str, Any] = {}
    endless["x"] = endless
    [problem] = preflight._check(EVERYTHING, OPTIONS, {**preflight.given, "lamp_php_settings": endless})
    assert str(problem).startswith("lamp_php_settings: the value contains itself;")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"network_zones": 5}, ["network_zones[0]"]),
        ({"network_zones": ["nowhere-a"]}, ["network_zones[0]"]),
        ({"firewall_admin_cidrs": ["nowhere"]}, ["firewall_admin_cidrs[0]"]),
        ({"network_tiers": "{{ nope }}"}, ["network_tiers"]),
        ({"environment_name": []}, ["environment_name"]),
        ({"alb_target_groups": 5, "servers_deadline": "x"}, ["alb_target_groups[0]", "servers_deadline"]),
        ({"static_site_bucket": "{{ nope }}", "lamp_bucket": "{{ static_site_bucket }}"}, ["static_site_bucket"]),
    ],
)
def test_a_cause_is_told_once(preflight: Preflight, changes: dict[str, Any], expected: list[str]) -> None:
    assert sorted(problem.variable for problem in preflight.told(EVERYTHING, changes)) == expected


@pytest.mark.parametrize(
    ("playbook", "changes", "told"),
    [
        # What a playbook does not use does not stop it, and what it uses of other roles does.
        ("publish", {"servers_tiers": 5, "lamp_sites": "{{ nope }}", "network_cidr": None}, []),
        ("teardown", {"servers_tiers": 5, "lamp_sites": 5, "static_site_spa": "x"}, []),
        ("release", {"firewall_groups": 5, "image_keep": "x", "static_site_spa": "x"}, []),
        ("release", {"network_tiers": 5}, ["network_tiers[0]: '5' is not a dictionary; give a dictionary."]),
        ("teardown", {"servers_directory": [1]}, ["servers_directory: [1] is not a path; give a path."]),
        (
            "release",
            {"firewall_admin_cidrs": ["x"]},
            ["firewall_admin_cidrs[0]: 'x' is not an IPv4 CIDR block; write address/prefix, for example 10.20.0.0/16."],
        ),
        (
            "image",
            {"firewall_admin_cidrs": []},
            [
                "image_admin_cidrs: is empty, so the controller cannot connect to the "
                "builder (the value depends on firewall_admin_cidrs); "
                "give the addresses that Ansible connects from."
            ],
        ),
        (
            "replace",
            {"servers_tiers": {"private": {"count": 1, "instance_type": "t3.small", "security_groups": ["web"]}}},
            [
                "servers_tiers.private.security_groups: 'web' is not a security group; "
                "use one of private-alb, private-servers, public-alb, public-servers."
            ],
        ),
    ],
)
def test_a_playbook_checks_what_it_uses(
    preflight: Preflight, playbook: str, changes: dict[str, Any], told: list[str]
) -> None:
    assert [str(problem) for problem in preflight.told(PLAYBOOKS[playbook], changes)] == told


@pytest.mark.parametrize("secret", [5, "{{ nope }} correct-horse", ["correct-horse"], {"app": ["correct-horse"]}])
def test_no_secret_is_told(preflight: Preflight, secret: Any) -> None:
    problems = preflight.told(EVERYTHING, {"lamp_database_passwords": secret})
    assert problems
    assert not [problem for problem in problems if "horse" in str(problem)]


def test_what_a_playbook_before_has_registered_is_no_variable_of_people(preflight: Preflight) -> None:
    """As in `ansible-playbook site.yml playbooks/release.yml`."""
    registered = (
        "alb_result",
        "network_made",
        "network_public_cidrs",
        "servers_group",
        "lamp_boot",
        "release_plan",
        "database_made",
        "database_found",
        "database_password",
        "database_address",
    )
    assert preflight.told(EVERYTHING, {name: {} for name in registered}) == []
    [problem] = preflight.told(EVERYTHING, {"network_colour": "green"})
    assert problem.variable == "network_colour"


BAD_INPUT = yaml.safe_load((ROOT / "tests" / "support" / "bad_input.yml").read_text())


@pytest.mark.parametrize("case", BAD_INPUT, ids=lambda case: case["name"])
def test_a_wrong_inventory_is_refused_by_name(preflight: Preflight, case: dict[str, Any]) -> None:
    lines = [str(problem) for problem in preflight.told(PLAYBOOKS["site"], case["variables"])]
    assert [line for line in lines if case["message"] in line], lines


def test_what_the_inventory_tells_of_a_server_has_no_problem(preflight: Preflight) -> None:
    """As in a run that is limited to a server: its variables are those that the inventory's plugin makes."""
    made = {"ec2_instance_type": "t3.small", "ec2_image_id": "ami-1", "ec2_ec2_tags": {}}
    composed = {
        "server_id": "i-1",
        "server_tags": {},
        "server_private_address": "10.0.0.4",
        "server_public_address": "",
    }
    assert preflight.told(PLAYBOOKS["site"], {**made, **composed}) == []


SCALED = [case for case in BAD_INPUT if ".group" in case["message"] and "scaling" in str(case["variables"])]


@pytest.mark.parametrize("case", SCALED, ids=lambda case: case["name"])
def test_wrong_scaling_is_one_message(preflight: Preflight, case: dict[str, Any]) -> None:
    assert len(SCALED) >= 14
    told = preflight.told(PLAYBOOKS["site"], case["variables"])
    assert [case["message"] in str(problem) for problem in told] == [True]


MANAGED = [case for case in BAD_INPUT if "managed" in case["variables"].values() or "managed" in case["message"]]


@pytest.mark.parametrize("case", MANAGED, ids=lambda case: case["name"])
def test_a_wrong_database_is_one_message(preflight: Preflight, case: dict[str, Any]) -> None:
    assert len(MANAGED) >= 40
    assert len(preflight.told(PLAYBOOKS["site"], case["variables"])) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lamp_sites": [{"name": "admin"}, {"name": "shop", "server_names": ["shop.test"]}]},
        {
            "database_engine_version": "10.11",
            "database_parameters": {"max_connections": 200, "sql_mode": "ANSI_QUOTES"},
        },
        {"database_backup_window": "23:30-00:30", "database_maintenance_window": "sat:23:00-sat:23:30"},
        {"database_storage_gib": 100, "database_max_storage_gib": 0, "database_multi_az": True},
    ],
)
def test_a_managed_database_needs_one_variable(preflight: Preflight, changes: dict[str, Any]) -> None:
    assert preflight.told(EVERYTHING, {"lamp_database_server": "managed", **changes}) == []


FRONTED = [case for case in BAD_INPUT if "alb_distributions" in case["variables"]]


@pytest.mark.parametrize("case", FRONTED, ids=lambda case: case["name"])
def test_a_wrong_distribution_is_one_message(preflight: Preflight, case: dict[str, Any]) -> None:
    assert len(preflight.told(PLAYBOOKS["site"], case["variables"])) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"alb_distributions": [{"name": "public"}]},
        {"alb_distributions": [{"name": "public", "open": True, "static_paths": []}, {"name": "private"}]},
        {"alb_distributions": [{"name": "public"}], "firewall_public_web_ports": [8080], "alb_rotate": "public"},
    ],
)
def test_a_distribution_needs_a_name_and_nothing_more(preflight: Preflight, changes: dict[str, Any]) -> None:
    names = {"public": ["www.example.com"], "private": ["in.example.com"]}
    assert preflight.told(EVERYTHING, {"dns_zone": "example.com", "alb_names": names, **changes}) == []
