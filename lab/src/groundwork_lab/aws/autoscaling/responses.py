"""Auto Scaling's responses: parsing of parameters, serialization, and pagination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from moto.core.utils import camelcase_to_underscores, get_service_model

from groundwork_lab.aws.autoscaling import described, validation
from groundwork_lab.aws.autoscaling.backend import Backend, sources
from groundwork_lab.aws.autoscaling.placement import POLICIES
from groundwork_lab.aws.autoscaling.state import Group
from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.ec2 import filters as filtering
from groundwork_lab.aws.ec2.answering import page

LARGEST_PAGE = 100
EMPTY: Mapping[str, Mapping[str, Any]] = {  # the lab's groups have none of these, so the lists are empty
    "DescribeLaunchConfigurations": {"LaunchConfigurations": []},
    "DescribeLifecycleHooks": {"LifecycleHooks": []},
    "DescribeLoadBalancers": {"LoadBalancers": []},
    "DescribeNotificationConfigurations": {"NotificationConfigurations": []},
    "DescribeScheduledActions": {"ScheduledUpdateGroupActions": []},
    "DescribeWarmPool": {"Instances": []},
}


class Responses(BaseResponse):
    def __init__(self) -> None:
        super().__init__(service_name="autoscaling")
        self.automated_parameter_parsing = True

    @property
    def backend(self) -> Backend:
        from moto.autoscaling.models import autoscaling_backends  # noqa: PLC0415 - it returns the lab's backend

        found: Any = autoscaling_backends[self.current_account][self.region]
        assert isinstance(found, Backend)  # noqa: S101 - for the type checker
        return found

    def call_action(self) -> Any:
        try:
            result = self._result(self._get_action())
        except ServiceException as error:
            result = ActionResult(error)
        status, headers, body = self.serialized(result)
        headers, body = self._enrich_response(headers, body)
        return status, headers, body

    def _result(self, operation: str) -> ActionResult:
        shape = get_service_model("autoscaling").operation_model(operation).input_shape
        for name in shape.required_members if shape else ():
            if self.params.get(name) is None:
                validation.invalid(f"The request must contain the parameter {name}")
        if operation in EMPTY:
            return ActionResult(dict(EMPTY[operation]))
        method = getattr(self, camelcase_to_underscores(operation), None)
        if method is None:
            refuse("UnsupportedOperation", f"The lab does not support {operation}.")
        result: ActionResult = method() or EmptyResult()
        return result

    def _paged(self, key: str, items: Sequence[Any], default: int = LARGEST_PAGE) -> ActionResult:
        size = min(int(self.params.get("MaxRecords") or default), LARGEST_PAGE)
        found, following = page(list(items), size, self.params.get("NextToken"), key)
        return ActionResult({key: found, "NextToken": following})

    @property
    def _name(self) -> str:
        return str(self.params["AutoScalingGroupName"])

    @property
    def _group(self) -> Group:
        return self.backend.group(self._name)

    # -- groups --------------------------------------------------------------------------------------------------

    def create_auto_scaling_group(self) -> None:
        self.backend.create(self.params)

    def update_auto_scaling_group(self) -> None:
        self.backend.update(self.params)

    def delete_auto_scaling_group(self) -> None:
        self.backend.delete(self._name, force=bool(self.params.get("ForceDelete")))

    def describe_auto_scaling_groups(self) -> ActionResult:
        names = self.params.get("AutoScalingGroupNames")
        found = [group for group in self.backend.groups.values() if not names or group.name in names]
        filters = {each["Name"]: each["Values"] for each in self.params.get("Filters") or []}
        role = f"arn:aws:iam::{self.current_account}:role/aws-service-role/autoscaling.amazonaws.com/"
        members = self.params.get("IncludeInstances") is not False
        told = [
            described.group(group, f"{role}AWSServiceRoleForAutoScaling", with_members=members)
            for group in found
            if passes(group, filters)
        ]
        return self._paged("AutoScalingGroups", told)

    def describe_auto_scaling_instances(self) -> ActionResult:
        ids = self.params.get("InstanceIds")
        groups = self.backend.groups.values()
        found = [described.instance(member, group) for group in groups for member in group.members.values()]
        return self._paged("AutoScalingInstances", [each for each in found if not ids or each["InstanceId"] in ids])

    def describe_scaling_activities(self) -> ActionResult:
        """Describe the activities, newest first. The activities of a deleted group are not kept."""
        name, ids = self.params.get("AutoScalingGroupName"), self.params.get("ActivityIds")
        if name and name not in self.backend.groups and not self.params.get("IncludeDeletedGroups"):
            validation.invalid(f"AutoScalingGroup name not found - no such group: {name}")
        groups = [group for group in self.backend.groups.values() if not name or group.name == name]
        found = [(each, group) for group in groups for each in group.activities if not ids or each.id in ids]
        newest = sorted(found, key=lambda each: each[0].started, reverse=True)
        return self._paged("Activities", [described.activity(*each) for each in newest])

    def set_desired_capacity(self) -> None:
        honor = bool(self.params.get("HonorCooldown"))
        self.backend.set_desired(self._name, int(self.params["DesiredCapacity"]), honor_cooldown=honor)

    def suspend_processes(self) -> None:
        names = self.params.get("ScalingProcesses") or validation.PROCESSES
        validation.check_processes(names)
        self._group.suspended |= {name: f"User suspended at {described.stamp_now()}" for name in names}

    def resume_processes(self) -> None:
        names = self.params.get("ScalingProcesses") or validation.PROCESSES
        validation.check_processes(names)
        for name in names:
            self._group.suspended.pop(name, None)

    def enable_metrics_collection(self) -> None:
        if self.params["Granularity"] != validation.GRANULARITY:
            validation.invalid(f"Granularity must be {validation.GRANULARITY}")
        names = self.params.get("Metrics") or [each for each in validation.METRICS if "WarmPool" not in each]
        validation.check_metrics(names)
        self._group.metrics |= set(names)

    def disable_metrics_collection(self) -> None:
        names = self.params.get("Metrics") or validation.METRICS
        validation.check_metrics(names)
        self._group.metrics -= set(names)

    # -- instances -----------------------------------------------------------------------------------------------

    def terminate_instance_in_auto_scaling_group(self) -> ActionResult:
        instance_id = self.params.get("InstanceId")
        if not instance_id:
            validation.invalid("The request must contain the parameter InstanceId")
        decrement = bool(self.params["ShouldDecrementDesiredCapacity"])
        activity, group = self.backend.terminate(instance_id, decrement=decrement)
        return ActionResult({"Activity": described.activity(activity, group)})

    def detach_instances(self) -> ActionResult:
        group, ids = self._group, self.params.get("InstanceIds") or []
        decrement = bool(self.params["ShouldDecrementDesiredCapacity"])
        activities = self.backend.detach(group.name, ids, decrement=decrement)
        return ActionResult({"Activities": [described.activity(each, group) for each in activities]})

    def set_instance_health(self) -> None:
        respect = self.params.get("ShouldRespectGracePeriod") is not False
        self.backend.set_health(self.params["InstanceId"], self.params["HealthStatus"], respect_grace=respect)

    def set_instance_protection(self) -> ActionResult:
        for member in self.backend.members_of(self._group, self.params["InstanceIds"]):
            member.protected = bool(self.params["ProtectedFromScaleIn"])
        return ActionResult({})

    # -- target groups -------------------------------------------------------------------------------------------

    def attach_load_balancer_target_groups(self) -> ActionResult:
        self.backend.attach_target_groups(self._name, self.params["TargetGroupARNs"])
        return ActionResult({})

    def detach_load_balancer_target_groups(self) -> ActionResult:
        self.backend.detach_target_groups(self._name, self.params["TargetGroupARNs"])
        return ActionResult({})

    def attach_traffic_sources(self) -> ActionResult:
        self.backend.attach_target_groups(self._name, sources(self.params["TrafficSources"]))
        return ActionResult({})

    def detach_traffic_sources(self) -> ActionResult:
        self.backend.detach_target_groups(self._name, sources(self.params["TrafficSources"]))
        return ActionResult({})

    def describe_load_balancer_target_groups(self) -> ActionResult:
        group = self._group
        told = [{"LoadBalancerTargetGroupARN": arn, "State": standing(group)} for arn in group.target_groups]
        return self._paged("LoadBalancerTargetGroups", told)

    def describe_traffic_sources(self) -> ActionResult:
        group = self._group
        told = [{"Identifier": arn, "Type": "elbv2", "State": standing(group)} for arn in group.target_groups]
        return self._paged("TrafficSources", told)

    # -- tags ----------------------------------------------------------------------------------------------------

    def create_or_update_tags(self) -> None:
        for tag in self.params["Tags"]:
            self.backend.tag(self.backend.group(tag.get("ResourceId", "")), [tag])

    def delete_tags(self) -> None:
        for tag in self.params["Tags"]:
            self.backend.group(tag.get("ResourceId", "")).tags.pop(tag["Key"], None)

    def describe_tags(self) -> ActionResult:
        names = {"auto-scaling-group": "ResourceId", "key": "Key", "value": "Value"}
        names["propagate-at-launch"] = "PropagateAtLaunch"
        filters = {each["Name"]: each["Values"] for each in self.params.get("Filters") or []}
        if unknown := set(filters) - set(names):
            validation.invalid(f"Filter type {sorted(unknown)[0]} is not correct. Allowed: {', '.join(names)}")
        found = [tag for group in self.backend.groups.values() for tag in described.tags(group)]
        told = [
            tag for tag in found if all(filtering.matches(tag[names[name]], wanted) for name, wanted in filters.items())
        ]
        return self._paged("Tags", told)

    # -- scaling policies ----------------------------------------------------------------------------------------

    @property
    def _alarm_prefix(self) -> str:
        return f"arn:aws:cloudwatch:{self.region}:{self.current_account}:alarm:"

    def put_scaling_policy(self) -> ActionResult:
        policy = self.backend.put_policy(self.params)
        return ActionResult({"PolicyARN": policy.arn, "Alarms": described.alarms(policy, self._alarm_prefix)})

    def describe_policies(self) -> ActionResult:
        """Describe the policies. The names may be ARNs. Unknown names, and those of other groups, are ignored."""
        names, kinds = self.params.get("PolicyNames"), self.params.get("PolicyTypes")
        validation.check_policy_types(kinds or ())
        group_name = self.params.get("AutoScalingGroupName")
        found = [
            described.policy(policy, group, self._alarm_prefix)
            for group in self.backend.groups.values()
            for policy in group.scaling.values()
            if group_name in (None, group.name) and (not names or policy.name in names or policy.arn in names)
        ]
        told = [policy for policy in found if not kinds or policy["PolicyType"] in kinds]
        return self._paged("ScalingPolicies", told, default=50)

    def delete_policy(self) -> None:
        self.backend.delete_policy(self.params["PolicyName"], self.params.get("AutoScalingGroupName"))

    # -- instance refreshes --------------------------------------------------------------------------------------

    def start_instance_refresh(self) -> ActionResult:
        return ActionResult({"InstanceRefreshId": self.backend.start_refresh(self.params).id})

    def cancel_instance_refresh(self) -> ActionResult:
        return ActionResult({"InstanceRefreshId": self.backend.cancel_refresh(self._name).id})

    def rollback_instance_refresh(self) -> ActionResult:
        return ActionResult({"InstanceRefreshId": self.backend.roll_back_refresh(self._name).id})

    def describe_instance_refreshes(self) -> ActionResult:
        group, ids = self._group, self.params.get("InstanceRefreshIds")
        found = [each for each in reversed(group.refreshes) if not ids or each.id in ids]
        return self._paged("InstanceRefreshes", [described.refresh(each, group) for each in found])

    # -- what there is -------------------------------------------------------------------------------------------

    def describe_account_limits(self) -> ActionResult:
        groups = len(self.backend.groups)
        limits = {"MaxNumberOfAutoScalingGroups": 500, "MaxNumberOfLaunchConfigurations": 200}
        return ActionResult({**limits, "NumberOfAutoScalingGroups": groups, "NumberOfLaunchConfigurations": 0})

    def describe_metric_collection_types(self) -> ActionResult:
        metrics = [{"Metric": name} for name in validation.METRICS]
        return ActionResult({"Metrics": metrics, "Granularities": [{"Granularity": validation.GRANULARITY}]})

    def describe_scaling_process_types(self) -> ActionResult:
        return ActionResult({"Processes": [{"ProcessName": name} for name in validation.PROCESSES]})

    def describe_termination_policy_types(self) -> ActionResult:
        return ActionResult({"TerminationPolicyTypes": list(POLICIES)})


def passes(group: Group, filters: Mapping[str, Sequence[str]]) -> bool:
    tags = {key: value for key, (value, _) in group.tags.items()}
    for name, wanted in filters.items():
        if not filtering.is_tag_filter(name):
            validation.invalid(f"Filter type {name} is not correct. Allowed filters: tag-key tag-value tag:<key>")
        if not filtering.matches(filtering.tag_values(tags, name), wanted):
            return False
    return True


def standing(group: Group) -> str:
    """Return the state of the group's target group attachments.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LoadBalancerTargetGroupState.html
    """
    if any(member.state == "Pending" for member in group.members.values()):
        return "Adding"
    return "InService" if any(member.passes for member in group.members.values()) else "Added"
