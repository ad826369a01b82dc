"""A wrong inventory gets one clear message that names the variable, and nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "bad_input.yml").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_wrong_inventory_is_refused_before_anything_is_written(laptop: Any, case: dict[str, Any]) -> None:
    laptop.calls(reset=True)
    play = laptop.play(variables=case["variables"])
    assert play.code != 0
    assert laptop.calls()["writes"] == {}
    [message] = play.failures()
    assert "nothing was changed" in message
    assert [line for line in message.splitlines() if case["message"] in line], message
