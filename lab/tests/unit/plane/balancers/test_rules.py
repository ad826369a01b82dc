"""Rules as lines of HAProxy's configuration."""

from __future__ import annotations

import re
from typing import Any

import pytest

from groundwork_lab.model import Action, Condition, Listener, ListenerRule
from groundwork_lab.plane.balancers import rules


def _listener(*actions: Action, port: int = 80) -> Listener:
    own = tuple(ListenerRule("", 10 - index, (), (action,)) for index, action in enumerate(actions))
    return Listener("", port, "HTTP", (Action("fixed-response", {"StatusCode": "404"}),), own)


@pytest.mark.parametrize(
    ("condition", "matcher"),
    [
        (Condition("path-pattern", ("/a/*", "/b?")), "path -m reg '^/a/.*$' '^/b.$'"),
        (Condition("host-header", ("*.example.com",)), r"req.hdr(host),field(1,:) -m reg -i '^.*\.example\.com$'"),
        (Condition("http-header", ("*bot*",), "User-Agent"), "req.fhdr(User-Agent) -m reg -i '^.*bot.*$'"),
        (Condition("http-request-method", ("GET", "HEAD")), "method 'GET' 'HEAD'"),
        (Condition("source-ip", ("10.0.0.0/8", "192.0.2.1/32")), "src 10.0.0.0/8 192.0.2.1/32"),
        (
            Condition("query-string", ("v=1*", "on")),
            "query -m reg -i '(^|&)v=1[^&]*($|&)' '(^|&)[^&=]*=on($|&)'",
        ),
    ],
)
def test_conditions(condition: Condition, matcher: str) -> None:
    assert list(rules.matchers(condition)) == [matcher]


def test_an_unknown_condition_is_an_error() -> None:
    with pytest.raises(ValueError, match="colour"):
        list(rules.matchers(Condition("colour", ("red",))))


@pytest.mark.parametrize(
    ("value", "query", "holds"),
    [
        ("v=1", "v=1", True),
        ("v=1", "a=b&v=1&c=d", True),
        ("v=1", "v=12", False),
        ("v=1", "av=1", False),
        ("v=*", "v=a&b=c", True),
        ("on", "x=on", True),
        ("on", "on=x", False),
        (r"v=\*", "v=*", True),
        (r"v=\*", "v=1", False),
        (r"v=\?*", "v=?1", True),
        (r"v=a\b", "v=a\\b", True),
    ],
)
def test_query_parameters(value: str, query: str, holds: bool) -> None:
    [matcher] = rules.matchers(Condition("query-string", (value,)))
    expression = matcher.split("'")[1]
    assert bool(re.search(expression, query)) is holds


def test_the_lowest_priority_number_is_asked_first() -> None:
    lines = rules.selection(_listener(Action("fixed-response", {}), Action("fixed-response", {})))
    assert [re.findall(r"str\(([^)]*)\)", line)[0] for line in lines] == ["rule-9", "rule-10", "default"]


def test_weights_share_one_draw(arn_of: Any, build: Any) -> None:
    action = build.forward(("alpha", 3), ("beta", 0), ("gamma", 1))
    lines = rules.forward("default", action)
    assert lines[0] == "http-request set-var(txn.draw) rand(4) if { var(txn.rule) -m str default }"
    assert [re.findall(r"str\((\S+)\).* lt (\d+)", line) for line in lines[1:]] == [
        [("alpha.aaaa", "3")],
        [("gamma.gggg", "4")],
    ]


def test_nothing_is_chosen_when_all_weights_are_zero(build: Any) -> None:
    assert rules.forward("default", build.forward(("alpha", 0))) == []


@pytest.mark.parametrize(
    ("config", "locations"),
    [
        (
            {"Protocol": "HTTPS", "Port": "443"},
            [
                "https://%[req.hdr(host),field(1,:)]:443/%[path,bytes(1)]?%[query]",
                "https://%[req.hdr(host),field(1,:)]:443/%[path,bytes(1)]",
            ],
        ),
        ({"Host": "b.example", "Path": "/x", "Query": ""}, ["http://b.example:8080/x"]),
        ({"Host": "b.example", "Path": "/x", "Query": "a=%20"}, ["http://b.example:8080/x?a=%%20"]),
    ],
)
def test_redirects(config: dict[str, str], locations: list[str]) -> None:
    action = Action("redirect", {**config, "StatusCode": "HTTP_301"})
    lines = rules.redirect("rule-1", action, _listener(port=8080))
    assert [re.findall(r"hdr Location '([^']*)'", line)[0] for line in lines] == locations
    assert all(" return status 301 " in line for line in lines)


def test_a_fixed_response_without_a_body_has_no_type() -> None:
    line = rules.fixed_response("default", Action("fixed-response", {"StatusCode": "204", "ContentType": "text/html"}))
    assert "content-type" not in line
