"""Bundles and releases in their bucket, against the lab's control plane."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import typing as t
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cloud import Cloud, Survives, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot.options import parse_boots
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot.run import converge_boots
from groundwork_lab.api import Fault

BUCKET = "groundwork-dev-123456789012-eu-central-1"
PASSWORD = "@groundwork(parameter:/groundwork/dev/lamp/app/database-password)@"
RELEASE = {
    "name": "app",
    "path": "/srv/www/app",
    "id": "3f2a9c01d4e5",
    "owner": "code-app",
    "group": "site-app",
    "private_group": "code-app",
    "reload": ["web"],
    "mend": True,
}
TIER: dict[str, t.Any] = {
    "configuration": {
        "name": "lamp",
        "packages": ["web"],
        "files": [
            {"path": "/etc/name", "content": "@groundwork(instance-id)@"},
            {"path": "/etc/secret", "content": f"x {PASSWORD}", "mode": "0600"},
        ],
        "services": [{"name": "web"}],
    },
    "databases": {
        "databases": [{"name": "app"}],
        "users": [{"name": "app", "password": PASSWORD, "databases": ["app"]}],
    },
}


@pytest.fixture
def options(tmp_path: Path) -> dict[str, t.Any]:
    archive = tmp_path / "app-3f2a9c01d4e5.tar.gz"
    archive.write_bytes(b"an archive")
    tier = {**TIER, "releases": [{**RELEASE, "archive": str(archive)}]}
    return {"environment_name": "dev", "tags": {}, "region": "eu-central-1", "bucket": "", "tiers": {"public": tier}}


def objects(cloud: Cloud, bucket: str = BUCKET) -> dict[str, bytes]:
    s3 = cloud.of("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def test_the_plan_of_an_empty_account_is_the_run(cloud: Cloud, options: dict[str, t.Any]) -> None:
    planned = cloud.run(converge_boots, options, check_mode=True)
    assert cloud.writes == []
    done = cloud.run(converge_boots, options)
    assert planned == done
    assert told(done) == [
        f"create bucket {BUCKET}",
        f"update bucket versioning {BUCKET}",
        f"update bucket lifecycle {BUCKET}",
        f"create bucket policy {BUCKET}",
        "create release archive app 3f2a9c01d4e5",
        "create boot bundle public",
    ]
    archive, bundle = "releases/app/3f2a9c01d4e5.tar.gz", next(key for key in objects(cloud) if key.endswith(".pyz"))
    kept = objects(cloud)
    assert kept[archive] == b"an archive"
    digest = hashlib.sha256(kept[bundle]).hexdigest()
    assert bundle == f"boot/public/{digest}.pyz"
    told_tier = done["tiers"]["public"]
    where = f"{BUCKET!r}, {bundle!r}, {digest!r}"
    assert told_tier["user_data"].endswith(f"start(Cloud('eu-central-1', 'amazonaws.com'), {where})\n")
    assert told_tier["parameters"] == ["/groundwork/dev/lamp/app/database-password"]
    assert told_tier["archives"] == [
        {"bucket": BUCKET, "prefix": "boot/public/"},
        {"bucket": BUCKET, "prefix": "releases/app/"},
    ]


def test_a_bundle_tells_what_a_server_becomes(cloud: Cloud, options: dict[str, t.Any]) -> None:
    cloud.run(converge_boots, options)
    bundle = next(content for key, content in objects(cloud).items() if key.endswith(".pyz"))
    desired = json.loads(zipfile.ZipFile(io.BytesIO(bundle)).read("desired.json"))
    assert (desired["region"], desired["domain"], desired["bucket"]) == ("eu-central-1", "amazonaws.com", BUCKET)
    assert desired["configuration"]["files"][1]["content"] == f"x {PASSWORD}"
    assert desired["configuration"]["services"] == [{"name": "web", "state": "started", "enabled": True, "check": []}]
    assert desired["databases"]["socket"] == "/run/mysqld/mysqld.sock"
    asked: dict[str, t.Any] = {
        "workers": [],
        "jobs": [],
        "pages": [],
        "logs": [],
        "hide": [],
        "folders": None,
        "command": None,
    }
    assert desired["releases"] == [{**RELEASE, **asked, "keep": 3, "key": "releases/app/3f2a9c01d4e5.tar.gz"}]


def test_another_version_of_a_parameter_is_another_bundle(cloud: Cloud, options: dict[str, t.Any]) -> None:
    """A server reads its secrets at its first boot alone, so that it is replaced after a rotation."""
    tier = options["tiers"]["public"]
    made = [
        cloud.run(converge_boots, {**options, "tiers": {"public": {**tier, "versions": {"/mail/key": version}}}})
        for version in (1, 1, 2)
    ]
    first, again, rotated = (one["tiers"]["public"]["user_data"] for one in made)
    assert first == again != rotated


def test_the_second_run_changes_nothing_in_eight_calls(cloud: Cloud, options: dict[str, t.Any]) -> None:
    first = cloud.run(converge_boots, options)
    Path(options["tiers"]["public"]["releases"][0]["archive"]).unlink()  # as on the controller of a colleague
    again = cloud.run(converge_boots, options)
    assert (again["changes"], again["tiers"]) == ([], first["tiers"])
    assert len(cloud.calls) == 8
    cloud.run(converge_boots, {**options, "bucket": BUCKET})
    assert len(cloud.calls) == 7


def test_the_bucket_answers_over_tls_only(cloud: Cloud, options: dict[str, t.Any]) -> None:
    cloud.run(converge_boots, options)
    s3 = cloud.of("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    arn = f"arn:aws:s3:::{BUCKET}"
    [statement] = policy["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == [arn, f"{arn}/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    theirs = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": arn}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({**policy, "Statement": theirs}))
    assert told(cloud.run(converge_boots, options)) == [f"update bucket policy {BUCKET}"]
    assert json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"] == [theirs, statement]


@pytest.mark.exhaustive
def test_killed_anywhere_it_converges(survives: Survives, options: dict[str, t.Any]) -> None:
    assert survives(converge_boots, options, objects) == 6


def test_what_changes_is_uploaded_and_nothing_else(cloud: Cloud, options: dict[str, t.Any]) -> None:
    cloud.run(converge_boots, options)
    before = objects(cloud)
    other = {**options["tiers"]["public"], "configuration": {**TIER["configuration"], "packages": ["web", "more"]}}
    assert told(cloud.run(converge_boots, {**options, "tiers": {"public": other}})) == ["create boot bundle public"]
    assert before.items() < objects(cloud).items()
    assert cloud.run(converge_boots, options)["changes"] == [], "the one before is still there"


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_release_that_is_nowhere_is_refused(cloud: Cloud, options: dict[str, t.Any], check_mode: bool) -> None:
    unknown = {**RELEASE, "id": "000000000000"}
    wish = {**options, "tiers": {"public": {**TIER, "releases": [unknown]}}}
    told = (
        "the release '000000000000' of 'app' is neither in the bucket nor packed on the controller; "
        "give a release that is in the bucket"
    )
    with pytest.raises(InputError, match=rf"{told} \(lamp_release\): there is none\."):
        cloud.run(converge_boots, wish, check_mode=check_mode)
    cloud.run(converge_boots, options)
    with pytest.raises(InputError, match=rf"{told} \(lamp_release\): 3f2a9c01d4e5\."):
        cloud.run(converge_boots, wish, check_mode=check_mode)
    assert cloud.writes == []


def test_a_release_whose_archive_is_gone_is_refused_in_a_run(cloud: Cloud, options: dict[str, t.Any]) -> None:
    """Check mode accepts a release that a real run would pack."""
    Path(options["tiers"]["public"]["releases"][0]["archive"]).unlink()
    assert cloud.run(converge_boots, options, check_mode=True)["changed"]
    with pytest.raises(
        InputError, match="the release '3f2a9c01d4e5' of 'app' is neither in the bucket nor packed on the controller"
    ):
        cloud.run(converge_boots, options)
    assert cloud.writes == []


def test_a_bucket_of_somebody_else_is_refused(cloud: Cloud, options: dict[str, t.Any]) -> None:
    where = {"LocationConstraint": "eu-central-1"}
    cloud.of("s3").create_bucket(Bucket="a-bucket", CreateBucketConfiguration=where)
    with pytest.raises(GroundworkError, match="The bucket a-bucket exists, and its tags are not this environment's"):
        cloud.run(converge_boots, {**options, "bucket": "a-bucket"})
    assert cloud.writes == []


@pytest.mark.parametrize(
    ("tiers", "problem"),
    [
        ({"Public": TIER}, "tiers.Public: 'Public' is not a valid tier name"),
        ({"public": []}, "tiers.public: [] is not a dictionary"),
        ({"public": {}}, "tiers.public.configuration: is missing"),
        ({"public": {**TIER, "release": []}}, "tiers.public.releases: is missing"),
        (
            {"public": {**TIER, "releases": [{**RELEASE, "id": "a/b"}]}},
            "tiers.public.releases[0].id: 'a/b' is not a valid release id",
        ),
        (
            {
                "public": {
                    **TIER,
                    "databases": {"users": [{"name": "app", "password": "by itself"}]},
                    "releases": [RELEASE],
                }
            },
            "tiers.public.databases.users[0].password: is not a placeholder for a password",
        ),
        (
            {"public": {"configuration": {"secrets": {"/a": "by itself"}}, "releases": [RELEASE]}},
            "tiers.public.configuration.secrets: is not an option",
        ),
        (
            {"public": {"configuration": {"validators": [{"argv": ["a"], "services": ["b"]}]}, "releases": [RELEASE]}},
            "tiers.public.configuration.validators[0]: 'b' is not a service",
        ),
        (
            {"public": {**TIER, "databases": {"databases": [{"name": "A"}]}, "releases": [RELEASE]}},
            "tiers.public.databases.databases[0]: 'A' is not a valid name",
        ),
    ],
)
def test_nonsense_is_refused(options: dict[str, t.Any], tiers: t.Any, problem: str) -> None:
    problems = Problems()
    parse_boots({**options, "bucket": "A", "tiers": tiers}, problems)
    found = [str(one) for one in problems.found]
    assert any(one.startswith(problem) for one in found), found
    assert any(one.startswith("bucket: 'A' is not a valid bucket name") for one in found)


@pytest.fixture(autouse=True)
def _objects_of_different_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second pass at each look at the clock: S3 tells times in seconds, and a test writes many objects in one."""
    seconds, began = itertools.count(), datetime(2026, 1, 1)
    monkeypatch.setattr("moto.s3.models.utcnow", lambda: began + timedelta(seconds=next(seconds)))


def made(options: dict[str, t.Any], number: int, keep: int = 2) -> dict[str, t.Any]:
    """Return the options with another release, and so another bundle."""
    path = Path(options["tiers"]["public"]["releases"][0]["archive"]).with_name(f"app-{number:012x}.tar.gz")
    path.write_bytes(b"an archive %d" % number)
    release = {**RELEASE, "id": f"{number:012x}", "archive": str(path), "keep": keep}
    return {**options, "tiers": {"public": {**TIER, "releases": [release]}}}


def template(cloud: Cloud, user_data: str, name: str = "dev-public") -> None:
    """Make a launch template of the environment, or another version of it."""
    data = {"UserData": base64.b64encode(user_data.encode()).decode()}
    ec2 = cloud.of("ec2")
    tags = [{"Key": "groundwork:environment", "Value": "dev"}]
    if not ec2.describe_launch_templates(Filters=[{"Name": "launch-template-name", "Values": [name]}])[
        "LaunchTemplates"
    ]:
        specifications = [{"ResourceType": "launch-template", "Tags": tags}]
        ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data, TagSpecifications=specifications)
    else:
        ec2.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData=data)


def releases(cloud: Cloud) -> list[int]:
    found = [key.split("/")[2] for key in objects(cloud) if key.startswith("releases/app/0")]
    return [int(name.split(".")[0], 16) for name in found]


def test_the_newest_are_kept(cloud: Cloud, options: dict[str, t.Any]) -> None:
    for number in range(1, 7):
        wanted = made(options, number)
        planned = cloud.run(converge_boots, wanted, check_mode=True)
        done = cloud.run(converge_boots, wanted)
        assert planned == done and cloud.run(converge_boots, wanted)["changes"] == []
        assert releases(cloud) == list(range(max(1, number - 1), number + 1))
        assert sum(key.endswith(".pyz") for key in objects(cloud)) == min(number, 2)
    assert told(done) == [
        "create release archive app 000000000006",
        "create boot bundle public",
        next(one for one in told(done) if one.startswith("delete boot bundle public/")),
        "delete release archive app/000000000004.tar.gz",
    ]


def test_what_a_launch_template_needs_is_kept_with_its_releases(cloud: Cloud, options: dict[str, t.Any]) -> None:
    for number in (1, 2):
        template(cloud, cloud.run(converge_boots, made(options, number))["tiers"]["public"]["user_data"])
    for number in (3, 4, 5, 6):
        cloud.run(converge_boots, made(options, number))
    assert releases(cloud) == [1, 2, 5, 6]
    assert sum(key.endswith(".pyz") for key in objects(cloud)) == 4
    versions = cloud.of("ec2").describe_launch_template_versions(LaunchTemplateName="dev-public")
    for version in versions["LaunchTemplateVersions"]:
        code = base64.b64decode(version["LaunchTemplateData"]["UserData"]).decode()
        assert any(repr(key) in code for key in objects(cloud))
    cloud.of("ec2").delete_launch_template(LaunchTemplateName="dev-public")
    cloud.run(converge_boots, made(options, 6))
    assert releases(cloud) == [5, 6]


def test_a_rollback_to_an_old_release_keeps_it(cloud: Cloud, options: dict[str, t.Any]) -> None:
    for number in (1, 2, 3):
        cloud.run(converge_boots, made(options, number, keep=3))
    cloud.run(converge_boots, made(options, 1))
    assert releases(cloud) == [1, 3]


def test_objects_of_others_stay(cloud: Cloud, options: dict[str, t.Any]) -> None:
    cloud.run(converge_boots, made(options, 1))
    strange = ("releases/other/1.tar.gz", "boot/private/1.pyz", "notes.txt", "releases/app/notes.txt")
    for key in strange:
        cloud.of("s3").put_object(Bucket=BUCKET, Key=key, Body=b"")
    for number in (2, 3, 4):
        cloud.run(converge_boots, made(options, number))
    assert releases(cloud)[-2:] == [3, 4]
    assert set(strange) <= set(objects(cloud))


UPLOADS = ["create release archive app 000000000004", "create boot bundle public"]


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("ec2", "DescribeLaunchTemplates", "UnauthorizedOperation"),
        ("ec2", "DescribeLaunchTemplateVersions", "UnauthorizedOperation"),
        ("s3", "GetObject", "AccessDenied"),
        ("s3", "GetObject", "NoSuchKey"),  # deleted by another controller
        ("s3", "DeleteObject", "AccessDenied"),
    ],
)
def test_what_cannot_be_deleted_stops_no_upload(
    cloud: Cloud, options: dict[str, t.Any], service: str, operation: str, code: str
) -> None:
    for number in (1, 2, 3):
        cloud.run(converge_boots, made(options, number))
    template(cloud, "other user data")
    cloud.plane.faults.set(Fault(service, operation, code=code, status=404 if code == "NoSuchKey" else 403))
    assert told(cloud.run(converge_boots, made(options, 4))) == UPLOADS
    [warning] = cloud.warnings
    assert warning.startswith("Old bundles were not deleted: ") and code in warning
    cloud.plane.faults.clear()
    assert releases(cloud) == [2, 3, 4]
    assert len(told(cloud.run(converge_boots, made(options, 4)))) == 2
    assert (releases(cloud), cloud.warnings) == ([3, 4], [])


def test_of_several_deletions_those_before_a_refusal_are_told(cloud: Cloud, options: dict[str, t.Any]) -> None:
    for number in (1, 2, 3):
        cloud.run(converge_boots, made(options, number))
    cloud.plane.faults.set(Fault("s3", "DeleteObject", code="AccessDenied", status=403, every=2))
    first, second, third = told(cloud.run(converge_boots, made(options, 4)))
    assert [first, second] == UPLOADS and third.startswith("delete boot bundle public/")
    assert "s3:DeleteObject" in cloud.warnings[0]


def packed(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a zip",
        packed({"other.json": b"{}"}),
        packed({"desired.json": b"no json"}),
        packed({"desired.json": b"[]"}),
        packed({"desired.json": b'{"releases": [{}]}'}),
        packed({"desired.json": b'{"releases": [1]}'}),
    ],
)
def test_a_damaged_bundle_stops_no_upload(cloud: Cloud, options: dict[str, t.Any], content: bytes) -> None:
    for number in (1, 2, 3):
        cloud.run(converge_boots, made(options, number))
    key = f"boot/private/{'0' * 64}.pyz"
    cloud.of("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
    assert told(cloud.run(converge_boots, made(options, 4))) == UPLOADS
    [warning] = cloud.warnings
    assert warning.startswith(f"Old bundles were not deleted: the bundle {key} could not be read")
