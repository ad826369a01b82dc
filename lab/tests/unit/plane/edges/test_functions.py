"""Functions as modules, and their check by nginx."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from distributions import behavior, distribution, function_arn, world

from groundwork_lab.plane.edges import functions
from groundwork_lab.plane.edges.config import MODULES
from groundwork_lab.plane.edges.nginx import NginxError, check

GOOD = "function handler(event) { return event.request; }"


def test_only_functions_that_a_behavior_has_are_used() -> None:
    behaviors = [behavior(PathPattern="/a", functions={"viewer-response": "b"})]
    default = behavior(functions={"viewer-request": "a"})
    made = world(distribution(default=default, behaviors=behaviors), functions=dict.fromkeys(("c", "b", "a"), GOOD))
    assert [each.name for each in functions.used(made)] == ["a", "b"]


def test_the_registry_leads_from_arn_to_handler() -> None:
    made = world(distribution(default=behavior(functions={"viewer-request": "a"})), functions={"a": GOOD})
    name = functions.module_name(GOOD.encode())
    text = functions.registry(functions.used(made), ())
    assert text == (f"import f0 from '{name}';\nexport default {{\n    \"{function_arn('a')}\": f0.load,\n}};\n")
    broken = functions.module_name(functions.BROKEN.encode())
    assert f"'{broken}'" in functions.registry(functions.used(made), {name})


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
@pytest.mark.parametrize(
    ("code", "taken"),
    [
        (GOOD, True),
        ("async function handler(event) { const a = await 1; return `${a}`; }", True),
        ("import crypto from 'crypto'; function handler(event) { return crypto; }", True),
        ("var q = require('querystring'); function handler(event) { return q; }", True),
        (functions.BROKEN, True),
        ("function handler(event) { for (const a of []) {} }", False),
        ("function handler(event) {", False),
        ("function other(event) {}", True),  # it fails when it is used
    ],
)
def test_which_code_nginx_takes(code: str, taken: bool, tmp_path: Path) -> None:
    (tmp_path / "it.js").write_bytes(functions.module(code.encode()))
    config = tmp_path / "nginx.conf"
    config.write_text(functions.trial(MODULES[0], tmp_path, "it.js"))
    if taken:
        check(config)
        return
    with pytest.raises(NginxError):
        check(config)
