"""The role `servers` computes from the sites which servers have local files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

VARIABLES = Path(__file__).parents[3] / "roles" / "servers" / "vars" / "main.yml"
EVERYWHERE = {"name": "album", "shared": ["media"], "shared_everywhere": True}


@pytest.mark.parametrize(
    ("variables", "own"),
    [
        ({}, False),
        ({"lamp_sites": [{"name": "shop"}]}, False),
        ({"lamp_sites": [{"name": "shop", "shared": []}]}, False),
        ({"lamp_sites": [EVERYWHERE]}, False),
        ({"lamp_sites": [EVERYWHERE, {"name": "shop", "shared": ["uploads"]}]}, True),
        ({"lamp_sites": [{"name": "shop", "shared_files": [".env"], "shared_everywhere": False}]}, True),
    ],
)
def test_shared_files_of_each_server_are_known(variables: dict[str, Any], own: bool) -> None:
    text = yaml.safe_load(VARIABLES.read_text())["__servers_local_files"]
    assert Templar(DataLoader(), variables=variables).template(trust_as_template(text)) is own
