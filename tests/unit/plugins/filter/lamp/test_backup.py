"""What a server backs up follows from what it has."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from lamp_variables import given

from ansible_collections.groundwork.aws.plugins.filter.lamp import lamp
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import INSTANCE_ID_PLACEHOLDER

DAILY = {"backup_on_calendar": "*-*-* 02:30:00"}
SHOP: dict[str, t.Any] = {
    "name": "my-shop",
    "secrets": [{"name": "KEY"}, {"name": "MAIL", "parameter": "/mail/password"}],
}
ALBUM = {"name": "album", "shared": ["public/media"], "shared_everywhere": True}
FILES = {"file_system": "fs-1.efs.eu-central-1.amazonaws.com"}
OTHER = {"database_server": "private-2", "database_address": "10.20.2.7"}


def files(**changes: t.Any) -> dict[str, dict[str, t.Any]]:
    return {one["path"]: one for one in lamp(given(packed=[], **changes), "configuration")["files"]}


def plan(**changes: t.Any) -> dict[str, t.Any]:
    found: dict[str, t.Any] = json.loads(files(**DAILY, **changes)["/etc/groundwork/backup/plan.json"]["content"])
    return found


def test_without_backups_there_is_nothing_of_them() -> None:
    assert not [path for path in files() if "backup" in path]
    assert lamp(given(), "backed_up") == []


def test_a_server_of_a_group_makes_none() -> None:
    changes = {**DAILY, "server_name": INSTANCE_ID_PLACEHOLDER}
    assert not [path for path in files(**changes) if "backup" in path]


def test_the_plan_has_no_secret_and_the_files_have_placeholders() -> None:
    [site] = plan(sites=[SHOP])["sites"]
    assert site["database"] == "my_shop"
    assert site["folder"] == "/srv/www/my-shop/shared"
    assert site["secrets"] == {"KEY": "/etc/groundwork/backup/my-shop/KEY"}, "MAIL is of another owner"
    own = files(**DAILY, sites=[SHOP])["/etc/groundwork/backup/my-shop/KEY"]
    assert re.fullmatch(r"@groundwork\(parameter:/groundwork/\w+/lamp/my-shop/KEY\)@", own["content"])
    assert own["mode"] == "0600"


SERVERS = ["public-1", "public-2", "private-1", "private-2"]
MANAGED = {"database_server": "managed", "database_address": "db.eu-central-1.rds.amazonaws.com"}
NO_DATABASE = {"sites": [{**ALBUM, "database": False}]}


@pytest.mark.parametrize(
    ("changes", "servers", "keeper"),
    [
        ({"database_server": "private-2", "database_address": "10.20.2.7"}, SERVERS, "private-2"),
        ({}, SERVERS, "private-1"),
        (MANAGED, SERVERS, "private-1"),
        (NO_DATABASE, SERVERS, "private-1"),
        ({**NO_DATABASE, "database_server": "private-2"}, SERVERS, "private-1"),
        (MANAGED, ["public-2", "public-1"], "public-1"),
    ],
)
def test_what_all_servers_share_is_backed_up_by_one_of_them(
    changes: dict[str, t.Any], servers: list[str], keeper: str
) -> None:
    own = {"sites": [ALBUM], **FILES, "counted_servers": servers, **changes}
    plans = {name: plan(**own, server_name=name, server_tier=name[:-2]) for name in servers}
    assert [name for name, one in plans.items() if one["sites"][0]["folder"]] == [keeper]


def test_what_a_server_has_alone_is_backed_up_by_itself() -> None:
    own = {"sites": [SHOP], "counted_servers": SERVERS, **MANAGED}
    for name in SERVERS:
        [site] = plan(**own, server_name=name, server_tier=name[:-2])["sites"]
        assert (site["database"], site["folder"]) == ("", "/srv/www/my-shop/shared")


@pytest.mark.parametrize(
    ("changes", "hosts"),
    [
        ({}, ["localhost"]),
        ({"database_server": "private-1"}, ["localhost", "10.20.0.0/16"]),
        (OTHER, []),
    ],
)
def test_the_plan_says_from_where_sites_log_in(changes: dict[str, t.Any], hosts: list[str]) -> None:
    assert plan(sites=[SHOP], **changes)["hosts"] == hosts


def test_the_program_is_one_file_without_the_collection() -> None:
    text = files(**DAILY)["/usr/local/lib/groundwork/backup.py"]["content"]
    assert "ansible_collections" not in text
    compile(text, "backup.py", "exec")
    assert text.count('if __name__ == "__main__":') == 1


def test_a_schedule_and_backups_share_a_folder() -> None:
    schedule = {"name": "nightly", "command": ["true"], "on_calendar": "daily"}
    site = {"name": "app", "schedules": [schedule]}
    configuration = lamp(given(packed=[], **DAILY, sites=[site]), "configuration")
    paths = [one["path"] for one in configuration["files"]]
    assert len(paths) == len(set(paths))
