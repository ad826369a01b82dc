"""What a server tells on its console while it configures itself."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from clock import Clock
from nasty_secrets import FOR_EVERYBODY, forms

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import HIDDEN, placeholder
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot import server
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import Server
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.serving import PagesError

PATH = "/groundwork/dev/lamp/app/database-password"
EMPTY = {name: [] for name in ("packages", "accounts", "purge", "validators", "services")}
TEMPLATE = {
    "configuration": {
        "name": "lamp",
        **EMPTY,
        "files": [{"path": "/etc/a", "content": f"@groundwork(instance-id)@ {placeholder(PATH)}", "mode": "0600"}],
    },
    "databases": {
        "socket": "/none",
        "databases": [],
        "users": [{"name": "app", "hosts": [], "password": PATH, "databases": []}],
    },
    "releases": [],
}


class Cloud:
    def __init__(self, secret: str) -> None:
        self.secret = secret

    def instance_id(self) -> str:
        return "i-1"

    def parameter(self, name: str) -> str:
        assert name == PATH
        return self.secret


@pytest.mark.parametrize("secret", FOR_EVERYBODY)
def test_an_error_tells_no_secret(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that refuses its configuration may quote any part of it."""
    seen: list[Server] = []

    def fail(_host: t.Any, desired: Server, **_settings: t.Any) -> t.NoReturn:
        seen.append(desired)
        raise GroundworkError("\n".join(["It failed:", *forms(secret)]))

    monkeypatch.setattr(server, "configure", fail)
    becoming = server.become({**TEMPLATE, "databases": {}}, t.cast(t.Any, Cloud(secret)))
    assert next(becoming) == "i-1 has read its 1 parameters"
    with pytest.raises(GroundworkError) as failed:
        next(becoming)
    assert HIDDEN in str(failed.value)
    assert [form for form in forms(secret) if form in str(failed.value)] == []
    assert (failed.value.__cause__, failed.value.__suppress_context__) == (None, True), "a traceback would quote it"
    assert seen[0].entries[0].content.decode() == f"i-1 {secret}"


class Pages:
    """Releases whose command takes its time, and whose pages are answered at the third request."""

    def __init__(self, clock: Clock, takes: float) -> None:
        self.clock, self.takes, self.asked = clock, takes, 0

    def converge(self, _releases: t.Any, *, check_mode: bool) -> dict[str, t.Any]:
        assert not check_mode
        self.clock.sleep(0 if self.asked else self.takes)
        self.asked += 1
        if self.asked < 3:
            raise PagesError("not yet", [])
        return {"changes": []}


def test_a_release_command_takes_no_time_from_the_pages() -> None:
    clock = Clock()
    cloud = SimpleNamespace(clock=clock.monotonic, sleep=clock.sleep)
    pages = Pages(clock, server.PATIENCE * 2)
    assert list(server._release(t.cast(t.Any, pages), (), t.cast(t.Any, cloud))) == []
    assert pages.asked == 3


def test_a_password_in_the_bundle_is_refused() -> None:
    becoming = server.become(TEMPLATE, t.cast(t.Any, Cloud("correct-horse-battery")))
    next(becoming)
    with pytest.raises(GroundworkError, match=r"databases.users\[0\].password: is not a placeholder"):
        next(becoming)
