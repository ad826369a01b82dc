"""The lines of the state of an environment: problems first, then each server."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.project.status import status

GIB = 1024**3
HEALTHY = {"group": "public", "port": 80, "state": "healthy", "reason": "", "description": ""}
WORKER = {"Id": "groundwork-shop-queue@1.service", "ActiveState": "active", "SubState": "running", "NRestarts": "912"}
NOTHING: dict[str, list[dict[str, t.Any]]] = {"certificates": [], "distributions": []}
CERTIFICATE = {
    "names": ["a.test", "b.test"],
    "status": "ISSUED",
    "ends": "2027-05-01T00:00:00Z",
    "days": 152,
    "in_use": True,
    "problem": "",
}
DISTRIBUTION = {
    "id": "E1",
    "name": "site",
    "domain": "d1.cloudfront.net",
    "aliases": ["s.test"],
    "status": "Deployed",
    "enabled": True,
}
IDS = {"public-1": "i-1", "public-2": "i-2"}


def state(**given: t.Any) -> dict[str, t.Any]:
    site = {"release": "b2", "since": "2026-11-30T03:31:52Z", "kept": ["a1", "b2"], "ready": True}
    return {
        "sites": {"shop": {**site, **given.pop("shop", {})}},
        "files": {"/srv/f": "mounted"},
        "services": {"apache2.service": {"Id": "apache2.service", "ActiveState": "active"}},
        "units": [],
        "failed": [],
        "disks": [{"mount": "/", "size": 8 * GIB, "free": 6 * GIB}],
        "memory": {"size": 2 * GIB, "free": GIB},
        "load": 0.5,
        **given,
    }


def told(first: dict[str, t.Any] | None, *more: dict[str, t.Any]) -> list[str]:
    targets = [{**HEALTHY, "id": identity} for identity in IDS.values()]
    return status({"public-1": first, "public-2": state()}, IDS, [*targets, *more], https=NOTHING)


def test_without_problems_each_server_is_told() -> None:
    assert told(state()) == [
        "No problems.",
        *(
            line
            for name, identity in IDS.items()
            for line in (
                f"{name} ({identity})",
                "  target group public: healthy in public",
                "  site shop: release b2 since 2026-11-30T03:31:52Z, 2 on the server",
                "  services: apache2.service active",
                "  disks: / 25 % of 8.0 GiB; memory: 1024 of 2048 MiB free; load 0.5",
            )
        ),
    ]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (None, "public-1: cannot be reached by SSH"),
        (state(shop={"release": "", "since": "", "ready": False}), "public-1: the site shop has no release"),
        (state(shop={"ready": False}), "public-1: the site shop is not ready: its pages have not been answered"),
        (state(units=[WORKER | {"ActiveState": "inactive"}]), "public-1: groundwork-shop-queue@1.service is inactive"),
        (
            state(units=[WORKER | {"ActiveState": "activating", "SubState": "auto-restart", "Result": "exit-code"}]),
            "ends with an error (exit-code) and is started again: 912 restarts",
        ),
        (
            state(units=[{"Id": "groundwork-shop-x.timer", "ActiveState": "inactive"}]),
            "groundwork-shop-x.timer is inactive",
        ),
        (state(shop={"release": "a1"}), "different releases of shop: a1 on public-1; b2 on public-2"),
        (
            state(services={"apache2.service": {"Id": "apache2.service", "ActiveState": "failed"}}),
            "apache2.service is failed",
        ),
        (state(failed=["groundwork-shop-mail@1.service"]), "the unit groundwork-shop-mail@1.service failed"),
        (state(files={"/srv/f": "not mounted"}), "public-1: the file system of all servers at /srv/f is not mounted"),
        (state(files={"/srv/f": "does not answer"}), "the file system of all servers at /srv/f does not answer"),
        (state(disks=[{"mount": "/", "size": 8 * GIB, "free": GIB // 10}]), "the file system / is 99 % full"),
    ],
)
def test_a_problem_is_told_first(wrong: dict[str, t.Any] | None, problem: str) -> None:
    lines = told(wrong)
    assert lines[0].endswith(("problem:", "problems:"))
    assert any(problem in line for line in lines[1:3])


def test_targets_that_are_not_healthy_are_problems_also_of_servers_that_the_inventory_does_not_show() -> None:
    ill = {**HEALTHY, "id": "i-9", "state": "unhealthy", "reason": "Target.Timeout", "description": "timed out"}
    lines = told(state(), ill)
    assert lines[:2] == ["1 problem:", "  i-9: unhealthy in public (Target.Timeout timed out)"]
    assert lines[-1] == "i-9, not in the inventory: unhealthy in public (Target.Timeout timed out)"


def test_groups_are_told_with_their_policies() -> None:
    policy = {"name": "groundwork-cpu", "metric": "ASGAverageCPUUtilization", "target": 60.0, "scales_in": True}
    other = {"name": "night", "metric": "", "target": 0.0, "scales_in": True, "enabled": True}
    group = {"tier": "web", "min": 2, "max": 4, "desired": 3, "in_service": 3}
    lines = status({}, {}, [], https=NOTHING, groups=[{**group, "policies": [{**policy, "enabled": True}, other]}])
    assert lines == [
        "No problems.",
        "group web: 3 of 3 servers in service, from 2 to 4",
        "  policy groundwork-cpu: ASGAverageCPUUtilization 60",
        "  policy night: not by target tracking",
    ]
    off = {**policy, "enabled": False, "scales_in": False}
    lines = status({}, {}, [], https=NOTHING, groups=[{**group, "in_service": 1, "policies": [off]}])
    assert lines == [
        "2 problems:",
        "  the group web has 1 of 3 servers in service",
        "  the policy groundwork-cpu of the group web is disabled",
        "group web: 1 of 3 servers in service, from 2 to 4",
        "  policy groundwork-cpu: ASGAverageCPUUtilization 60, only grows",
    ]


def test_a_worker_and_a_schedule_are_told() -> None:
    worker = {"Id": "groundwork-shop-mail@1.service", "ActiveState": "active", "SubState": "running", "NRestarts": "2"}
    timer = {"Id": "groundwork-shop-clean.timer", "ActiveState": "active", "LastTriggerUSec": "2026-11-30T03:31:52Z"}
    lines = told(state(units=[worker, timer]))
    assert "  groundwork-shop-mail@1.service: active (running) since -, result -, 2 restarts" in lines
    assert "  groundwork-shop-clean.timer: active, last 2026-11-30T03:31:52Z, next -" in lines


@pytest.mark.parametrize(
    ("certificate", "distribution", "problems"),
    [
        ({}, {}, []),
        ({"problem": "not renewed"}, {}, ["the certificate for a.test, b.test: not renewed"]),
        ({}, {"enabled": False}, ["the distribution site (E1) is disabled"]),
    ],
)
def test_certificates_and_distributions_are_told(
    certificate: dict[str, t.Any], distribution: dict[str, t.Any], problems: list[str]
) -> None:
    https = {"certificates": [{**CERTIFICATE, **certificate}], "distributions": [{**DISTRIBUTION, **distribution}]}
    lines = status({}, {}, [], https=https)
    assert lines[1:] == [
        *(f"  {problem}" for problem in problems),
        "certificate for a.test, b.test: ISSUED, valid for 152 days until 2027-05-01T00:00:00Z",
        "distribution site (E1): Deployed, serves s.test, d1.cloudfront.net",
    ]


def test_a_certificate_that_is_not_issued_has_no_end() -> None:
    pending = {**CERTIFICATE, "status": "PENDING_VALIDATION", "ends": "", "days": None, "in_use": False}
    lines = status({}, {}, [], https={**NOTHING, "certificates": [pending]})
    assert lines[-1] == "certificate for a.test, b.test: PENDING_VALIDATION, not in use"


@pytest.mark.parametrize(
    ("backup", "wrong"),
    [
        ({"id": "", "age": 0, "failure": ""}, "has no backup yet"),
        ({"id": "", "age": 0, "failure": "12:00: no"}, "has no backup yet; the last attempt failed at 12:00: no"),
        ({"id": "a", "age": 27 * 3600, "failure": ""}, "the newest backup, a, is 27 h 0 min old"),
        (
            {"id": "a", "age": -60, "failure": ""},
            "the newest backup, a, is of a time to come: look at the server's clock",
        ),
        (
            {"id": "a", "age": 60, "failure": "12:00: no"},
            "the newest backup is a; the last attempt failed at 12:00: no",
        ),
    ],
)
def test_backups_that_fail_or_are_late_are_problems(backup: dict[str, t.Any], wrong: str) -> None:
    assert told(state(backup=backup))[:2] == ["1 problem:", f"  public-1: {wrong}"]


def test_an_interrupted_restore_is_a_problem() -> None:
    backup = {"id": "a", "age": 3600, "failure": "", "interrupted": {"shop": "b"}}
    [_count, line] = told(state(backup=backup))[:2]
    assert "the restore of shop is not complete" in line
    assert "restore_from=b and restore_site=shop" in line


def test_a_backup_is_told() -> None:
    lines = told(state(backup={"id": "a", "age": 3600, "failure": ""}))
    assert lines[0] == "No problems."
    assert "  backup: a, 1 h 0 min old" in lines


DATABASE = {
    "identifier": "dev-database",
    "state": "available",
    "engine_version": "11.4.5",
    "support_ends": "2029-05-31",
    "instance_class": "db.t4g.small",
    "storage_gib": 20,
    "max_storage_gib": 100,
    "multi_az": True,
    "restorable_until": "2026-11-30T12:00:00+00:00",
    "waiting": [],
}


def test_the_managed_database_is_told_after_the_servers() -> None:
    assert status({}, {}, [], https=NOTHING, database=DATABASE) == [
        "No problems.",
        "database dev-database: available",
        "  MariaDB 11.4.5, supported by AWS until 2029-05-31",
        "  db.t4g.small, with a standby; 20 GiB, grows to 100",
        "  backups: restorable until 2026-11-30T12:00:00+00:00",
    ]


def test_what_waits_and_what_does_not_serve_are_problems() -> None:
    waits = "Parameters of the DB instance dev-database wait for a restart"
    told = status({}, {}, [], https=NOTHING, database={**DATABASE, "state": "rebooting", "waiting": [waits]})
    assert told[:3] == ["2 problems:", "  the database dev-database is rebooting", f"  {waits}"]
    assert status({}, {}, [], https=NOTHING) == ["No problems."]
