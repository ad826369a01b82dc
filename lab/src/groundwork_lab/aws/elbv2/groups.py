"""Target groups: their settings, their targets, and the reported health of the targets."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeTargetGroup

from groundwork_lab.aws.context import Context, refuse
from groundwork_lab.aws.elbv2 import attributes, rules
from groundwork_lab.aws.elbv2.attributes import TARGET_GROUP
from groundwork_lab.ports import HealthReport

TargetKey = tuple[str, int]  # target id and port

NOT_REGISTERED = HealthReport("unused", "Target.NotRegistered", "Target is not registered to the target group")
NOT_IN_USE = HealthReport(
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)
ZONE_NOT_ENABLED = HealthReport(
    "unused", "Target.NotInUse", "Target is in an Availability Zone that is not enabled for the load balancer"
)
DRAINING = HealthReport("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
REGISTERING = HealthReport("initial", "Elb.RegistrationInProgress", "Target registration is in progress")


@dataclass(frozen=True)
class TargetHealth:
    """A description of DescribeTargetHealth, in the form that moto's serializer reads."""

    target: dict[str, Any]
    health_check_port: str
    target_health: dict[str, str]


class TargetGroup(FakeTargetGroup):
    """A target group. `registered` and `draining` replace moto's dictionaries, which identify a target by id only."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.attributes = attributes.defaults(TARGET_GROUP)
        self.ip_address_type = "ipv4"
        self.registered: dict[TargetKey, None] = {}
        self._draining: dict[TargetKey, float] = {}  # end of draining, by time.monotonic()
        self.busy_until = 0.0

    @property
    def backend(self) -> Any:
        from moto.elbv2.models import elbv2_backends  # noqa: PLC0415 - it returns the corrected backend

        return elbv2_backends[self.account_id][self.region_name]

    @property
    def load_balancer_arns(self) -> list[str]:
        """Return the load balancers that use the group now. moto never removes one from its list."""
        return [
            balancer.arn for balancer in self.backend.load_balancers.values() if self.arn in balancer.target_group_arns
        ]

    @load_balancer_arns.setter
    def load_balancer_arns(self, _given: list[str]) -> None:
        """Do nothing. moto sets the list when it creates the group."""

    @property
    def draining(self) -> list[TargetKey]:
        now = time.monotonic()
        return [key for key, until in self._draining.items() if until > now]

    @property
    def delay(self) -> int:
        return int(self.attributes["deregistration_delay.timeout_seconds"])

    def key(self, target: Mapping[str, Any]) -> TargetKey:
        return (str(target["Id"]), int(target.get("Port") or self.port))

    def add(self, keys: Sequence[TargetKey]) -> None:
        for key in keys:
            self.registered[key] = None
            self._draining.pop(key, None)

    def remove(self, keys: Sequence[TargetKey], *, drain: bool) -> None:
        """Deregister targets. With `drain` they are reported as draining for the deregistration delay."""
        until = time.monotonic() + self.delay
        for key in keys:
            if key in self.registered:
                del self.registered[key]
                if drain and self.delay:
                    self._draining[key] = until

    def check_port(self, port: int) -> str:
        return str(port) if self.health_check_port in (None, "traffic-port") else str(self.health_check_port)


def check_name(name: str) -> None:
    """Refuse an invalid name.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
    """
    if not name:
        rules.invalid("Target group name cannot be empty")
    if len(name) > 32:
        rules.invalid(f"Target group name '{name}' cannot be longer than '32' characters")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        rules.invalid(
            f"Target group name '{name}' can only contain characters that are alphanumeric characters or hyphens(-)"
        )
    if name.startswith("-") or name.endswith("-"):
        rules.invalid(f"Target group name '{name}' cannot begin or end with '-'")


_RANGES = {
    "healthcheck_interval_seconds": ("Health check interval", 5, 300),
    "healthcheck_timeout_seconds": ("Health check timeout", 2, 120),
    "healthy_threshold_count": ("Health check healthy threshold count", 2, 10),
    "unhealthy_threshold_count": ("Health check unhealthy threshold count", 2, 10),
}


def check_health_check(settings: Mapping[str, Any]) -> None:
    """Refuse health check settings that are out of range. Settings that are None are not checked.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
    """
    for key, (words, low, high) in _RANGES.items():
        value = settings.get(key)
        if value is not None and not low <= int(value) <= high:
            rules.invalid(f"{words} '{value}' must be between '{low}' and '{high}' inclusive")
    interval, timeout = settings.get("healthcheck_interval_seconds"), settings.get("healthcheck_timeout_seconds")
    if interval is not None and timeout is not None and int(timeout) >= int(interval):
        rules.invalid(f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'")
    path = settings.get("healthcheck_path")
    if path is not None and not (path.startswith("/") and len(path) <= 1024):
        rules.invalid(f"Health check path '{path}' must begin with '/' and be at most 1024 characters long")
    port = settings.get("healthcheck_port")
    if port not in (None, "traffic-port") and not (str(port).isdigit() and 1 <= int(port) <= 65535):
        rules.invalid(f"Health check port '{port}' must be 'traffic-port' or in the range 1-65535")
    protocol = settings.get("healthcheck_protocol")
    if protocol not in (None, "HTTP", "HTTPS"):
        rules.invalid(f"Health check protocol '{protocol}' must be one of [HTTP, HTTPS]")
    matcher = settings.get("matcher")
    if matcher is not None:
        _check_matcher(matcher)


def _check_matcher(matcher: Mapping[str, Any]) -> None:
    if matcher.get("GrpcCode"):
        refuse("InvalidConfigurationRequest", "The lab's target groups do not do gRPC.")
    codes = str(matcher.get("HttpCode") or "")
    if not re.fullmatch(r"\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*", codes):
        rules.invalid(f"Health check matcher HTTP code '{codes}' must be like 200, 200-399 or 200,302")
    if any(not 200 <= int(code) <= 499 for code in re.findall(r"\d{3}", codes)):
        rules.invalid(f"Health check matcher HTTP code '{codes}' must be within '200-499' inclusive")


_SETTINGS = (
    "vpc_id",
    "protocol",
    "port",
    "target_type",
    "health_check_protocol",
    "health_check_port",
    "health_check_path",
    "health_check_interval_seconds",
    "health_check_timeout_seconds",
    "healthy_threshold_count",
    "unhealthy_threshold_count",
    "matcher",
)


def settings_of(group: Any) -> dict[str, str]:
    """Return the settings that must be equal when a target group is created again with the same name."""
    return {name: str(getattr(group, name)) for name in _SETTINGS}


class GroupsBackend(ELBv2Backend):
    context: Context

    def create_target_group(self, name: str, **options: Any) -> Any:
        """Create a target group. Creating it again with the same settings succeeds.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
        """
        check_name(name or "")
        self._check_kind(options)
        check_health_check(options)
        existing = next((group for group in self.target_groups.values() if group.name == name), None)
        if existing is None:
            return super().create_target_group(name, **options)
        return self._same_group(existing, name, options)

    def _check_kind(self, options: Mapping[str, Any]) -> None:
        kind, protocol = options.get("target_type") or "instance", options.get("protocol")
        if kind not in ("instance", "ip") or (protocol and protocol not in ("HTTP", "HTTPS")):
            message = "The lab has target groups of type instance or ip with the protocol HTTP or HTTPS."
            refuse("InvalidConfigurationRequest", message)
        if options.get("protocol_version") not in (None, "HTTP1"):
            refuse("InvalidConfigurationRequest", "The lab's target groups speak HTTP1.")
        port = options.get("port")
        if port is not None and not 1 <= int(port) <= 65535:
            rules.invalid(f"Target group port '{port}' must be between 1 and 65535")

    def _same_group(self, existing: Any, name: str, options: Mapping[str, Any]) -> Any:
        """Return the existing group, or refuse if the settings or tags differ."""
        kept = dict(self.target_groups)
        self.target_groups.clear()
        try:
            wanted = super().create_target_group(name, **{**options, "tags": None})
        finally:
            self.target_groups.clear()
            self.target_groups.update(kept)
        tags = {tag["Key"]: tag.get("Value", "") for tag in options.get("tags") or []}
        if settings_of(wanted) != settings_of(existing) or tags != self.tags_of(existing.arn):
            message = f"A target group with the same name '{name}' exists, but with different settings"
            refuse("DuplicateTargetGroupName", message)
        return existing

    def tags_of(self, arn: str) -> dict[str, str]:
        return dict(self.tagging_service.get_tag_dict_for_resource(arn))

    def group(self, arn: str) -> Any:
        group = self.target_groups.get(arn)
        if group is None:
            refuse("TargetGroupNotFound", "One or more target groups not found")
        return group

    def describe_target_groups(
        self, load_balancer_arn: str | None, target_group_arns: list[str], names: list[str] | None
    ) -> list[Any]:
        if load_balancer_arn and load_balancer_arn in self.load_balancers:
            used = self.load_balancers[load_balancer_arn].target_group_arns
            return [group for group in self.target_groups.values() if group.arn in used]
        return list(super().describe_target_groups(load_balancer_arn, target_group_arns, names))

    def modify_target_group(self, arn: str, *given: Any, **named: Any) -> Any:
        group = self.group(arn)
        names = (
            "healthcheck_protocol",
            "healthcheck_port",
            "healthcheck_path",
            "healthcheck_interval_seconds",
            "healthcheck_timeout_seconds",
            "healthy_threshold_count",
            "unhealthy_threshold_count",
        )
        wanted = {name: value for name, value in zip(names, given, strict=False) if value is not None}
        matcher = {"matcher": {"HttpCode": given[7]}} if len(given) > 7 and given[7] is not None else {}
        now = {
            "healthcheck_interval_seconds": group.health_check_interval_seconds,
            "healthcheck_timeout_seconds": group.health_check_timeout_seconds,
        }
        check_health_check({**now, **wanted, **matcher})
        if str(named.get("health_check_enabled", "")).lower() == "false":
            rules.invalid("Health check enabled must be true for target groups with target type 'instance' or 'ip'")
        named.pop("health_check_enabled", None)
        if matcher:
            group.matcher = dict(group.matcher)
        return super().modify_target_group(arn, *given, **named)

    def modify_target_group_attributes(self, target_group_arn: str, attributes_given: dict[str, Any]) -> None:
        group = self.group(target_group_arn)
        wanted = {key: str(value if value is not None else "") for key, value in attributes_given.items()}
        attributes.check("Target group", TARGET_GROUP, wanted)
        attributes.check_target_group({**group.attributes, **wanted})
        group.attributes.update(wanted)

    def delete_target_group(self, target_group_arn: str) -> Any:
        """Delete a target group. Deleting one that does not exist succeeds.

        "You can delete a target group if it is not referenced."
        """
        if target_group_arn not in self.target_groups:
            return None
        if self.context.clock() < self.target_groups[target_group_arn].busy_until:
            refuse("ResourceInUse", f"Target group '{target_group_arn}' is currently in use by a listener or a rule")
        group = super().delete_target_group(target_group_arn)
        self.tagging_service.delete_all_tags_for_resource(target_group_arn)
        return group

    # Targets

    def register_targets(self, target_group_arn: str, instances: list[Any]) -> None:
        group = self.group(target_group_arn)
        if not instances:
            rules.invalid("A target must be specified")
        keys = [group.key(target) for target in instances]
        for _, port in keys:
            if not 1 <= port <= 65535:
                rules.invalid(f"Target port '{port}' must be between 1 and 65535")
        check = self._check_instance_ids if group.target_type == "instance" else self._check_addresses
        check(group, [target_id for target_id, _ in keys])
        group.add(keys)

    def _check_instance_ids(self, group: Any, ids: Sequence[str]) -> None:
        """Refuse instances that do not exist, are in another VPC, or are not running.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
        """
        found = {target_id: self._instance(target_id) for target_id in ids}
        _refuse_targets([each for each, it in found.items() if it is None], "The following targets are not valid")
        strangers = [each for each, it in found.items() if it.vpc_id != group.vpc_id]
        _refuse_targets(strangers, f"The following targets are not in the target group VPC '{group.vpc_id}'")
        idle = [each for each, it in found.items() if it.state != "running"]
        _refuse_targets(idle, "The following targets are not in a running state and cannot be registered")

    def _instance(self, instance_id: str) -> Any:
        return next((each for each in self.ec2_backend.all_instances() if each.id == instance_id), None)

    def _check_addresses(self, group: Any, ids: Sequence[str]) -> None:
        """Refuse addresses outside the VPC. AWS also accepts other private addresses, which the lab cannot reach."""
        networks = [subnet.cidr for subnet in self.ec2_backend.describe_subnets() if subnet.vpc_id == group.vpc_id]
        wrong = [each for each in ids if not _is_within(each, networks)]
        _refuse_targets(wrong, "The following targets are not valid IP addresses of the target group's VPC")

    def deregister_targets(self, target_group_arn: str, instances: list[dict[str, Any]]) -> None:
        """Deregister targets.

        "If the specified target does not exist, the action returns successfully."
        """
        group = self.group(target_group_arn)
        self._take_out(group, [group.key(target) for target in instances])

    def _take_out(self, group: Any, keys: Sequence[TargetKey]) -> None:
        group.remove(keys, drain=bool(group.load_balancer_arns))
        if group.draining:
            _later(group.delay, self.context.changed)

    def notify_terminate_instances(self, instance_ids: list[str]) -> None:
        for group in self.target_groups.values():
            self._take_out(group, [key for key in group.registered if key[0] in instance_ids])

    def describe_target_health(self, target_group_arn: str, targets: list[dict[str, Any]]) -> list[Any]:
        group = self.group(target_group_arn)
        seen = self.context.target_health(target_group_arn) if group.registered else {}
        keys = [group.key(target) for target in targets] if targets else [*group.registered, *group.draining]
        return [
            TargetHealth(
                {"Id": key[0], "Port": key[1]}, group.check_port(key[1]), _words(self._health(group, key, seen))
            )
            for key in keys
        ]

    def _health(self, group: Any, key: TargetKey, seen: Mapping[TargetKey, HealthReport]) -> HealthReport:
        """Return the health of a target: from its own state, or else from the health checks of the load balancer."""
        if key in group.draining:
            return DRAINING
        if key not in group.registered:
            return NOT_REGISTERED
        instance = self._instance(key[0]) if group.target_type == "instance" else None
        if instance is not None and instance.state in ("stopping", "stopped", "shutting-down", "terminated"):
            state = "terminated" if instance.state in ("shutting-down", "terminated") else "stopped"
            return HealthReport("unused", "Target.InvalidState", f"Target is in the {state} state")
        if not group.load_balancer_arns:
            return NOT_IN_USE
        if instance is not None and instance.placement.zone not in self._zones(group):
            return ZONE_NOT_ENABLED
        return seen.get(key, REGISTERING)

    def _zones(self, group: Any) -> set[str]:
        balancers = [self.load_balancers[arn] for arn in group.load_balancer_arns]
        return {subnet.availability_zone for balancer in balancers for subnet in balancer.subnets}


def _words(report: HealthReport) -> dict[str, str]:
    words = {"State": report.state, "Reason": report.reason, "Description": report.description}
    return {key: value for key, value in words.items() if value}


def _refuse_targets(ids: Sequence[str], words: str) -> None:
    if ids:
        quoted = ", ".join(f"'{each}'" for each in ids)
        refuse("InvalidTarget", f"{words}: {quoted}")


def _is_within(address: str, networks: Sequence[Any]) -> bool:
    try:
        return any(IPv4Address(address) in network for network in networks)
    except AddressValueError:
        return False


def _later(seconds: float, work: Callable[[], None]) -> None:
    """Call `work` after `seconds`, from a daemon thread."""
    timer = threading.Timer(seconds + 0.1, work)
    timer.daemon = True
    timer.start()
