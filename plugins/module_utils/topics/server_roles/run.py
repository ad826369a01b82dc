# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The permissions of servers in AWS: for each tier an IAM role with one policy, and an instance profile."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import (
    BUCKET,
    IAM_PATH,
    KEY_PARAMETER,
    KMS_KEY_ARN,
    PARAMETER_NAME,
    POLICY_ARN,
    TIER_NAME,
    backup_bucket,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import (
    ENVIRONMENT,
    Owner,
    other_region,
    region_clash,
    tag_dict,
    tag_list,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import conform_options
from ansible_collections.groundwork.aws.plugins.module_utils.topics.server_roles import claims

COMPONENT = "servers"
NO_BOUNDARY = "none"
POLICY = "groundwork"  # the name of the policy inside a role
GONE = ("NoSuchEntity",)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
PREFIX = re.compile(
    r"([A-Za-z0-9!_.'()-]+/)*"
)  # without wildcards of a policy, and ending with a slash, so that it matches whole folders only

Spec = dict[str, dict[str, t.Any]]
ARCHIVES: Spec = {"bucket": {"type": "str", "required": True}, "prefix": {"type": "str", "default": ""}}
RIGHTS: Spec = {
    "parameters": {"type": "list", "elements": "str", "default": []},
    "archives": {"type": "list", "elements": "dict", "default": [], "options": ARCHIVES},
    "keys": {"type": "list", "elements": "str", "default": []},
    "claims": {"type": "bool", "default": False},
    "backups": {"type": "bool", "default": False},
}

Document = dict[str, t.Any]
TRUST: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@dataclass(frozen=True)
class ServerRole:
    """A tier's role. `archives` are buckets with a prefix that is empty or ends with a slash.

    `claims` is whether the servers may claim ticks of schedules, `backups` whether they may write backups.
    """

    tier: str
    parameters: tuple[str, ...]
    archives: tuple[tuple[str, str], ...]
    keys: tuple[str, ...]
    claims: bool = False
    backups: bool = False


@dataclass(frozen=True)
class ServerRoles:
    """The roles of all tiers. `boundary` is the ARN of a policy, NO_BOUNDARY, or "" to keep that of a role."""

    roles: tuple[ServerRole, ...]
    boundary: str = ""
    path: str = "/"


@dataclass(frozen=True)
class Place:
    """The account, region and partition of the parameters, and the environment of the claims."""

    partition: str
    region: str
    account: str
    environment: str = ""

    @property
    def bucket(self) -> str:
        """Return the bucket with the claims."""
        return claims.bucket_name(self.account, self.region)

    @property
    def backups(self) -> str:
        """Return the bucket with the backups."""
        return backup_bucket(self.environment, self.account, self.region)


@dataclass(frozen=True)
class Observed:
    """The existing resources by tier: roles and profiles as IAM describes them, and the roles' policies."""

    roles: t.Mapping[str, t.Mapping[str, t.Any]] = field(default_factory=dict)
    policies: t.Mapping[str, Document] = field(default_factory=dict)
    profiles: t.Mapping[str, t.Mapping[str, t.Any]] = field(default_factory=dict)
    lifecycle: t.Mapping[str, t.Any] = field(default_factory=dict)  # of the bucket with the claims


def parse_server_roles(options: t.Mapping[str, t.Any], problems: Problems) -> ServerRoles | None:
    """Return the desired roles, or None if the options add problems."""
    before = len(problems.found)
    roles = [_parse_role(str(tier), given, problems) for tier, given in options["roles"].items()]
    boundary, path = options["permissions_boundary"], options["role_path"]
    if boundary not in ("", NO_BOUNDARY) and not POLICY_ARN.fullmatch(boundary):
        right = f"give one such as arn:aws:iam::123456789012:policy/boundary, or {NO_BOUNDARY}"
        problems.add("permissions_boundary", f"'{boundary}' is not the ARN of a policy", right)
    if not IAM_PATH.fullmatch(path):
        right = "begin and end it with a slash, as in /app/, and use ASCII characters without spaces"
        problems.add("role_path", f"'{path}' is not a path", right)
    if len(problems.found) > before:
        return None
    return ServerRoles(tuple(role for role in roles if role), boundary, path)


def _parse_role(tier: str, given: t.Any, problems: Problems) -> ServerRole | None:
    where = f"roles.{tier}"
    if not TIER_NAME.fullmatch(tier):
        problems.add(
            where, f"'{tier}' is not a valid tier name", "use at most 16 lower case letters, digits and hyphens"
        )
    if not isinstance(given, t.Mapping):
        problems.add(where, f"{given!r} is not a dictionary", f"give it {', '.join(RIGHTS)}")
        return None
    before = len(problems.found)
    rights = conform_options(RIGHTS, given, where, problems)
    if len(problems.found) > before:
        return None
    if not any(rights.values()):  # IAM accepts no policy without a statement
        problems.add(where, "the role has no permissions", f"give one of {', '.join(RIGHTS)}, or remove the role")
    for position, name in enumerate(rights["parameters"]):
        if not PARAMETER_NAME.fullmatch(name):
            right = "give a path such as /groundwork/dev/lamp/shop/database-password"
            problems.add(f"{where}.parameters[{position}]", f"'{name}' is not a parameter path", right)
        elif KEY_PARAMETER.fullmatch(name):
            wrong = f"'{name}' has the private key for the servers, which no server may read"
            problems.add(f"{where}.parameters[{position}]", wrong, "remove it")
    for position, archive in enumerate(rights["archives"]):
        _check_archive(archive, f"{where}.archives[{position}]", problems)
    for position, key in enumerate(rights["keys"]):
        if not KMS_KEY_ARN.fullmatch(key):
            problems.add(f"{where}.keys[{position}]", f"'{key}' is not the ARN of a key", "give the ARN of a KMS key")
    return ServerRole(
        tier,
        tuple(sorted(set(rights["parameters"]))),
        tuple(sorted({(one["bucket"], one["prefix"]) for one in rights["archives"]})),
        tuple(sorted(set(rights["keys"]))),
        rights["claims"],
        rights["backups"],
    )


def _check_archive(archive: t.Mapping[str, str], where: str, problems: Problems) -> None:
    bucket, prefix = archive["bucket"], archive["prefix"]
    if not BUCKET.fullmatch(bucket):
        problems.add(f"{where}.bucket", f"'{bucket}' is not a valid bucket name", "give the name of a bucket")
    if not PREFIX.fullmatch(prefix):
        right = "end it with a slash, and use only letters, digits and _ - . /"
        problems.add(f"{where}.prefix", f"'{prefix}' is not a prefix of whole folders", right)


def policy_document(role: ServerRole, place: Place) -> Document:
    """Return the policy that allows a role its parameters and archives, and nothing else.

    Backups are written below the prefix of the tier, and neither read nor deleted: what servers lost is brought back by
    presigned URLs.

    The account's default key of SSM needs no separate permission.
    https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
    """
    parameters = f"arn:{place.partition}:ssm:{place.region}:{place.account}:parameter"
    objects = f"arn:{place.partition}:s3:::"
    claimed = claims.resources(place.partition, place.bucket, place.environment) if role.claims else []
    written = [f"{objects}{place.backups}/{role.tier}/*"] if role.backups else []
    allowed = {
        "ssm:GetParameter": [f"{parameters}{name}" for name in role.parameters],
        "s3:GetObject": [*(f"{objects}{bucket}/{prefix}*" for bucket, prefix in role.archives), *claimed],
        "s3:PutObject": [*claimed, *written],
        "kms:Decrypt": list(role.keys),
    }
    statements = [
        {"Effect": "Allow", "Action": action, "Resource": resources}
        for action, resources in allowed.items()
        if resources
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def observe_roles(clients: Clients, owner: Owner, wanted: t.Sequence[ServerRole]) -> tuple[Place, Observed]:
    """Return the existing roles, read in one call, and three calls per role."""
    reads = {"caller": Read("sts", "get_caller_identity", "")}
    for role in wanted:
        named = {"RoleName": owner.name(role.tier)}
        reads[f"role {role.tier}"] = Read("iam", "get_role", "Role", named, GONE)
        inside = {**named, "PolicyName": POLICY}
        reads[f"policy {role.tier}"] = Read("iam", "get_role_policy", "PolicyDocument", inside, GONE)
        profile = {"InstanceProfileName": owner.name(role.tier)}
        reads[f"profile {role.tier}"] = Read("iam", "get_instance_profile", "InstanceProfile", profile, GONE)
    answers = observe(clients, reads)
    [caller] = answers["caller"]
    partition = caller["Arn"].split(":")[1]
    place = Place(partition, clients.client("ssm").meta.region_name, caller["Account"], owner.environment)
    if any(role.claims for role in wanted):
        answers |= observe(clients, {"lifecycle": claims.lifecycle_read(place.bucket, place.account)})

    def told(kind: str) -> dict[str, t.Any]:
        found = {role.tier: answers[f"{kind} {role.tier}"] for role in wanted}
        return {tier: answer[0] for tier, answer in found.items() if answer}

    lifecycle: Document = next(iter(answers.get("lifecycle", ())), {})
    return place, Observed(told("role"), told("policy"), told("profile"), lifecycle)


def check(owner: Owner, wanted: t.Sequence[ServerRole], observed: Observed, problems: Problems) -> None:
    """Add to `problems` roles and profiles with the desired names that do not belong to the environment.

    An environment of the same name in another region has its own roles, which IAM has once for all regions.
    """
    for role in wanted:
        for kind, found in (("role", observed.roles), ("instance profile", observed.profiles)):
            told = found.get(role.tier, {})
            tags = tag_dict(told)
            if other := other_region(tags, owner.region):
                problems.add(*region_clash(kind, owner.name(role.tier), owner.environment, other, owner.region))
            elif role.tier in found and tags.get(ENVIRONMENT) != owner.environment:
                what = f"the {kind} {owner.name(role.tier)} ({told['Arn']})"
                problems.add(f"roles.{role.tier}", *owner.foreign(what, tags))


def plan(owner: Owner, wanted: ServerRoles, place: Place, observed: Observed) -> list[Change]:
    """Return the changes that create and update the roles. This function is pure."""
    claimed = any(role.claims for role in wanted.roles)
    expiring = claims.plan_lifecycle(place.bucket, place.account, observed.lifecycle) if claimed else []
    return [
        *expiring,
        *(
            change
            for role in wanted.roles
            for change in (
                *_role(owner, role, wanted, place, observed),
                *_profile(owner, role.tier, wanted.path, observed.profiles.get(role.tier)),
            )
        ),
    ]


def check_boundary(clients: Clients, arn: str, place: Place, problems: Problems) -> None:
    """Add to `problems` a permissions boundary that does not exist. IAM reports such a role as unknown, not the policy.

    Credentials without the right to read it, which the run does not need otherwise, are believed.
    """
    named = POLICY_ARN.fullmatch(arn)
    if named and named["account"] not in ("aws", place.account):
        right = f"give a policy of the account {place.account}, or one of AWS"
        problems.add("permissions_boundary", f"{arn} is a policy of another account", right)
        return
    read = Read("iam", "get_policy", "Policy", {"PolicyArn": arn}, absent=GONE)
    try:
        found = observe(clients, {"policy": read})["policy"]
    except GroundworkError as error:
        if error.details.get("error_code") != "AccessDenied":
            raise
        return
    if not found:
        problems.add("permissions_boundary", f"the policy {arn} does not exist", "create it, or give another one")


def bounded(wanted: ServerRoles, observed: Observed) -> list[str]:
    """Return the tiers whose roles get the permissions boundary, which they do not have yet."""
    if wanted.boundary in ("", NO_BOUNDARY):
        return []
    return [role.tier for role in wanted.roles if _boundary_of(observed.roles.get(role.tier, {})) != wanted.boundary]


def _boundary_of(described: t.Mapping[str, t.Any]) -> str:
    """Return the permissions boundary of a role, or NO_BOUNDARY."""
    arn: str = (described.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", NO_BOUNDARY)
    return arn


def remarks(owner: Owner, wanted: ServerRoles, observed: Observed) -> list[str]:
    """Return a warning for each role and instance profile with another path, which IAM cannot change."""
    found = [
        (kind, owner.name(role.tier), described[role.tier]["Path"])
        for role in wanted.roles
        for kind, described in (("instance profile", observed.profiles), ("role", observed.roles))
        if described.get(role.tier, {}).get("Path", wanted.path) != wanted.path
    ]
    return [
        f"The {kind} {name} keeps its path {path}, because IAM cannot change it to {wanted.path}. To change it, set "
        "min and desired of the group to 0, because servers without a role have no permissions. Then delete the "
        "instance profile and the role in IAM, and run again with the former numbers."
        for kind, name, path in found
    ]


def iam(operation: str, /, **arguments: t.Any) -> Call:
    """Return a call of IAM."""
    return Call("iam", operation, arguments)


def _role(owner: Owner, role: ServerRole, wanted: ServerRoles, place: Place, observed: Observed) -> t.Iterator[Change]:
    name, found = owner.name(role.tier), observed.roles.get(role.tier)
    document, tags = policy_document(role, place), owner.global_tags(role.tier)
    trust = {"PolicyDocument": json.dumps(TRUST)}
    # The next call may not know a new role yet.
    put = iam("put_role_policy", RoleName=name, PolicyName=POLICY, PolicyDocument=json.dumps(document))
    put = Call("iam", put.operation, put.arguments, passing=GONE)
    bound = {"PermissionsBoundary": wanted.boundary} if wanted.boundary not in ("", NO_BOUNDARY) else {}
    path = {"Path": wanted.path} if wanted.path != "/" else {}
    if found is None:
        arguments = {"AssumeRolePolicyDocument": trust["PolicyDocument"], "Tags": tag_list(tags), **bound, **path}
        create = iam("create_role", RoleName=name, **arguments).settled_by("EntityAlreadyExists").safe_to_repeat()
        shown = {"Policy": document, **bound, **path, "Tags": tags}
        yield Change("create", "role", role.tier, (create, put), after=shown)
        return
    calls: list[Call] = []
    before: dict[str, t.Any] = {}
    after: dict[str, t.Any] = {}
    if wanted.boundary not in ("", _boundary_of(found)):
        # First, so that the role never has more permissions than the new boundary and the former policy allow.
        operation = "put_role_permissions_boundary" if bound else "delete_role_permissions_boundary"
        calls.append(iam(operation, RoleName=name, **bound))
        before["PermissionsBoundary"], after["PermissionsBoundary"] = _boundary_of(found), wanted.boundary
    if found["AssumeRolePolicyDocument"] != TRUST:
        calls.append(iam("update_assume_role_policy", RoleName=name, **trust))
        before["Trust"], after["Trust"] = found["AssumeRolePolicyDocument"], TRUST
    policy = observed.policies.get(role.tier)
    if policy != document:
        calls.append(put)
        before["Policy"], after["Policy"] = policy or {}, document
    if lacking := {key: value for key, value in tags.items() if tag_dict(found).get(key) != value}:
        calls.append(iam("tag_role", RoleName=name, Tags=tag_list(lacking)))
        after["Tags"] = lacking
    if calls:
        yield Change("update", "role", role.tier, tuple(calls), before=before, after=after)


def _profile(owner: Owner, tier: str, path: str, found: t.Mapping[str, t.Any] | None) -> t.Iterator[Change]:
    """Yield the changes of a tier's instance profile, which holds one role.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html
    """
    name, tags = owner.name(tier), owner.global_tags(tier)
    profile = {"InstanceProfileName": name}
    # A profile holds one role, so that a repetition exceeds the limit.
    arguments = {**profile, "RoleName": name}
    add = Call("iam", "add_role_to_instance_profile", arguments, passing=GONE, echoes=("LimitExceeded",))
    if found is None:
        where = {"Path": path} if path != "/" else {}
        create = iam("create_instance_profile", **profile, **where, Tags=tag_list(tags))
        create = create.settled_by("EntityAlreadyExists").safe_to_repeat()
        yield Change("create", "instance profile", tier, (create, add), after={"Role": name})
        return
    roles = [role["RoleName"] for role in found["Roles"]]
    if roles != [name]:
        calls = [iam("remove_role_from_instance_profile", **profile, RoleName=role) for role in roles]
        yield Change("update", "instance profile", tier, (*calls, add), before={"Role": roles}, after={"Role": name})
    if lacking := {key: value for key, value in tags.items() if tag_dict(found).get(key) != value}:
        call = iam("tag_instance_profile", **profile, Tags=tag_list(lacking))
        yield Change("update", "tags", f"instance profile {tier}", (call,), after=lacking)


def converge_server_roles(run: Run) -> dict[str, t.Any]:
    """Create and update roles and profiles, and return the module's result. Raise GroundworkError on failure."""
    owner, wanted = run.parse(COMPONENT, parse_server_roles)
    place, observed = observe_roles(run.clients, owner, wanted.roles)
    problems = Problems()
    check(owner, wanted.roles, observed, problems)
    if bounded(wanted, observed):
        check_boundary(run.clients, wanted.boundary, place, problems)
    problems.raise_if_any()
    for remark in remarks(owner, wanted, observed):
        run.warn(remark)
    result = run.make(plan(owner, wanted, place, observed), {})
    return {**result, "instance_profiles": {role.tier: owner.name(role.tier) for role in wanted.roles}}
