"""tools/gates and hosted CI run the same gates, with each pair of Python and ansible that is supported."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
GATES = ROOT / "tools" / "gates"
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "gates.yml").read_text())


def names() -> list[str]:
    [found] = re.findall(r"^readonly all=\((.+)\)$", GATES.read_text(), re.MULTILINE)
    return found.split()


def test_every_gate_is_described_and_defined() -> None:
    text = GATES.read_text()
    described = re.findall(r"^#   (\w+) {2,}\w", text, re.MULTILINE)
    assert described == names()
    assert [name for name in names() if not re.search(rf"^{name}\(\) {{", text, re.MULTILINE)] == []


def test_hosted_ci_runs_every_gate() -> None:
    jobs = WORKFLOW["jobs"]
    here = set(jobs["gates"]["strategy"]["matrix"]["gate"])
    assert here | {"units"} == set(names())
    assert set(jobs["ansible-test"]["strategy"]["matrix"]["test"]) == {"sanity", "units"}


def test_each_supported_ansible_core_has_its_ignore_file() -> None:
    """ansible-core 2.19 is part of ansible 12, and so on. ansible-test reads the file of its own version alone."""
    pairs = WORKFLOW["jobs"]["ansible-test"]["strategy"]["matrix"]["pair"]
    cores = {f"ignore-2.{int(pair['ansible']) + 7}.txt" for pair in pairs}
    assert cores == {path.name for path in (ROOT / "tests" / "sanity").iterdir()}
    assert len({path.read_text() for path in (ROOT / "tests" / "sanity").iterdir()}) == 1


def test_an_unknown_gate_is_refused() -> None:
    ran = subprocess.run([GATES, "lint", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 2 and "'nothing' is not a gate; use one of importer lint" in ran.stderr
