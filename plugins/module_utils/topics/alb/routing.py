# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert actions and conditions of rules to the API's form, and to a form that can be compared."""

from __future__ import annotations

import re
import typing as t
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import token
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import (
    HIDDEN,
    Secrets,
    fill,
    parameters_in,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ref

Options = t.Mapping[str, t.Any]
Api = dict[str, t.Any]  # in the API's form; may hold Refs

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
MAX_GROUPS = 5  # target groups in an action
MAX_VALUES = 5  # condition values in a rule
MAX_WILDCARDS = 6  # in a rule
MAX_WEIGHT = 999
MAX_SECONDS = 604800  # of stickiness
MAX_VALUE_LENGTH = 128
MAX_BODY = 1024
CONFIGS = {
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "path-pattern": "PathPatternConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
ONCE = ("host-header", "http-request-method", "path-pattern", "source-ip")
SHAPES = {  # of values: pattern and what is right
    "path-pattern": (r"[A-Za-z0-9_\-.$/~\"'@:+&*?]+", "use letters, digits, * and ?, and _ - . $ / ~ \" ' @ : + &"),
    "host-header": (r"[A-Za-z0-9\-.*?]*[.*][A-Za-z0-9\-.*?]*", "give a host name with a dot; * and ? are allowed"),
    "http-request-method": (r"[A-Z_-]{1,40}", "give a method in capital letters, as GET"),
    "query-string": (r"[^\s]+", "give key=value, or only a value"),
    "http-header": (r".+", "give text"),
}
HEADER_NAME = token(40)
# The header with which CloudFront shows a load balancer that the request is its own. No diff shows its values.
ORIGIN_HEADER = "X-Origin-Verify"
REDIRECT_DEFAULTS = {
    "Protocol": "#{protocol}",
    "Port": "#{port}",
    "Host": "#{host}",
    "Path": "/#{path}",
    "Query": "#{query}",
}
KEYWORD = re.compile(r"#\{(\w*)\}")
KEYWORDS = ("protocol", "host", "port", "path", "query")


def group_ref(name: str) -> Ref:
    """Return the reference to the ARN of the target group `name`."""
    return Ref("target group", name)


def parse_action(action: Options, where: str, groups: t.Collection[str], problems: Problems) -> Api:
    """Return an action in the API's form. `groups` are the declared target groups."""
    kind = action["type"]
    needed = {"forward": "target_groups", "redirect": "redirect", "fixed_response": "fixed_response"}
    for other, option in needed.items():
        if other != kind and action.get(option):
            problems.add(
                f"{where}.{option}", f"is not an option of a {kind} action", f"remove it, or use the type {other}"
            )
    option = needed[kind]
    if not action.get(option):
        problems.add(f"{where}.{option}", f"is missing, and a {kind} action needs it", "give a value")
        return {"Type": kind}
    parse = {"forward": _parse_forward, "redirect": _parse_redirect, "fixed_response": _parse_fixed_response}[kind]
    return parse(action, where, groups, problems)


def _parse_forward(action: Options, where: str, groups: t.Collection[str], problems: Problems) -> Api:
    targets, seconds = action["target_groups"], action.get("stickiness_duration") or 0
    names = [target["name"] for target in targets]
    for position, target in enumerate(targets):
        place, name = f"{where}.target_groups[{position}]", target["name"]
        if name not in groups:
            problems.add(f"{place}.name", f"'{name}' is not a declared target group", f"use one of {listed(groups)}")
        if name in names[:position]:
            problems.add(f"{place}.name", f"'{name}' is used twice", "name it once, with a weight")
        check_range(f"{place}.weight", target["weight"], 0, MAX_WEIGHT, problems)
    if len(names) > MAX_GROUPS:
        problems.add(f"{where}.target_groups", f"{len(names)} target groups are too many", f"use at most {MAX_GROUPS}")
    check_range(f"{where}.stickiness_duration", seconds, 0, MAX_SECONDS, problems)
    return {
        "Type": "forward",
        "ForwardConfig": {
            "TargetGroups": [
                {"TargetGroupArn": group_ref(target["name"]), "Weight": target["weight"]} for target in targets
            ],
            "TargetGroupStickinessConfig": (
                {"Enabled": True, "DurationSeconds": seconds} if seconds else {"Enabled": False}
            ),
        },
    }


def _parse_redirect(action: Options, where: str, _groups: t.Collection[str], problems: Problems) -> Api:
    given, place = action["redirect"], f"{where}.redirect"
    config = {
        key: default if given.get(key.lower()) is None else str(given[key.lower()])
        for key, default in REDIRECT_DEFAULTS.items()
    }
    if config == REDIRECT_DEFAULTS:
        problems.add(place, "the redirect leads back to the same URL", "change the protocol, host, port, path or query")
    if config["Protocol"] not in ("HTTP", "HTTPS", "#{protocol}"):
        problems.add(f"{place}.protocol", f"'{config['Protocol']}' is not a protocol", "give HTTP or HTTPS")
    port = config["Port"]
    if port != "#{port}" and not (port.isdecimal() and 1 <= int(port) <= 65535):
        problems.add(f"{place}.port", f"'{port}' is not a port", "give a number from 1 to 65535")
    if not config["Path"].startswith("/"):
        problems.add(f"{place}.path", f"'{config['Path']}' does not begin with /", "begin the path with /")
    for key in ("Host", "Path", "Query"):
        if len(config[key]) > MAX_VALUE_LENGTH:
            problems.add(
                f"{place}.{key.lower()}", "the value is too long", f"use at most {MAX_VALUE_LENGTH} characters"
            )
        for word in KEYWORD.findall(config[key]):
            if word not in KEYWORDS:
                right = f"use {listed(f'#{{{each}}}' for each in KEYWORDS)}"
                problems.add(f"{place}.{key.lower()}", f"'#{{{word}}}' is not a keyword", right)
    return {"Type": "redirect", "RedirectConfig": {**config, "StatusCode": f"HTTP_{given['status_code']}"}}


def _parse_fixed_response(action: Options, where: str, _groups: t.Collection[str], problems: Problems) -> Api:
    given, place = action["fixed_response"], f"{where}.fixed_response"
    status, body = given["status_code"], given.get("body") or ""
    if not (200 <= status <= 299 or 400 <= status <= 599):
        problems.add(f"{place}.status_code", f"{status} is not a possible status", "give 200 to 299 or 400 to 599")
    if len(body) > MAX_BODY:
        problems.add(f"{place}.body", f"the body has {len(body)} characters", f"use at most {MAX_BODY}")
    config = {"StatusCode": str(status), "ContentType": given["content_type"]}
    return {"Type": "fixed-response", "FixedResponseConfig": {**config, **({"MessageBody": body} if body else {})}}


def comparable_actions(actions: t.Sequence[t.Mapping[str, t.Any]]) -> t.Any:
    """Return the actions in a form that is equal for equivalent actions."""
    return [_comparable_action(action) for action in actions]


def _comparable_action(action: t.Mapping[str, t.Any]) -> t.Any:
    if action["Type"] == "forward":
        return ("forward", *_comparable_forward(action))
    if action["Type"] == "redirect":
        return ("redirect", {**REDIRECT_DEFAULTS, **action.get("RedirectConfig", {})})
    if action["Type"] == "fixed-response":
        config = action.get("FixedResponseConfig", {})
        kind, body = config.get("ContentType") or "text/plain", config.get("MessageBody") or ""
        return ("fixed-response", str(config.get("StatusCode")), kind, body)
    return (action["Type"], dict(action))


def _comparable_forward(action: t.Mapping[str, t.Any]) -> tuple[list[tuple[str, int]], int]:
    config = action.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn")}]
    weights = [(str(group["TargetGroupArn"]), int(group.get("Weight", 1))) for group in groups]
    if len(weights) == 1 and weights[0][1] > 0:
        weights = [(weights[0][0], 1)]  # a single group's weight has no effect
    sticky = config.get("TargetGroupStickinessConfig") or {}
    return sorted(weights), int(sticky.get("DurationSeconds") or 0) if sticky.get("Enabled") else 0


def parse_conditions(
    conditions: t.Sequence[Options], where: str, problems: Problems, secrets: Secrets | None = None
) -> list[Api]:
    """Return a rule's conditions in the API's form, with the secrets in place of their placeholders."""
    if not conditions:
        problems.add(where, "is empty", "give at least one condition")
    fields = [condition["field"] for condition in conditions]
    for position, condition in enumerate(conditions):
        if condition["field"] in ONCE and condition["field"] in fields[:position]:
            right = "put all values into one condition, of which one has to match"
            problems.add(f"{where}[{position}].field", f"the field {condition['field']} is used twice", right)
        _check_condition(condition, f"{where}[{position}]", problems)
    values = [str(value) for condition in conditions for value in condition["values"]]
    if len(values) > MAX_VALUES:
        problems.add(where, f"{len(values)} values are too many", f"use at most {MAX_VALUES} in a rule")
    if sum(value.count("*") + value.count("?") for value in values) > MAX_WILDCARDS:
        problems.add(
            where, "the conditions have too many wildcards", f"use at most {MAX_WILDCARDS} of * and ? in a rule"
        )
    return [
        _api_condition(_filled(condition, secrets, f"{where}[{position}]", problems))
        for position, condition in enumerate(conditions)
    ]


def secret_headers(conditions: t.Sequence[Options]) -> frozenset[str]:
    """Return the headers of which a rule compares secrets, in lower case."""
    return frozenset(
        str(one.get("name")).lower()
        for one in conditions
        if one["field"] == "http-header" and parameters_in(list(one["values"]))
    )


def _filled(condition: Options, secrets: Secrets | None, where: str, problems: Problems) -> Options:
    if condition["field"] != "http-header" or not parameters_in(list(condition["values"])):
        return condition
    values = [
        fill(str(value), secrets, f"{where}.values[{position}]", problems)
        for position, value in enumerate(condition["values"])
    ]
    return {**condition, "values": values}


def header_values(conditions: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, list[str]]:
    """Return the values that conditions in the API's form compare, by the header in lower case."""
    configs = [one["HttpHeaderConfig"] for one in conditions if one["Field"] == "http-header"]
    return {config["HttpHeaderName"].lower(): list(config["Values"]) for config in configs}


def with_values(conditions: t.Sequence[Api], values: t.Mapping[str, t.Sequence[str]]) -> list[Api]:
    """Return conditions in the API's form with these values of headers, by the header in lower case."""
    return [
        {**one, "HttpHeaderConfig": {**config, "Values": list(values[config["HttpHeaderName"].lower()])}}
        if (config := one.get("HttpHeaderConfig")) and config["HttpHeaderName"].lower() in values
        else one
        for one in conditions
    ]


def without_secrets(conditions: t.Sequence[Api], headers: t.Iterable[str]) -> list[Api]:
    """Return conditions as a diff shows them. `headers` are those with secrets, besides the one of CloudFront."""
    secret = {*headers, ORIGIN_HEADER.lower()}
    values = header_values(conditions)
    return with_values(conditions, {name: [HIDDEN] * len(values[name]) for name in values.keys() & secret})


def _check_condition(condition: Options, where: str, problems: Problems) -> None:
    field, name = condition["field"], condition.get("name")
    if field == "http-header" and not HEADER_NAME.fullmatch(name or ""):
        problems.add(f"{where}.name", f"'{name or ''}' is not a header name", "give the name of a header")
    if field == "http-header" and (name or "").lower() == "host":
        problems.add(f"{where}.name", "the header Host has its own field", "use the field host-header")
    if field != "http-header" and name:
        problems.add(
            f"{where}.name", f"is not an option of the field {field}", "remove it, or use the field http-header"
        )
    if not condition["values"]:
        problems.add(f"{where}.values", "is empty", "give at least one value")
    for position, value in enumerate(condition["values"]):
        _check_value(field, str(value), f"{where}.values[{position}]", problems)


def _check_value(field: str, value: str, where: str, problems: Problems) -> None:
    if field == "source-ip":
        if not _is_cidr(value):
            problems.add(where, f"'{value}' is not an IPv4 CIDR block", "give a block such as 192.0.2.0/24")
        return
    longest = max(len(part) for part in (value.split("=", 1) if field == "query-string" else [value]))
    if longest > MAX_VALUE_LENGTH:
        problems.add(where, f"a value has {longest} characters", f"use at most {MAX_VALUE_LENGTH}")
    pattern, right = SHAPES[field]
    if not re.fullmatch(pattern, value):
        problems.add(where, f"'{value}' is not a possible value of {field}", right)


def _is_cidr(value: str) -> bool:
    try:
        IPv4Network(value)
    except (AddressValueError, NetmaskValueError, ValueError):
        return False
    return "/" in value


def _api_condition(condition: Options) -> Api:
    field, values = condition["field"], [str(value) for value in condition["values"]]
    if field == "http-header":
        return {"Field": field, CONFIGS[field]: {"HttpHeaderName": condition.get("name"), "Values": values}}
    if field == "query-string":
        return {"Field": field, CONFIGS[field]: {"Values": [_pair(value) for value in values]}}
    return {"Field": field, CONFIGS[field]: {"Values": values}}


def _pair(value: str) -> dict[str, str]:
    key, separator, wanted = value.partition("=")
    return {"Key": key, "Value": wanted} if separator else {"Value": key}


def comparable_conditions(conditions: t.Sequence[t.Mapping[str, t.Any]]) -> t.Any:
    """Return the conditions in a form that is equal for equivalent conditions.

    The order of conditions, and of their values, has no effect.
    """
    return sorted(_comparable_condition(condition) for condition in conditions)


def _comparable_condition(condition: t.Mapping[str, t.Any]) -> tuple[str, str, list[str]]:
    field = condition["Field"]
    config = condition.get(CONFIGS.get(field, ""), {})
    values = config.get("Values") or condition.get("Values") or []
    texts = [f"{v.get('Key', '')}={v['Value']}" if isinstance(v, t.Mapping) else str(v) for v in values]
    return field, str(config.get("HttpHeaderName", "")).lower(), sorted(texts)


def listed(names: t.Iterable[str]) -> str:
    """Return names for a message."""
    return ", ".join(sorted(set(names))) or "none"
