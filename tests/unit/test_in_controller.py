"""The lists of modules in meta/runtime.yml, which `ansible-test units` has no tools for."""

from __future__ import annotations

import subprocess
import sys

import yaml
from checkout import ROOT


def test_the_modules_that_call_aws_run_in_the_controller_and_have_the_options_of_an_environment() -> None:
    """tools/index writes the lists of modules in meta/runtime.yml."""
    assert subprocess.run([sys.executable, ROOT / "tools" / "index", "--check"], check=False).returncode == 0
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    routed = runtime["plugin_routing"]["modules"]
    removed = {name for name, route in routed.items() if "tombstone" in route}
    assert set(routed) - removed <= modules
    assert not removed & modules
    assert {*runtime["action_groups"]["aws"]} == set(routed) - removed - {"release_archives"}
