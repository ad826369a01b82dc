"""Replacement, step by step on the lab's control plane: nothing twice, nobody forgotten, killed after any write."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from accounts.servers import Account

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.replacement_run import converge_replacement

Make = t.Callable[..., dict[str, t.Any]]
STEPS = ("planned", "launched", "replaced")
TAGS = ("Name", "groundwork:tier", "groundwork:server")


def step(account: Account, options: dict[str, t.Any], state: str, *, check_mode: bool = False) -> dict[str, t.Any]:
    account.warnings.clear()
    given = {"replace": "outdated", "replace_batch": "50%", "database": "", "local_files": False, **options}
    given.setdefault("replace_data", "kept")
    given.setdefault("replace_backup_minutes", 60)
    run = Run({**given, "state": state}, account, account.warnings.append, check_mode=check_mode, clock=account)
    return converge_replacement(run)


def names(result: dict[str, t.Any]) -> list[str]:
    return [f"{change['action']} {change['resource']} {change['name']}" for change in result["changes"]]


def ids(account: Account) -> dict[str, str]:
    """The living instances by their Name."""
    return {{tag["Key"]: tag["Value"] for tag in i["Tags"]}["Name"]: i["InstanceId"] for i in account.instances()}


def images(account: Account) -> dict[str, str]:
    """The images of the living by what their tags tell, duplicates included."""
    tags = [({tag["Key"]: tag["Value"] for tag in i["Tags"]}, i["ImageId"]) for i in account.instances()]
    return {" ".join(own[key] for key in TAGS): image for own, image in tags}


@pytest.fixture
def old(network: Account, options: Make) -> Account:
    return older(network, options)


def older(network: Account, options: Make) -> Account:
    """The account with all four servers on the second newest image."""
    image = {"image": {"id": network.images()[1]}}
    network.converge(options(public=image, private=image))
    return network


def test_the_outdated_are_those_not_on_the_newest_image(old: Account, options: Make) -> None:
    newest, older = old.images()[:2]
    before = ids(old)
    seen = step(old, options(), "planned")
    assert seen["changes"] == []
    assert [[one["name"] for one in batch] for batch in seen["batches"]] == [
        ["private-1"],
        ["private-2"],
        ["public-1"],
        ["public-2"],
    ]
    line = seen["lines"][2]
    assert line.startswith(f"batch 3: public-1 ({before['dev-public-1']}, {older}) by a new server from ")
    assert line.endswith(f" ({newest})")


@pytest.mark.parametrize(
    ("batch", "sizes"), [("1", [1, 1, 1, 1]), ("50%", [1, 1, 1, 1]), ("2", [2, 2]), ("100%", [2, 2]), ("9", [2, 2])]
)
def test_batches_are_of_one_tier(old: Account, options: Make, batch: str, sizes: list[int]) -> None:
    found = step(old, options(replace_batch=batch), "planned")["batches"]
    assert [len(one) for one in found] == sizes
    assert all(len({server["tier"] for server in one}) == 1 for one in found)
    assert found[-1][-1]["name"] == "public-2"


def test_check_tells_what_the_steps_do(old: Account, options: Make) -> None:
    wanted = options(replace=["public-2"])
    planned = step(old, wanted, "planned", check_mode=True)
    done = [name for state in STEPS for name in names(step(old, wanted, state))]
    assert names(planned) == ["create server public-2-next", "delete server public-2", "update server public-2"] == done


def test_a_successor_takes_the_place(old: Account, options: Make) -> None:
    before = ids(old)
    record = {"Key": "groundwork:taken-back:app", "Value": "bad, kept old, 2026-11-29T20:31Z, too many errors"}
    old.ec2.create_tags(Resources=[before["dev-public-2"]], Tags=[record])
    wanted = options(replace=["public-2"])
    step(old, wanted, "launched")
    between = {i["InstanceId"]: i for i in old.instances()}
    successor = between[ids(old)["dev-public-2-next"]]
    predecessor = between[before["dev-public-2"]]
    tags = {tag["Key"]: tag["Value"] for tag in successor["Tags"]}
    assert tags["groundwork:replaces"] == before["dev-public-2"]
    assert tags[record["Key"]] == record["Value"]
    assert (tags["groundwork:tier"], tags["groundwork:server"]) == ("public", "2")
    assert (successor["State"]["Name"], predecessor["State"]["Name"]) == ("running", "running")
    assert successor["SubnetId"] == predecessor["SubnetId"]
    assert successor["ImageId"] == old.images()[0]
    step(old, wanted, "replaced")
    assert ids(old) == {**before, "dev-public-2": successor["InstanceId"]}
    volume = old.ec2.describe_volumes(VolumeIds=[successor["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]])["Volumes"][0]
    assert {"Key": "Name", "Value": "dev-public-2"} in volume["Tags"]
    assert not old.converge(options())["changed"]


def test_site_yml_keeps_a_successor_and_tells_of_it(old: Account, options: Make) -> None:
    step(old, options(replace=["public-2"]), "launched")
    kept = old.converge(options())
    assert kept["changes"] == []
    assert [server["name"] for server in kept["servers"]][-1] == "public-2-next"
    assert any("public-2-next" in warning and "groundwork.aws.replace" in warning for warning in old.warnings)
    fewer = old.converge(options(public={"count": 1}, allow_removal=True))
    assert names(fewer) == ["delete server public-2", "delete server public-2-next"]


def test_without_its_predecessor_a_successor_is_the_server(old: Account, options: Make) -> None:
    step(old, options(replace=["public-2"]), "launched")
    successor = ids(old)["dev-public-2-next"]
    old.ec2.terminate_instances(InstanceIds=[ids(old)["dev-public-2"]])
    assert names(old.converge(options())) == ["update server public-2"]
    assert ids(old)["dev-public-2"] == successor


def test_a_second_successor_is_an_error(old: Account, options: Make) -> None:
    step(old, options(replace=["public-2"]), "launched")
    successor = next(i for i in old.instances() if i["InstanceId"] == ids(old)["dev-public-2-next"])
    tags = [{"ResourceType": "instance", "Tags": successor["Tags"]}]
    subnet = {"SubnetId": successor["SubnetId"], "ImageId": successor["ImageId"]}
    old.ec2.run_instances(MinCount=1, MaxCount=1, TagSpecifications=tags, InstanceType="t3.small", **subnet)
    with pytest.raises(Exception, match="have the tags groundwork:tier and groundwork:server of public-2-next"):
        step(old, options(), "planned")


@pytest.mark.parametrize("settled", [True, False], ids=["stopped", "stopping"])
def test_a_successor_that_was_stopped_is_started(old: Account, options: Make, settled: bool) -> None:
    wanted = options(replace=["public-2"])
    step(old, wanted, "launched")
    successor = ids(old)["dev-public-2-next"]
    old.ec2.stop_instances(InstanceIds=[successor])
    if settled:
        old.settle()
    assert names(step(old, wanted, "launched")) == ["update server public-2-next"] * (1 if settled else 2)
    assert ids(old)["dev-public-2-next"] == successor
    assert names(step(old, wanted, "launched")) == []


def test_kept_takes_the_successor_away_and_it_can_be_launched_again(old: Account, options: Make) -> None:
    before, wanted = ids(old), options(replace=["public-2"])
    step(old, wanted, "launched")
    assert names(step(old, wanted, "kept")) == ["delete server public-2-next"]
    assert ids(old) == before
    assert names(step(old, wanted, "kept")) == []
    assert names(step(old, wanted, "launched")) == ["create server public-2-next"]
    assert len(old.instances()) == 5


def test_a_second_run_changes_nothing_whatever_was_asked_for(old: Account, options: Make) -> None:
    first = ids(old)["dev-public-1"]
    for asked in (["public-2", first], "outdated"):
        for state in STEPS:
            step(old, options(replace=asked), state)
        now = ids(old)
        again = [step(old, options(replace=asked), state) for state in STEPS]
        assert [one["changes"] for one in again] == [[], [], []]
        assert ids(old) == now
    assert set(images(old).values()) == {old.images()[0]}
    told = step(old, options(replace="public-1"), "planned")["lines"]
    new = ids(old)["dev-public-1"]
    assert told == [f"public-1 is up to date and is not replaced; to replace it nevertheless, give {new}"]


def test_an_id_is_replaced_outdated_or_not(network: Account, options: Make) -> None:
    network.converge(options())
    before = ids(network)
    wanted = options(replace=[before["dev-private-1"]])
    for state in STEPS:
        step(network, wanted, state)
    changed = {name for name, id_ in ids(network).items() if before[name] != id_}
    assert changed == {"dev-private-1"}


REFUSED = [
    ({"replace": []}, "replace: is empty; give 'outdated' or a list of servers"),
    ({"replace": ""}, "replace: is empty"),
    (
        {"replace": ["public-3"]},
        "replace: 'public-3' is not a server; give only 'outdated', or a list of ids of instances and of ",
    ),
    ({"replace": ["outdated", "public-1"]}, "replace: 'outdated' is not a server"),
    ({"replace": ["i-00000000"]}, "replace: 'i-00000000' is not a declared server; give some of i-"),
    ({"replace_batch": "0"}, "replace_batch: '0' is not a number of servers"),
    ({"replace_batch": "0%"}, "replace_batch: '0%' is not a number of servers"),
    ({"database": "private-1"}, "replace: private-1 has the database of all sites, which would be deleted with it; "),
    ({"database": "each"}, "replace_data: the databases on private-1, private-2, public-1, public-2 would be deleted "),
    ({"local_files": True}, "replace_data: the shared files on private-1, private-2, public-1, public-2 would be "),
    ({"database": "each", "local_files": True}, "replace_data: the databases and shared files on private-1, "),
    ({"database": "private-1", "local_files": True}, "replace: private-1 has the database of all sites"),
    (
        {"database": "private-1", "local_files": True},
        "replace_data: the shared files on private-2, public-1, public-2 ",
    ),
]


@pytest.mark.parametrize(("given", "message"), REFUSED, ids=[message[:40] for _given, message in REFUSED])
@pytest.mark.parametrize("state", ["planned", "launched"])
def test_what_cannot_be_is_refused(
    old: Account, options: Make, given: dict[str, t.Any], message: str, state: str
) -> None:
    old.calls.clear()
    with pytest.raises(InputError) as refused:
        step(old, options(**given), state)
    assert message in str(refused.value)
    assert not [call for call in old.calls if not call.startswith(("Describe", "Get"))]


def test_nobody_is_terminated_without_a_successor(old: Account, options: Make) -> None:
    with pytest.raises(InputError, match=r"state: public-2 .* has no successor"):
        step(old, options(replace=["public-2"]), "replaced")
    assert len(old.instances()) == 4


def test_databases_that_nobody_needs_are_no_obstacle(old: Account, options: Make) -> None:
    assert step(old, options(database="each", replace_data="lost"), "planned")["batches"]
    assert step(old, options(database="private-1", replace=["public-1"]), "planned")["batches"]
    assert step(old, options(database="private-1", replace=["private-1"], replace_data="lost"), "planned")["batches"]


def test_the_database_of_all_sites_is_lost_by_its_name_alone(old: Account, options: Make) -> None:
    with pytest.raises(InputError, match="If the database is not needed, give private-1 by its name"):
        step(old, options(database="private-1", replace_data="lost"), "planned")


def test_a_database_in_a_new_backup_is_no_obstacle(old: Account, options: Make) -> None:
    given = options(database="private-1", replace=["private-1"], replace_data="backed_up")
    with pytest.raises(InputError, match="private-1 has no backup from the last 60 minutes; run"):
        step(old, given, "planned")
    account = old.plain("sts").get_caller_identity()["Account"]
    s3, bucket = old.plain("s3"), f"groundwork-dev-backups-{account}-eu-central-1"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    now = datetime.now(UTC)
    for age, made in ((timedelta(hours=2), False), (timedelta(minutes=5), True)):
        identity = f"{now - age:%Y%m%dT%H%M%SZ}-private-1"
        s3.put_object(Bucket=bucket, Key=f"private/private-1/{identity}/manifest.json", Body=b"{}")
        # one that is not complete yet
        s3.put_object(Bucket=bucket, Key=f"private/private-1/{now:%Y%m%dT%H%M%SZ}-private-1/app.sql.gz", Body=b"")
        if made:
            assert step(old, given, "planned")["batches"]
            [words] = [one for one in old.warnings if "have no databases yet" in one]
            assert f"groundwork.aws.restore with restore_from={identity}." in words
        else:
            with pytest.raises(InputError, match="private-1 has no backup from"):
                step(old, given, "planned")


def test_a_promoted_image_is_what_is_brought(network: Account, options: Make) -> None:
    network.converge(options())
    before = ids(network)
    own = network.ec2.create_image(InstanceId=before["dev-public-1"], Name="dev-lamp-1")["ImageId"]
    network.plane.image_captured(own)
    network.plain("ssm").put_parameter(Name="/groundwork/dev/image/lamp", Value=own, Type="String")
    for state in STEPS:
        step(network, options(), state)
    assert set(images(network).values()) == {own}
    assert not set(before.values()) & set(ids(network).values())
    assert step(network, options(), "planned")["batches"] == []


def test_an_image_that_does_not_fit_is_refused(old: Account, options: Make) -> None:
    image = {"image": {"id": "ami-00000000000000000"}}
    with pytest.raises(InputError, match=r"tiers\.public\.image"):
        step(old, options(public=image, replace=[ids(old)["dev-public-1"]]), "planned")


@pytest.mark.exhaustive
def test_killed_after_any_write_it_goes_on(new_network: t.Callable[[], t.Any], options: Make) -> None:
    def all_steps(account: Account) -> None:
        for state in STEPS:
            step(account, options(replace_batch="100%"), state)

    whole = older(new_network(), options)
    whole.calls.clear()
    all_steps(whole)
    expected = images(whole)
    assert len(expected) == len(whole.instances()) == 4
    writes = [at for at, call in enumerate(whole.calls) if not call.startswith(("Describe", "Get"))]
    assert [whole.calls[at] for at in writes] == (
        ["RunInstances"] * 4 + ["TerminateInstances"] * 2 + ["CreateTags"] * 2 + ["TerminateInstances"] * 2
    ) + ["CreateTags"] * 2
    for position in writes:
        account = older(new_network(), options)
        account.calls.clear()
        account.killed_after = position
        with pytest.raises(account.Killed):
            all_steps(account)
        account.killed_after = None
        all_steps(account)
        assert len(account.instances()) == 4, whole.calls[position]
        assert images(account) == expected, whole.calls[position]
        assert not account.converge(options())["changed"]
