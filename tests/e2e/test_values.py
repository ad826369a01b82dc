"""PHP gets the settings and variables of a site as they were written, and nobody else sees the variables."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from laptop import FPM_FOLDER, Laptop
from nasty_secrets import FOR_EVERYBODY

SERVER = "public-1"
ONLY = ("--tags", "lamp", "--limit", SERVER)
SEED = 20
PAGE = """<?php
header('Content-Type: application/json');
$given = array_filter(getenv(), fn ($name) => str_starts_with($name, 'X_'), ARRAY_FILTER_USE_KEY);
$settings = ['error_reporting', 'post_max_size', 'upload_max_filesize', 'user_agent', 'display_errors', 'precision'];
echo json_encode(['variables' => $given, 'settings' => array_combine($settings, array_map('ini_get', $settings))]);
"""
AGENT = r"""a\\b 'c' "d" ${HOME} #;=|&~!()"""


def texts() -> list[str]:
    """Texts of printable characters, without what Ansible would take for a template or php-fpm for a variable."""
    chance = random.Random(SEED)  # noqa: S311 - repeatable on purpose
    characters = string.printable[:95] + "\t\\\\''\"\"$$${}éß€😀"
    made = ["".join(chance.choices(characters, k=length)) for length in (1, 2, 3, 5, 8, 30, 200) for _ in range(20)]
    candidates = [*FOR_EVERYBODY, *made, ""]
    unwanted = ("{{", "{%", "{#", "$pool", "@groundwork(")
    return [text for text in candidates if not text.startswith("$") and not any(one in text for one in unwanted)]


VARIABLES = {f"X_{number}": text for number, text in enumerate(texts())}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("values")
    (folder / "index.php").write_text(PAGE)
    settings = {"error_reporting": "E_ALL & ~E_DEPRECATED", "upload_max_filesize": "64M", "user_agent": AGENT}
    site = {
        "name": "values",
        "database": False,
        "server_names": ["values.test"],
        "source": {"path": str(folder)},
        "environment": {**VARIABLES, "X_NUMBER": 42},
        "php_settings": {**settings, "display_errors": False, "precision": 14.5},
    }
    return {"lamp_sites": [{"name": "app", "web_root": "public"}, site]}


@pytest.fixture(scope="module")
def seen(laptop: Laptop, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What PHP says on a server with such a site. Afterwards the server is as it was."""
    planned = laptop.play("--check", "--diff", *ONLY, variables=given)
    assert planned.code == 0, planned.failures() or planned.errors
    made = laptop.play(*ONLY, variables=given)
    assert made.code == 0, made.failures() or made.errors
    assert planned.changes() == made.changes()
    for play in (planned, made):
        told = json.dumps([result.get("diff") for _, _, result in play.results()])
        assert [text for text in VARIABLES.values() if len(text) > 20 and json.dumps(text)[1:-1] in told] == []
    code, answer = laptop.on(SERVER, "curl -sf -m 10 -H 'Host: values.test' http://127.0.0.1/")
    assert code == 0, answer
    yield json.loads(answer)
    back = laptop.play(*ONLY)
    assert back.code == 0, back.failures() or back.errors
    accounts = "userdel site-values && userdel code-values"
    assert laptop.on(SERVER, f"{accounts} && rm -r /srv/www/values")[0] == 0


def test_variables_arrive_byte_for_byte(seen: dict[str, Any]) -> None:
    assert seen["variables"] == {**VARIABLES, "X_NUMBER": "42"}


def test_settings_have_the_meaning_that_was_written(seen: dict[str, Any]) -> None:
    assert seen["settings"] == {
        "error_reporting": "24575",  # 32767 without 8192
        "post_max_size": str(65 * 1024**2),
        "upload_max_filesize": "64M",
        "user_agent": AGENT,
        "display_errors": "0",
        "precision": "14.5",
    }


@pytest.mark.usefixtures("seen")
def test_no_other_site_reads_the_variables(laptop: Laptop) -> None:
    pool = Path(f"{FPM_FOLDER}/pool.d/groundwork-values.secret.conf")
    assert laptop.on(SERVER, f"grep -c X_NUMBER {pool}") == (0, "1")
    for account in ("site-app", "www-data", "admin"):
        code, _ = laptop.on(SERVER, f"setpriv --reuid={account} --clear-groups cat {pool}")
        assert code != 0, account
    looking = "find /etc /srv -perm -o=r -type f -print0 | xargs -0 grep -l X_NUMBER; echo"
    assert laptop.on(SERVER, looking) == (0, ""), "grep finds nothing"


@pytest.mark.usefixtures("seen")
def test_the_second_run_changes_nothing(laptop: Laptop, given: dict[str, Any]) -> None:
    again = laptop.play(*ONLY, variables=given)
    assert (again.code, again.changes()) == (0, []), again.failures() or again.errors
