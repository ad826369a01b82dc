"""The documentation that modules share is complete without another collection, and true of what they run with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ansible_collections.groundwork.aws.plugins.doc_fragments.common import ModuleDocFragment
from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import COMMON_ARGUMENTS

MODULES = sorted((Path(__file__).parents[3] / "plugins" / "modules").glob("*.py"))
FRAGMENTS = {
    f"groundwork.aws.common.{name.lower()}".removesuffix(".documentation"): yaml.safe_load(text)
    for name, text in vars(ModuleDocFragment).items()
    if name.isupper()
}


def documented(module: Path) -> dict[str, Any]:
    """Return the documentation of a module as it is in its file."""
    return yaml.safe_load(module.read_text().split('DOCUMENTATION = r"""\n')[1].split('"""')[0])


def told(spec: dict[str, Any]) -> dict[str, Any]:
    """Return what a documentation and an argument spec both say of options."""
    keys = {"type": "str", "required": False, "default": None, "aliases": []}
    return {name: {key: option.get(key, usual) for key, usual in keys.items()} for name, option in spec.items()}


def test_the_options_of_the_connection_are_those_of_amazon_aws() -> None:
    assert told(FRAGMENTS["groundwork.aws.common.connection"]["options"]) == told(aws_argument_spec())


def test_the_common_options_are_those_of_the_argument_spec() -> None:
    assert told(FRAGMENTS["groundwork.aws.common"]["options"]) == told(COMMON_ARGUMENTS)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_a_module_states_its_python_by_fragments_of_this_collection(module: Path) -> None:
    names = documented(module)["extends_documentation_fragment"]
    assert set(names) <= set(FRAGMENTS)
    stated = {line for name in names for line in FRAGMENTS[name].get("requirements", [])}
    python = {"python >= 3.11"}
    assert stated == python | ({"boto3 >= 1.40.0", "botocore >= 1.40.0"} if len(names) > 1 else set())
