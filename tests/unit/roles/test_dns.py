"""The real role `dns` around the role `alb`: which modules get which options, and when none is called.

Fakes record what the modules would do. Ansible itself runs the tasks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
EDGE = "arn:aws:acm:us-east-1:123456789012:certificate/2"
VARIABLES = {
    "environment_name": "dev",
    "aws_region": "eu-central-1",
    "network_zones": ["eu-central-1a", "eu-central-1b"],
    "static_site_source": "site",
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
}
NAMES = {
    "dns_zone": "example.com",
    "alb_names": {"public": ["www.example.com", "example.com"]},
    "static_site_aliases": ["static.example.com"],
}
WEB = {"name": "alb-public", "arn": ARN, "names": ["www.example.com", "example.com"], "issued": True}
SITE = {"name": "edge-site", "arn": EDGE, "names": ["static.example.com"], "issued": True}
BALANCER = {"name": "public", "dns_name": "lb.elb.amazonaws.com", "zone_id": "Z1", "url": "http://lb/"}
ENTRY = {"name": "_1.example.com", "type": "CNAME", "value": "_2.acm-validations.aws", "visible": False}


@pytest.fixture
def named(tmp_path: Path, stage: Any) -> Any:
    """Return a function that runs the roles, and returns the options of each module by the task's name."""
    own = stage(["roles/dns", "roles/alb", "roles/static_site"], ("in_controller",), {})

    def run(
        variables: dict[str, Any],
        certificates: dict[str, Any],
        records: dict[str, Any],
        *words: str,
        before: Any = (),
    ) -> Any:
        (tmp_path / "given").unlink(missing_ok=True)
        parts = ("certificates.yml", "records.yml", "close.yml", "finish.yml")
        roles = [("dns", parts[0]), ("alb", "main.yml"), *(("dns", part) for part in parts[1:])]
        closing = {"when": "dns_former | default([]) | length > 0"}
        tasks = [
            {
                "ansible.builtin.include_role": {"name": f"groundwork.aws.{name}", "tasks_from": part},
                **(closing if part == "close.yml" else {}),
            }
            for name, part in roles
        ]
        play = [{"hosts": "localhost", "gather_facts": False, "vars": {**VARIABLES, **variables}, "tasks": tasks}]
        (tmp_path / "play.yml").write_text(json.dumps(play))
        pending = {"pending": [], "replaced": [], "certificates": [WEB, SITE], "changes": [], **certificates}
        told = {"entries": [], "moved": [], "undeclared": [], "owned": [], "ttl": 0, **records}
        looked = {"owned": [{**one, "former": []} for one in before]}
        rules = [
            {"task": "Look up the certificates", "then": "", "result": pending},
            {"task": "Look up what the names lead to", "then": "", "result": looked},
            {"task": "Request the certificates", "then": "", "result": pending},
            {"task": "Create the load balancers", "then": "", "result": {"load_balancers": [BALANCER]}},
            *({"task": task, "then": "", "result": told} for task in ("Enter the validation", "Point the names")),
        ]
        played = own.play("localhost,", "play.yml", rules, {}, "-e", "__dns_alias_ttl=0", *words)
        assert played.code == 0, played.told
        lines = (tmp_path / "given").read_text().splitlines()
        shown = [
            str(result["msg"])
            for task in played.told["plays"][0]["tasks"]
            for result in task["hosts"].values()
            if result.get("action", "").endswith("debug") and "msg" in result
        ]
        return [
            (task, next(iter(args.values())) if len(args) == 1 else args) for task, args in map(json.loads, lines)
        ], shown

    return run


def test_without_names_nothing_more_is_called(named: Any) -> None:
    done, shown = named({}, {}, {})
    [(task, options)] = done
    assert task == "Create the load balancers"
    assert [listener["port"] for one in options["load_balancers"] for listener in one["listeners"]] == [80, 80]
    assert shown == []


def test_issued_certificates_are_used_and_the_names_published(named: Any) -> None:
    done, _shown = named(NAMES, {}, {})
    assert [task for task, _options in done] == [
        "Look up the certificates",
        "Create the load balancers",
        "Point the names to their targets",
    ]
    options = dict(done)
    certificates = options["Look up the certificates"]["certificates"]
    assert [(one["name"], one.get("region")) for one in certificates] == [
        ("alb-public", None),
        ("edge-site", "us-east-1"),
    ]
    public = options["Create the load balancers"]["load_balancers"][0]
    assert [(one["port"], one.get("certificates")) for one in public["listeners"]] == [(443, [ARN]), (80, None)]
    records = options["Point the names to their targets"]
    assert [one["name"] for one in records["aliases"]] == NAMES["alb_names"]["public"]
    assert (records["kept"], records["purge"], records["elsewhere"]) == (["static.example.com"], False, False)
    assert records["certificates"] == [{key: one[key] for key in ("arn", "names")} for one in (WEB, SITE)]


def test_pending_certificates_are_validated_and_awaited(named: Any) -> None:
    pending = {"pending": ["alb-public"], "certificates": [{**WEB, "issued": False}, SITE], "changes": [{}]}
    done, _shown = named({**NAMES, "dns_adopt": ["www.example.com"]}, pending, {})
    tasks = [task for task, _options in done]
    assert tasks[:5] == [
        "Look up the certificates",
        "Look up what the names lead to",
        "Request the certificates",
        "Enter the validation records",
        "Wait for the certificates to be issued",
    ]
    check, validation, wait = done[1][1], done[3][1], done[4][1]
    assert check["adopt"] == validation["adopt"] == ["www.example.com"]
    assert sorted(check["kept"]) == ["example.com", "static.example.com", "www.example.com"]
    assert validation["certificates"] == [{"arn": ARN, "names": WEB["names"]}]
    assert sorted(validation["kept"]) == ["example.com", "static.example.com", "www.example.com"]
    assert (validation["wait"], validation["check_delegation"], wait["wait"]) == (True, True, True)


def test_a_plan_does_not_wait(named: Any) -> None:
    pending = {"pending": ["alb-public"], "certificates": [{**WEB, "issued": False}, SITE], "replaced": ["old"]}
    done, _shown = named(NAMES, pending, {"moved": ["www.example.com"]}, "--check")
    options = dict(done)
    assert "Wait for the certificates to be issued" not in options
    assert options["Point the names to their targets"]["planned"] is True
    assert options["Delete the certificates that were replaced"]["planned"] is True


def test_records_of_a_zone_elsewhere_are_shown_before_the_wait(named: Any) -> None:
    pending = {"pending": ["alb-public"], "certificates": [{**WEB, "issued": False}, SITE]}
    done, shown = named({**NAMES, "dns_zone_elsewhere": True}, pending, {"entries": [ENTRY]})
    assert dict(done)["Enter the validation records"]["wait"] is False
    assert "_2.acm-validations.aws" in shown[0]
    assert "www.example.com leads to lb.elb.amazonaws.com" in shown[1]
    assert dict(done)["Point the names to their targets"]["certificates"] == []


def test_replaced_certificates_leave_at_the_end(named: Any) -> None:
    done, shown = named({**NAMES, "alb_hsts": 300}, {"replaced": ["old"]}, {"undeclared": ["shop.example.com"]})
    task, options = done[-1]
    assert (task, options["replaced"]) == ("Delete the certificates that were replaced", "delete")
    assert "Browsers that have visited shop.example.com use HTTPS" in shown[0]


MOVED = {"name": "shop.example.com", "resource": "alb-private"}
MOVES = {**NAMES, "alb_names": {"public": [*NAMES["alb_names"]["public"], "shop.example.com"]}, "alb_purge": True}


def test_what_serves_a_name_leaves_after_its_records_have_moved(named: Any) -> None:
    """The load balancer keeps its listeners and certificate, and nothing is purged, until then."""
    after = {"owned": [{"name": "shop.example.com", "resource": "alb-public", "former": ["alb-private"]}]}
    done, _shown = named(MOVES, {"changes": [{}], "replaced": ["old"]}, after, before=[MOVED])
    tasks = [task for task, _options in done]
    assert tasks == [
        "Look up the certificates",
        "Look up what the names lead to",
        "Request the certificates",
        "Create the load balancers",
        "Point the names to their targets",
        "Request the certificates",
        "Delete what ownership records say of former targets",
        *["Delete the distributions of load balancers that have none any more"] * 2,
        "Delete the certificates that were replaced",
    ]
    first, last = done[2][1]["certificates"], done[5][1]["certificates"]
    assert [one["name"] for one in first] == ["alb-public", "alb-private", "edge-site"]
    assert [one["name"] for one in last] == ["alb-public", "edge-site"]
    balancers = done[3][1]
    assert balancers["purge"] is False
    assert [len(one["listeners"]) for one in balancers["load_balancers"]] == [2, 2]
    assert done[6][1]["forget"] is True


def test_what_serves_a_name_stays_while_its_records_do(named: Any) -> None:
    """The name is not declared, and its records stay without dns_purge."""
    stays = {"owned": [{**MOVED, "former": []}], "undeclared": ["shop.example.com"]}
    done, shown = named({**NAMES, "alb_purge": True}, {"replaced": ["old"]}, stays, before=[MOVED])
    assert "Delete the certificates that were replaced" not in dict(done)
    assert dict(done)["Create the load balancers"]["purge"] is False
    assert "What serves shop.example.com stays" in shown[-1]


def test_the_records_are_looked_up_first_with_certificates_of_the_user(named: Any) -> None:
    """What is wrong with the zone or with the names is told before the first write."""
    listener = {"port": 443, "protocol": "HTTPS", "certificates": [ARN], "default_action": {"target_groups": []}}
    balancer = {"name": "public", "tier": "public", "security_groups": ["public-alb"], "listeners": [listener]}
    done, _shown = named({**NAMES, "alb_load_balancers": [balancer]}, {}, {})
    assert [task for task, _options in done] == [
        "Look up the certificates",
        "Look up what the names lead to",
        "Create the load balancers",
        "Point the names to their targets",
    ]
