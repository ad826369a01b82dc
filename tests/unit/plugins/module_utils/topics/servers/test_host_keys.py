"""Host keys: from a console's text to a known_hosts file, by as few calls as can be."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.host_keys import (
    LONGEST_TAG,
    converge_host_keys,
    parse_console,
    parse_known_hosts,
    render_known_hosts,
    tag_value,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import PublicKey, find_public_key

ONE = "AAAAC3NzaC1lZDI1NTE5AAAAIGJIF4M9mOM1CgqWnVr0CnU4jUDqUDV/AiWYOf4qqJmz"
TWO = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
KEY_ONE, KEY_TWO = PublicKey("ssh-ed25519", ONE), PublicKey("ssh-ed25519", TWO)
RSA = PublicKey("ssh-rsa", "AAAAB3NzaC1yc2EAAAADAQABAAABgQ" + "A" * 300)
A, B = "i-0123456789abcdef0", "i-0fedcba9876543210"


def block(*lines: str) -> str:
    return "\r\n".join(["-----BEGIN SSH HOST KEY KEYS-----", *lines, "-----END SSH HOST KEY KEYS-----", ""])


@pytest.mark.parametrize(
    ("console", "keys"),
    [
        ("", set()),
        ("[    0.000000] Linux version 6.1\r\n", set()),
        (block(f"ssh-ed25519 {ONE} root@host"), {KEY_ONE}),
        (block(f"ssh-ed25519 {ONE} root@host", f"ssh-ed25519 {TWO} root@host"), {KEY_ONE, KEY_TWO}),
        (block("[    9.1] IPv6: ADDRCONF", f"ssh-ed25519 {ONE}"), {KEY_ONE}),
        (block(f"ssh-ed25519 {ONE[:30]}[    9.1] IPv6: ADDRCONF", f"ssh-ed25519 {TWO}"), {KEY_TWO}),
        (f"ssh-ed25519 {ONE} is not in a block\n", set()),
        (block(f"ssh-ed25519 {ONE}")[:-20], set()),  # not printed to the end yet
        (block(f"ssh-ed25519 {ONE}") + "reboot\n" + block(f"ssh-ed25519 {TWO}"), {KEY_TWO}),
    ],
)
def test_parse_console(console: str, keys: set[PublicKey]) -> None:
    assert parse_console(console) == keys


def test_parse_and_render_keep_what_is_not_ours() -> None:
    text = f"# mine\n{A} ssh-ed25519 {ONE} public-1\nexample.org ssh-ed25519 {TWO}\n{A}.example.org ssh-ed25519 {TWO}\n"
    assert parse_known_hosts(text) == {A: {KEY_ONE}}
    rendered = render_known_hosts(text, {B: frozenset({KEY_TWO})}, {B: "public-2"}, gone=[A])
    assert rendered == (
        f"# mine\nexample.org ssh-ed25519 {TWO}\n{A}.example.org ssh-ed25519 {TWO}\n{B} ssh-ed25519 {TWO} public-2\n"
    )


class Consoles:
    """EC2 that only has consoles: for each instance what each next call shows, the last one for ever."""

    def __init__(self, consoles: dict[str, list[str]], old: bool = False) -> None:
        self.consoles = consoles
        self.old = old  # not of the Nitro system
        self.calls = 0
        self.now = 0.0

    def client(self, service: str, /, **_: t.Any) -> Consoles:
        assert service == "ec2"
        return self

    def get_console_output(self, **arguments: t.Any) -> dict[str, t.Any]:
        self.calls += 1
        if self.old and arguments.get("Latest"):
            error = {"Code": "UnsupportedOperation", "Message": "Nitro only"}
            raise ClientError({"Error": error}, "GetConsoleOutput")  # type: ignore[typeddict-item]
        shown = self.consoles[arguments["InstanceId"]]
        text = shown.pop(0) if len(shown) > 1 else shown[0]
        return {"Output": text} if text else {}

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds


def converge(path: Path, consoles: Consoles, servers: dict[str, str], **given: t.Any) -> dict[str, t.Any]:
    check_mode = given.pop("check_mode", False)
    options = {
        "environment_name": "dev",
        "tags": {},
        "servers": servers,
        "known_hosts": str(path),
        "shared": False,
        "required": None,
        "verify": False,
        "deadline": 60,
        **given,
    }
    return converge_host_keys(Run(options, consoles, print, check_mode=check_mode, clock=consoles))


@pytest.mark.parametrize("old", [False, True])
def test_keys_are_awaited_and_recorded_and_then_nothing_is_asked(tmp_path: Path, old: bool) -> None:
    path = tmp_path / "dev" / "known_hosts"
    consoles = Consoles({A: ["", "boot", block(f"ssh-ed25519 {ONE}")], B: [block(f"ssh-ed25519 {TWO}")]}, old)
    servers = {"public-1": A, "public-2": B}
    planned = converge(path, consoles, servers, check_mode=True)
    assert consoles.calls == 0 and not path.exists()
    done = converge(path, consoles, servers)
    assert done == planned
    assert path.read_text() == f"{A} ssh-ed25519 {ONE} public-1\n{B} ssh-ed25519 {TWO} public-2\n"
    asked = consoles.calls
    assert asked == (8 if old else 4)
    assert not converge(path, consoles, servers)["changed"]
    assert consoles.calls == asked


def test_those_that_are_gone_are_dropped_without_a_call(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"{A} ssh-ed25519 {ONE} public-1\n{B} ssh-ed25519 {TWO} public-2\n")
    done = converge(path, Consoles({}), {"public-1": A})
    assert done["changes"] == [{"action": "delete", "resource": "host keys", "name": B}]
    assert path.read_text() == f"{A} ssh-ed25519 {ONE} public-1\n"


def test_a_planned_server_is_planned(tmp_path: Path) -> None:
    planned = converge(tmp_path / "k", Consoles({}), {"public-1": "(known after apply)"}, check_mode=True)
    assert planned["changes"] == [{"action": "create", "resource": "host keys", "name": "public-1"}]


def test_what_was_found_is_kept_when_the_rest_does_not_come(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    consoles = Consoles({A: [block(f"ssh-ed25519 {ONE}")], B: ["kernel panic"]})
    with pytest.raises(GroundworkError, match=rf"Timed out after 60 s .* the console of public-2 \({B}\)"):
        converge(path, consoles, {"public-1": A, "public-2": B})
    assert parse_known_hosts(path.read_text()) == {A: {KEY_ONE}}


def test_a_boot_that_ends_without_the_keys_is_not_awaited(tmp_path: Path) -> None:
    console = "Cloud-init v. 22.4.2 finished at Sun, 29 Nov 2026 19:47:06 +0000. Datasource DataSourceEc2."
    consoles = Consoles({A: ["", console]})
    with pytest.raises(GroundworkError, match=rf"The console of public-1 \({A}\) does not contain .*recover with"):
        converge(tmp_path / "known_hosts", consoles, {"public-1": A})
    assert consoles.calls == 2


def test_a_server_that_is_not_required_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    consoles = Consoles({A: [block(f"ssh-ed25519 {ONE}")]})
    servers = {"public-1": A, "public-2": B}
    converge(tmp_path / "known_hosts", consoles, servers, required=["public-1"])
    assert f"The host keys of public-2 ({B}) are not known" in capsys.readouterr().out
    assert parse_known_hosts((tmp_path / "known_hosts").read_text()) == {A: {KEY_ONE}}


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        ([KEY_ONE], f"ssh-ed25519 {ONE} 2026-11-29T19:47:06Z"),
        ([RSA, KEY_ONE], f"ssh-ed25519 {ONE} 2026-11-29T19:47:06Z"),
        ([RSA], ""),
        ([], ""),
    ],
)
def test_a_tag_has_the_shortest_key_that_fits(keys: list[PublicKey], value: str) -> None:
    found = tag_value(keys, datetime(2026, 11, 29, 19, 47, 6, tzinfo=UTC))
    assert found == value
    assert len(found) <= LONGEST_TAG
    assert find_public_key(found) == (KEY_ONE if value else None)


@pytest.mark.parametrize(("shown", "message"), [(TWO, "differ from the recorded ones"), (ONE, None), (None, None)])
def test_verify(tmp_path: Path, shown: str | None, message: str | None) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"{A} ssh-ed25519 {ONE} public-1\n")
    consoles = Consoles({A: [block(f"ssh-ed25519 {shown}") if shown else "scrolled away"]})
    if message:
        with pytest.raises(GroundworkError, match=message):
            converge(path, consoles, {"public-1": A}, verify=True)
    else:
        assert not converge(path, consoles, {"public-1": A}, verify=True)["changed"]


def test_bad_input_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        converge(tmp_path / "k", Consoles({}), {"public-1": "192.0.2.1"}, deadline=0)
    assert [problem.variable for problem in caught.value.problems] == ["servers.public-1", "deadline"]


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    consoles = Consoles({A: [block(f"ssh-ed25519 {ONE}")]})
    with pytest.raises(GroundworkError, match=r"known_hosts: .* cannot be"):
        converge(tmp_path / "file" / "known_hosts", consoles, {"public-1": A})
