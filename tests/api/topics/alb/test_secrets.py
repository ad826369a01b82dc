"""Rules that compare a secret: it is in no output, and rotates while both values are accepted."""

from __future__ import annotations

import json
import typing as t

import pytest
from cloud import Cloud, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.run import converge_load_balancers

Make = t.Callable[..., dict[str, t.Any]]
PARAMETER = "/groundwork/dev/alb/public/origin-verify"
FORWARD = {"target_groups": [{"name": "public"}]}
FORBIDDEN = {"type": "fixed_response", "fixed_response": {"status_code": 403}}
OLD, NEW = "old0secret0of0cloudfront", "new0secret0of0cloudfront"


@pytest.fixture
def given(options: Make, balancer: Make) -> Make:
    """Return a function that returns the options with this secret."""

    def make(secret: str, header: str = "X-Origin-Verify", **more: t.Any) -> dict[str, t.Any]:
        value = f"@groundwork(parameter:{PARAMETER})@"
        conditions = [{"field": "http-header", "name": header, "values": [value]}]
        rule = {"priority": 50000, "conditions": conditions, "action": FORWARD}
        listener = {"port": 80, "default_action": FORBIDDEN, "rules": [rule]}
        balancers = [balancer("public", listeners=[listener])]
        return options(load_balancers=balancers, secrets={PARAMETER: secret}, **{"rotating": True, **more})

    return make


def accepted(elb: t.Any) -> list[str]:
    """Return the values that the rule of the listener accepts."""
    [balancer] = elb.describe_load_balancers()["LoadBalancers"]
    [listener] = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    [condition] = next(rule for rule in rules if not rule["IsDefault"])["Conditions"]
    return list(condition["HttpHeaderConfig"]["Values"])


@pytest.mark.parametrize("header", ["X-Origin-Verify", "X-Other"])
def test_a_secret_rotates_and_is_in_no_output(site: Cloud, given: Make, elb: t.Any, header: str) -> None:
    results = [site.run(converge_load_balancers, given(OLD, header), check_mode=True)]
    results.append(site.run(converge_load_balancers, given(OLD, header)))
    assert accepted(elb) == [OLD]
    assert results[-1]["former"] == []

    results.append(site.run(converge_load_balancers, given(NEW, header), check_mode=True))
    results.append(site.run(converge_load_balancers, given(NEW, header)))
    assert [told(one) for one in results[2:]] == [["update rule public:80/50000"]] * 2
    assert sorted(accepted(elb)) == [NEW, OLD]
    assert [one["former"] for one in results[2:]] == [["public:80/50000"]] * 2

    results.append(site.run(converge_load_balancers, given(NEW, header)))
    assert (told(results[-1]), sorted(accepted(elb))) == ([], [NEW, OLD]), "killed here, it is the same again"
    results.append(site.run(converge_load_balancers, given(NEW, header, rotating=False)))
    assert (told(results[-1]), accepted(elb), results[-1]["former"]) == (["update rule public:80/50000"], [NEW], [])
    assert told(site.run(converge_load_balancers, given(NEW, header))) == []
    text = json.dumps(results)
    assert (OLD in text, NEW in text, "(secret, not shown)" in text) == (False, False, True)


def test_a_rule_that_is_deleted_does_not_show_its_secret(
    site: Cloud, given: Make, options: Make, balancer: Make
) -> None:
    site.run(converge_load_balancers, given(OLD))
    done = site.run(converge_load_balancers, options(load_balancers=[balancer("public")], purge=True))
    assert "delete rule public:80/50000" in told(done)
    assert OLD not in json.dumps(done)


def test_a_rule_accepts_a_request_before_the_default_action_refuses_it(
    site: Cloud, given: Make, options: Make, balancer: Make
) -> None:
    site.run(converge_load_balancers, options(load_balancers=[balancer("public")]))
    done = site.run(converge_load_balancers, given(OLD))
    assert [one for one in told(done) if "rule" in one or "listener" in one] == [
        "create rule public:80/50000",
        "update listener public:80",
    ]


@pytest.mark.parametrize(("secret", "words"), [("short", "too short"), (None, "not in secrets")])
def test_a_wrong_secret_is_told_without_its_value(site: Cloud, given: Make, secret: str | None, words: str) -> None:
    wrong = given(secret or OLD)
    with pytest.raises(InputError) as caught:
        site.run(converge_load_balancers, wrong if secret else {**wrong, "secrets": {}})
    assert words in str(caught.value)
    assert isinstance(caught.value, GroundworkError)
    assert "short'" not in str(caught.value)
