"""Listeners and rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeAction, FakeRule
from moto.moto_api._internal import mock_random

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.elbv2 import rules
from groundwork_lab.aws.elbv2.balancers import check_tags, tag_dict

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


def _data(actions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [rules.described_action(action) for action in actions]


def order(rule: Any) -> tuple[bool, int]:
    """Return the sort key of a rule: by priority, the default rule last."""
    return (rule.is_default, 0 if rule.is_default else int(rule.priority))


class ListenersBackend(ELBv2Backend):
    balancer: Any

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
        ssl_policy: str | None,  # noqa: ARG002 - moto's responses return one for every listener
        certificate: str | None,
        actions: list[dict[str, Any]],
        alpn_policy: list[str] | None = None,
        tags: list[dict[str, str]] | None = None,
    ) -> Any:
        """Create a listener. Creating it again with the same settings succeeds.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
        """
        balancer = self.balancer(load_balancer_arn)
        number = _check_port(port)
        _check_protocol(protocol, certificate)
        described = _data(actions)
        self._check_actions(balancer, described)
        check_tags(tags or [])
        existing = next((each for each in balancer.listeners.values() if int(each.port) == number), None)
        if existing is not None:
            same = existing.protocol == protocol and [each.data for each in existing.default_actions] == described
            if not same or self.tagging_service.get_tag_dict_for_resource(existing.arn) != tag_dict(tags):
                message = f"A listener already exists on this port for this load balancer '{load_balancer_arn}'"
                refuse("DuplicateListener", message)
            return existing
        if len(balancer.listeners) >= rules.LISTENERS_PER_BALANCER:
            refuse("TooManyListeners", "The maximum number of listeners per load balancer has been reached")
        listener = super().create_listener(load_balancer_arn, protocol, port, "", None, described, alpn_policy, tags)
        listener.ssl_policy = None  # an HTTP listener has none
        listener.attributes = {"routing.http.response.server.enabled": "true"}
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
        if protocol is not None or certificates or ssl_policy is not None:
            _check_protocol(protocol or listener.protocol, certificates or ssl_policy)
        if port is not None:
            number = _check_port(port)
            if any(int(each.port) == number and each.arn != arn for each in balancer.listeners.values()):
                message = f"A listener already exists on this port for this load balancer '{balancer.arn}'"
                refuse("DuplicateListener", message)
        described = _data(actions or [])
        if described:
            self._check_actions(balancer, described)
        return super().modify_listener(arn, port, protocol, None, certificates, described)

    def modify_listener_attributes(self, listener_arn: str, attrs: list[dict[str, str]]) -> dict[str, str]:
        listener = self.listener(listener_arn)
        for each in attrs:
            if listener.attributes.get(each["Key"]) != each["Value"]:
                refuse("InvalidConfigurationRequest", f"The lab's listeners do not do '{each['Key']}'.")
        return dict(listener.attributes)

    def _check_actions(self, balancer: Any, described: Sequence[Mapping[str, Any]]) -> None:
        """Refuse invalid actions, and target groups of another VPC or of another load balancer.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
        """
        rules.check_actions(described, self.target_groups)
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
        self._check_actions(balancer, described)
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
            self._check_actions(self.balancer(self.listener(rule.listener_arn).load_balancer_arn), described)
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


def _check_protocol(protocol: str | None, certificate: object) -> None:
    if not protocol:
        rules.invalid("A listener protocol must be specified")
    if protocol == "HTTPS" and not certificate:
        rules.invalid("A certificate must be specified for HTTPS listeners")
    if protocol == "HTTPS":
        refuse("UnsupportedProtocol", "The lab's load balancers do not speak TLS yet: the protocol must be HTTP.")
    if protocol != "HTTP":
        rules.invalid(f"Listener protocol '{protocol}' must be one of 'HTTP, HTTPS'")
    if certificate:
        refuse("InvalidConfigurationRequest", "You cannot specify certificates for an HTTP listener")
