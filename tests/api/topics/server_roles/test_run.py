"""The module `iam_server_roles`: its roles, their permissions, and the message for each mistake."""

from __future__ import annotations

import json
import typing as t
from collections import Counter

import pytest
from cloud import Cloud, Survives, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.server_roles.run import (
    TRUST,
    converge_server_roles,
    parse_server_roles,
)
from groundwork_lab.api.permissions import permits

PASSWORD = "/groundwork/dev/lamp/app/database-password"
PUBLIC = {"parameters": [PASSWORD], "archives": [{"bucket": "dev-ours", "prefix": "releases/"}]}
CREATION = ["create role public", "create instance profile public"]


SETTINGS = {"environment_name": "dev", "tags": {}, "permissions_boundary": "", "role_path": "/"}


def options(**roles: t.Any) -> dict[str, t.Any]:
    return {**SETTINGS, "roles": roles or {"public": PUBLIC}}


def bounded(arn: str, path: str = "/") -> dict[str, t.Any]:
    return {**options(), "permissions_boundary": arn, "role_path": path}


def document(cloud: Cloud) -> dict[str, t.Any]:
    return dict(cloud.of("iam").get_role_policy(RoleName="dev-public", PolicyName="groundwork")["PolicyDocument"])


def look(cloud: Cloud) -> t.Any:
    profile = cloud.of("iam").get_instance_profile(InstanceProfileName="dev-public")["InstanceProfile"]
    return document(cloud), [role["RoleName"] for role in profile["Roles"]], profile["Tags"]


def test_a_role_and_its_profile_are_made_once(cloud: Cloud) -> None:
    predicted = cloud.run(converge_server_roles, options(), check_mode=True)
    assert (told(predicted), cloud.writes) == (CREATION, [])
    result = cloud.run(converge_server_roles, options())
    assert (told(result), result["instance_profiles"]) == (CREATION, {"public": "dev-public"})
    role = cloud.of("iam").get_role(RoleName="dev-public")["Role"]
    assert role["AssumeRolePolicyDocument"] == TRUST
    assert {"Key": "groundwork:environment", "Value": "dev"} in role["Tags"]
    assert look(cloud)[1] == ["dev-public"]
    assert cloud.run(converge_server_roles, options())["changes"] == []
    assert Counter(cloud.calls) == {
        "GetCallerIdentity": 1,
        "GetRole": 1,
        "GetRolePolicy": 1,
        "GetInstanceProfile": 1,
    }


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("ssm:GetParameter", f"arn:aws:ssm:eu-central-1:123456789012:parameter{PASSWORD}", True),
        ("ssm:GetParameter", f"arn:aws:ssm:eu-central-1:123456789012:parameter{PASSWORD}2", False),
        ("ssm:GetParameter", "arn:aws:ssm:eu-central-1:123456789012:parameter/groundwork/dev/servers/key", False),
        ("ssm:GetParameters", "arn:aws:ssm:eu-central-1:123456789012:parameter/groundwork/dev/servers/key", False),
        ("ssm:GetParametersByPath", "arn:aws:ssm:eu-central-1:123456789012:parameter/groundwork/dev", False),
        ("ec2:CreateTags", "arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0", False),
        ("ssm:GetParameter", "arn:aws:ssm:eu-central-1:123456789012:parameter/groundwork/dev/lamp/shop/x", False),
        ("ssm:PutParameter", f"arn:aws:ssm:eu-central-1:123456789012:parameter{PASSWORD}", False),
        ("s3:GetObject", "arn:aws:s3:::dev-ours/releases/app.tar.gz", True),
        ("s3:GetObject", "arn:aws:s3:::dev-ours/releases", False),
        ("s3:GetObject", "arn:aws:s3:::dev-ours/secrets/key", False),
        ("s3:PutObject", "arn:aws:s3:::dev-ours/releases/app.tar.gz", False),
        ("s3:ListBucket", "arn:aws:s3:::dev-ours", False),
        ("ec2:DescribeInstances", "*", False),
    ],
)
def test_a_server_may_read_what_is_named_and_nothing_else(
    cloud: Cloud, action: str, resource: str, allowed: bool
) -> None:
    cloud.run(converge_server_roles, options())
    account = cloud.of("sts").get_caller_identity()["Account"]
    assert permits([document(cloud)], action, [resource.replace("123456789012", account)]) is allowed


def test_keys_may_be_used(cloud: Cloud) -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    cloud.run(converge_server_roles, options(public={"keys": [key]}))
    assert document(cloud)["Statement"] == [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": [key]}]


def test_what_somebody_changed_is_put_back(cloud: Cloud) -> None:
    cloud.run(converge_server_roles, options())
    before, iam = look(cloud), cloud.of("iam")
    more = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="dev-public", PolicyName="groundwork", PolicyDocument=json.dumps(more))
    anyone = {**TRUST, "Statement": [{**TRUST["Statement"][0], "Principal": {"AWS": "*"}}]}
    iam.update_assume_role_policy(RoleName="dev-public", PolicyDocument=json.dumps(anyone))
    iam.remove_role_from_instance_profile(InstanceProfileName="dev-public", RoleName="dev-public")
    iam.untag_role(RoleName="dev-public", TagKeys=["groundwork:component"])
    result = cloud.run(converge_server_roles, options())
    assert told(result) == ["update role public", "update instance profile public"]
    assert look(cloud) == before
    assert iam.get_role(RoleName="dev-public")["Role"]["AssumeRolePolicyDocument"] == TRUST
    assert cloud.run(converge_server_roles, options())["changes"] == []


def test_a_killed_run_is_completed(survives: Survives) -> None:
    assert survives(converge_server_roles, options(), look) == 4


def test_somebody_elses_role_is_refused(cloud: Cloud) -> None:
    cloud.of("iam").create_role(RoleName="dev-public", AssumeRolePolicyDocument=json.dumps(TRUST))
    with pytest.raises(
        InputError,
        match=r"roles\.public: the role dev-public \(arn:.*\) exists, and its tags .* "
        r"put back groundwork:environment=dev and groundwork:component=servers",
    ):
        cloud.run(converge_server_roles, options())
    assert cloud.writes == []


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (PUBLIC, ""),
        (
            {},
            "roles.public: the role has no permissions; give one of parameters, archives, keys, claims, ",
        ),
        (3, "roles.public: 3 is not a dictionary; give it parameters, archives, keys, claims, backups."),
        ({"parameter": []}, "roles.public.parameter: is not an option; did you mean parameters."),
        ({"parameters": ["/groundwork/*"]}, "roles.public.parameters[0]: '/groundwork/*' is not a parameter path"),
        (
            {"parameters": [PASSWORD, "/groundwork/dev/servers/key"]},
            "roles.public.parameters[1]: '/groundwork/dev/servers/key' has the private key for the servers, which no",
        ),
        (
            {"parameters": ["/groundwork/prod/servers/key"]},
            "roles.public.parameters[0]: '/groundwork/prod/servers/key' has",
        ),
        ({"archives": [{}]}, "roles.public.archives[0].bucket: is missing"),
        ({"archives": [{"bucket": "*"}]}, "roles.public.archives[0].bucket: '*' is not a valid bucket name"),
        ({"archives": [{"bucket": "ours", "prefix": "rel"}]}, "roles.public.archives[0].prefix: 'rel' is not a prefix"),
        ({"archives": [{"bucket": "ours", "prefix": "*/"}]}, "roles.public.archives[0].prefix: '*/' is not a prefix"),
        ({"keys": ["alias/ours"]}, "roles.public.keys[0]: 'alias/ours' is not the ARN of a key"),
    ],
)
def test_what_cannot_be(role: t.Any, expected: str) -> None:
    problems = Problems()
    parsed = parse_server_roles(options(public=role), problems)
    assert (parsed is None) == bool(problems.found) == bool(expected)
    assert not expected or str(problems.found[0]).startswith(expected)


@pytest.fixture
def policies(cloud: Cloud) -> list[str]:
    """Return the ARNs of two policies."""
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    create = cloud.of("iam").create_policy
    names = ("first", "second")
    return [create(PolicyName=name, PolicyDocument=json.dumps(everything))["Policy"]["Arn"] for name in names]


def boundary(cloud: Cloud) -> str:
    role = cloud.of("iam").get_role(RoleName="dev-public")["Role"]
    return str(role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""))


def test_a_permissions_boundary_is_given_and_changed_in_place(cloud: Cloud, policies: list[str]) -> None:
    first, second = policies
    predicted = cloud.run(converge_server_roles, bounded(first), check_mode=True)
    assert predicted["diff"][0]["after"]["PermissionsBoundary"] == first
    assert told(cloud.run(converge_server_roles, bounded(first))) == told(predicted) == CREATION
    assert boundary(cloud) == first
    assert told(cloud.run(converge_server_roles, bounded(first))) == []
    assert "GetPolicy" not in cloud.calls
    changed = cloud.run(converge_server_roles, bounded(second))
    assert changed["diff"][0]["before"] == {"PermissionsBoundary": first}
    assert (boundary(cloud), cloud.writes) == (second, ["PutRolePermissionsBoundary"])
    assert told(cloud.run(converge_server_roles, bounded(""))) == []  # that of an existing role stays
    assert boundary(cloud) == second
    cloud.run(converge_server_roles, bounded("none"))
    assert (boundary(cloud), cloud.writes) == ("", ["DeleteRolePermissionsBoundary"])
    assert told(cloud.run(converge_server_roles, bounded("none"))) == []


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        ("arn:aws:iam::{own}:policy/missing", "does not exist; create it, or give another one"),
        (
            "arn:aws:iam::999999999999:policy/first",
            "is a policy of another account; give a policy of the account {own}",
        ),
    ],
)
def test_a_boundary_that_is_missing_is_refused_before_the_first_write(cloud: Cloud, arn: str, message: str) -> None:
    own = cloud.of("sts").get_caller_identity()["Account"]
    for check_mode in (True, False):
        with pytest.raises(InputError, match=message.format(own=own)):
            cloud.run(converge_server_roles, bounded(arn.format(own=own)), check_mode=check_mode)
        assert cloud.writes == []


def test_a_path_is_given_at_the_creation_only(cloud: Cloud) -> None:
    cloud.run(converge_server_roles, bounded("", "/app/"))
    iam = cloud.of("iam")
    assert iam.get_role(RoleName="dev-public")["Role"]["Path"] == "/app/"
    assert iam.get_instance_profile(InstanceProfileName="dev-public")["InstanceProfile"]["Path"] == "/app/"
    assert told(cloud.run(converge_server_roles, bounded("", "/app/"))) == []
    assert cloud.warnings == []
    assert told(cloud.run(converge_server_roles, bounded("", "/"))) == []
    assert [warning.partition(",")[0] for warning in cloud.warnings] == [
        "The instance profile dev-public keeps its path /app/",
        "The role dev-public keeps its path /app/",
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"permissions_boundary": "boundary"}, "permissions_boundary: 'boundary' is not the ARN of a policy; give one"),
        ({"permissions_boundary": "arn:aws:iam::1:policy/x"}, "permissions_boundary: 'arn:aws:iam::1:policy/x' is not"),
        ({"permissions_boundary": "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"}, ""),
        ({"permissions_boundary": "none"}, ""),
        ({"role_path": "app"}, "role_path: 'app' is not a path; begin and end it with a slash"),
        ({"role_path": "/app"}, "role_path: '/app' is not a path"),
        ({"role_path": "/a b/"}, "role_path: '/a b/' is not a path"),
        ({"role_path": "/app/web/"}, ""),
    ],
)
def test_boundaries_and_paths(given: dict[str, str], expected: str) -> None:
    problems = Problems()
    parsed = parse_server_roles({**options(), **given}, problems)
    assert (parsed is None) == bool(problems.found) == bool(expected)
    assert not expected or str(problems.found[0]).startswith(expected)


BUCKET = "groundwork-123456789012-eu-central-1"


def test_servers_that_claim_may_write_their_claims_and_nothing_else(cloud: Cloud) -> None:
    s3 = cloud.of("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    other = {"ID": "other", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [other]})
    predicted = cloud.run(converge_server_roles, options(public={"claims": True}), check_mode=True)
    result = cloud.run(converge_server_roles, options(public={"claims": True}))
    assert told(predicted) == told(result) == [f"update bucket lifecycle {BUCKET}", *CREATION]
    rules = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    days = {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in rules}
    assert days == {"x/": 1, "claims/": 7, "schedules/": 400}
    objects = f"arn:aws:s3:::{BUCKET}"
    for action, resource, allowed in (
        ("s3:PutObject", f"{objects}/claims/dev/app/nightly/20261130T120000Z", True),
        ("s3:GetObject", f"{objects}/schedules/dev/app/nightly", True),
        ("s3:PutObject", f"{objects}/commands/dev/vpc-1/app/3f2a9c01d4e5", True),
        ("s3:GetObject", f"{objects}/commands/prod/vpc-1/app/3f2a9c01d4e5", False),
        ("s3:PutObject", f"{objects}/claims/prod/app/nightly/20261130T120000Z", False),
        ("s3:PutObject", f"{objects}/locks/dev.json", False),
        ("s3:GetObject", f"{objects}/locks/dev.json", False),
        ("s3:DeleteObject", f"{objects}/claims/dev/app/nightly/20261130T120000Z", False),
        ("s3:ListBucket", objects, False),
    ):
        assert permits([document(cloud)], action, [resource]) is allowed, (action, resource)
    assert cloud.run(converge_server_roles, options(public={"claims": True}))["changes"] == []
    assert Counter(cloud.calls)["GetBucketLifecycleConfiguration"] == 1
    assert sum(Counter(cloud.calls).values()) == 5


def test_servers_with_backups_write_below_their_tier_and_nothing_else(cloud: Cloud) -> None:
    result = cloud.run(converge_server_roles, options(public={"backups": True}))
    assert told(result) == CREATION
    account = cloud.of("sts").get_caller_identity()["Account"]
    objects = f"arn:aws:s3:::groundwork-dev-backups-{account}-eu-central-1"
    own = f"{objects}/public/public-1/20261130T023000Z-public-1/manifest.json"
    for action, resource, allowed in (
        ("s3:PutObject", own, True),
        ("s3:GetObject", own, False),
        ("s3:DeleteObject", own, False),
        ("s3:DeleteObjectVersion", own, False),
        ("s3:ListBucket", objects, False),
        ("s3:PutObject", f"{objects}/private/private-1/20261130T023000Z-private-1/manifest.json", False),
        ("s3:PutObject", own.replace("-dev-", "-prod-"), False),
    ):
        assert permits([document(cloud)], action, [resource]) is allowed, (action, resource)
