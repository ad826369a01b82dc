"""Equivalent actions and conditions are equal in the canonical form."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import (
    comparable_actions,
    comparable_conditions,
)

Api = dict[str, t.Any]


def forward(*groups: tuple[str, int], **config: t.Any) -> Api:
    targets = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in groups]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": targets, **config}}


OFF = {"TargetGroupStickinessConfig": {"Enabled": False}}
MINUTE = {"TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}}
FULL = {"Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"Type": "forward", "TargetGroupArn": "a"}, forward(("a", 1), **OFF), True),
        (forward(("a", 7)), forward(("a", 1), **OFF), True),
        (forward(("a", 0)), forward(("a", 1)), False),
        (forward(("a", 1), ("b", 2)), forward(("b", 2), ("a", 1)), True),
        (forward(("a", 1), ("b", 2)), forward(("a", 2), ("b", 1)), False),
        (forward(("a", 1), **MINUTE), forward(("a", 1)), False),
        (
            {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}},
            {"Type": "redirect", "RedirectConfig": {**FULL, "StatusCode": "HTTP_301"}, "Order": 1},
            True,
        ),
        (
            {"Type": "redirect", "RedirectConfig": {**FULL, "StatusCode": "HTTP_301"}},
            {"Type": "redirect", "RedirectConfig": {**FULL, "StatusCode": "HTTP_302"}},
            False,
        ),
        (
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}},
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/plain"}},
            True,
        ),
        (
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}},
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "x"}},
            False,
        ),
        (forward(("a", 1)), {"Type": "authenticate-oidc", "Order": 1}, False),
    ],
)
def test_actions(one: Api, other: Api, same: bool) -> None:
    assert (comparable_actions([one]) == comparable_actions([other])) is same


def paths(*values: str) -> Api:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


HOST = {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example.com"]}}


def header(name: str) -> Api:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": ["a"]}}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([paths("/a", "/b")], [paths("/b", "/a")], True),
        ([paths("/a")], [{**paths("/a"), "Values": ["/a"]}], True),
        ([paths("/a")], [{"Field": "path-pattern", "Values": ["/a"]}], True),
        ([paths("/a")], [paths("/A")], False),
        ([paths("/a"), HOST], [HOST, paths("/a")], True),
        ([paths("/a"), HOST], [paths("/a")], False),
        ([header("X-One")], [header("x-one")], True),
        ([header("X-One")], [header("X-Two")], False),
        (
            [{"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a", "Value": "b"}]}}],
            [{"Field": "query-string", "QueryStringConfig": {"Values": [{"Value": "b"}]}}],
            False,
        ),
    ],
)
def test_conditions(one: list[Api], other: list[Api], same: bool) -> None:
    assert (comparable_conditions(one) == comparable_conditions(other)) is same
