"""Every kind of resource of an environment besides its servers is found and removed."""

from __future__ import annotations

import typing as t

import pytest
from account_listing import Listing
from accounts.kinds import CODE, TRUST, Account
from accounts.teardown import Build, TearDown
from cloud import Cloud, Survives, Watched, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.bucket import converge_backup_bucket
from groundwork_lab.api import Fault

BACKUPS: dict[str, t.Any] = {"environment_name": "dev", "tags": {}, "region": "eu-central-1", "keep_days": 30}
MAKES = ["site", "role", "storage"]
ALL = {
    "site": [
        "update distribution site",
        "delete distribution site",
        "delete function site",
        "delete origin access control site",
        "delete cache policy site",
        "delete origin request policy site",
        "delete response headers policy site",
    ],
    "role": ["delete instance profile servers", "delete role servers"],
    "storage": [
        "delete launch template public",
        "delete volume x",
        "delete snapshot x",
        "delete parameter /elsewhere/dev",
        "delete parameter /groundwork/dev/lamp/x",
    ],
}


@pytest.mark.parametrize("make", MAKES)
def test_it_goes_and_another_environments_stays(
    cloud: Cloud, account: Account, tear_down: TearDown, listing: t.Callable[[], Listing], make: str
) -> None:
    getattr(account, make)("dev-x")  # whose names begin as ours do
    cloud.sleep(1)  # the edge follows
    before = listing()
    getattr(account, make)("dev")
    planned = tear_down(cloud, check_mode=True, buckets=True)
    done = tear_down(cloud, buckets=True)
    assert told(done) == told(planned)
    assert sorted(told(done)) == sorted([*ALL[make], *(["delete bucket dev-files"] if make == "site" else [])])
    assert set(done["found"].values()) == {0}
    assert listing() == before
    assert tear_down(cloud, buckets=True)["changed"] is False


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.exhaustive
def test_killed_anywhere_it_is_completed(
    survives: Survives, watched: Watched, tear_down: TearDown, listing: t.Callable[[], Listing], make: str
) -> None:
    def counts(_cloud: Cloud) -> dict[str, int]:
        return {kind: len(things) for kind, things in listing().items()}

    def prepare(_cloud: Cloud) -> None:
        getattr(Account(watched), make)("dev")

    assert survives(tear_down.converge, tear_down.options("dev", buckets=True), counts, prepare, recent=False) > 3


def test_a_group_goes_with_its_servers_and_its_launch_template(
    cloud: Cloud, account: Account, build: Build, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    before = listing()
    build(cloud)
    account.scaling("dev")
    planned = tear_down(cloud, check_mode=True, images=True)
    done = tear_down(cloud, images=True)
    assert told(done) == told(planned)
    gone = ["auto scaling group public", "launch template public", "role public", "instance profile public"]
    assert {f"delete {each}" for each in gone} <= {*told(done)}
    assert "delete parameter /groundwork/dev/image/lamp" in told(done)
    assert sum(each.startswith("delete server public i-") for each in told(done)) == 2
    assert set(done["found"].values()) == {0}
    assert listing() == before
    assert tear_down(cloud, images=True)["changed"] is False


IMAGE = ["delete image dev-lamp-1", "delete parameter /groundwork/dev/image/lamp", "delete snapshot x"]


def test_an_image_stays_unless_asked_for_and_takes_all_of_it_along(
    cloud: Cloud, account: Account, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    account.image("dev-x")
    before = listing()
    account.image("dev")
    kept = tear_down(cloud)
    assert kept["changed"] is False
    assert {kind: count for kind, count in kept["found"].items() if count} == {
        "image": 1,
        "parameter": 1,
        "snapshot": 1,
    }
    planned = tear_down(cloud, check_mode=True, images=True)
    done = tear_down(cloud, images=True)
    assert sorted(told(planned)) == sorted(told(done)) == IMAGE
    assert set(done["found"].values()) == {0}
    assert listing() == before


@pytest.mark.exhaustive
def test_an_image_goes_completely_wherever_it_was_interrupted(
    survives: Survives, watched: Watched, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    def counts(_cloud: Cloud) -> dict[str, int]:
        return {kind: len(things) for kind, things in listing().items()}

    def prepare(_cloud: Cloud) -> None:
        Account(watched).image("dev")

    options = tear_down.options("dev", images=True)
    assert survives(tear_down.converge, options, counts, prepare, recent=False) == 3


@pytest.mark.parametrize("use", [Account.run, Account.name_in_a_template])
def test_an_image_in_use_by_others_is_told_and_stays(
    cloud: Cloud, account: Account, tear_down: TearDown, listing: t.Callable[[], Listing], use: t.Any
) -> None:
    image = account.image("dev")
    user = use(account, image)
    before = listing()
    planned = tear_down(cloud, images=True, check_mode=True)
    assert listing() == before
    with pytest.raises(GroundworkError) as failure:
        tear_down(cloud, images=True)
    [line] = str(failure.value).splitlines()[1:]
    assert (
        user in line
        and ("which is not part of the environment, prevents the removal of image dev-lamp-1, snapshot x") in line
    )
    assert told(failure.value.details) == told(planned) == ["delete parameter /groundwork/dev/image/lamp"]
    assert {**listing(), "Parameters": {}} == {**before, "Parameters": {}}


def test_a_bucket_stays_unless_asked_for(cloud: Cloud, account: Account, tear_down: TearDown) -> None:
    account.site("dev")
    done = tear_down(cloud)
    assert told(done) == ALL["site"]
    assert done["found"]["bucket"] == 1
    assert len(account.client("s3").list_object_versions(Bucket="dev-files")["Versions"]) == 2
    assert told(tear_down(cloud, buckets=True)) == ["delete bucket dev-files"]


def test_backups_stay_also_when_buckets_go(cloud: Cloud, tear_down: TearDown) -> None:
    made = cloud.run(converge_backup_bucket, BACKUPS)
    cloud.of("s3").put_object(Bucket=made["bucket"], Key="private/private-1/x/manifest.json", Body=b"{}")
    for buckets in (False, True):
        done = tear_down(cloud, buckets=buckets)
        assert told(done) == []
        assert done["found"]["bucket"] == 1
        assert done["kept"] == [f"bucket {made['bucket']} (arn:aws:s3:::{made['bucket']}): backups"]
    done = tear_down(cloud, backups=True)
    assert told(done) == [f"delete bucket {made['bucket']}"]
    assert (done["found"]["bucket"], done["kept"]) == (0, [])


def test_a_distribution_that_somebody_disabled_is_deleted(cloud: Cloud, account: Account, tear_down: TearDown) -> None:
    own, edge = account.site("dev"), account.client("cloudfront")
    version = edge.get_distribution_config(Id=own)
    disabled = {**version["DistributionConfig"], "Enabled": False}
    edge.update_distribution(Id=own, IfMatch=version["ETag"], DistributionConfig=disabled)
    assert "UpdateDistribution" not in tear_down(cloud) and "UpdateDistribution" not in cloud.calls
    assert edge.list_distributions()["DistributionList"].get("Items", []) == []


def test_somebody_elses_distribution_keeps_what_it_refers_to(
    cloud: Cloud, account: Account, tear_down: TearDown
) -> None:
    account.site("dev")
    edge = account.client("cloudfront")
    access = edge.list_origin_access_controls()["OriginAccessControlList"]["Items"][0]["Id"]
    own = account.distribution("dev", [], access)
    with pytest.raises(GroundworkError) as failure:
        tear_down(cloud, buckets=True)
    [line] = str(failure.value).splitlines()[1:]
    assert (
        f"distribution/{own}), which is not part of the environment, prevents the removal of "
        f"bucket dev-files, origin access control site."
    ) in line.replace("origin access control site, bucket dev-files", "bucket dev-files, origin access control site")
    assert len(edge.list_functions()["FunctionList"].get("Items", [])) == 0


def test_what_only_has_the_name_is_not_ours(
    cloud: Cloud, account: Account, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    account.client("cloudfront").create_function(
        Name="dev-mine", FunctionConfig={"Comment": "by hand", "Runtime": "cloudfront-js-2.0"}, FunctionCode=CODE
    )
    account.client("iam").create_role(RoleName="dev-mine", AssumeRolePolicyDocument=TRUST)
    account.client("ssm").put_parameter(Name="/groundwork/dev-x/y", Value="x", Type="String")
    before = listing()
    assert tear_down(cloud)["changed"] is False
    assert listing() == before


def test_what_aws_refuses_to_remove_is_told_and_all_the_rest_goes(
    cloud: Cloud,
    account: Account,
    tear_down: TearDown,
    listing: t.Callable[[], Listing],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account.role("dev")
    account.storage("dev")
    cloud.plane.faults.set(Fault(operation="DeleteRole", code="AccessDenied", status=403))
    with pytest.raises(GroundworkError, match=r"role servers .*Allow iam:DeleteRole") as failure:
        tear_down(cloud)
    assert {kind for kind, count in failure.value.details["found"].items() if count} == {"role"}


def test_without_rights_to_cloudfront_and_iam_all_the_rest_goes_and_it_is_told(
    cloud: Cloud, account: Account, tear_down: TearDown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment has no static site, so that these rights are not needed."""
    account.storage("dev")
    for service in ("cloudfront", "iam"):
        _deny(monkeypatch, service)
    done = tear_down(cloud)
    assert {"delete snapshot x", "delete volume x"} < {*told(done)}
    assert {"distribution", "function", "cache policy", "role", "instance profile"} <= {*done["not_looked_at"]}
    assert not {*done["not_looked_at"]} & {*done["found"]}
    [warning] = cloud.warnings
    assert "not looked at, and remain if the environment has any" in warning
    assert "Allow cloudfront:ListDistributions" in warning and "Allow iam:ListRoles" in warning


def test_without_rights_to_what_every_environment_has_nothing_goes(
    cloud: Cloud, account: Account, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    account.storage("dev")
    before = listing()
    cloud.plane.faults.set(Fault(operation="DescribeSubnets", code="UnauthorizedOperation", status=403))
    with pytest.raises(GroundworkError, match="Allow ec2:DescribeSubnets"):
        tear_down(cloud)
    cloud.plane.faults.clear()
    assert listing() == before


def _deny(monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    """Refuse all calls of a service, as a policy of the organization does."""
    from botocore.exceptions import ClientError

    client = Cloud.client

    def denied(cloud: Cloud, wanted: str, /, **extra: t.Any) -> t.Any:
        made = client(cloud, wanted, **extra)
        if wanted != service:
            return made

        class Denying:
            meta = made.meta

            def can_paginate(self, _operation: str) -> bool:
                return False

            def __getattr__(self, operation: str) -> t.Any:
                def refuse(**_arguments: t.Any) -> t.NoReturn:
                    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

                return refuse

        return Denying()

    monkeypatch.setattr(Cloud, "client", denied)
