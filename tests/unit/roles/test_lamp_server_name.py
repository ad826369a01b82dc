"""A successor has the same name in its files as its predecessor, so that the replacement changes no file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

DEFAULTS = Path(__file__).parents[3] / "roles" / "lamp" / "defaults" / "main.yml"
TAGS = {"groundwork:tier": "public", "groundwork:server": "1"}


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"inventory_hostname": "public-1", "server_tags": TAGS}, "public-1"),
        ({"inventory_hostname": "public-1-next", "server_tags": TAGS}, "public-1"),
        ({"inventory_hostname": "public-1", "server_name": "public-1"}, "public-1"),
        ({"inventory_hostname": "alone"}, "alone"),
        ({"inventory_hostname": "alone", "server_tags": {"Name": "else"}}, "alone"),
    ],
)
def test_the_name_is_that_of_the_place(variables: dict[str, Any], name: str) -> None:
    loader = DataLoader()
    defaults = loader.load_from_file(str(DEFAULTS), trusted_as_template=True)
    assert Templar(loader, variables).template(defaults["lamp_server_name"]) == name
