"""Archives are uploaded when, and only when, the server lacks their releases."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.groundwork.aws.plugins.action.server import ActionModule

CHANGE = {"action": "create", "resource": "file", "name": "/etc/a"}
RELEASED = {"action": "update", "resource": "current release", "name": "app new"}
GIB = 1024**3
DU = f"{19 * GIB}\t/\n{17 * GIB}\t/var/log\n"


class Server:
    """An action whose module runs are answered in turn."""

    def __init__(self, *answers: dict[str, Any], check_mode: bool = False) -> None:
        self.action: Any = object.__new__(ActionModule)
        self.asked: list[dict[str, Any]] = []
        self.uploaded: list[tuple[str, str]] = []
        shell = SimpleNamespace(tmpdir="/remote", join_path=lambda *parts: "/".join(parts))
        task = {"check_mode": check_mode, "changed_when": [], "_role": None, "resolved_action": "groundwork.aws.server"}
        self.action._task = SimpleNamespace(**task)
        self.action._connection = SimpleNamespace(_shell=shell)
        self.action._transfer_file = lambda local, remote: self.uploaded.append((local, remote))
        self._answers = list(answers)
        self.action._execute_module = self._answer
        self.action._low_level_execute_command = self._command
        self.free = 10 * GIB

    def _answer(self, *, module_name: str, module_args: dict[str, Any], **_settings: Any) -> dict[str, Any]:
        assert module_name == "groundwork.aws.server"
        self.asked.append(module_args)
        return self._answers.pop(0)

    def _command(self, command: str, in_data: bytes | None = None) -> dict[str, Any]:
        """Answer df and du on the server."""
        listing = f"Mounted 1B-blocks Avail\n/ {20 * GIB} {self.free}" if command.startswith("df ") else DU
        return {"rc": 0, "stdout": listing, "stderr": ""}

    def run(self, **arguments: Any) -> dict[str, Any]:
        """Run the action, with the options that the module does not get."""
        self.action._task.args = arguments
        self.action._remove_tmp_path = lambda _path: None
        with patch.object(ActionBase, "run", return_value={}):
            result: dict[str, Any] = self.action.run(None, {"inventory_hostname": "public-1"})
        return result

    def converge(self, **arguments: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.action._converge(arguments, {})
        return result


def answer(*changes: dict[str, str], missing: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {"changed": bool(changes), "changes": list(changes), "diff": [], "missing": list(missing), **more}


@pytest.fixture
def release(tmp_path: Path) -> dict[str, Any]:
    archive = tmp_path / "app-new.tar.gz"
    archive.touch()
    return {"name": "app", "id": "new", "archive": str(archive)}


def test_with_nothing_missing_the_module_runs_once(release: dict[str, Any]) -> None:
    server = Server(answer(CHANGE))
    assert server.converge(configuration={"name": "x"}, releases=[release]) == answer(CHANGE)
    assert [asked["releases"] for asked in server.asked] == [[{**release, "archive": None, "mend": True}]]
    assert server.uploaded == []


def test_what_is_missing_is_uploaded_and_the_rest_is_not_done_again(release: dict[str, Any]) -> None:
    other = {"name": "other", "id": "old", "archive": None}
    server = Server(answer(CHANGE, missing=("app",)), answer(RELEASED, pages=["app: /"]))
    arguments = {"configuration": {"name": "x"}, "databases": {"users": []}, "secrets": {"/x": "y"}, "name": "public-1"}
    result = server.converge(**arguments, releases=[release, other])
    remote = "/remote/app-new.tar.gz"
    assert server.uploaded == [(release["archive"], remote)]
    assert server.asked[1] == {
        "secrets": {"/x": "y"},
        "name": "public-1",
        "releases": [{**release, "archive": remote, "mend": True}, {**other, "mend": False}],
    }
    assert result == answer(CHANGE, RELEASED, missing=("app",), pages=["app: /"])


@pytest.mark.parametrize(
    ("first", "check_mode"),
    [(answer(missing=("app",)), True), (answer(missing=("app",), failed=True, msg="no"), False)],
    ids=["check mode", "failed"],
)
def test_nothing_is_uploaded(first: dict[str, Any], check_mode: bool, release: dict[str, Any]) -> None:
    server = Server(first, check_mode=check_mode)
    assert server.converge(releases=[release]) == first
    assert (len(server.asked), server.uploaded) == (1, [])


def test_a_release_that_fails_is_the_result(release: dict[str, Any]) -> None:
    failed = {"failed": True, "msg": "a page fails", "taken_back": {"app": "old"}}
    result = Server(answer(CHANGE, missing=("app",)), failed).converge(releases=[release])
    assert result == {**answer(CHANGE, missing=("app",)), **failed}, "what was changed before is not lost"


def test_an_archive_that_does_not_fit_is_not_uploaded(release: dict[str, Any]) -> None:
    server = Server(answer(missing=("app",)))
    server.free = 3 * 1024**2
    with pytest.raises(AnsibleActionFail, match=r"/ has 3 MiB of 20.0 GiB free.*/var/log \(17.0 GiB\).*run again"):
        server.converge(releases=[release])
    assert server.uploaded == []


@pytest.mark.parametrize(
    "failed",
    [
        {"msg": "MODULE FAILURE", "module_stderr": "OSError: [Errno 28] No space left on device: '/tmp/x'"},
        {"msg": "Could not install the packages: cannot write: No space left on device"},
    ],
)
def test_a_full_disk_is_named_whatever_fails_on_it(failed: dict[str, Any]) -> None:
    server = Server({"failed": True, **failed})
    with pytest.raises(
        AnsibleActionFail, match=r"(?s)file system of this server is full.*/var/log \(17.0 GiB\)"
    ) as caught:
        server.converge(configuration={})
    assert failed["msg"] in str(caught.value)


def test_a_release_that_is_nowhere_is_refused(release: dict[str, Any]) -> None:
    server = Server(answer(missing=("app",)))
    with pytest.raises(AnsibleActionFail, match="new of app is neither on this server nor packed") as refused:
        server.converge(releases=[{**release, "archive": None}])
    assert refused.value.result["missing"] == ["app"]


@pytest.mark.parametrize("planned", [False, True])
def test_notes_are_warnings_which_the_module_does_not_get(planned: bool) -> None:
    server = Server(answer(CHANGE, warnings=["its own"]))
    result = server.run(configuration={}, notes=["old stays"], planned=planned)
    assert result["warnings"] == (["old stays"] if planned else ["old stays", "its own"])
    assert [{*asked} & {"notes", "planned"} for asked in server.asked] == ([] if planned else [set()])


def test_a_release_that_is_nowhere_is_refused_with_the_notes(release: dict[str, Any]) -> None:
    server = Server(answer(missing=("app",)))
    with pytest.raises(AnsibleActionFail, match=r"(?s)nor packed on the controller\..*\nold stays"):
        server.run(releases=[{**release, "archive": None}], notes=["old stays"])
