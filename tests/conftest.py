"""Tests import the collection as Ansible does, from the development link in `.collections`.

ansible-test has its own way to import the collection, and takes neither paths nor marks from pyproject.toml.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "support"))
if not any(type(finder).__name__ == "_AnsibleCollectionFinder" for finder in sys.meta_path):
    from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

    _AnsibleCollectionFinder(paths=[str(ROOT / ".collections")])._install()


def pytest_configure(config: pytest.Config) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    for mark in settings["markers"]:
        config.addinivalue_line("markers", mark)
