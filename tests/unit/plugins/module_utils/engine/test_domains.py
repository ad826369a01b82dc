"""Host names, zones, and the names that a certificate covers."""

from __future__ import annotations

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import covers, is_in, validated


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("www.example.com", "www.example.com", True),
        ("*.example.com", "www.example.com", True),
        ("*.example.com", "*.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", ".example.com", False),
        ("example.com", "www.example.com", False),
        ("www.example.com", "*.example.com", False),
    ],
)
def test_a_wildcard_stands_for_one_label(pattern: str, name: str, *, covered: bool) -> None:
    assert covers(pattern, name) is covered


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("example.com", True),
        ("*.example.com", True),
        ("a.b.example.com", True),
        ("myexample.com", False),
        ("example.com.org", False),
        ("com", False),
    ],
)
def test_a_name_is_in_its_zone(name: str, *, inside: bool) -> None:
    assert is_in(name, "example.com") is inside


def test_a_wildcard_is_validated_with_its_domain() -> None:
    assert validated("*.example.com") == validated("example.com") == "example.com"
