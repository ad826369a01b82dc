from __future__ import annotations

from datetime import datetime

import pytest

from groundwork_lab.aws.ec2.filters import matches, tag_values


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("web", ["web"], True),
        ("web", ["api", "web"], True),
        ("web", "web", True),
        ("Web", ["web"], False),
        ("web-1", ["web-*"], True),
        ("web-12", ["web-?"], False),
        ("we*b", [r"we\*b"], True),
        ("wexb", [r"we\*b"], False),
        ("a.b", ["a?b"], True),
        ("axb", ["a.b"], False),
        (True, ["true"], True),
        (False, ["true"], False),
        (80, ["80"], True),
        (["a", "b"], ["b"], True),
        (["a", "b", "c"], ["b", "x"], True),
        ([], ["b"], False),
        (None, ["*"], False),
        ("", [""], True),
        (datetime(2026, 1, 2, 3, 4, 5), ["2026-01-02*"], True),
    ],
)
def test_matches(value: object, wanted: list[str] | str, expected: bool) -> None:
    assert matches(value, wanted) is expected


@pytest.mark.parametrize(
    ("name", "expected"), [("tag:Name", "x"), ("tag:none", None), ("tag-key", ["Name"]), ("tag-value", ["x"])]
)
def test_tag_values(name: str, expected: object) -> None:
    assert tag_values({"Name": "x"}, name) == expected
