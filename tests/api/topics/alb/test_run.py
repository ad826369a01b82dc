"""The balancers against an account of moto's: plan = run, nothing twice, calls counted, crash-safe."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.run import converge_load_balancers

Make = t.Callable[..., dict[str, t.Any]]
FIXED = {"type": "fixed_response", "fixed_response": {"status_code": 404, "body": "no"}}
PATH = [{"field": "path-pattern", "values": ["/x/*"]}]
PLANNED = {f"{tier}-{number}": tier for tier in ("public", "private") for number in (1, 2)}
ALL = [
    "create target group public",
    "create target group private",
    "create targets public",
    "create targets private",
    "create load balancer public",
    "create load balancer private",
    "create listener public:80",
    "create listener private:80",
]


def ruled(balancer: Make, *rules: dict[str, t.Any], port: int = 80) -> t.Any:
    """Return the load balancer `public` with these rules."""
    action = {"target_groups": [{"name": "public"}]}
    return balancer("public", listeners=[{"port": port, "default_action": action, "rules": list(rules)}])


def look(elb: t.Any) -> t.Any:
    """Return the existing resources without ids."""
    names = {
        group["TargetGroupArn"]: group["TargetGroupName"] for group in elb.describe_target_groups()["TargetGroups"]
    }
    balancers = elb.describe_load_balancers()["LoadBalancers"]
    return {
        "targets": {
            name: [
                each["TargetHealth"]["State"]
                for each in elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            ]
            for arn, name in names.items()
        },
        "delays": [
            each["Value"]
            for arn in names
            for each in elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
            if each["Key"] == "deregistration_delay.timeout_seconds"
        ],
        "balancers": {
            balancer["LoadBalancerName"]: sorted(
                (
                    listener["Port"],
                    names[listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"][0]["TargetGroupArn"]],
                )
                for listener in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
            )
            for balancer in balancers
        },
        "drop": [
            each["Value"]
            for balancer in balancers
            for each in elb.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])["Attributes"]
            if each["Key"] == "routing.http.drop_invalid_header_fields.enabled"
        ],
    }


def test_the_plan_of_an_empty_account_is_the_run(
    cloud: Cloud, options: Make, furnish: t.Callable[[Cloud], None], elb: t.Any
) -> None:
    planned = cloud.run(converge_load_balancers, options(planned_servers=PLANNED), check_mode=True)
    assert cloud.writes == []
    furnish(cloud)
    done = cloud.run(converge_load_balancers, options())
    assert told(planned) == told(done) == ALL
    assert planned["load_balancers"][0]["url"] == "(known after apply)"
    assert done["load_balancers"][0]["url"] == f"http://{done['load_balancers'][0]['dns_name']}/"
    assert look(elb) == {
        "targets": {"dev-private": ["initial"] * 2, "dev-public": ["initial"] * 2},
        "delays": ["30", "30"],
        "balancers": {"dev-public": [(80, "dev-public")], "dev-private": [(80, "dev-private")]},
        "drop": ["true", "true"],
    }


@pytest.mark.parametrize("servers", [2, 8])
def test_nothing_to_do_takes_sixteen_calls(
    site: Cloud, options: Make, launch: t.Callable[..., str], servers: int
) -> None:
    for number in range(3, servers + 1):
        launch(site, "public", number)
    site.run(converge_load_balancers, options())
    assert site.run(converge_load_balancers, options())["changes"] == []
    assert len(site.calls) == 16


def test_rules_are_made_changed_and_found_unchanged(site: Cloud, options: Make, balancer: Make) -> None:
    rule = {"priority": 10, "conditions": PATH, "action": FIXED}
    site.run(converge_load_balancers, options())
    wanted = options(load_balancers=[ruled(balancer, rule), balancer("private")])
    assert told(site.run(converge_load_balancers, wanted)) == ["create rule public:80/10"]
    assert site.run(converge_load_balancers, wanted)["changes"] == []
    other = {**rule, "conditions": [{"field": "host-header", "values": ["a.example.com"]}]}
    wanted = options(load_balancers=[ruled(balancer, other), balancer("private")])
    assert told(site.run(converge_load_balancers, wanted)) == ["update rule public:80/10"]
    assert site.run(converge_load_balancers, wanted)["changes"] == []


def test_purge_removes_what_is_ours_and_undeclared(site: Cloud, options: Make, balancer: Make, elb: t.Any) -> None:
    rule = {"priority": 10, "conditions": PATH, "action": FIXED}
    extra = ruled(balancer, rule)
    extra["listeners"].append({"port": 81, "default_action": FIXED})
    site.run(converge_load_balancers, options(load_balancers=[extra, balancer("private")]))
    [listener] = [
        each["ListenerArn"]
        for one in elb.describe_load_balancers(Names=["dev-public"])["LoadBalancers"]
        for each in elb.describe_listeners(LoadBalancerArn=one["LoadBalancerArn"])["Listeners"]
        if each["Port"] == 80
    ]
    by_hand = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    conditions = [{"Field": "path-pattern", "Values": ["/by-hand"]}]
    elb.create_rule(ListenerArn=listener, Priority=99, Conditions=conditions, Actions=by_hand)
    assert told(site.run(converge_load_balancers, options())) == []
    assert site.warnings == [
        "Resources that are not declared: listener public:81, rule public:80/10. Set purge to delete them.",
        "Resources that are not declared, and that this collection did not create: rule public:80/99. "
        "They stay and apply to requests. Declare them, or delete them by hand.",
    ]
    wanted = options(
        target_groups=[{"name": "public", "tier": "public"}], load_balancers=[balancer("public")], purge=True
    )
    planned = site.run(converge_load_balancers, wanted, check_mode=True)
    done = site.run(converge_load_balancers, wanted)
    assert told(planned) == told(done)
    assert told(done) == [
        "delete rule public:80/10",
        "delete listener public:81",
        "delete load balancer private",
        "delete target group private",
    ]
    assert site.run(converge_load_balancers, wanted)["changes"] == []
    assert [rule["Priority"] for rule in elb.describe_rules(ListenerArn=listener)["Rules"]] == ["99", "default"]


def test_without_purge_what_is_left_is_told(site: Cloud, options: Make, balancer: Make) -> None:
    site.run(converge_load_balancers, options())
    site.run(converge_load_balancers, options(load_balancers=[balancer("public")]))
    assert len(site.warnings) == 1
    assert "load balancer private" in site.warnings[0]


def test_targets_follow_the_tier(site: Cloud, options: Make, launch: t.Callable[..., str], elb: t.Any) -> None:
    site.run(converge_load_balancers, options())
    launch(site, "public", 3)
    assert told(site.run(converge_load_balancers, options())) == ["create targets public"]
    moved = options(target_groups=[{"name": "public", "tier": "private"}, {"name": "private", "tier": "private"}])
    assert told(site.run(converge_load_balancers, moved)) == ["create targets public", "delete targets public"]
    states = look(elb)["targets"]
    assert sorted(states["dev-public"]) == ["draining"] * 3 + ["initial"] * 2
    assert site.run(converge_load_balancers, moved)["changes"] == []


def test_unknown_attributes_stay(site: Cloud, options: Make, elb: t.Any) -> None:
    site.run(converge_load_balancers, options())
    [arn] = [one["LoadBalancerArn"] for one in elb.describe_load_balancers(Names=["dev-public"])["LoadBalancers"]]
    unknown = [{"Key": "client_keep_alive.seconds", "Value": "600"}]
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=unknown)
    assert site.run(converge_load_balancers, options())["changes"] == []


@pytest.mark.parametrize(
    ("group", "balanced", "variable"),
    [
        ({"port": 81}, {}, "target_groups[0].port"),
        ({"protocol": "HTTPS"}, {}, "target_groups[0].protocol"),
        ({}, {"scheme": "internal"}, "load_balancers[0].scheme"),
        ({}, {"security_groups": ["ssh"]}, "load_balancers[0].security_groups"),
        ({}, {"tier": None, "subnets": ["public-a", "public-c"]}, "load_balancers[0].subnets"),
    ],
)
def test_what_aws_would_refuse_is_told_before_the_first_write(
    site: Cloud,
    options: Make,
    balancer: Make,
    group: dict[str, t.Any],
    balanced: dict[str, t.Any],
    variable: str,
) -> None:
    first = options(target_groups=[{"name": "public", "tier": "public"}], load_balancers=[balancer("public")])
    site.run(converge_load_balancers, first)
    groups = [{"name": "public", "tier": "public", **group}]
    with pytest.raises(InputError) as caught:
        site.run(
            converge_load_balancers, options(target_groups=groups, load_balancers=[balancer("public", **balanced)])
        )
    assert [problem.variable for problem in caught.value.problems] == [variable]
    assert site.writes == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_target_group_that_another_balancer_uses_is_refused(
    site: Cloud, options: Make, balancer: Make, check_mode: bool
) -> None:
    """A load balancer that got another name, and two that exchange their target groups."""
    groups = [{"name": "public", "tier": "public"}, {"name": "private", "tier": "private"}]

    def forwards(name: str, group: str) -> t.Any:
        return balancer(name, listeners=[{"port": 80, "default_action": {"target_groups": [{"name": group}]}}])

    site.run(converge_load_balancers, options())
    site.writes.clear()
    renamed = [forwards("website", "public"), balancer("private")]
    exchanged = [forwards("public", "private"), forwards("private", "public")]
    for wanted in (renamed, exchanged):
        given = options(target_groups=groups, load_balancers=wanted, purge=True)
        with pytest.raises(InputError, match=r"uses the target group '(public|private)', and only one can") as caught:
            site.run(converge_load_balancers, given, check_mode=check_mode)
        assert len(caught.value.problems) == 1
    assert site.writes == []


def test_a_balancer_of_other_people_is_left_alone(site: Cloud, options: Make, elb: t.Any) -> None:
    public = [{"Name": "tag:Name", "Values": ["dev-public-a", "dev-public-b"]}]
    subnets = [each["SubnetId"] for each in site.ec2.describe_subnets(Filters=public)["Subnets"]]
    elb.create_load_balancer(Name="dev-public", Subnets=subnets)
    with pytest.raises(
        InputError,
        match=r"\(arn:.*\) exists, and its tags .* put back groundwork:environment=dev and groundwork:component=alb",
    ):
        site.run(converge_load_balancers, options())
    assert site.writes == []


@pytest.mark.exhaustive
def test_a_run_that_is_stopped_anywhere_is_completed_by_the_next(
    survives: t.Callable[..., int], options: Make, furnish: t.Callable[[Cloud], None], elb: t.Any
) -> None:
    writes = survives(converge_load_balancers, options(planned_servers=PLANNED), lambda _cloud: look(elb), furnish)
    assert writes == 12


def test_a_full_or_small_subnet_is_refused_before_the_first_write(
    cloud: Cloud, options: Make, furnish: t.Callable[[Cloud], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(cloud)
    named = {}
    for subnet in cloud.ec2.describe_subnets()["Subnets"]:
        for tag in subnet.get("Tags", []):
            named[tag["Value"]] = cloud.plane.context.ec2.get_subnet(subnet["SubnetId"])
    full, small = named["dev-public-a"], named["dev-public-b"]
    monkeypatch.setattr(type(full), "available_ip_address_count", property(lambda own: 7 if own is full else 200))
    small.cidr_block = f"{small.cidr_block.partition('/')[0]}/28"
    with pytest.raises(InputError) as no:
        cloud.run(converge_load_balancers, options())
    assert f"the subnet 'public-a' ({full.id}) has 7 free addresses" in str(no.value)
    assert "the subnet 'public-b' has the prefix /28, and a load balancer needs /27 or larger" in str(no.value)
    assert cloud.writes == []


@pytest.mark.parametrize(
    ("listeners", "rules", "message"),
    [
        (51, 0, r"load_balancers\[0\].listeners: 51 more listeners of an Application Load Balancer are needed"),
        (1, 101, r"load_balancers\[0\].listeners: 101 more rules of an Application Load Balancer are needed"),
    ],
)
def test_more_than_usual_is_compared_with_the_accounts_quota(
    cloud: Cloud,
    furnish: t.Callable[[Cloud], None],
    options: Make,
    balancer: Make,
    listeners: int,
    rules: int,
    message: str,
) -> None:
    furnish(cloud)
    action = {"target_groups": [{"name": "public"}]}
    ruled = [{"priority": n + 1, "conditions": PATH, "action": FIXED} for n in range(rules)]
    declared = [{"port": 80 + n, "default_action": action, "rules": ruled} for n in range(listeners)]
    one = options(
        load_balancers=[balancer("public", listeners=declared)], target_groups=[{"name": "public", "tier": "public"}]
    )
    with pytest.raises(InputError, match=message):
        cloud.run(converge_load_balancers, one, check_mode=True)
    assert cloud.writes == []
    from moto.servicequotas.models import servicequotas_backends

    applied = servicequotas_backends["123456789012"]["eu-central-1"].applied
    applied.update({("elasticloadbalancing", code): 200.0 for code in ("L-B6DF7632", "L-7EED9B64")})
    assert cloud.run(converge_load_balancers, one, check_mode=True)["changed"]
