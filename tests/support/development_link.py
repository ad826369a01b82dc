"""Makes the collection importable, as Ansible imports it, from the development link in `.collections`."""

from __future__ import annotations

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from checkout import ROOT

_AnsibleCollectionFinder(paths=[str(ROOT / ".collections")])._install()
