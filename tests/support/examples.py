"""The examples of docs/examples, played as their README says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml
from laptop import ROOT, Variables

EXAMPLES = ROOT / "docs" / "examples"
# A command of a README: a line that is indented, and those that continue it.
COMMAND = re.compile(r"^ {7}(?! )((?:.*\\\n)*.*)$", re.MULTILINE)


def built(example: str, source: Path, place: str) -> Path:
    """Run the commands of an example's README, with the folder `source` in the place of `place`. Return it."""
    for command in COMMAND.findall((EXAMPLES / example / "README.md").read_text()):
        subprocess.run(["sh", "-euc", command.replace(place, str(source))], cwd=ROOT, check=True)
    return source


def variables(example: str, source: Path) -> Variables:
    """Return the variables of an example with one site, with another source."""
    given: Variables = yaml.safe_load((EXAMPLES / example / "all.yml").read_text())
    [site] = given["lamp_sites"]
    return {**given, "lamp_sites": [{**site, "source": {"path": str(source)}}]}
