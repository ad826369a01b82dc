"""Auto Scaling's operations on its groups. The controller carries out what follows from them.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import moto.autoscaling.urls
from moto.core.base_backend import BaseBackend

from groundwork_lab.aws.autoscaling import tracking, validation
from groundwork_lab.aws.autoscaling.controller import Controller
from groundwork_lab.aws.autoscaling.launching import LaunchError
from groundwork_lab.aws.autoscaling.refresher import Refresher, outdated
from groundwork_lab.aws.autoscaling.state import Activity, Group, Member, Policy, Refresh, TemplateUse, now, stamp
from groundwork_lab.aws.autoscaling.validation import invalid
from groundwork_lab.aws.context import AwsError, Context, refuse


class Backend(BaseBackend):
    context: Context  # set by `install`
    _url_module = moto.autoscaling.urls  # moto looks it up beside the class

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.groups: dict[str, Group] = {}
        self.controller = Controller(self.context, lambda: self.groups)

    def notify_terminate_instances(self, instance_ids: list[str]) -> None:
        """Ignore moto's notification: the controller reads the state of the instances itself."""

    # -- groups --------------------------------------------------------------------------------------------------

    def group(self, name: str) -> Group:
        """Return the group with this name. Refuse the call if it does not exist or is being deleted."""
        group = self.groups.get(name)
        if group is None:
            invalid(f"AutoScalingGroup name not found - no such group: {name}")
        if group.deleting:
            refuse("ScalingActivityInProgress", f"The group {name} is being deleted.")
        return group

    def create(self, params: Mapping[str, Any]) -> Group:
        name, minimum, maximum = params["AutoScalingGroupName"], int(params["MinSize"]), int(params["MaxSize"])
        desired = int(params.get("DesiredCapacity", minimum))
        validation.check_supported(params)
        validation.check_name(name)
        if name in self.groups:
            pending = " and is pending delete" if self.groups[name].deleting else ""
            refuse(
                "AlreadyExists",
                f"AutoScalingGroup by this name already exists{pending} - A group with the name {name} already exists"
                f"{pending}",
            )
        validation.check_sizes(minimum, maximum, desired)
        validation.check_settings(params)
        validation.check_tags(params.get("Tags") or [])
        if not params.get("LaunchTemplate"):
            invalid(
                "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or "
                "MixedInstancesPolicy parameter."
            )
        subnets = self._subnets(params)
        template = self.template(params["LaunchTemplate"], subnets)
        target_groups = [*(params.get("TargetGroupARNs") or []), *sources(params.get("TrafficSources"))]
        self._check_target_groups(target_groups)
        arn = f"arn:aws:autoscaling:{self.region_name}:{self.account_id}:autoScalingGroup:{uuid4()}"
        group = Group(
            name=name,
            arn=f"{arn}:autoScalingGroupName/{name}",
            minimum=minimum,
            maximum=maximum,
            desired=desired,
            subnets=subnets,
            template=template,
            target_groups=target_groups,
            cause=f"At {stamp(now())} a user request created an AutoScalingGroup changing the desired capacity from 0 "
            f"to {desired}.",
        )
        self._set(group, params)
        self.tag(group, params.get("Tags") or [])
        self.groups[name] = group
        return group

    def _set(self, group: Group, params: Mapping[str, Any]) -> None:
        """Set the properties that both create and update accept."""
        group.health_check_type = params.get("HealthCheckType") or group.health_check_type
        group.grace = int(params.get("HealthCheckGracePeriod", group.grace))
        group.cooldown = int(params.get("DefaultCooldown", group.cooldown))
        group.policies = tuple(params.get("TerminationPolicies") or group.policies)
        group.protect_new = bool(params.get("NewInstancesProtectedFromScaleIn", group.protect_new))
        group.deletion_protection = params.get("DeletionProtection") or group.deletion_protection
        if "DefaultInstanceWarmup" in params:
            warmup = int(params["DefaultInstanceWarmup"])
            group.warmup = None if warmup == -1 else warmup
        if params.get("InstanceMaintenancePolicy"):
            policy = {key: int(value) for key, value in params["InstanceMaintenancePolicy"].items()}
            group.maintenance = None if policy.get("MinHealthyPercentage") == -1 else policy

    def update(self, params: Mapping[str, Any]) -> None:
        group = self.group(params["AutoScalingGroupName"])
        validation.check_supported(params)
        validation.check_settings(params)
        minimum, maximum = int(params.get("MinSize", group.minimum)), int(params.get("MaxSize", group.maximum))
        desired = int(params.get("DesiredCapacity", max(minimum, min(maximum, group.desired))))
        validation.check_sizes(minimum, maximum, desired)
        given = params.get("VPCZoneIdentifier") or params.get("AvailabilityZones")
        subnets = self._subnets(params) if given else group.subnets
        template = group.template
        if params.get("LaunchTemplate"):
            if group.refresh is not None and group.refresh.desired is not None:
                refuse(
                    "ScalingActivityInProgress",
                    "An instance refresh with a desired configuration is in progress; cancel it before you change the "
                    "launch template.",
                )
            template = self.template(params["LaunchTemplate"], subnets)
        if desired != group.desired:
            group.cause = (
                f"At {stamp(now())} a user request update of AutoScalingGroup constraints to min: {minimum}, max: "
                f"{maximum}, desired: {desired} changing the desired capacity from {group.desired} to {desired}."
            )
        group.minimum, group.maximum, group.desired = minimum, maximum, desired
        group.subnets, group.template, group.retry_at = subnets, template, 0.0
        self._set(group, params)

    def delete(self, name: str, *, force: bool) -> None:
        group = self.group(name)
        validation.check_deletable(group, force=force)
        if group.members and not force:
            if any(member.state != "InService" for member in group.members.values()):
                message = "You cannot delete an AutoScalingGroup while there are scaling activities in progress."
                refuse("ScalingActivityInProgress", message)
            message = "You cannot delete an AutoScalingGroup while there are instances still in the group."
            refuse("ResourceInUse", message)
        group.deleting, group.desired, group.minimum = True, 0, 0
        for refresh in group.refreshes:
            if refresh.active:
                refresh.status, refresh.ended = "Cancelled", now()
        for member in group.standing:
            why = "an instance was taken out of service in response to the deletion of its group."
            self.controller.let_go(group, member, why)
        if not group.members:
            del self.groups[name]

    def _subnets(self, params: Mapping[str, Any]) -> dict[str, str]:
        """Return the zone of each subnet: of the given subnets, or of the default subnets of the given zones."""
        ids = [each.strip() for each in str(params.get("VPCZoneIdentifier") or "").split(",") if each.strip()]
        zones = params.get("AvailabilityZones") or []
        ec2 = self.context.ec2
        if not ids and not zones:
            invalid("At least one Availability Zone or VPC Subnet is required.")
        if not ids:
            defaults = ec2.get_default_subnets()
            for zone in zones:
                if zone not in defaults:
                    invalid(f"No default subnet exists in the Availability Zone {zone}.")
            return {defaults[zone].id: zone for zone in zones}
        known = {subnet.id: subnet for subnet in ec2.describe_subnets()}
        for subnet_id in ids:
            if subnet_id not in known:
                invalid(f"The subnet ID '{subnet_id}' does not exist")
        if len({known[subnet_id].vpc_id for subnet_id in ids}) > 1:
            invalid("The subnets must all be of one VPC.")
        found = {subnet_id: known[subnet_id].availability_zone for subnet_id in ids}
        if zones and set(zones) != set(found.values()):
            invalid("The availability zones of the specified subnets and the specified Availability Zones do not match")
        return found

    def template(self, specification: Mapping[str, Any], subnets: Mapping[str, str]) -> TemplateUse:
        """Return a launch template version. Refuse the call if it does not exist or cannot be launched."""
        try:
            template, _ = self.context.ec2.version_of(specification)
        except AwsError as error:
            invalid(str(error.message))
        use = TemplateUse(template.id, template.name, str(specification.get("Version") or "$Default"))
        try:
            self.controller.launcher.check(use, next(iter(subnets)))
        except LaunchError as error:
            invalid(f"You must use a valid fully-formed launch template. {error}")
        return use

    # -- instances -----------------------------------------------------------------------------------------------

    def member(self, instance_id: str) -> tuple[Group, Member]:
        group = next((each for each in self.groups.values() if instance_id in each.members), None)
        if group is None:
            invalid(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")
        return group, group.members[instance_id]

    def set_desired(self, name: str, desired: int, *, honor_cooldown: bool) -> None:
        group = self.group(name)
        validation.check_desired(group, desired)
        if honor_cooldown and self.controller.clock() < group.scaled + group.cooldown:
            refuse("ScalingActivityInProgress", f"The group {name} is in its cooldown period.")
        if desired != group.desired:
            group.cause = (
                f"At {stamp(now())} a user request explicitly set group desired capacity changing the desired capacity "
                f"from {group.desired} to {desired}."
            )
        group.desired, group.retry_at = desired, 0.0

    def terminate(self, instance_id: str, *, decrement: bool) -> tuple[Activity, Group]:
        group, member = self.member(instance_id)
        if member.state == "Terminating":
            return member.activity, group
        self._decrement(group, 1 if decrement else 0, "Terminating")
        why = "instance was taken out of service in response to a user request"
        shrinking = f", shrinking the capacity from {len(group.standing)} to {len(group.standing) - 1}."
        return self.controller.let_go(group, member, why + (shrinking if decrement else ".")), group

    def _decrement(self, group: Group, number: int, doing: str) -> None:
        if group.desired - number < group.minimum:
            invalid(
                f"Currently, desiredSize equals minSize ({group.minimum}). {doing} instance without replacement will "
                "violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower "
                "group's min size."
            )
        group.desired -= number

    def detach(self, name: str, instance_ids: Sequence[str], *, decrement: bool) -> list[Activity]:
        """Remove instances from the group without terminating them."""
        group = self.group(name)
        members = self.members_of(group, instance_ids)
        self._decrement(group, len(members) if decrement else 0, "Detaching")
        return [self._detach(group, member) for member in members]

    def _detach(self, group: Group, member: Member) -> Activity:
        for arn in group.target_groups:
            self.controller.deregister(arn, member)
        del group.members[member.id]
        self.context.ec2.tags.get(member.id, {}).pop("aws:autoscaling:groupName", None)
        details = {"Subnet ID": member.subnet_id, "Availability Zone": member.zone}
        cause = f"At {stamp(now())} instance {member.id} was detached in response to a user request."
        activity = group.record(Activity(f"Detaching EC2 instance: {member.id}", cause, details))
        activity.end("Successful")
        return activity

    def members_of(self, group: Group, instance_ids: Sequence[str]) -> list[Member]:
        for instance_id in instance_ids:
            if instance_id not in group.members:
                invalid(f"The instance {instance_id} is not part of Auto Scaling group {group.name}.")
        return [group.members[instance_id] for instance_id in instance_ids]

    def set_health(self, instance_id: str, status: str, *, respect_grace: bool) -> None:
        group, member = self.member(instance_id)
        if status not in ("Healthy", "Unhealthy"):
            invalid(f"Valid instance health states are: [Healthy, Unhealthy], but given {status}")
        if status == "Healthy":
            member.healthy, member.fault = True, ""
        elif not respect_grace or self.controller.settled(group, member):
            member.healthy, member.fault = False, "a user health-check"

    # -- target groups, tags -------------------------------------------------------------------------------------

    def _check_target_groups(self, arns: Sequence[str]) -> None:
        from moto.elbv2.models import elbv2_backends  # noqa: PLC0415 - heavy

        known = elbv2_backends[self.account_id][self.region_name].target_groups
        if any(arn not in known or known[arn].target_type != "instance" for arn in arns):
            invalid("Provided Target Groups may not be valid. Please ensure they exist and try again.")

    def attach_target_groups(self, name: str, arns: Sequence[str]) -> None:
        group = self.group(name)
        self._check_target_groups(arns)
        for arn in arns:
            if arn not in group.target_groups:
                group.target_groups.append(arn)
                for member in group.standing:
                    if member.state == "InService" and group.runs("AddToLoadBalancer"):
                        self.controller.register(arn, member)

    def detach_target_groups(self, name: str, arns: Sequence[str]) -> None:
        group = self.group(name)
        if set(arns) - set(group.target_groups):
            invalid(
                "The target groups are not attached to the group: " + ", ".join(set(arns) - set(group.target_groups))
            )
        for arn in arns:
            group.target_groups.remove(arn)
            for member in group.members.values():
                self.controller.deregister(arn, member)

    def tag(self, group: Group, tags: Sequence[Mapping[str, Any]]) -> None:
        new = {str(tag["Key"]) for tag in tags} - set(group.tags)
        validation.check_tags(tags, len(group.tags) - (len(tags) - len(new)))
        for tag in tags:
            group.tags[str(tag["Key"])] = (str(tag.get("Value") or ""), bool(tag.get("PropagateAtLaunch")))

    # -- scaling policies ----------------------------------------------------------------------------------------

    def put_policy(self, params: Mapping[str, Any]) -> Policy:
        """Create a target tracking policy with its alarms, or replace the one with this name."""
        group = self.group(params["AutoScalingGroupName"])
        metric, label, target, scales_in = validation.target_tracking(params, group)
        if label:
            self._check_balanced(label, group)
        name, before = params["PolicyName"], group.scaling.get(params["PolicyName"])
        if before is None and len(group.scaling) >= validation.POLICIES_LIMIT:
            refuse("LimitExceeded", f"A group can have at most {validation.POLICIES_LIMIT} scaling policies.")
        warmup = params.get("EstimatedInstanceWarmup")
        alarms = {way: f"TargetTracking-{group.name}-Alarm{way}-{uuid4()}" for way in tracking.WAYS}
        arn = f"arn:aws:autoscaling:{self.region_name}:{self.account_id}:scalingPolicy:{uuid4()}"
        policy = Policy(
            name=name,
            arn=before.arn if before else f"{arn}:autoScalingGroupName/{group.name}:policyName/{name}",
            metric=metric,
            label=label,
            target=target,
            scales_in=scales_in,
            warmup=None if warmup is None else int(warmup),
            enabled=params.get("Enabled") is not False,
            alarms=before.alarms if before else alarms,
        )
        if before is not None and (before.metric, before.label) == (metric, label):
            policy.points = before.points
        group.scaling[name] = policy
        return policy

    def _check_balanced(self, label: str, group: Group) -> None:
        """Refuse a resource label with another load balancer than that of the target group."""
        arn = validation.labelled_group(label, group.target_groups)
        balancing = self.controller.balancing
        balancers = balancing.target_groups[arn].load_balancer_arns if arn in balancing.target_groups else ()
        if label not in [validation.label_of(each, str(arn)) for each in balancers]:
            invalid("The load balancer does not route traffic to the target group.")

    def delete_policy(self, name: str, group_name: str | None) -> None:
        """Delete a policy by its name and group, or by its ARN."""
        if name.startswith("arn:"):
            group = next((one for one in self.groups.values() if name in [p.arn for p in one.scaling.values()]), None)
            found = next((one for one in group.scaling.values() if one.arn == name), None) if group else None
        else:
            if not group_name:
                invalid("AutoScalingGroupName is required when PolicyName is not an ARN")
            group = self.group(group_name)
            found = group.scaling.get(name)
        if group is None or found is None:
            invalid(f"Scaling policy not found: {name}")
        del group.scaling[found.name]

    # -- instance refreshes --------------------------------------------------------------------------------------

    def start_refresh(self, params: Mapping[str, Any]) -> Refresh:
        group = self.group(params["AutoScalingGroupName"])
        if params.get("Strategy") not in (None, "Rolling"):
            refuse("UnsupportedOperation", "The lab's instance refreshes are rolling ones.")
        if group.refresh is not None:
            refuse(
                "InstanceRefreshInProgress",
                "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.",
            )
        given = params.get("Preferences") or {}
        preferences = validation.preferences(given, group)
        configuration = params.get("DesiredConfiguration") or {}
        validation.check_supported(configuration)
        desired = None
        if configuration.get("LaunchTemplate"):
            desired = self.template(configuration["LaunchTemplate"], group.subnets)
        if preferences.auto_rollback:
            self._check_rollback(group, desired)
        target = self.controller.number(desired or group.template)
        everyone = {member.id for member in group.standing}
        olds = outdated(group, target) if preferences.skip_matching else everyone
        clock = self.controller.clock()
        refresh = Refresh(preferences, dict(given), desired, olds, len(olds), len(everyone - olds), progressed=clock)
        group.refreshes.append(refresh)
        return refresh

    def _check_rollback(self, group: Group, desired: TemplateUse | None) -> None:
        """Refuse a refresh that could not be rolled back.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-rollback.html
        """
        if desired is None:
            invalid("AutoRollback requires a DesiredConfiguration.")
        if not group.template.version.isdigit():
            invalid(
                "AutoRollback requires that the group's launch template version is a number, not $Latest or $Default."
            )

    def cancel_refresh(self, name: str) -> Refresh:
        refresh = self._active_refresh(name)
        refresh.status = "Cancelling"
        return refresh

    def roll_back_refresh(self, name: str) -> Refresh:
        group = self.group(name)
        refresh = self._active_refresh(name)
        if refresh.desired is None or not group.template.version.isdigit():
            refuse(
                "IrreversibleInstanceRefresh",
                "The instance refresh has no desired configuration, or the group's launch template version is $Latest "
                "or $Default.",
            )
        controller = self.controller
        refresher = Refresher(group, controller.clock(), controller.number, controller.let_go)
        refresher.roll_back(refresh, "Rollback was requested by a user.")
        return refresh

    def _active_refresh(self, name: str) -> Refresh:
        refresh = self.group(name).refresh
        if refresh is None or refresh.status in ("Cancelling", "RollbackInProgress"):
            refuse(
                "ActiveInstanceRefreshNotFound",
                f"No in progress or pending Instance Refresh found for Auto Scaling group {name}",
            )
        return refresh


def sources(traffic_sources: Sequence[Mapping[str, str]] | None) -> list[str]:
    """Return the target groups in TrafficSources, the newer parameter to attach them."""
    for source in traffic_sources or ():
        if source.get("Type", "elbv2") != "elbv2":
            refuse("UnsupportedOperation", "The lab's traffic sources are target groups (elbv2).")
    return [source["Identifier"] for source in traffic_sources or ()]
