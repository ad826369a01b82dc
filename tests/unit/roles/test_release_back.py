"""The real role `release` with servers that fail during the release: the rollback and the final report.

Fakes record what the modules would do. Ansible itself runs the tasks and selects the hosts.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.exhaustive  # each of them starts Ansible several times

ROOT = Path(__file__).parents[3]
FAKED = ("in_controller", "server", "http_probe")  # the first is what runs elbv2_target_rotation: meta/runtime.yml
TIERS: Mapping[str, int] = MappingProxyType({"public": 2, "private": 2})
SITE = {"name": "app", "path": "/srv/www/app", "id": "new", "archive": "/nowhere/app-new.tar.gz"}
SEEN = {
    "lamp_seen": {"sites": {"app": {"current": "old", "kept": ["old"]}}},
    "lamp_releases": [SITE],
    "lamp_hosts": {"app": ""},
}
VARIABLES = {
    "environment_name": "dev",
    "aws_region": "eu-central-1",
    "lamp_sites": [{"name": "app"}],
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
}
AGAIN = "  ansible-playbook -i inventories/dev groundwork.aws.release"


@pytest.fixture
def release(tmp_path: Path, stage: Any) -> Any:
    """Return a function that runs the role with rules and a dead host and returns the calls and the final report."""
    see = [{"name": "See", "ansible.builtin.set_fact": SEEN}]
    own = stage(["roles/release", "plugins/action/release_plan.py"], FAKED, {"see_releases": see})

    def run(
        *rules: dict[str, Any], gone: str = "", tiers: Mapping[str, int] = TIERS, **more: Any
    ) -> tuple[list[str], list[str]]:
        folder = tmp_path / "inventories" / "dev"
        folder.mkdir(parents=True)
        (tmp_path / "playbooks").mkdir()
        play = [{"hosts": "servers", "gather_facts": False, "roles": ["groundwork.aws.release"]}]
        (tmp_path / "playbooks" / "release.yml").write_text(yaml.safe_dump(play))
        (folder / "hosts.yml").write_text(yaml.safe_dump(inventory(tiers, gone, more)))
        returns = {"urls": {"public": "http://public.test"}, "names": {}, "absent": []}
        played = own.play(str(folder), "playbooks/release.yml", rules, returns)
        assert played.code != 0, played.told
        results = [result for task in played.told["plays"][0]["tasks"] for result in task["hosts"].values()]
        [story] = [str(result["msg"]) for result in results[-1:] if result.get("failed")]
        return played.done, story.splitlines()

    return run


def inventory(tiers: Mapping[str, int], gone: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inventory, with more variables. The host `gone` has an address where no server listens."""
    nowhere = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    groups = {
        f"tier_{tier}": {
            "hosts": {
                f"{tier}-{n}": {
                    "server_id": f"i-{tier}{n}",
                    "server_tags": {"groundwork:tier": tier},
                    **(nowhere if gone == f"{tier}-{n}" else {}),
                }
                for n in range(1, count + 1)
            }
        }
        for tier, count in tiers.items()
    }
    variables = {**VARIABLES, **more, "servers_tiers": {tier: {"count": count} for tier, count in tiers.items()}}
    return {"all": {"vars": variables, "children": {"servers": {"children": groups}}}}


def test_a_host_that_dies_in_its_batch_is_left_and_its_mate_goes_back(release: Any) -> None:
    stopped = [{"name": "public-3", "id": "i-public3"}]
    dead = {"task": "Release to", "host": "private-1", "then": "unreachable"}
    done, story = release(dead, release_stopped=stopped)
    assert done.index("Hold the stopped servers: ") < done.index("Deregister canary: ")
    assert "Hold the servers that were not rolled back: " in done
    assert done.count("Record on the servers that the release was taken back: ") == 4
    assert "Release the previous version to canary: public-1" in done
    assert not [line for line in done if "private-1" in line and "before" in line]
    assert not [line for line in done if "batch 2" in line]
    assert story == [
        "The release failed and was rolled back.",
        "- private-1 could not be reached.",
        "- private-1 (i-private1) is deregistered from its target groups, and had app old.",
        "- private-2 is unchanged: it did not get the release.",
        "- public-1 has app old again.",
        "- public-2 is unchanged: it did not get the release.",
        "To make private-1 serve what the other servers serve, start or reboot private-1, and run",
        f"{AGAIN} -e lamp_release=old",
        "To release again when the cause is fixed:",
        AGAIN,
    ]


def test_a_host_that_dies_on_the_way_back_keeps_nobody_from_it(release: Any) -> None:
    bad = {"task": "Through the load balancers, test batch 2", "then": "errors rose"}
    done, story = release(bad, {"task": "Release the previous version", "host": "public-2", "then": "unreachable"})
    for name, batch in (("public-1", "canary"), ("private-1", "canary"), ("private-2", "batch 2")):
        assert f"Release the previous version to {batch}: {name}" in done
        assert f"- {name} has app old again." in story
    assert "- public-2 could not be reached." in story
    assert "- public-2 (i-public2) is deregistered from its target groups, and had app old." in story
    assert f"{AGAIN} -e lamp_release=old" in story


def test_who_dies_unnoticed_is_noticed_at_the_end(release: Any) -> None:
    story = release({"task": "Through the load balancers, test canary", "then": "errors rose"}, gone="private-2")[1]
    assert "- private-2 could not be reached." in story
    assert "- private-2 is unchanged: it did not get the release." in story


def test_with_nobody_else_to_serve_they_go_back_in_place(release: Any) -> None:
    bad = {"task": "Through the load balancers, test batch 2", "then": "errors rose"}
    done, story = release(bad, {"task": "For the rollback, deregister batch 2", "then": "nobody else is healthy"})
    assert "Release the previous version to batch 2: public-2" in done
    assert {f"- {tier}-{n} has app old again." for tier in TIERS for n in (1, 2)} <= set(story)


def test_a_tiers_only_server_that_dies_is_told_to_be_in_its_balancer(release: Any) -> None:
    rule = {"task": "Release to", "host": "private-1", "then": "unreachable"}
    story = release(rule, tiers={"public": 2, "private": 1})[1]
    told = "- private-1 (i-private1) stays registered, since its tier has no other server, and had app old."
    assert told in story


PAGE = {"site": "app", "path": "/", "status": 500, "fault": "answered 500, expected 200-399"}


def given(host: str, **result: Any) -> dict[str, Any]:
    """Return a rule by which the page of a server fails with the release."""
    return {"task": "Release to", "host": host, "then": f"{host}: a page fails", "result": result}


def back(host: str, *failed: dict[str, Any], task: str = "Release the previous version") -> dict[str, Any]:
    """Return a rule with the pages that fail on a server with the previous release."""
    return {"task": task, "host": host, "then": "", "result": {"failed_pages": list(failed)}}


def test_a_page_that_failed_before_too_takes_nothing_back_and_no_server_out(release: Any) -> None:
    done, story = release(given("public-1", taken_back={}, failed_before=[PAGE]))
    assert not [line for line in done if "previous version to" in line or "the rollback, deregister" in line]
    assert done[-1] == "Register the servers that were registered before: "
    assert story == [
        "The release failed and was not rolled back: no page failed that was answered as expected before.",
        "- public-1: Release to canary: public-1: a page fails",
        "- private-1 has the release, and is registered with its target groups if it was before.",
        "- private-2 is unchanged: it did not get the release.",
        "- public-1 has the release, and is registered with its target groups if it was before.",
        "- public-2 is unchanged: it did not get the release.",
        "To release again when the cause is fixed:",
        AGAIN,
    ]


def test_one_page_that_was_answered_before_takes_all_servers_back(release: Any) -> None:
    lost = given("private-1", taken_back={"app": "old"}, failed_before=[])
    done, story = release(given("public-1", taken_back={}, failed_before=[PAGE]), lost)
    for name in ("public-1", "private-1"):
        assert f"Release the previous version to canary: {name}" in done
        assert f"- {name} has app old again." in story
    assert story[0] == "The release failed and was rolled back."


def test_a_page_that_fails_everywhere_leaves_no_server_out(release: Any) -> None:
    """For example because a shared database was stopped in the meantime."""
    asked = [back(f"public-{n}", PAGE, task="Check the servers") for n in (1, 2)]
    story = release(
        {"task": "Through the load balancers, test canary", "then": "errors rose"}, back("public-1", PAGE), *asked
    )[1]
    at = story.index("- public-1 has app old again.")
    assert story[at + 1] == "  app: / answered 500, expected 200-399. The other servers answer in the same way."
    assert not [line for line in story if "is deregistered" in line]


@pytest.mark.parametrize("before", [[], [PAGE]])
def test_a_page_that_fails_on_one_server_leaves_it_out_unless_it_failed_before(
    release: Any, before: list[dict[str, Any]]
) -> None:
    released = {"task": "Release to", "host": "public-1", "then": "", "result": {"failed_before": before}}
    story = release(
        released,
        {"task": "Through the load balancers, test canary", "then": "errors rose"},
        back("public-1", PAGE),
        back("public-2", task="Check the servers"),
    )[1]
    out = [line for line in story if line.startswith("- public-1 (i-public1) has app old again, and is deregistered")]
    assert (out == []) == bool(before)
