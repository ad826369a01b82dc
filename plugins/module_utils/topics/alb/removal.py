# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove load balancers and target groups."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Described,
    Interfaces,
    Protection,
    Removal,
    Sight,
    State,
    Thing,
    internet_of,
    some,
)

TAGS_A_CALL = 20  # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html
TAGS = "tags of load balancers and target groups from "
INTERFACE = "ELB "  # the beginning of the description of a load balancer's network interface


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the reads, with those of tags and attributes, which ELB returns apart from the resources."""
    yield "balancers", Read("elbv2", "describe_load_balancers", "LoadBalancers")
    yield "target groups", Read("elbv2", "describe_target_groups", "TargetGroups")
    has_name = sight.whose.has_name
    balancers = [one["LoadBalancerArn"] for one in sight.found("balancers") if has_name(one["LoadBalancerName"])]
    groups = [one["TargetGroupArn"] for one in sight.found("target groups") if has_name(one["TargetGroupName"])]
    arns = [*balancers, *groups]
    for start in range(0, len(arns), TAGS_A_CALL):
        some_arns = {"ResourceArns": arns[start : start + TAGS_A_CALL]}
        yield f"{TAGS}{start}", Read("elbv2", "describe_tags", "TagDescriptions", some_arns)
    for arn in balancers:
        attributes = {"LoadBalancerArn": arn}
        yield f"attributes {arn}", Read("elbv2", "describe_load_balancer_attributes", "Attributes", attributes)


def _owned(sight: Sight) -> dict[str, dict[str, str]]:
    """Return the tags of the environment's load balancers and target groups, by their ARNs."""
    told = [one for key in sight.answers if key.startswith(TAGS) for one in sight.answers[key]]
    return {one["ResourceArn"]: tag_dict(one) for one in told if sight.whose.owns_described(one)}


def _path_of(arn: str) -> str:
    """Return `app/<name>/<id>` of a load balancer's ARN, which is in the description of its network interfaces."""
    return arn.partition("loadbalancer/")[2]


def _things(sight: Sight) -> t.Iterator[Thing]:
    mine = _owned(sight)
    for balancer in sight.answers["balancers"]:
        yield from _balancer(balancer, mine, sight)
    for group in sight.answers["target groups"]:
        yield from _target_group(group, mine, sight)


def _balancer(balancer: Described, mine: t.Mapping[str, dict[str, str]], sight: Sight) -> t.Iterator[Thing]:
    """Yield a load balancer, with which AWS deletes its listeners and rules.

    Load balancers of others are found by their interfaces.
    """
    arn = balancer["LoadBalancerArn"]
    if arn not in mine:
        return
    public = balancer["Scheme"] == "internet-facing"
    used = [g["TargetGroupArn"] for g in sight.answers["target groups"] if arn in g.get("LoadBalancerArns", [])]
    yield Thing(
        "load balancer",
        arn,
        sight.short(balancer["LoadBalancerName"]),
        needs=some(
            *(zone["SubnetId"] for zone in balancer["AvailabilityZones"]),
            *balancer.get("SecurityGroups", []),
            *((internet_of(balancer["VpcId"]),) if public else ()),
            *used,
        ),
        serves=some(balancer["DNSName"].lower()),
        calls=(Call("elbv2", "delete_load_balancer", {"LoadBalancerArn": arn}),),
        wait=_interfaces_gone(arn, sight.deadline),
        before={"dns_name": balancer["DNSName"]},
        tags=mine[arn],
        protections=tuple(_protections(balancer, sight)),
    )


def _protections(balancer: Described, sight: Sight) -> t.Iterator[Protection]:
    arn = balancer["LoadBalancerArn"]
    attributes = {one["Key"]: one["Value"] for one in sight.answers[f"attributes {arn}"]}
    if attributes.get("deletion_protection.enabled") == "true":
        variable = (
            "If attributes.deletion_protection of the load balancer is true in alb_load_balancers, set it to false and "
            "run groundwork.aws.site."
        )
        disabled = "Key=deletion_protection.enabled,Value=false"
        command = f"aws elbv2 modify-load-balancer-attributes --load-balancer-arn {arn} --attributes {disabled}"
        yield Protection("deletion protection is enabled", command, variable)


def _target_group(group: Described, mine: t.Mapping[str, dict[str, str]], sight: Sight) -> t.Iterator[Thing]:
    """Yield a target group, and the load balancers of others that forward to it, which keep it."""
    arn = group["TargetGroupArn"]
    if arn not in mine:
        return
    delete = Call(
        "elbv2",
        "delete_target_group",
        {"TargetGroupArn": arn},
        settled=("TargetGroupNotFound",),
    )
    yield Thing(
        "target group",
        arn,
        sight.short(group["TargetGroupName"]),
        calls=(delete,),
        before={"protocol": group.get("Protocol"), "port": group.get("Port")},
        tags=mine[arn],
    )
    names = {b["LoadBalancerArn"]: b["LoadBalancerName"] for b in sight.answers["balancers"]}
    for balancer in group.get("LoadBalancerArns", []):
        if balancer in names and balancer not in mine:
            yield Thing("load balancer", _path_of(balancer), names[balancer], ours=False, needs=some(arn))


def _interfaces_gone(arn: str, deadline: float) -> Wait:
    """Return the wait for the deletion of a load balancer's network interfaces.

    AWS deletes them minutes after the load balancer.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-delete.html
    """
    words = INTERFACE + _path_of(arn)
    look = ec2("describe_network_interfaces", Filters=[{"Name": "description", "Values": [words]}])
    until = f"the network interfaces of {_path_of(arn)} to be deleted"
    return Wait(until, look, lambda answer: not answer.get("NetworkInterfaces"), deadline=deadline)


def _holder(interface: Described) -> str:
    """Return `app/<name>/<id>` of the load balancer that AWS reports in the description ("ELB app/<name>/<id>")."""
    words = str(interface.get("Description", ""))
    return words.removeprefix(INTERFACE) if interface.get("RequesterManaged") and words.startswith(INTERFACE) else ""


def _states(sight: Sight) -> dict[str, State]:
    mine = _owned(sight)
    arns = [one["LoadBalancerArn"] for one in sight.answers["balancers"]]
    return {_path_of(arn): "ours" if arn in mine else "theirs" for arn in arns}


REMOVAL = Removal(
    kinds=("load balancer", "target group"),
    things=_things,
    reads=_reads,
    interfaces=Interfaces("load balancer", _holder, _states, otherwise="gone"),
    after="image",
)
