"""Without AWS credentials the inventory is empty, and one warning tells why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.inventory.without_credentials import InventoryModule

EC2 = "plugin: amazon.aws.aws_ec2\nregions: [eu-central-1]\n"


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def accepts(folder: Path, name: str = "aws_ec2.yml", text: str = EC2) -> bool:
    path = folder / name
    path.write_text(text)
    return InventoryModule().verify_file(str(path))


def test_without_credentials_it_takes_the_files_of_aws_ec2(tmp_path: Path) -> None:
    assert accepts(tmp_path) and accepts(tmp_path, "shop.aws_ec2.yaml")
    assert not accepts(tmp_path, "hosts.yml", "all: {}\n")


@pytest.mark.parametrize(
    "option", ["profile: shop", "aws_profile: shop", "aws_access_key: AKIA", "assume_role_arn: arn"]
)
def test_a_file_with_credentials_of_its_own_is_left_to_aws_ec2(tmp_path: Path, option: str) -> None:
    assert not accepts(tmp_path, text=f"{EC2}{option}\n")


@pytest.mark.parametrize(
    "given", [{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x"}, {"AWS_PROFILE": "missing"}]
)
def test_with_credentials_it_takes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    """Also with a profile that does not exist, which aws_ec2 names."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert not accepts(tmp_path)
