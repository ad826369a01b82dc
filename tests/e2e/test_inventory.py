"""An inventory that does not show the servers ends a playbook at once, and nothing is written.

That every playbook checks it is tested in tests/unit/roles/test_servers_check_inventory.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from laptop import ROOT, Laptop
from running_site import Site

LOCAL = ROOT / "inventories" / "local"


@pytest.fixture
def inventory(tmp_path: Path) -> Callable[[str, str], str]:
    """Makes a copy of inventories/local with another text in its aws_ec2.yml."""

    def make(text: str, other: str) -> str:
        folder = Path(shutil.copytree(LOCAL, tmp_path / "inventories" / "local"))
        source = folder / "aws_ec2.yml"
        before = source.read_text()
        source.write_text(before.replace(text, other))
        assert source.read_text() != before
        return str(folder)

    return make


@pytest.mark.parametrize(
    ("playbook", "words"),
    [
        ("site.yml", ()),
        ("playbooks/release.yml", ("-e", "lamp_release=nowhere")),
    ],
)
def test_an_inventory_of_another_environment_is_refused_at_once(
    laptop: Laptop, site: Site, inventory: Callable[[str, str], str], playbook: str, words: tuple[str, ...]
) -> None:
    folder = inventory("tag:groundwork:environment: local", "tag:groundwork:environment: lokal")
    source = {"static_site_source": str(ROOT / "roles" / "static_site" / "files" / "site")}
    laptop.calls(reset=True)
    play = laptop.play(*words, playbook=playbook, inventory=folder, variables=source)
    assert play.code != 0
    assert laptop.calls()["writes"] == {}
    [message] = play.failures()
    told = f"environment_name: 'local' is not the environment of {folder}/aws_ec2.yml, which is lokal"
    assert told in message


def test_without_an_inventory_one_sentence_tells_what_to_do(laptop: Laptop) -> None:
    play = laptop.play(playbook="playbooks/release.yml", inventory="localhost,")
    [message] = play.failures()
    assert message.startswith("environment_name: is not defined, because the inventory of an environment was not read")
