# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `ec2_launch_check`: read the account, and judge what an environment will launch.

It reads only if servers are missing: the instances first, and then everything else side by side.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import (
    ENVIRONMENT,
    Owner,
    tag_dict,
    tag_filter,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quotas import (
    ADDRESSES,
    GATEWAYS,
    GROUPS_OF_INTERFACE,
    VPCS,
    Limit,
    Quota,
    Use,
    check_uses,
    read_limits,
    vcpu_quota,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.launches.options import (
    Launches,
    Machines,
    parse_launches,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.launching import (
    COUNTED,
    TYPES,
    Launch,
    check_launches,
    launch_reads,
    vcpus_in_use,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    TIER,
    Image,
    Observed,
    image_of,
    own_images,
    promoted_read,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import ImageChoice

Described = t.Mapping[str, t.Any]
Answers = t.Mapping[str, list[t.Any]]

COMPONENT = "servers"
STOPPED = ("stopped", "stopping")
HELD = ("pending", "available", "deleting")  # the states in which a NAT gateway counts
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
# AWS' own key of EBS, which Auto Scaling may use.
# https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html
OWN_KEY = "alias/aws/ebs"
SCALING_ROLE = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"


@dataclass(frozen=True)
class Missing:
    """Servers that a run will launch."""

    machines: Machines
    count: int


def converge_launch_check(run: Run) -> dict[str, t.Any]:
    """Return the module's result. Raise InputError with everything that AWS would refuse."""
    owner, launches = run.parse(COMPONENT, parse_launches)
    own = observe(run.clients, {"instances": _instances_read([tag_filter(ENVIRONMENT, owner.environment)])})
    missing = missing_machines(owner, launches, instances_of(own["instances"]))
    if not missing:
        return {"changed": False, "launches": {}}
    answers = observe(run.clients, reads(owner, missing))
    if answers.get("parameter"):  # an image is promoted, so that none is baked
        missing = [one for one in missing if one.machines.tier]
    uses = uses_of(owner, launches, missing, instances_of(answers["instances"]), answers)
    limits = read_limits(run.clients, [use.quota for use in uses if use.added > 0])
    problems = Problems()
    judge(missing, answers, uses, limits, problems)
    _check_key(run.clients, missing, answers, problems)
    for warning in problems.warnings:
        run.warn(warning)
    problems.raise_if_any()
    return {"changed": False, "launches": {one.machines.variable: one.count for one in missing}}


def _instances_read(filters: t.Sequence[Described] = ()) -> Read:
    """Return the read of the instances that count for quotas, or for the servers of an environment."""
    states = {"Name": "instance-state-name", "Values": [*COUNTED, *STOPPED]}
    return Read("ec2", "describe_instances", "Reservations", {"Filters": [states, *filters]})


def instances_of(reservations: t.Iterable[Described]) -> list[Described]:
    """Return the instances of a response."""
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def missing_machines(owner: Owner, launches: Launches, instances: t.Iterable[Described]) -> list[Missing]:
    """Return the declared servers that do not exist. An image is baked only if servers are missing."""
    tags = [tag_dict(instance) for instance in instances]
    there = Counter(one.get(TIER, "") for one in tags if one.get(ENVIRONMENT) == owner.environment)
    servers = [Missing(one, one.count - there[one.tier]) for one in launches.machines if one.tier]
    found = [one for one in servers if one.count > 0]
    return [*found, *(Missing(one, one.count) for one in launches.machines if found and not one.tier)]


def reads(owner: Owner, missing: t.Sequence[Missing]) -> dict[str, Read]:
    """Return the reads of what the launches need."""
    launches = [_launch(one, None) for one in missing]
    choices = [one.machines.choice for one in missing if one.machines.choice]
    environment = [{"Name": f"tag:{ENVIRONMENT}", "Values": [owner.environment]}]
    options = "VpcBlockPublicAccessOptions.InternetGatewayBlockMode"
    exclusions = "VpcBlockPublicAccessExclusions"
    return {
        **launch_reads(launches),
        "instances": _instances_read(),
        "exclusions": Read(
            "ec2", "describe_vpc_block_public_access_exclusions", exclusions, absent=(*DENIED, "InvalidAction")
        ),
        **_image_reads(owner, choices),
        "own vpcs": Read("ec2", "describe_vpcs", "Vpcs", {"Filters": environment}),
        "vpcs": Read("ec2", "describe_vpcs", "Vpcs"),
        "addresses": Read("ec2", "describe_addresses", "Addresses"),
        "gateways": Read("ec2", "describe_nat_gateways", "NatGateways"),
        "subnets": Read("ec2", "describe_subnets", "Subnets"),
        "blocking": Read("ec2", "describe_vpc_block_public_access_options", options, absent=(*DENIED, "InvalidAction")),
        "default key": Read("ec2", "get_ebs_default_kms_key_id", "KmsKeyId", absent=DENIED),
    }


def _image_reads(owner: Owner, choices: t.Sequence[ImageChoice]) -> dict[str, Read]:
    """Return the reads of the images. Group members and servers may start from the environment's own images too."""
    given = sorted({choice.id for choice in choices if choice.id})
    named = [choice for choice in choices if not choice.id]
    wanted = {}
    if any(choice.promoted != "never" for choice in choices):
        wanted["parameter"] = promoted_read(owner.environment)
    if named:
        filters = [
            {"Name": "name", "Values": sorted({choice.name for choice in named} | {own_images(owner)})},
            {"Name": "state", "Values": ["available"]},
        ]
        owners = sorted({choice.owner for choice in named} | {"self"})
        wanted["images"] = Read("ec2", "describe_images", "Images", {"Owners": owners, "Filters": filters})
    if given:
        absent = ("InvalidAMIID.NotFound",)
        wanted["given images"] = Read("ec2", "describe_images", "Images", {"ImageIds": given}, absent)
    return wanted


def image_for(machines: Machines, answers: Answers) -> Image | None:
    """Return the image that servers start from, or None if another one is promoted, or it is not baked yet."""
    choice = machines.choice
    if choice is None:
        return None
    images = [image_of(one) for one in (*answers.get("images", []), *answers.get("given images", []))]
    promoted = next((parameter["Value"] for parameter in answers.get("parameter", [])), "")
    return next(iter(Observed(images=tuple(images), promoted=promoted).candidates(choice)), None)


def _launch(one: Missing, image: Image | None) -> Launch:
    machines = one.machines
    return Launch(machines.variable, machines.instance_type, machines.zones, image, one.count)


def uses_of(
    owner: Owner,
    launches: Launches,
    missing: t.Sequence[Missing],
    instances: t.Sequence[Described],
    answers: Answers,
) -> list[Use]:
    """Return how much of each quota is in use, and how much the environment adds. This function is pure."""
    return [
        *_vcpus(missing, instances, answers),
        *_network(owner, launches, answers),
        *_security_groups(missing),
    ]


def _vcpus(missing: t.Sequence[Missing], instances: t.Sequence[Described], answers: Answers) -> t.Iterator[Use]:
    per_type = {one["InstanceType"]: one.get("VCpuInfo", {}).get("DefaultVCpus", 0) for one in answers[TYPES]}
    used = vcpus_in_use(instances)
    added: Counter[Quota] = Counter()
    asking: dict[Quota, str] = {}
    for one in missing:
        quota = vcpu_quota(one.machines.instance_type)
        if quota:
            added[quota] += one.count * per_type.get(one.machines.instance_type, 0)
            asking.setdefault(quota, f"{one.machines.variable}.instance_type")
    return (Use(quota, used[quota], count, asking[quota]) for quota, count in added.items())


def _security_groups(missing: t.Iterable[Missing]) -> t.Iterator[Use]:
    """Yield the tiers whose servers have more security groups than the default quota allows."""
    for one in missing:
        if one.machines.security_groups > GROUPS_OF_INTERFACE.default:
            yield Use(GROUPS_OF_INTERFACE, 0, one.machines.security_groups, f"{one.machines.variable}.security_groups")


def _network(owner: Owner, launches: Launches, answers: Answers) -> t.Iterator[Use]:
    """Yield the uses of a network that does not exist yet. An existing one has its VPC, gateways and addresses."""
    if not answers["own vpcs"]:
        yield Use(VPCS, len(answers["vpcs"]), 1, "network_cidr")
    zones = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in answers["subnets"]}
    held = [gateway for gateway in answers["gateways"] if gateway["State"] in HELD]
    own = {zones.get(one["SubnetId"]) for one in held if tag_dict(one).get(ENVIRONMENT) == owner.environment}
    new = [zone for zone in launches.gateways if zone not in own]
    here = Counter(zones.get(gateway["SubnetId"]) for gateway in held)
    for zone in new:
        yield Use(GATEWAYS, here[zone], 1, "nat_mode", f"in {zone}")
    allocated = min(launches.addresses, len(new))
    yield Use(ADDRESSES, len(answers["addresses"]), allocated, "nat_mode")


def judge(
    missing: t.Sequence[Missing],
    answers: Answers,
    uses: t.Sequence[Use],
    limits: t.Mapping[Quota, Limit],
    problems: Problems,
) -> None:
    """Add to `problems` everything that AWS would refuse, and that would not work. This function is pure."""
    check_launches([_launch(one, image_for(one.machines, answers)) for one in missing], answers, problems)
    check_uses([use for use in uses if use.quota in limits], limits, problems)
    vpcs = {str(vpc["VpcId"]) for vpc in answers["own vpcs"]}
    allowed = {one["ResourceArn"].rpartition("/")[2] for one in answers["exclusions"] if _allows(one)}
    for mode in answers["blocking"]:
        if not vpcs & allowed:
            _check_blocking(str(mode), problems, exists=bool(vpcs))


def _allows(exclusion: Described) -> bool:
    """Return whether an exclusion from VPC Block Public Access allows connections from the internet."""
    works = exclusion.get("State") in ("create-complete", "update-complete")
    return works and exclusion.get("InternetGatewayExclusionMode") == "allow-bidirectional"


def _check_blocking(mode: str, problems: Problems, *, exists: bool) -> None:
    """Add to `problems` a region whose internet gateways are blocked. It is a warning until the VPC exists.

    https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html
    """
    if mode not in ("block-bidirectional", "block-ingress"):
        return
    wrong = (
        f"VPC Block Public Access of the account is {mode} in this region, so that the load balancers and the servers "
        "cannot be reached from the internet"
    )
    right = "exclude the environment's VPC from it, in the mode allow-bidirectional, or use another region"
    if exists:
        problems.add("aws_region", wrong, right)
    else:
        problems.warn("aws_region", f"{wrong}; when the VPC exists, {right}")


def _check_key(clients: Clients, missing: t.Sequence[Missing], answers: Answers, problems: Problems) -> None:
    """Warn of a default key of EBS that Auto Scaling may not use. It takes two calls if the key is the customer's.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
    """
    [key] = answers["default key"] or [OWN_KEY]
    grouped = [one.machines.variable for one in missing if one.machines.grouped]
    if not grouped or key == OWN_KEY:
        return
    named = {"KeyId": key}
    denied = (*DENIED, "NotFoundException")
    told = observe(
        clients,
        {
            "key": Read("kms", "describe_key", "KeyMetadata", named, denied),
            "grants": Read("kms", "list_grants", "Grants", named, denied),
            "policy": Read("kms", "get_key_policy", "Policy", {**named, "PolicyName": "default"}, denied),
        },
    )
    managers = [one.get("KeyManager") for one in told["key"]]
    granted = any(SCALING_ROLE in one.get("GranteePrincipal", "") for one in told["grants"])
    allowed = any(SCALING_ROLE in str(policy) for policy in told["policy"])
    if managers != ["AWS"] and not granted and not allowed:
        command = f"aws kms create-grant --key-id {key} --grantee-principal <ARN of that role>"
        problems.warn(
            grouped[0],
            f"the account encrypts volumes with the key {key}, and neither a grant nor its policy names "
            "AWSServiceRoleForAutoScaling, so that the instances of Auto Scaling groups end with "
            f"Client.InternalError. Allow it, for example with '{command} --operations Encrypt Decrypt "
            "ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyWithoutPlaintext DescribeKey CreateGrant'",
        )
