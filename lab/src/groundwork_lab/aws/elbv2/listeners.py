"""Listeners and rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.elbv2.models import FakeAction, FakeListener, FakeRule
from moto.moto_api._internal import mock_random

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.elbv2 import attributes, rules
from groundwork_lab.aws.elbv2.balancers import check_tags, tag_dict
from groundwork_lab.aws.elbv2.secured import Given, SecuredBackend, secure

GROUPS_PER_BALANCER = 100


class Action(FakeAction):
    """An action in the format of the Describe operations."""

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__(rules.described_action(data))


class DefaultRule(FakeRule):
    """The default rule of a listener, with an ARN in AWS' format."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.arn = self.listener_arn.replace(":listener/", ":listener-rule/") + f"/{mock_random.get_random_hex(16)}"


class Listener(FakeListener):
    """A listener. `listed` holds the ARNs of its certificate list, which does not include the default certificate."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.listed: list[str] = []
        self.attributes: dict[str, str] = {}  # those that were set


def _data(actions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [rules.described_action(action) for action in actions]


def order(rule: Any) -> tuple[bool, int]:
    """Return the sort key of a rule: by priority, the default rule last."""
    return (rule.is_default, 0 if rule.is_default else int(rule.priority))


class ListenersBackend(SecuredBackend):
    def listener(self, arn: str) -> Any:
        for balancer in self.load_balancers.values():
            if arn in balancer.listeners:
                return balancer.listeners[arn]
        return refuse("ListenerNotFound", f"One or more listeners not found: '{arn}'")

    def describe_listeners(self, load_balancer_arn: str | None, listener_arns: list[str]) -> list[Any]:
        if load_balancer_arn:
            return list(self.balancer(load_balancer_arn).listeners.values())
        return [self.listener(arn) for arn in listener_arns]

    def create_listener(  # noqa: PLR0917 - moto's signature
        self,
        load_balancer_arn: str,
        protocol: str,
        port: str,
        ssl_policy: str | None,
        certificate: Given,
        actions: list[dict[str, Any]],
        alpn_policy: list[str] | None = None,
        tags: list[dict[str, str]] | None = None,
    ) -> Any:
        """Create a listener. Creating it again with the same settings succeeds. `certificate` is a list of one.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
        """
        balancer = self.balancer(load_balancer_arn)
        number = _check_port(port)
        self.check_secured(protocol, ssl_policy, certificate)
        if protocol == "HTTPS" and not certificate:
            rules.invalid("A certificate must be specified for HTTPS listeners")
        described = _data(actions)
        self._check_actions(balancer, described, (protocol, number))
        check_tags(tags or [])
        existing = next((each for each in balancer.listeners.values() if int(each.port) == number), None)
        if existing is not None:
            same = existing.protocol == protocol and [each.data for each in existing.default_actions] == described
            same = same and existing.certificates == [each["CertificateArn"] for each in certificate]
            same = same and ssl_policy in (None, existing.ssl_policy)
            if not same or self.tagging_service.get_tag_dict_for_resource(existing.arn) != tag_dict(tags):
                message = f"A listener already exists on this port for this load balancer '{load_balancer_arn}'"
                refuse("DuplicateListener", message)
            return existing
        if len(balancer.listeners) >= rules.LISTENERS_PER_BALANCER:
            refuse("TooManyListeners", "The maximum number of listeners per load balancer has been reached")
        listener = super().create_listener(load_balancer_arn, protocol, port, "", None, described, alpn_policy, tags)
        secure(listener, protocol, ssl_policy, certificate)
        return listener

    def modify_listener(  # noqa: PLR0917 - moto's signature
        self,
        arn: str,
        port: str | None = None,
        protocol: str | None = None,
        ssl_policy: str | None = None,
        certificates: list[dict[str, Any]] | None = None,
        actions: list[dict[str, Any]] | None = None,
    ) -> Any:
        listener = self.listener(arn)
        balancer = self.balancer(listener.load_balancer_arn)
        wanted, given = protocol or listener.protocol, certificates or []
        self.check_secured(wanted, ssl_policy, given)
        if wanted == "HTTPS" and not (given or listener.certificates):
            rules.invalid("A certificate must be specified for HTTPS listeners")
        if port is not None:
            number = _check_port(port)
            if any(int(each.port) == number and each.arn != arn for each in balancer.listeners.values()):
                message = f"A listener already exists on this port for this load balancer '{balancer.arn}'"
                refuse("DuplicateListener", message)
        described = _data(actions or [])
        if described:
            self._check_actions(balancer, described, (wanted, int(port or listener.port)))
        super().modify_listener(arn, port, None, None, [], described)
        secure(listener, wanted, ssl_policy, given)
        return listener

    def describe_listener_attributes(self, listener_arn: str) -> dict[str, str]:
        """Return all attributes of a listener. Those of requests exist only with HTTPS."""
        listener = self.listener(listener_arn)
        return {**attributes.defaults(attributes.listener(listener.protocol)), **listener.attributes}

    def modify_listener_attributes(self, listener_arn: str, attrs: list[dict[str, str]]) -> dict[str, str]:
        listener = self.listener(listener_arn)
        wanted = {each["Key"]: str(each.get("Value") or "") for each in attrs}
        attributes.check("Listener", attributes.listener(listener.protocol), wanted)
        listener.attributes.update(wanted)
        return self.describe_listener_attributes(listener_arn)

    def _check_actions(self, balancer: Any, described: Sequence[Mapping[str, Any]], place: tuple[str, int]) -> None:
        """Refuse invalid actions, and target groups of another VPC or of another load balancer.

        `place` is the protocol and the port of the listener.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
        """
        rules.check_actions(described, self.target_groups, place)
        wanted = {arn for action in described for arn in rules.groups_of(action)}
        for arn in sorted(wanted):
            group = self.target_groups[arn]
            if group.vpc_id != balancer.vpc_id:
                message = f"The target group '{arn}' must be in the VPC '{balancer.vpc_id}' of the load balancer"
                refuse("InvalidConfigurationRequest", message)
            if any(other != balancer.arn for other in group.load_balancer_arns):
                message = "The following target groups cannot be associated with more than one load balancer"
                refuse("TargetGroupAssociationLimit", f"{message}: {arn}")
        if len(wanted | set(balancer.target_group_arns)) > GROUPS_PER_BALANCER:
            message = "The maximum number of unique target groups per load balancer has been reached"
            refuse("TooManyUniqueTargetGroupsPerLoadBalancer", message)

    # Rules

    def rule(self, arn: str) -> Any:
        for balancer in self.load_balancers.values():
            for listener in balancer.listeners.values():
                for rule in listener.rules.values():
                    if rule.arn == arn:
                        return rule
        return refuse("RuleNotFound", f"One or more rules not found: '{arn}'")

    def describe_rules(self, listener_arn: str | None, rule_arns: list[str] | None) -> list[Any]:
        if listener_arn and rule_arns:
            rules.invalid("Listener rule ARNs and a listener ARN cannot be specified at the same time")
        if listener_arn:
            return sorted(self.listener(listener_arn).rules.values(), key=order)
        if not rule_arns:
            rules.invalid("You must specify either listener rule ARNs or a listener ARN")
        return [self.rule(arn) for arn in rule_arns or []]

    def create_rule(
        self,
        listener_arn: str,
        conditions: list[dict[str, Any]],
        priority: int,
        actions: list[dict[str, Any]],
        tags: list[dict[str, str]] | None = None,
    ) -> Any:
        listener = self.listener(listener_arn)
        balancer = self.balancer(listener.load_balancer_arn)
        number = rules.check_priority(priority)
        rules.check_conditions(conditions)
        described = _data(actions)
        self._check_actions(balancer, described, (listener.protocol, int(listener.port)))
        check_tags(tags or [])
        if number in (rule.priority for rule in listener.rules.values()):
            refuse("PriorityInUse", f"Priority '{number}' is currently in use")
        if sum(len(each.rules) - 1 for each in balancer.listeners.values()) >= rules.RULES_PER_BALANCER:
            refuse("TooManyRules", "The maximum number of rules per load balancer has been reached")
        told = [rules.described_condition(condition) for condition in conditions]
        return super().create_rule(listener_arn, told, number, described, tags)

    def _validate_conditions(self, conditions: list[dict[str, Any]]) -> None:
        """Do nothing: `check_conditions` has checked them, and moto refuses some that AWS returns."""

    def modify_rule(self, rule_arn: str, conditions: list[dict[str, Any]], actions: list[dict[str, Any]]) -> Any:
        rule = self.rule(rule_arn)
        if rule.is_default:
            refuse("OperationNotPermitted", f"Default rule '{rule_arn}' cannot be modified")
        if not conditions and not actions:
            rules.invalid("Either conditions or actions must be specified")
        if conditions:
            rules.check_conditions(conditions)
        described = _data(actions or [])
        if described:
            listener = self.listener(rule.listener_arn)
            place = (listener.protocol, int(listener.port))
            self._check_actions(self.balancer(listener.load_balancer_arn), described, place)
        told = [rules.described_condition(condition) for condition in conditions or []]
        return super().modify_rule(rule_arn, told, described)

    def delete_rule(self, arn: str) -> None:
        rule = self.rule(arn)
        if rule.is_default:
            refuse("OperationNotPermitted", f"Default rule '{arn}' cannot be deleted")
        super().delete_rule(arn)
        self.tagging_service.delete_all_tags_for_resource(arn)

    def set_rule_priorities(self, rule_priorities: list[dict[str, Any]]) -> list[Any]:
        """Set all priorities together, so that rules can exchange them.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetRulePriorities.html
        """
        wanted = {str(each["RuleArn"]): rules.check_priority(each["Priority"]) for each in rule_priorities}
        found = [self.rule(arn) for arn in wanted]
        for rule in found:
            if rule.is_default:
                refuse("OperationNotPermitted", f"Default rule '{rule.arn}' cannot be modified")
        for listener_arn in {rule.listener_arn for rule in found}:
            others = [rule for rule in self.listener(listener_arn).rules.values() if not rule.is_default]
            after = [wanted.get(rule.arn, rule.priority) for rule in others]
            for priority in after:
                if after.count(priority) > 1:
                    refuse("PriorityInUse", f"Priority '{priority}' is currently in use")
        for rule in found:
            rule.priority = wanted[rule.arn]
        return found


def _check_port(port: object) -> int:
    text = str(port or "")
    if not text:
        rules.invalid("A listener port must be specified")
    if not (text.isdigit() and 1 <= int(text) <= 65535):
        rules.invalid(f"Listener port '{text}' must be between 1 and 65535")
    return int(text)
