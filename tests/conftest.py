"""Tests import the collection as Ansible does, from the development link in `.collections`."""

from __future__ import annotations

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from checkout import ROOT

_AnsibleCollectionFinder(paths=[str(ROOT / ".collections")])._install()
