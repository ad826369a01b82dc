"""The maintenance page on the lab's API: shown, left alone by the load balancers' own module, and hidden."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud, told
from topic_options import alb

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.elbv2_maintenance import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.maintenance import converge_maintenance
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.run import converge_load_balancers

COMMON = {"environment_name": "dev", "tags": {}, "region": "eu-central-1"}
DEFAULTS = {name: spec["default"] for name, spec in ARGUMENTS.items() if "default" in spec}
ADMINS = ["192.0.2.0/24"]
SHOWN = [f"create rule {name}:80/{priority}" for name in ("public", "private") for priority in (1, 2)]
HIDDEN = [f"delete rule {name}:80/{priority}" for name in ("public", "private") for priority in (2, 1)]


def page(**given: t.Any) -> dict[str, t.Any]:
    return {**COMMON, **DEFAULTS, "shown": True, "let_in": ADMINS, **given}


def rules(elb: t.Any) -> dict[str, list[t.Any]]:
    """Return priority, condition values and action of all rules, by load balancer."""
    found = {}
    for balancer in elb.describe_load_balancers()["LoadBalancers"]:
        [listener] = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        found[balancer["LoadBalancerName"]] = [
            (rule["Priority"], [one.get("Values") or one for one in rule["Conditions"]], rule["Actions"][0]["Type"])
            for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        ]
    return found


def test_the_page_is_shown_to_all_but_administrators_and_hidden(balanced: Cloud, elb: t.Any) -> None:
    before = rules(elb)
    planned = balanced.run(converge_maintenance, page(), check_mode=True)
    assert rules(elb) == before
    shown = balanced.run(converge_maintenance, page())
    assert told(shown) == told(planned) == SHOWN
    assert [(priority, kind) for priority, _values, kind in rules(elb)["dev-public"]] == [
        ("1", "forward"),
        ("2", "fixed-response"),
        ("default", "forward"),
    ]
    assert told(balanced.run(converge_maintenance, page())) == []
    hidden = balanced.run(converge_maintenance, page(shown=False))
    assert told(hidden) == HIDDEN
    assert rules(elb) == before
    assert told(balanced.run(converge_maintenance, page(shown=False))) == []


def test_another_text_and_other_administrators_are_updates(balanced: Cloud) -> None:
    balanced.run(converge_maintenance, page())
    changed = balanced.run(converge_maintenance, page(body="later", content_type="text/plain"))
    assert told(changed) == [f"update rule {name}:80/2" for name in ("public", "private")]
    assert told(balanced.run(converge_maintenance, page(body="later", content_type="text/plain", let_in=[]))) == [
        f"delete rule {name}:80/1" for name in ("public", "private")
    ]


def test_a_listener_that_forwards_by_its_rules_alone_shows_the_page(balanced: Cloud, elb: t.Any) -> None:
    [balancer] = [one for one in elb.describe_load_balancers()["LoadBalancers"] if "public" in one["LoadBalancerName"]]
    [listener] = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    forward = [{key: value for key, value in one.items() if key != "Order"} for one in listener["DefaultActions"]]
    host = {"Field": "host-header", "HostHeaderConfig": {"Values": ["shop.example.com"]}}
    elb.create_rule(ListenerArn=listener["ListenerArn"], Priority=10, Conditions=[host], Actions=forward)
    unknown = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[unknown])
    with pytest.raises(InputError, match="the listener public:80 forwards by its rules alone"):
        balanced.run(converge_maintenance, page())
    shown = balanced.run(converge_maintenance, page(let_in=[]))
    assert told(shown) == [f"create rule {name}:80/2" for name in ("public", "private")]
    assert told(balanced.run(converge_maintenance, page(shown=False))) == [
        f"delete rule {name}:80/2" for name in ("public", "private")
    ]


def test_some_load_balancers_only(balanced: Cloud, elb: t.Any) -> None:
    balanced.run(converge_maintenance, page(load_balancers=["private"]))
    assert len(rules(elb)["dev-public"]) == 1
    assert len(rules(elb)["dev-private"]) == 3
    with pytest.raises(InputError, match="the environment has no load balancer 'publik'"):
        balanced.run(converge_maintenance, page(load_balancers=["publik"]))


@pytest.mark.parametrize("purge", [False, True])
def test_a_run_of_the_load_balancers_leaves_the_page_and_warns(
    balanced: Cloud, options: alb.Make, elb: t.Any, purge: bool
) -> None:
    groups = [{"name": name, "tier": name, "deregistration_delay": 0} for name in alb.GROUPS]
    balanced.run(converge_maintenance, page())
    before = rules(elb)
    result = balanced.run(converge_load_balancers, options(target_groups=groups, purge=purge))
    assert told(result) == []
    assert rules(elb) == before
    assert balanced.warnings == [
        "Visitors get the maintenance page at private:80, public:80. "
        "playbooks/maintenance.yml -e alb_maintenance=off hides it."
    ]


def test_a_rule_in_the_place_of_the_page_is_refused_before_a_write(
    balanced: Cloud, options: alb.Make, balancer: alb.Make, elb: t.Any
) -> None:
    groups = [{"name": name, "tier": name, "deregistration_delay": 0} for name in alb.GROUPS]
    rule = {
        "priority": 2,
        "conditions": [{"field": "path-pattern", "values": ["/x/*"]}],
        "action": {"type": "fixed_response", "fixed_response": {"status_code": 404, "body": "no"}},
    }
    action = {"target_groups": [{"name": "public"}]}
    ruled = balancer("public", listeners=[{"port": 80, "default_action": action, "rules": [rule]}])
    both = options(target_groups=groups, load_balancers=[ruled, balancer("private")])
    balanced.run(converge_load_balancers, both)
    before = rules(elb)
    with pytest.raises(InputError, match=r"public:80 has a rule with the priority 2.*a priority above 2"):
        balanced.run(converge_maintenance, page())
    assert rules(elb) == before
    balanced.run(converge_load_balancers, options(target_groups=groups, purge=True))
    balanced.run(converge_maintenance, page())
    before = rules(elb)
    with pytest.raises(InputError, match="the maintenance page has the priority 2 now"):
        balanced.run(converge_load_balancers, both)
    assert rules(elb) == before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"body": "x" * 1025}, "body: the page has 1025 bytes"),
        ({"let_in": ["192.0.2.1"]}, "let_in.*'192.0.2.1' is not an IPv4 CIDR block"),
        ({"let_in": [f"192.0.{n}.0/24" for n in range(6)]}, "let_in: 6 values are too many"),
    ],
)
def test_wrong_input_is_refused(balanced: Cloud, given: dict[str, t.Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        balanced.run(converge_maintenance, page(**given))
