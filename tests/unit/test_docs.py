"""What the pages of the documentation name exists: files, playbooks, variables, messages, and actions of policies."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from checkout import ROOT

DOCS = ROOT / "docs"
GUIDE = sorted((DOCS / "guide").glob("*.md"))
FOR_USERS = [ROOT / "README.md", ROOT / "README.ko.md", *GUIDE]
PAGES = [*FOR_USERS, *sorted(DOCS.glob("*.md"))]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#\s]*)(?:#(?P<heading>[^)\s]*))?\)")
VARIABLE = re.compile(rf"(?<![\w/.-])(?:{'|'.join([*ROLES, 'environment', 'aws'])})_[a-z_]+(?![\w/<*-]|\.[a-z])")
TRANSLATIONS = [("README", "README.ko"), ("docs/guide/first-steps", "docs/guide/first-steps.ko")]
# Names of the form of a variable that are something else.
OTHERS = {
    "aws_config",  # of the connection
    "aws_ec2",  # the inventory plugin
    "environment_teardown",
    "environment_lock",
    "release_archives",
    "release_command",
    "release_command_timeout",
    "release_plan",
    "server_info",
}
LIMIT = (
    6144  # characters of a managed policy: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def slug(heading: str) -> str:
    """Return the anchor that GitHub and the site give to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_links_to_what_exists(page: Path) -> None:
    for link in LINK.finditer(page.read_text()):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        assert target.exists(), link[0]
        if link["heading"] and target.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert link["heading"] in map(slug, headings), link[0]


@cache
def variables() -> frozenset[str]:
    """Return the names of all variables of all roles."""
    specs = (yaml.safe_load(path.read_text()) for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"))
    entries = [entry for spec in specs for entry in spec["argument_specs"].values()]
    return frozenset(option for entry in entries for option in entry["options"])


@pytest.mark.parametrize("page", FOR_USERS, ids=name)
def test_a_page_names_variables_of_roles(page: Path) -> None:
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    found = set(VARIABLE.findall(page.read_text())) - modules - OTHERS
    assert found - variables() == set()


@pytest.mark.parametrize("page", FOR_USERS, ids=name)
def test_a_page_names_playbooks_and_inventories(page: Path) -> None:
    text = page.read_text()
    paths = set(re.findall(r"(?<![\w/.-])(?:playbooks|inventories|tools)/[\w/.-]*\w", text))
    mine = {"inventories/staging", "inventories/shop"}  # what a command of the page creates
    assert [path for path in paths if not (ROOT / path).exists() and not path.startswith(tuple(mine))] == []
    known = {path.stem for folder in ("playbooks", "plugins/modules") for path in (ROOT / folder).iterdir()}
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]
    assert set(re.findall(r"groundwork\.aws\.(\w+)", text)) - known - set(ROLES) - set(groups) == set()


@pytest.mark.parametrize(("page", "other"), TRANSLATIONS)
def test_a_translation_has_the_same_commands(page: str, other: str) -> None:
    def commands(path: str) -> list[str]:
        lines = re.findall(r"^    (\S.*)$", (ROOT / f"{path}.md").read_text(), re.MULTILINE)
        return [re.sub(r"\s+# .*", "", line) for line in lines]

    assert commands(page)
    assert commands(page) == commands(other)


def texts() -> Iterator[str]:
    """Yield the texts of the code, with `…` for what is filled in."""
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    for path in [
        *(ROOT / "roles").glob("*/tasks/*.yml"),
        *(ROOT / "playbooks").rglob("*.yml"),
        ROOT / "tools/bootstrap",
    ]:
        yield path.read_text()


@cache
def code() -> str:
    return " ".join(" ".join(texts()).split())


TROUBLES = re.findall(r"^### `(.+)`$", (DOCS / "guide" / "troubleshooting.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("message", TROUBLES)
def test_a_trouble_is_a_message_of_the_code(message: str) -> None:
    parts = [part.strip() for part in message.split("…")]
    told = [part for part in parts if len(part) > 8] or parts
    assert [part for part in told if part not in code()] == []


def test_there_are_enough_troubles() -> None:
    assert len(TROUBLES) >= 15


@pytest.mark.parametrize("tool", ["policies", "topology"])
def test_what_a_tool_writes_is_current(tool: str) -> None:
    ran = subprocess.run(
        [sys.executable, f"tools/{tool}", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("policy", ["plan", "operator"])
def test_a_policy_fits_into_what_iam_accepts(policy: str) -> None:
    document = json.loads((DOCS / "policies" / f"{policy}.json").read_text())
    assert len(json.dumps(document, separators=(",", ":"))) <= LIMIT
    for statement in document["Statement"]:
        assert statement["Action"]
        assert all(re.fullmatch(r"[a-z0-9-]+:[A-Z]\w+", action) for action in statement["Action"])


def test_every_page_is_on_the_site() -> None:
    index = (DOCS / "index.md").read_text()
    listed = {
        line for block in re.findall(r"```\{toctree\}\n(.*?)```", index, re.DOTALL) for line in block.splitlines()
    }
    pages = {str(path.relative_to(DOCS).with_suffix("")) for path in [*GUIDE, *DOCS.glob("*.md")]} - {"index"}
    assert pages - listed == set()
