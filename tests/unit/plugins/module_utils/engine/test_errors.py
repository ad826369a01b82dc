"""Problems are collected and reported at once."""

from __future__ import annotations

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError, Problems


def test_all_problems_at_once() -> None:
    problems = Problems("network_")
    problems.add("cidr", "it is bad", "be good")
    problems.scope("nat_").add("mode", "it is worse", "stop")
    with pytest.raises(InputError) as caught:
        problems.raise_if_any()
    assert str(caught.value) == (
        "2 problems in the input, nothing was changed:\n"
        "- network_cidr: it is bad; be good.\n"
        "- nat_mode: it is worse; stop."
    )
    assert caught.value.details["problems"][0] == {"variable": "network_cidr", "wrong": "it is bad", "right": "be good"}


def test_warnings_stop_nothing() -> None:
    problems = Problems("network_")
    problems.scope("nat_").warn("mode", "that is odd")
    problems.raise_if_any()
    assert problems.warnings == ["nat_mode: that is odd."]
