"""Tests import the collection as Ansible does, from the development link in `.collections`."""

from __future__ import annotations

from pathlib import Path

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

ROOT = Path(__file__).parents[1]

_AnsibleCollectionFinder(paths=[str(ROOT / ".collections")])._install()
