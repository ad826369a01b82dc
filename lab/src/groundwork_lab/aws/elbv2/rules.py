"""The checks of actions and conditions, and the format in which AWS returns them. Pure functions.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html and
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Any

from groundwork_lab.aws.context import refuse

LISTENERS_PER_BALANCER = 50
RULES_PER_BALANCER = 100
GROUPS_PER_ACTION = 5
VALUES_PER_RULE = 5
WILDCARDS_PER_RULE = 6
HIGHEST_PRIORITY = 50000
CONFIGS = {
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "path-pattern": "PathPatternConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
ONCE_PER_RULE = ("host-header", "http-request-method", "path-pattern", "source-ip")
REDIRECT_DEFAULTS = {
    "Protocol": "#{protocol}",
    "Port": "#{port}",
    "Host": "#{host}",
    "Path": "/#{path}",
    "Query": "#{query}",
}
CONTENT_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
PATTERNS = {
    "path-pattern": r"[A-Za-z0-9_\-.$/~\"'@:+&*?]*",
    "host-header": r"[A-Za-z0-9\-.*?_]+",
    "http-request-method": r"[A-Z_\-]{1,40}",
}


def invalid(message: str) -> None:
    refuse("ValidationError", message)


# Conditions


def condition_values(condition: Mapping[str, Any]) -> list[str]:
    """Return the values of a condition; a query parameter as `key=value`, or as `value` if it has no key."""
    field = str(condition.get("Field") or "")
    config = condition.get(CONFIGS.get(field, "")) or {}
    values = config.get("Values") or condition.get("Values") or []
    if field == "query-string":
        return [f"{pair['Key']}={pair['Value']}" if pair.get("Key") else str(pair["Value"]) for pair in values]
    return [str(value) for value in values]


def check_conditions(conditions: Sequence[Mapping[str, Any]]) -> None:
    """Refuse conditions that AWS would refuse."""
    if not conditions:
        invalid("A rule must have at least one condition")
    fields = [str(condition.get("Field") or "") for condition in conditions]
    for field in fields:
        if field not in CONFIGS:
            invalid(f"Condition field '{field}' must be one of '[{','.join(CONFIGS)}]'")
    for field in ONCE_PER_RULE:
        if fields.count(field) > 1:
            invalid(f"A rule can only have one '{field}' condition")
    for field, condition in zip(fields, conditions, strict=True):
        _check_condition(field, condition)
    values = [value for condition in conditions for value in condition_values(condition)]
    if len(values) > VALUES_PER_RULE:
        invalid(f"A rule can have a maximum of {VALUES_PER_RULE} condition values")
    if sum(value.count("*") + value.count("?") for value in values) > WILDCARDS_PER_RULE:
        invalid(f"A rule can have a maximum of {WILDCARDS_PER_RULE} wildcard characters in its conditions")


def _check_condition(field: str, condition: Mapping[str, Any]) -> None:
    config = condition.get(CONFIGS[field])
    if condition.get("RegexValues") or (config or {}).get("RegexValues"):
        refuse("InvalidConfigurationRequest", "The lab's load balancers do not match regular expressions.")
    if condition.get("Values") and field not in ("host-header", "path-pattern"):
        invalid(f"The 'Values' field is not compatible with '{field}'")
    if condition.get("Values") and config and condition["Values"] != config.get("Values"):
        invalid(f"You cannot provide both Values and '{CONFIGS[field]}' for a condition of type '{field}'")
    if field == "query-string" and any("Value" not in pair for pair in (config or {}).get("Values") or []):
        invalid("A 'Value' must be specified in 'QueryStringKeyValuePair'")
    values = condition_values(condition)
    if not values:
        invalid("A condition value must be specified")
    if field == "http-header":
        _check_header_name(str((config or {}).get("HttpHeaderName") or ""))
    for value in values:
        _check_value(field, value)


def _check_header_name(name: str) -> None:
    if not re.fullmatch(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,40}", name):
        invalid(f"The HTTP header name '{name}' is not valid; the limit is '40' characters")
    if name.lower() == "host":
        invalid("The HTTP header name 'Host' must be specified with a 'host-header' condition")


def _check_value(field: str, value: str) -> None:
    if field == "source-ip":
        _check_cidr(value)
        return
    parts = value.split("=", 1) if field == "query-string" else [value]
    if any(len(part) > 128 for part in parts):
        invalid(f"The '{field}' value is too long; the limit is '128'")
    pattern = PATTERNS.get(field)
    if pattern and not re.fullmatch(pattern, value):
        invalid(f"The '{field}' value '{value}' contains characters that are not valid")
    if field == "host-header" and "." not in value and "*" not in value:
        invalid(f"The 'host-header' value '{value}' must contain at least one '.'")


def _check_cidr(value: str) -> None:
    try:
        IPv4Network(value)
    except (AddressValueError, NetmaskValueError, ValueError):
        refuse("ValidationError", f"The 'source-ip' value '{value}' must be in CIDR format")
    if "/" not in value:
        invalid(f"The 'source-ip' value '{value}' must be in CIDR format")


def described_condition(condition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the condition as DescribeRules does: paths and hosts in both members."""
    field = str(condition["Field"])
    if field not in ("host-header", "path-pattern"):
        return {"Field": field, CONFIGS[field]: condition[CONFIGS[field]]}
    values = condition_values(condition)
    return {"Field": field, "Values": values, CONFIGS[field]: {"Values": values}}


# Actions


def groups_of(action: Mapping[str, Any]) -> list[str]:
    """Return the ARNs of the target groups that a described action forwards to."""
    return [str(group["TargetGroupArn"]) for group in (action.get("ForwardConfig") or {}).get("TargetGroups") or []]


def described_action(action: Mapping[str, Any]) -> dict[str, Any]:
    """Return the action as the Describe operations do: with defaults, a single target group in both members."""
    described = dict(action)
    if action.get("Type") == "forward":
        described.update(_described_forward(action))
    if action.get("Type") == "redirect":
        given = action.get("RedirectConfig") or {}
        described["RedirectConfig"] = {**REDIRECT_DEFAULTS, **given}
    return described


def _described_forward(action: Mapping[str, Any]) -> dict[str, Any]:
    config = dict(action.get("ForwardConfig") or {})
    groups = config.get("TargetGroups") or []
    if not groups and action.get("TargetGroupArn"):
        groups = [{"TargetGroupArn": action["TargetGroupArn"]}]
    config["TargetGroups"] = [{**group, "Weight": int(group.get("Weight", 1))} for group in groups]
    stickiness = dict(config.get("TargetGroupStickinessConfig") or {})
    stickiness["Enabled"] = _truth(stickiness.get("Enabled", False))
    config["TargetGroupStickinessConfig"] = stickiness
    single = {"TargetGroupArn": groups[0]["TargetGroupArn"]} if len(groups) == 1 else {}
    return {"ForwardConfig": config, **single}


def _truth(value: object) -> bool:
    return value is True or str(value).lower() == "true"


def check_actions(actions: Sequence[Mapping[str, Any]], known_groups: Iterable[str], place: tuple[str, int]) -> None:
    """Refuse actions that AWS would refuse or the lab does not support.

    `known_groups` are the existing ARNs, `place` is the protocol and the port of the listener.
    """
    if not actions:
        refuse("InvalidLoadBalancerAction", "You must specify an action")
    known = set(known_groups)
    for index, action in enumerate(actions, start=1):
        kind = action.get("Type")
        if str(kind).startswith(("authenticate-", "jwt-")):
            refuse("InvalidLoadBalancerAction", f"The lab's load balancers do not do '{kind}'.")
        if kind not in ("forward", "redirect", "fixed-response"):
            invalid(
                f"1 validation error detected: Value '{kind}' at 'actions.{index}.member.type' failed to satisfy "
                "constraint: Member must satisfy enum value set: [forward, redirect, fixed-response]"
            )
    if len(actions) > 1:
        message = "You must specify exactly one of the following actions: forward, redirect, fixed-response"
        refuse("InvalidLoadBalancerAction", message)
    _check_action(actions[0], known, place)


def _check_action(action: Mapping[str, Any], known: set[str], place: tuple[str, int]) -> None:
    match action["Type"]:
        case "forward":
            _check_forward(action, known)
        case "redirect":
            _check_redirect(action.get("RedirectConfig") or {}, place)
        case "fixed-response":
            _check_fixed_response(action.get("FixedResponseConfig") or {})


def _check_forward(action: Mapping[str, Any], known: set[str]) -> None:
    config = action["ForwardConfig"]
    arns = groups_of(action)
    if not arns:
        refuse("InvalidLoadBalancerAction", "A target group ARN must be specified for a forward action")
    if action.get("TargetGroupArn") and arns != [action["TargetGroupArn"]]:
        refuse("InvalidLoadBalancerAction", "You can specify both TargetGroupArn and ForwardConfig only if they match")
    for arn in arns:
        if arn not in known:
            refuse("TargetGroupNotFound", f"Target groups '{arn}' not found")
    if len(arns) > GROUPS_PER_ACTION:
        refuse("TooManyTargetGroups", f"A forward action can have a maximum of {GROUPS_PER_ACTION} target groups")
    if len(set(arns)) < len(arns):
        refuse("InvalidLoadBalancerAction", "A target group can be specified only once in a forward action")
    for group in config["TargetGroups"]:
        if not 0 <= group["Weight"] <= 999:
            invalid(f"Target group weight '{group['Weight']}' must be between '0' and '999' inclusive")
    stickiness = config["TargetGroupStickinessConfig"]
    if stickiness["Enabled"] and not 1 <= int(stickiness.get("DurationSeconds") or 0) <= 604800:
        invalid("Target group stickiness duration must be between '1' and '604800' seconds")


def _check_redirect(config: Mapping[str, Any], place: tuple[str, int]) -> None:
    if config.get("StatusCode") not in ("HTTP_301", "HTTP_302"):
        invalid("The redirect status code must be one of '[HTTP_301, HTTP_302]'")
    if not re.fullmatch(r"HTTPS?|#\{protocol\}", str(config["Protocol"])):
        invalid(f"The redirect protocol '{config['Protocol']}' must be HTTP, HTTPS or '#{{protocol}}'")
    port = str(config["Port"])
    if port != "#{port}" and not (port.isdigit() and 1 <= int(port) <= 65535):
        invalid(f"The redirect port '{port}' must be between 1 and 65535, or '#{{port}}'")
    if not str(config["Path"]).startswith("/"):
        invalid(f"The redirect path '{config['Path']}' must start with '/'")
    for key in ("Host", "Path", "Query"):
        if len(str(config[key])) > 128:
            invalid(f"The redirect {key.lower()} is too long; the limit is '128'")
        unknown = [name for name in re.findall(r"#\{(\w*)\}", str(config[key])) if f"#{{{name}}}" not in _KEYWORDS]
        if unknown:
            invalid(f"The redirect {key.lower()} has an unknown keyword '#{{{unknown[0]}}}'")
    if _loops(config, place):
        refuse("InvalidLoadBalancerAction", "The redirect configuration is not valid because it creates a loop.")


def _loops(config: Mapping[str, Any], place: tuple[str, int]) -> bool:
    """Return whether a redirect changes none of protocol, host, port and path, as the listener has them.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html
    """
    protocol, port = place
    parts = {"Protocol": protocol, "Port": str(port)}
    return all(config[key] in (REDIRECT_DEFAULTS[key], parts.get(key)) for key in ("Protocol", "Host", "Port", "Path"))


_KEYWORDS = ("#{protocol}", "#{host}", "#{port}", "#{path}", "#{query}")


def _check_fixed_response(config: Mapping[str, Any]) -> None:
    status = str(config.get("StatusCode") or "")
    if not re.fullmatch(r"[245]\d\d", status):
        invalid(
            f"1 validation error detected: Value '{status}' at 'fixedResponseConfig.statusCode' failed to satisfy "
            r"constraint: Member must satisfy regular expression pattern: ^(2|4|5)\d\d$"
        )
    kind = config.get("ContentType")
    if kind and kind not in CONTENT_TYPES:
        refuse("InvalidLoadBalancerAction", f"The ContentType must be one of: {', '.join(CONTENT_TYPES)}")
    if len(str(config.get("MessageBody") or "")) > 1024:
        invalid("The fixed response's message body is too long; the limit is '1024'")


def check_priority(priority: object) -> int:
    """Return the priority as a number. Refuse an invalid one."""
    text = str(priority)
    if not (text.isdigit() and 1 <= int(text) <= HIGHEST_PRIORITY):
        invalid(f"Priority '{priority}' must be between '1' and '{HIGHEST_PRIORITY}' inclusive")
    return int(text)
