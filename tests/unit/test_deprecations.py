"""A deprecation that our code causes fails the tests, and one of others' code does not."""

from __future__ import annotations

import warnings

import pytest
from deprecations import MARK, own_deprecations

ITEM = {"deprecations": [{"msg": "Param 'x' is deprecated."}]}


@pytest.mark.parametrize(
    ("errors", "told", "own"),
    [
        (f"[WARNING]: {MARK}\n{MARK}The 'tags' host variable is deprecated. Use 'ec2_tags' instead.\nmore\n", None, []),
        (f"{MARK}Something of ours is deprecated.\n", None, ["Something of ours is deprecated."]),
        ("", {"plays": [{"tasks": [{"hosts": {"a": {"results": [ITEM, {}]}}}]}]}, ["Param 'x' is deprecated."]),
        ("", {"plays": [{"tasks": [{"hosts": {"a": {"deprecations": []}}}]}]}, []),
    ],
)
def test_deprecations_of_others_are_told_apart(errors: str, told: object, own: list[str]) -> None:
    assert own_deprecations(errors, told) == own


@pytest.mark.parametrize("kind", [DeprecationWarning, PendingDeprecationWarning])
@pytest.mark.parametrize("module", ["ansible_collections.groundwork.aws.plugins.modules.x", "groundwork_lab.cli"])
def test_pythons_deprecations_in_our_modules_are_errors(module: str, kind: type[Warning]) -> None:
    with pytest.raises(kind, match="old"):
        warnings.warn_explicit("old", kind, "x.py", 1, module=module)
    with pytest.warns(kind, match="old"):
        warnings.warn_explicit("old", kind, "x.py", 1, module="ansible_collections.amazon.aws.plugins.modules.x")
