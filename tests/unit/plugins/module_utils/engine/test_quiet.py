"""Warnings in the result of a module become warnings of Ansible, which deprecates them in the result."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.groundwork.aws.plugins.module_utils.engine.quiet import QuietModule


@pytest.mark.parametrize("end", ["exit_json", "fail_json"])
def test_warnings_of_a_result(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    ended: list[dict[str, Any]] = []
    monkeypatch.setattr(AnsibleModule, end, lambda _self, *msg, **kwargs: ended.append({"msg": msg, **kwargs}))
    module, warned = QuietModule.__new__(QuietModule), list[str]()
    monkeypatch.setattr(module, "warn", warned.append)
    with pytest.raises(SystemExit):
        getattr(module, end)(*(["failed"] if end == "fail_json" else []), id="b-1", warnings=["a", "b"])
    assert warned == ["a", "b"]
    assert ended == [{"msg": ("failed",) if end == "fail_json" else (), "id": "b-1"}]
