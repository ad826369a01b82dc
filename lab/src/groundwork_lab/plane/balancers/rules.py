"""A listener's rules in HAProxy's configuration: conditions, priorities, and actions. Pure functions.

The name of the first rule, in order of priority, whose conditions are all met is stored in `txn.rule`. All other lines
test that variable. A forward action stores the backend of the chosen target group in `txn.pool`.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from groundwork_lab.model import Action, Condition, Listener, ListenerRule
from groundwork_lab.plane.balancers.nodes import pool_name, weights
from groundwork_lab.plane.balancers.pages import SENT_BY, page
from groundwork_lab.plane.balancers.syntax import filled, literal, quoted, wildcard

TARGET_GROUP_COOKIE = "AWSALBTG"
DEFAULT = "default"


def selection(listener: Listener) -> list[str]:
    """Return the lines that store the name of the matching rule in `txn.rule`."""
    lines = []
    for rule in sorted(listener.rules, key=lambda each: each.priority):
        names = [f"{name_of(rule)}.{number}" for number in range(len(rule.conditions))]
        lines += [
            f"acl {name} {matcher}"
            for name, condition in zip(names, rule.conditions, strict=True)
            for matcher in matchers(condition)
        ]
        lines.append(
            f"http-request set-var(txn.rule) str({name_of(rule)}) if !{{ var(txn.rule) -m found }} {' '.join(names)}"
        )
    return [*lines, f"http-request set-var(txn.rule) str({DEFAULT}) if !{{ var(txn.rule) -m found }}"]


def name_of(rule: ListenerRule) -> str:
    return f"rule-{rule.priority}"


def matchers(condition: Condition) -> Iterator[str]:
    """Yield the ACLs of a condition, which is met if one of them matches.

    Paths, methods and the names of query parameters are case-sensitive. Hosts, headers and query values are not.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
    """
    whole = [quoted(f"^{wildcard(value)}$") for value in condition.values]
    match condition.field:
        case "path-pattern":
            yield f"path -m reg {' '.join(whole)}"
        case "host-header":
            yield f"req.hdr(host),field(1,:) -m reg -i {' '.join(whole)}"
        case "http-header":
            yield f"req.fhdr({condition.name}) -m reg -i {' '.join(whole)}"
        case "http-request-method":
            yield f"method {' '.join(map(quoted, condition.values))}"
        case "source-ip":
            yield f"src {' '.join(condition.values)}"
        case "query-string":
            yield f"query -m reg -i {' '.join(quoted(_parameter(value)) for value in condition.values)}"
        case _:
            raise ValueError(f"The condition field {condition.field!r} is not supported.")


def _parameter(value: str) -> str:
    """Return the pattern for a query parameter `key=value`, or for the value of any parameter if there is no key.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_QueryStringConditionConfig.html
    """
    key, separator, wanted = value.partition("=")
    name = wildcard(key, any_character="[^&=]", escapes=True) if separator else "[^&=]*"
    pattern = wildcard(wanted if separator else key, any_character="[^&]", escapes=True)
    return f"(^|&){name}={pattern}($|&)"


def actions(listener: Listener) -> Iterator[tuple[str, Action]]:
    """Yield the name and the action of each rule. The API refuses other types of actions."""
    for rule in sorted(listener.rules, key=lambda each: each.priority):
        for action in rule.actions:
            yield name_of(rule), action
    for action in listener.default_actions:
        yield DEFAULT, action


def carried_out(listener: Listener) -> list[str]:
    """Return the lines that answer a request, or choose its backend, by its rule."""
    lines: list[str] = []
    for name, action in actions(listener):
        match action.type:
            case "forward":
                lines += forward(name, action)
            case "redirect":
                lines += redirect(name, action, listener)
            case "fixed-response":
                lines.append(fixed_response(name, action))
    return lines


def forward(name: str, action: Action) -> list[str]:
    """Return the lines that choose a target group by weight. With stickiness, the group in the cookie comes first.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
    (target group stickiness)
    """
    chosen = [(arn, weight) for arn, weight in weights(action) if weight > 0]
    if not chosen:
        return []
    is_ours, undecided = f"{{ var(txn.rule) -m str {name} }}", "!{ var(txn.pool) -m found }"
    seconds = group_stickiness(action)
    lines = []
    if seconds:
        lines += [
            f"http-request set-var(txn.pool) str({pool_name(arn)}) "
            f"if {is_ours} {undecided} {{ req.cook({cookie}) {token(pool_name(arn))} }}"
            for cookie in (TARGET_GROUP_COOKIE, f"{TARGET_GROUP_COOKIE}CORS")
            for arn, _ in chosen
        ]
    total, bound = sum(weight for _, weight in chosen), 0
    lines.append(f"http-request set-var(txn.draw) rand({total}) if {is_ours}")
    for arn, weight in chosen:
        bound += weight
        drawn = f"{{ var(txn.draw) -m int lt {bound} }}"
        lines.append(f"http-request set-var(txn.pool) str({pool_name(arn)}) if {is_ours} {undecided} {drawn}")
    if seconds:
        lines += set_cookie(TARGET_GROUP_COOKIE, "%[var(txn.pool),sha1,hex,lower]", seconds, f" if {is_ours}")
    return lines


def group_stickiness(action: Action) -> int:
    """Return the seconds of target group stickiness, or 0 if it is off."""
    config = action.config.get("TargetGroupStickinessConfig")
    if not isinstance(config, dict) or not config.get("Enabled"):
        return 0
    return int(config.get("DurationSeconds") or 0)


def token(name: str) -> str:
    """Return the value for a name in a stickiness cookie. AWS encrypts it; here it contains nothing secret."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def set_cookie(cookie: str, value: str, seconds: int, condition: str = "") -> list[str]:
    """Return the lines for the load balancer's cookie, renewed with each response, and its CORS variant.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html
    """
    words = f"{value}; Expires=%[date({seconds}),http_date]; Path=/"
    return [
        f'http-response add-header Set-Cookie "{cookie}={words}"{condition}',
        f'http-response add-header Set-Cookie "{cookie}CORS={words}; SameSite=None"{condition}',
    ]


def redirect(name: str, action: Action, listener: Listener) -> list[str]:
    """Return the lines for a redirect. Without a query string the location has no question mark.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html
    """
    parts = {"Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}
    config = {key: str(action.config.get(key) or default) for key, default in parts.items()}
    if action.config.get("Query") == "":
        config["Query"] = ""
    placeholders = {
        "protocol": listener.protocol.lower(),
        "host": "%[req.hdr(host),field(1,:)]",
        "port": str(listener.port),
        "path": "%[path,bytes(1)]",
        "query": "%[query]",
    }
    filled_in = {key: filled(value, placeholders) for key, value in config.items()}
    where = f"{filled_in['Protocol'].lower()}://{filled_in['Host']}:{filled_in['Port']}{filled_in['Path']}"
    with_query = f"{where}?{filled_in['Query']}"
    status = re.sub(r"\D", "", str(action.config.get("StatusCode", "HTTP_302")))
    answer = f"http-request return status {status} content-type text/html string {quoted(page(int(status)))} {SENT_BY}"
    is_ours = f"{{ var(txn.rule) -m str {name} }}"
    if not config["Query"]:
        return [f"{answer} hdr Location {quoted(where)} if {is_ours}"]
    if config["Query"] != "#{query}":
        return [f"{answer} hdr Location {quoted(with_query)} if {is_ours}"]
    return [
        f"{answer} hdr Location {quoted(with_query)} if {is_ours} {{ query -m len gt 0 }}",
        f"{answer} hdr Location {quoted(where)} if {is_ours}",
    ]


def fixed_response(name: str, action: Action) -> str:
    """Return the line for a fixed response.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_FixedResponseActionConfig.html
    """
    body, kind = str(action.config.get("MessageBody") or ""), str(action.config.get("ContentType") or "text/plain")
    payload = f" content-type {quoted(literal(kind))} string {quoted(body)}" if body else ""
    answer = f"http-request return status {action.config['StatusCode']}{payload} {SENT_BY}"
    return f"{answer} if {{ var(txn.rule) -m str {name} }}"
