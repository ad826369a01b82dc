"""The three parts of a server are brought about in order, and their results are one result."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host import server
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.services import Services
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.transaction import Host
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases import serving

PATH = "/groundwork/dev/lamp/app/database-password"
CONFIGURATION: dict[str, t.Any] = {
    "name": "lamp",
    **{name: [] for name in ("packages", "accounts", "purge", "validators", "services")},
    "files": [{"path": "/etc/a", "content": "a"}],
}
DATABASES: dict[str, t.Any] = {
    "socket": "/run/none.sock",
    "databases": [{"name": "app", "character_set": "utf8mb4", "collation": "utf8mb4_unicode_ci"}],
    "users": [
        {"name": "app", "hosts": ["localhost"], "password": f"@groundwork(parameter:{PATH})@", "databases": ["app"]}
    ],
}
RELEASE = {
    "name": "app",
    "path": "/srv/www/app",
    "id": "new",
    "owner": "root",
    "group": "root",
    "keep": 3,
    "reload": [],
}
WHOLE = {"configuration": CONFIGURATION, "databases": DATABASES, "releases": [RELEASE]}


def desired(**parts: t.Any) -> server.Desired:
    problems = Problems()
    found = server.parse_desired(parts, problems, {PATH: "correct-horse-battery"})
    problems.raise_if_any()
    return found


def change(name: str) -> dict[str, str]:
    return {"action": "create", "resource": "thing", "name": name}


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that were brought about, in order. The release is missing on the server."""
    done: list[str] = []

    def result(name: str, **more: t.Any) -> t.Callable[..., dict[str, t.Any]]:
        def run(*_arguments: t.Any, **_settings: t.Any) -> dict[str, t.Any]:
            done.append(name)
            return {"changed": True, "changes": [change(name)], "diff": [{"after": name}], **more}

        return run

    monkeypatch.setattr(server, "converge", result("configuration"))
    monkeypatch.setattr(server.mariadb, "converge", result("databases"))
    monkeypatch.setattr(serving.Releases, "converge", result("releases", missing=["app"], pages=["app: /"]))
    return done


def host() -> Host:
    return Host(t.cast(t.Any, None), t.cast(Services, None))


def test_a_part_that_is_not_given_is_left_alone(parts: list[str]) -> None:
    assert server.become(host(), desired(), check_mode=False) == {"changed": False, "changes": [], "diff": []}
    assert parts == []
    server.become(host(), desired(databases=DATABASES), check_mode=False)
    assert parts == ["databases"]


def test_the_parts_are_one_result(parts: list[str]) -> None:
    result = server.become(host(), desired(**WHOLE), check_mode=True)
    assert parts == ["configuration", "databases", "releases"]
    assert [one["name"] for one in result["changes"]] == parts
    assert [one["after"] for one in result["diff"]] == parts
    assert (result["changed"], result["missing"], result["pages"]) == (True, ["app"], ["app: /"])


@pytest.mark.parametrize(("archive", "told"), [("", ["configuration"]), ("/tmp/app", ["configuration", "releases"])])  # noqa: S108
def test_a_release_that_waits_for_its_archive_is_no_change_yet(parts: list[str], archive: str, told: list[str]) -> None:
    given = desired(configuration=CONFIGURATION, releases=[{**RELEASE, "archive": archive}])
    result = server.become(host(), given, check_mode=False)
    assert [one["name"] for one in result["changes"]] == told
    assert result["missing"] == ["app"]


def test_a_part_that_fails_ends_the_run(parts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: t.Any, **_settings: t.Any) -> t.NoReturn:
        raise GroundworkError("no")

    monkeypatch.setattr(server.mariadb, "converge", fail)
    with pytest.raises(GroundworkError, match="no") as failed:
        server.become(host(), desired(**WHOLE), check_mode=False)
    assert parts == ["configuration"]
    assert failed.value.details["changes"] == [change("configuration")], "what was changed is not lost"


def test_a_server_that_does_not_exist_gets_everything() -> None:
    result = server.plan_new(desired(**WHOLE))
    resources = {one["resource"] for one in result["changes"]}
    assert {"file", "database", "user", "grant", "release", "current release"} <= resources
    assert (result["changed"], result["missing"]) == (True, ["app"])


def test_a_problem_names_its_part() -> None:
    wrong = {
        "configuration": {**CONFIGURATION, "files": [{"path": "etc/a", "content": "a"}]},
        "databases": {**DATABASES, "databases": []},
        "releases": [{**RELEASE, "id": "/"}],
    }
    with pytest.raises(InputError) as found:
        desired(**wrong)
    variables = {problem.variable for problem in found.value.problems}
    assert variables == {"configuration.files[0].path", "databases.users[0].databases", "releases[0].id"}


def test_secrets_are_checked_once_under_their_own_name() -> None:
    problems = Problems()
    server.parse_desired({"configuration": CONFIGURATION}, problems, {"/p": "short"})
    assert [problem.variable for problem in problems.found] == ["secrets./p"]


def test_warnings_of_all_parts_are_kept() -> None:
    assert server.merged({"warnings": ["one"]}, {"warnings": ["two"]})["warnings"] == ["one", "two"]
