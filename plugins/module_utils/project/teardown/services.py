# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove load balancers, target groups, parameters, IAM roles and instance profiles."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.interfaces import (
    balancer_gone,
    gateways_of,
    owned_arns,
    path_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.options import IMAGES
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.reads import Answers
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import (
    Batch,
    Described,
    Thing,
    Whose,
    some,
)

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameters.html
PARAMETERS = Batch("ssm", "delete_parameters", "Names", 10)
IMAGE_COMPONENT = "image"


def service_things(answers: Answers, whose: Whose, deadline: float) -> list[Thing]:
    """Return load balancers, target groups, parameters, roles and instance profiles."""
    mine = owned_arns(answers, whose)
    return [
        *(thing for balancer in answers["balancers"] for thing in _balancer(balancer, mine, answers, whose, deadline)),
        *(thing for group in answers["target groups"] for thing in _target_group(group, mine, answers, whose)),
        *_parameters(answers, whose),
        *(thing for profile in answers["profiles"] for thing in _profile(profile, answers, whose)),
        *(_role(role, answers, whose) for role in answers["roles"] if _owns(role, answers, whose)),
    ]


def _balancer(
    balancer: Described, mine: t.Container[str], answers: Answers, whose: Whose, deadline: float
) -> t.Iterator[Thing]:
    """Yield a load balancer, with which AWS deletes its listeners and rules.

    Load balancers of others are found by their interfaces.
    """
    arn = balancer["LoadBalancerArn"]
    if arn not in mine:
        return
    public = balancer["Scheme"] == "internet-facing"
    used = [g["TargetGroupArn"] for g in answers["target groups"] if arn in g.get("LoadBalancerArns", [])]
    yield Thing(
        "load balancer",
        arn,
        balancer["LoadBalancerName"].removeprefix(f"{whose.environment}-"),
        needs=some(
            *(zone["SubnetId"] for zone in balancer["AvailabilityZones"]),
            *balancer.get("SecurityGroups", []),
            *(gateways_of(balancer["VpcId"], answers) if public else ()),
            *used,
        ),
        calls=(Call("elbv2", "delete_load_balancer", {"LoadBalancerArn": arn}),),
        wait=balancer_gone(arn, deadline),
        before={"dns_name": balancer["DNSName"]},
    )


def protected(answers: Answers, things: t.Iterable[Thing]) -> list[str]:
    """Return the names of the load balancers with deletion protection."""
    return [
        thing.name
        for thing in things
        if thing.kind == "load balancer"
        for attribute in answers[f"attributes {thing.id}"]
        if attribute["Key"] == "deletion_protection.enabled" and attribute["Value"] == "true"
    ]


def _target_group(group: Described, mine: t.Container[str], answers: Answers, whose: Whose) -> t.Iterator[Thing]:
    """Yield a target group, and the load balancers of others that forward to it, which keep it."""
    arn = group["TargetGroupArn"]
    if arn not in mine:
        return
    delete = Call(
        "elbv2",
        "delete_target_group",
        {"TargetGroupArn": arn},
        settled=("TargetGroupNotFound",),
        passing=("ResourceInUse",),
    )
    yield Thing(
        "target group",
        arn,
        group["TargetGroupName"].removeprefix(f"{whose.environment}-"),
        calls=(delete,),
        before={"protocol": group.get("Protocol"), "port": group.get("Port")},
    )
    names = {b["LoadBalancerArn"]: b["LoadBalancerName"] for b in answers["balancers"]}
    for balancer in group.get("LoadBalancerArns", []):
        if balancer in names and balancer not in mine:
            yield Thing("load balancer", path_of(balancer), names[balancer], ours=False, needs=some(arn))


def _parameters(answers: Answers, whose: Whose) -> t.Iterator[Thing]:
    """Return all parameters below the environment's path, and all with its tag.

    The parameter of the promoted image stays if the images stay.
    """
    images = {f"/groundwork/{whose.environment}/{IMAGE_COMPONENT}"}
    found = {one["Name"]: one for one in (*answers["parameters"], *answers["tagged parameters"])}
    for name, parameter in sorted(found.items()):
        secret = parameter["Type"] == "SecureString"
        yield Thing(
            "parameter",
            name,
            name,
            batch=PARAMETERS,
            before={"type": parameter["Type"], **({"holds": "a secret that cannot be recovered"} if secret else {})},
            wish=IMAGES if any(name.startswith(f"{path}/") for path in images) else "",
        )


def _owns(described: Described, answers: Answers, whose: Whose) -> bool:
    tags = answers.get(f"tags {described['Arn']}", [])
    return whose.owns_described({"Tags": tags})


def _profile(profile: Described, answers: Answers, whose: Whose) -> t.Iterator[Thing]:
    """Return an instance profile, from which its role is removed first. The role itself stays, whoever its owner is.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html
    """
    name = profile["InstanceProfileName"]
    roles = [role["Arn"] for role in profile["Roles"]]
    if not _owns(profile, answers, whose):
        yield Thing("instance profile", profile["Arn"], name, ours=False, needs=frozenset(roles))
        return
    leave = [
        Call(
            "iam",
            "remove_role_from_instance_profile",
            {"InstanceProfileName": name, "RoleName": role["RoleName"]},
            settled=("NoSuchEntity",),
        )
        for role in profile["Roles"]
    ]
    delete = Call(
        "iam",
        "delete_instance_profile",
        {"InstanceProfileName": name},
        settled=("NoSuchEntity",),
        passing=("DeleteConflict",),
    )
    short = name.removeprefix(f"{whose.environment}-")
    yield Thing("instance profile", profile["Arn"], short, needs=frozenset(roles), calls=(*leave, delete))


def _role(role: Described, answers: Answers, whose: Whose) -> Thing:
    """Return a role, which can be deleted only without attached and inline policies.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
    """
    name, arn = role["RoleName"], role["Arn"]
    empty = [
        *(
            Call("iam", "detach_role_policy", {"RoleName": name, "PolicyArn": one["PolicyArn"]})
            for one in answers[f"attached {arn}"]
        ),
        *(
            Call("iam", "delete_role_policy", {"RoleName": name, "PolicyName": policy})
            for policy in answers[f"inline {arn}"]
        ),
    ]
    delete = Call("iam", "delete_role", {"RoleName": name}, settled=("NoSuchEntity",), passing=("DeleteConflict",))
    calls = (*(call.settled_by("NoSuchEntity") for call in empty), delete)
    return Thing("role", arn, name.removeprefix(f"{whose.environment}-"), calls=calls)
