"""The bundle is reproducible and complete, and needs only the collection's code and Python."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import typing as t
import zipfile
from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot import server
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.packing import Source, pack
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot import bundle as bundles
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot.bundle import bundle, modules_for, user_data
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import LARGEST_USER_DATA

WHERE = {"region": "eu-central-1", "domain": "amazonaws.com", "bucket": "b", "key": "boot/public/a.pyz", "digest": "d"}


def test_the_same_makes_the_same_bundle() -> None:
    assert bundle({"a": 1, "b": [2]}) == bundle({"b": [2], "a": 1})
    assert bundle({"a": 1}) != bundle({"a": 2})


def test_nothing_but_pythons_own_is_needed_besides() -> None:
    sources = modules_for(server.__name__)
    assert len(sources) > 10
    for name, source in sources.items():
        for module in imported(source):
            own = module.startswith(bundles.COLLECTION)
            assert own or module.split(".")[0] in sys.stdlib_module_names, f"{name} imports {module}"


def imported(source: bytes) -> t.Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def test_it_runs_where_there_is_nothing_else(tmp_path: Path) -> None:
    """The program fails after reading the bundle, because the desired configuration has no region."""
    path = tmp_path / "bundle.pyz"
    path.write_bytes(bundle({"domain": "amazonaws.com"}))
    done = subprocess.run([sys.executable, "-IS", path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("KeyError: 'region'\n")


def test_it_knows_no_time_and_nobody() -> None:
    with zipfile.ZipFile(io.BytesIO(bundle({}))) as packed:
        entries = packed.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {(entry.date_time, entry.external_attr, entry.create_system) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 0o100644 << 16, 3)
    }


def test_user_data_is_a_small_program_of_its_own(tmp_path: Path) -> None:
    text = user_data(**WHERE)
    assert text.startswith("#!/usr/bin/python3\n")
    assert len(text.encode()) < LARGEST_USER_DATA
    assert {module.split(".")[0] for module in imported(text.encode())} <= sys.stdlib_module_names
    program = tmp_path / "user-data"
    program.write_text(text.replace("\nstart(", "\nprint("))  # what it would start with
    done = subprocess.run([sys.executable, "-IS", program], capture_output=True, text=True, check=True)
    assert "region='eu-central-1', domain='amazonaws.com'" in done.stdout
    assert done.stdout.endswith(" b boot/public/a.pyz d\n")


def test_an_archive_is_what_its_name_says(tmp_path: Path) -> None:
    application = tmp_path / "app"
    (application / "public" / "empty").mkdir(parents=True)
    (application / "public" / "index.php").write_text("<?php")
    (application / "run.sh").write_text("#!/bin/sh")
    (application / "run.sh").chmod(0o755)
    (application / "link").symlink_to("public/index.php")
    made = pack("app", Source(path=str(application)), tmp_path / "archives", server.run, check_mode=False)
    content = Path(made["archive"]).read_bytes()
    kept = server.keep(Release("app", "/srv/www/app", made["id"]), content, tmp_path)
    assert kept.read_bytes() == content
    with pytest.raises(GroundworkError, match=f"contains the release {made['id']}, not 0123456789ab"):
        server.keep(Release("app", "/srv/www/app", "0123456789ab"), content, tmp_path)
