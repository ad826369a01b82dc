"""Each pattern of a name or an id is written once, and every topic reads ids by the engine's."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine import names

MODULE_UTILS = Path(__file__).parents[5] / "plugins" / "module_utils"
IDS = ("ami-", "eipalloc-", "i-", "igw-", "nat-", "sg-", "snap-", "subnet-", "vol-", "vpc-", "arn:")


def patterns() -> Iterator[tuple[Path, str]]:
    """Yield each literal that is compiled as a regular expression, with its file."""
    for path in MODULE_UTILS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile":
                literal = node.args[0]
                value = literal.value if isinstance(literal, ast.Constant) else ast.unparse(literal)
                yield path, value.decode() if isinstance(value, bytes) else value


def test_no_pattern_is_written_twice() -> None:
    found: dict[str, list[str]] = {}
    for path, pattern in patterns():
        found.setdefault(pattern, []).append(str(path.relative_to(MODULE_UTILS)))
    assert {pattern: paths for pattern, paths in found.items() if len(paths) > 1} == {}


def test_ids_of_aws_are_read_by_the_patterns_of_the_engine() -> None:
    own = MODULE_UTILS / "engine" / "names.py"
    assert [(path.name, pattern) for path, pattern in patterns() if path != own and pattern.startswith(IDS)] == []


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (names.INSTANCE_ID, ["i-12345678", "i-0123456789abcdef0"], ["i-1234567", "i-123456789", "i-0123456789ABCDEF0"]),
        (names.SECURITY_GROUP_ID, ["sg-12345678", "sg-0123456789abcdef0"], ["sg-1", "sg-123456789", "web"]),
        (names.PARAMETER_NAME, ["/a", "/a/b.c", "/a" * 15], ["a", "/", "/a/", "/a//b", "/a" * 16, "/" + "a" * 1011]),
        (
            names.KMS_KEY_ARN,
            [
                "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012",
                "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
            ],
            ["alias/web", "arn:aws:kms:eu-central-1:123456789012:alias/web"],
        ),
        (names.PREFIX, ["site", "v1.2/site", "a/..b"], ["", "/site", "site/", "a//b", "..", "a/../b", "a/.", "*"]),
    ],
)
def test_names(pattern: re.Pattern[str], good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not pattern.fullmatch(text)] == []
    assert [text for text in bad if pattern.fullmatch(text)] == []
