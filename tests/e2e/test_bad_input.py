"""A wrong inventory gets one clear message that names the variable, and nothing is written.

One wrong inventory for each role is played here; tests/unit/plugins/action/test_preflight_fuzz.py checks all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from laptop import Laptop

TABLE = Path(__file__).parents[1] / "support" / "bad_input.yml"
CASES: list[dict[str, Any]] = yaml.safe_load(TABLE.read_text())
BY_ROLE = {case["message"].partition("_")[0]: case for case in CASES}


@pytest.mark.parametrize("case", BY_ROLE.values(), ids=lambda case: case["name"])
def test_a_wrong_inventory_is_refused_before_anything_is_written(laptop: Laptop, case: dict[str, Any]) -> None:
    laptop.calls(reset=True)
    play = laptop.play(variables=case["variables"])
    assert play.code != 0
    assert laptop.calls()["writes"] == {}
    [message] = play.failures()
    assert "nothing was changed" in message
    assert [line for line in message.splitlines() if case["message"] in line], message
