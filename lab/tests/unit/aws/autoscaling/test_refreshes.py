from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def group(scaling: Any) -> Any:
    """Create a group with two instances of version 1 behind a load balancer, and version 2 of the template."""
    scaling.created(TargetGroupARNs=[scaling.target_group], HealthCheckType="ELB")
    scaling.version()
    return scaling


def test_one_after_the_other(group: Any) -> None:
    before = set(group.ids)
    group.refresh(MinHealthyPercentage=90, InstanceWarmup=0)
    assert sorted(group.lifecycle) == ["InService", "Pending", "Terminating"]
    assert (group.refreshed["Status"], group.refreshed["PercentageComplete"]) == ("InProgress", 0)
    assert group.refreshed["InstancesToUpdate"] == 1
    group.settle()
    refreshed = group.refreshed
    assert (refreshed["Status"], refreshed["PercentageComplete"]) == ("Successful", 100)
    assert refreshed["InstancesToUpdate"] == 0
    assert not before & set(group.ids)
    assert group.versions == ["2", "2"]
    assert group.group["LaunchTemplate"]["Version"] == "2"


def test_launch_before_terminate(group: Any) -> None:
    group.refresh(MinHealthyPercentage=100, MaxHealthyPercentage=150, InstanceWarmup=0)
    fewest = 2
    for _ in range(12):
        assert group.lifecycle.count("InService") >= 2
        assert len([each for each in group.lifecycle if each != "Terminating"]) <= 3
        group.hosts_follow()
        fewest = min(fewest, group.lifecycle.count("InService"))
    assert group.refreshed["Status"] == "Successful"
    assert fewest == 2


def test_it_waits_for_the_balancers_word(group: Any) -> None:
    group.default = "initial"
    group.refresh(MinHealthyPercentage=90, InstanceWarmup=0)
    group.settle()
    assert group.versions == ["1", "2"]
    assert group.refreshed["PercentageComplete"] == 0
    group.balancers.health |= dict.fromkeys(group.ids, "healthy")
    group.default = "healthy"
    group.settle()
    assert group.refreshed["Status"] == "Successful"


def test_it_waits_until_a_new_one_is_warmed_up(group: Any) -> None:
    group.refresh(MinHealthyPercentage=90, InstanceWarmup=30)
    group.settle()
    assert group.versions == ["1", "2"]
    group.passes(30)
    group.settle()
    assert group.refreshed["PercentageComplete"] == 50
    group.passes(30)
    assert group.refreshed["Status"] == "Successful"


@pytest.mark.parametrize(("skip", "total"), [(True, 0), (False, 2)])
def test_matching_instances_are_skipped(group: Any, skip: bool, total: int) -> None:
    group.api.start_instance_refresh(
        AutoScalingGroupName="web", Preferences={"SkipMatching": skip, "InstanceWarmup": 0}
    )
    assert group.refreshed["InstancesToUpdate"] == total
    before = set(group.ids)
    group.settle()
    assert group.refreshed["Status"] == "Successful"
    assert (before == set(group.ids)) is skip


def test_checkpoints(group: Any) -> None:
    group.refresh(MinHealthyPercentage=0, InstanceWarmup=0, CheckpointPercentages=[50, 100], CheckpointDelay=600)
    group.settle()
    assert group.versions == ["1", "2"]
    assert group.refreshed["PercentageComplete"] == 50
    assert "checkpoint" in group.refreshed["StatusReason"]
    group.passes(599)
    assert group.versions == ["1", "2"]
    group.passes(1)
    group.settle()
    assert group.refreshed["Status"] == "Successful"
    assert group.versions == ["2", "2"]


def test_a_last_checkpoint_before_the_end(group: Any) -> None:
    group.refresh(MinHealthyPercentage=0, InstanceWarmup=0, CheckpointPercentages=[50])
    group.settle()
    assert (group.refreshed["Status"], group.refreshed["PercentageComplete"]) == ("Successful", 50)
    assert group.versions == ["1", "2"]


def test_bake_time(group: Any) -> None:
    group.refresh(MinHealthyPercentage=0, InstanceWarmup=0, BakeTime=60)
    group.settle()
    assert group.refreshed["Status"] == "Baking"
    group.passes(60)
    assert group.refreshed["Status"] == "Successful"


def test_cancel(group: Any) -> None:
    group.refresh(MinHealthyPercentage=90, InstanceWarmup=0)
    group.api.cancel_instance_refresh(AutoScalingGroupName="web")
    assert group.refreshed["Status"] == "Cancelling"
    group.settle()
    assert group.refreshed["Status"] == "Cancelled"
    assert group.versions == ["1", "2"]  # nothing is rolled back
    assert group.group["LaunchTemplate"]["Version"] == "1"
    group.lab.refused("ActiveInstanceRefreshNotFound", group.api.cancel_instance_refresh, AutoScalingGroupName="web")


def test_roll_back_by_hand(group: Any) -> None:
    group.refresh(MinHealthyPercentage=90, InstanceWarmup=60)
    group.settle()
    assert group.versions == ["1", "2"]
    group.api.rollback_instance_refresh(AutoScalingGroupName="web")
    for _ in range(2):
        group.settle()
        group.passes(60)
    refreshed = group.refreshed
    assert refreshed["Status"] == "RollbackSuccessful"
    assert refreshed["RollbackDetails"]["PercentageCompleteOnRollback"] == 100
    assert group.versions == ["1", "1"]
    assert group.group["LaunchTemplate"]["Version"] == "1"


@pytest.mark.parametrize(("rollback", "status"), [(True, "RollbackSuccessful"), (False, "Failed")])
def test_a_refresh_that_does_not_get_on_fails(group: Any, rollback: bool, status: str) -> None:
    group.default = "unhealthy"
    group.api.update_auto_scaling_group(AutoScalingGroupName="web", HealthCheckGracePeriod=10**6)
    group.refresh(MinHealthyPercentage=90, InstanceWarmup=0, AutoRollback=rollback)
    group.settle()
    assert group.refreshed["Status"] == "InProgress"
    group.default = "healthy"
    group.passes(3601)
    group.settle()
    assert group.refreshed["Status"] == status
    assert group.versions == (["1", "1"] if rollback else ["1", "2"])


@pytest.mark.parametrize(
    ("choice", "versions", "status"),
    [("Ignore", ["1", "2"], "Successful"), ("Refresh", ["2", "2"], "Successful"), ("Wait", ["1", "2"], "InProgress")],
)
def test_protected_instances(group: Any, choice: str, versions: list[str], status: str) -> None:
    protected = group.ids[:1]
    group.api.set_instance_protection(AutoScalingGroupName="web", InstanceIds=protected, ProtectedFromScaleIn=True)
    group.refresh(MinHealthyPercentage=90, InstanceWarmup=0, ScaleInProtectedInstances=choice)
    group.settle()
    assert (group.versions, group.refreshed["Status"]) == (versions, status)


@pytest.mark.parametrize(
    ("preferences", "words"),
    [
        ({"MinHealthyPercentage": 101}, "MinHealthyPercentage"),
        ({"MinHealthyPercentage": 50, "MaxHealthyPercentage": 151}, "cannot be greater than 100"),
        ({"MaxHealthyPercentage": 150}, "MinHealthyPercentage must be specified"),
        ({"CheckpointPercentages": [50, 20]}, "ascending"),
        ({"CheckpointDelay": 60}, "CheckpointPercentages"),
        ({"AutoRollback": True}, "DesiredConfiguration"),
        ({"ScaleInProtectedInstances": "Maybe"}, "ScaleInProtectedInstances"),
    ],
)
def test_preferences_that_aws_refuses(group: Any, preferences: dict[str, Any], words: str) -> None:
    message = group.lab.refused(
        "ValidationError", group.api.start_instance_refresh, AutoScalingGroupName="web", Preferences=preferences
    )
    assert words in message
    assert group.api.describe_instance_refreshes(AutoScalingGroupName="web")["InstanceRefreshes"] == []


def test_one_refresh_at_a_time(group: Any) -> None:
    group.refresh(InstanceWarmup=0)
    group.lab.refused("InstanceRefreshInProgress", group.api.start_instance_refresh, AutoScalingGroupName="web")


def test_the_template_stays_while_a_refresh_brings_another(group: Any) -> None:
    group.refresh(InstanceWarmup=0)
    group.lab.refused(
        "ScalingActivityInProgress",
        group.api.update_auto_scaling_group,
        AutoScalingGroupName="web",
        LaunchTemplate={"LaunchTemplateName": "web", "Version": "2"},
    )


def test_without_a_configuration_there_is_nothing_to_go_back_to(group: Any) -> None:
    group.api.start_instance_refresh(AutoScalingGroupName="web")
    group.lab.refused("IrreversibleInstanceRefresh", group.api.rollback_instance_refresh, AutoScalingGroupName="web")


def test_a_death_in_the_middle(group: Any) -> None:
    group.refresh(MinHealthyPercentage=90, InstanceWarmup=60)
    group.settle()
    dead = next(each for each in group.group["Instances"] if each["LaunchTemplate"]["Version"] == "1")["InstanceId"]
    group.lab.ec2.terminate_instances(InstanceIds=[dead])
    group.settle()
    group.passes(120)
    group.settle()
    assert group.refreshed["Status"] == "Successful"
    assert group.versions == ["2", "2"]
