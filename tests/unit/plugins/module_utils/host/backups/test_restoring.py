"""Where a backup is restored, what is wrong with it, and what a manifest may not say."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups import drilling, restoring
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.objects import (
    DamagedError,
    Objects,
    is_sound,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done, run
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.options import SITE_NAME_LENGTH

ID = "20261130T023000Z-private-1"
DATABASE = {
    "object": "shop.sql.gz",
    "size": 10,
    "sha256": "0" * 64,
    "plain": 1000,
    "name": "shop",
    "character_set": "utf8mb4",
    "collation": "utf8mb4_unicode_ci",
    "tables": {"t": {"rows": 1, "digest": "aa"}},
}
FILES = {"object": "shop.files.tar.gz", "size": 20, "sha256": "0" * 64, "plain": 500, "entries": 3}
SITES = {"shop": {"release": "a1", "at": "now", "database": DATABASE, "files": FILES}}
MANIFEST: dict[str, t.Any] = {"format": 1, "id": ID, "finished": "now", "sites": SITES}


def plan(place: Path, /, **site: t.Any) -> dict[str, t.Any]:
    own = {"name": "shop", "database": "shop", "folder": str(place / "shared"), **site}
    return {"socket": "/run/s", "hosts": ["localhost", "10.0.0.0/8"], "sites": [own]}


class Response:
    def __init__(self, status: int, content: bytes) -> None:
        self.status, self.content, self.reason, self.length = status, content, "Reason", 0

    def read(self, size: int) -> bytes:
        part, self.content = self.content[:size], self.content[size:]
        return part


class Connection:
    """An S3 that answers each path with a status and a content."""

    def __init__(self, answers: t.Mapping[str, tuple[int, bytes]]) -> None:
        self.answers = answers
        self.asked = ""

    def request(self, _method: str, path: str) -> None:
        self.asked = path.partition("?")[0]

    def getresponse(self) -> Response:
        return Response(*self.answers[self.asked])

    def close(self) -> None:
        pass


def objects(answers: t.Mapping[str, tuple[int, bytes]]) -> Objects:
    urls = {name: f"https://bucket.invalid/{name}?X-Amz-Signature=hidden" for name in answers}
    paths = {f"/{name}": answer for name, answer in answers.items()}
    return Objects(ID, urls, lambda _host: t.cast(t.Any, Connection(paths)))


def test_an_object_is_what_was_written_or_an_error(tmp_path: Path) -> None:
    facts = {"object": "a.sql.gz", "size": 4, "sha256": hashlib.sha256(b"good").hexdigest()}
    objects({"a.sql.gz": (200, b"good")}).get(facts, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"good"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    for content, words in (
        (b"gone", "has another content than what was written"),
        (b"goo", "has 3 bytes instead of 4"),
    ):
        (tmp_path / "a").unlink()
        with pytest.raises(DamagedError, match=words):
            objects({"a.sql.gz": (200, content)}).get(facts, tmp_path / "a")


def test_an_error_of_s3_is_told_without_the_url() -> None:
    refused = objects({"manifest.json": (403, b"<Code>AccessDenied</Code><Message>Request has expired</Message>")})
    with pytest.raises(GroundworkError) as raised:
        refused.manifest()
    told = (
        f"Could not read manifest.json of {ID}: 403 AccessDenied: Request has expired. The URLs of a backup are valid"
    )
    assert str(raised.value) == f"{told} for some hours. Run again."


def test_a_manifest_of_another_backup_is_refused() -> None:
    for text in (b"{", b"[]", json.dumps({**MANIFEST, "id": "other"}).encode()):
        with pytest.raises(DamagedError, match=r"The manifest of the backup .* is damaged"):
            objects({"manifest.json": (200, text)}).manifest()


@pytest.mark.parametrize(
    "change",
    [
        {"object": "../../etc/passwd"},
        {"object": "/etc/passwd.sql.gz"},
        {"name": "shop`; DROP DATABASE mysql"},
        {"character_set": "utf8mb4 x"},
        {"collation": 3},
        {"sha256": ""},
        {"tables": None},
    ],
)
def test_a_manifest_names_nothing_outside(change: dict[str, t.Any]) -> None:
    assert is_sound(MANIFEST)
    forged = {**MANIFEST, "sites": {"shop": {**SITES["shop"], "database": {**DATABASE, **change}}}}
    assert not is_sound(forged)


def test_in_place_and_beside(tmp_path: Path) -> None:
    parts = restoring.parts_of(plan(tmp_path), MANIFEST, restoring.Wish())
    assert restoring.changes_of(parts, restoring.Wish(), ID) == [
        {"action": "update", "resource": "database", "name": "shop"},
        {"action": "update", "resource": "shared files", "name": str(tmp_path / "shared")},
    ]
    assert restoring.changes_of(parts, restoring.Wish(beside=True), ID) == [
        {"action": "create", "resource": "database", "name": "shop_restored_from_backup"},
        {"action": "create", "resource": "shared files", "name": str(tmp_path / f"restored-{ID}")},
    ]


def test_no_site_has_a_database_of_the_name_of_one_that_is_restored_beside() -> None:
    assert len(restoring.BESIDE) >= SITE_NAME_LENGTH


@pytest.mark.parametrize(
    ("site", "words"),
    [
        ({"name": "blog"}, "the site shop is not on this server any more"),
        ({"database": ""}, "the database of shop is not on this server any more: see lamp_database_server"),
        ({"folder": ""}, "the shared files of shop are backed up by another server now: see shared_everywhere"),
    ],
)
def test_what_has_no_place_is_refused(tmp_path: Path, site: dict[str, t.Any], words: str) -> None:
    with pytest.raises(GroundworkError, match=f"The backup {ID} cannot be restored on this server: {words}"):
        restoring.parts_of(plan(tmp_path, **site), MANIFEST, restoring.Wish())


def test_a_site_that_is_not_in_the_backup_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GroundworkError, match=f"The backup {ID} has no site 'blog'; it has shop."):
        restoring.parts_of(plan(tmp_path), MANIFEST, restoring.Wish("blog"))


def put(place: Path, text: str, *, keep: bool) -> list[str]:
    """Put a folder with a note in the place of `shared`, and return the former ones by their notes."""
    coming = place / "shared.restoring"
    coming.mkdir()
    (coming / "note").write_text(text)
    former, warnings = restoring.put_in_place(place / "shared", coming, keep=keep)
    assert (note(place / "shared"), warnings, coming.exists()) == (text, [], False)
    return [note(one) for one in former]


def note(folder: Path) -> str:
    return (folder / "note").read_text()


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "note").write_text("now")
    return tmp_path


def test_the_folder_changes_its_place_at_once(shared: Path) -> None:
    assert put(shared, "then", keep=False) == []
    assert [one.name for one in shared.iterdir()] == ["shared"]


def test_former_files_without_a_backup_are_kept_by_every_later_restore(shared: Path) -> None:
    assert put(shared, "first", keep=True) == ["now"]
    assert put(shared, "second", keep=True) == ["now", "first"]
    assert put(shared, "third", keep=False) == ["now", "first"], "only what is in a backup is removed"
    (shared / "shared.before-restore").rename(shared / "elsewhere")
    assert put(shared, "fourth", keep=True) == ["third", "first"]


@pytest.mark.parametrize("keep", [True, False])
def test_files_between_two_renames_are_not_lost(shared: Path, keep: bool) -> None:
    (shared / "shared").rename(shared / "shared.before-restore")
    assert put(shared, "then", keep=keep) == ["now"]


def test_a_folder_that_is_missing_is_created(tmp_path: Path) -> None:
    assert put(tmp_path, "then", keep=True) == []


def test_former_files_that_cannot_be_removed_are_a_warning(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_folder: Path) -> None:
        raise OSError(16, "Device or resource busy", ".nfs0001")

    (shared / "coming").mkdir()
    monkeypatch.setattr(restoring.shutil, "rmtree", refuse)
    former, [warning] = restoring.put_in_place(shared / "shared", shared / "coming", keep=False)
    assert [note(one) for one in former] == ["now"]
    assert re.search(r"shared\.before-restore could not be removed: .*Device or resource busy", warning)


class MariaDB:
    """A MariaDB whose user of the site has privileges from some hosts. It records what it is told."""

    def __init__(self, hosts: t.Iterable[str]) -> None:
        self.hosts = hosts
        self.said: list[str] = []

    def __call__(self, argv: t.Sequence[str], /, *, stdin: str = "") -> Done:
        assert argv[:2] == ["mariadb", "--no-defaults"]
        self.said.append(stdin)
        return Done(0, "".join(f"{host}\n" for host in self.hosts) if "mysql.db" in stdin else "16777216\n", "")


@pytest.fixture
def restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., list[str]]:
    """Restore a database into a MariaDB, and return what it was told."""

    def restore(mariadb: MariaDB, found: t.Any = None, safety: str = "S-1") -> list[str]:
        facts = {"shop": {"database": {**DATABASE, "name": "my_shop"}}}
        own = plan(tmp_path, database="my_shop")
        [part] = restoring.parts_of(own, {**MANIFEST, "sites": facts}, restoring.Wish())
        monkeypatch.setattr(restoring, "load", lambda *_arguments: mariadb.said.append("load"))
        monkeypatch.setattr(restoring, "tables_of", lambda *_arguments: DATABASE["tables"] if found is None else found)
        restoring.restore_database(mariadb, part, "/run/s", tmp_path / "x", restoring.Wish(safety=safety))
        return mariadb.said

    return restore


NETWORK = "10.0.0.0/255.0.0.0"
GRANTS = "\n".join(f"GRANT ALL PRIVILEGES ON `my\\_shop`.* TO 'my_shop'@'{host}';" for host in ("localhost", NETWORK))


def test_a_site_loses_its_access_first_and_gets_it_back_last(restored: t.Callable[..., list[str]]) -> None:
    said = restored(MariaDB(["localhost", NETWORK, "by-hand'"]))
    at = said.index("load")
    assert said[at - 1].splitlines() == [
        "REVOKE ALL PRIVILEGES ON `my\\_shop`.* FROM 'my_shop'@'localhost';",
        f"REVOKE ALL PRIVILEGES ON `my\\_shop`.* FROM 'my_shop'@'{NETWORK}';",
        "KILL USER 'my_shop';",
        "DROP DATABASE IF EXISTS `my_shop`;",
        "CREATE DATABASE `my_shop` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
    ]
    assert said[at + 1 :] == [GRANTS, "SET GLOBAL max_allowed_packet = 16777216;"]


def test_a_site_whose_access_an_earlier_restore_has_taken_gets_it_back(restored: t.Callable[..., list[str]]) -> None:
    said = restored(MariaDB([]))
    assert not [statement for statement in said if "REVOKE" in statement]
    assert GRANTS in said


def test_a_site_has_no_access_to_an_incomplete_database(restored: t.Callable[..., list[str]]) -> None:
    mariadb = MariaDB(["localhost"])
    with pytest.raises(GroundworkError, match="the table t is missing"):
        restored(mariadb, {})
    assert not [statement for statement in mariadb.said if "GRANT ALL" in statement]


Restore = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def files(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Restore:
    """Restore the files of a site, in which `then` is the note."""
    archive = shared / "work" / "shop.files.tar.gz"
    archive.parent.mkdir()
    (shared / "then").mkdir()
    (shared / "then" / "note").write_text("then")
    run(["tar", "--create", "--gzip", f"--file={archive}", f"--directory={shared / 'then'}", "."])
    facts = {"shop": {"files": {**FILES, "entries": 2}}}
    monkeypatch.setattr(restoring, "get", lambda *_arguments: None)
    answers = objects({"manifest.json": (200, json.dumps({**MANIFEST, "sites": facts}).encode())})

    def restore(safety: str = "S-1") -> dict[str, t.Any]:
        wish = restoring.Wish(safety=safety, checked=True)
        own = plan(shared)
        return restoring.restore(
            run, own, answers, archive.parent, wish, check_mode=False, marks=shared / "restoring.json"
        )

    return restore


def test_a_site_is_marked_until_its_restore_is_complete(
    files: Restore, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = shared / "restoring.json"

    def interrupt(*_arguments: t.Any, **_more: t.Any) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(restoring, "put_in_place", interrupt)
        with pytest.raises(OSError, match="No space left"):
            files("S-1")
    assert restoring.interrupted(marks) == {"shop": {"backup": ID, "safety": "S-1"}}
    assert note(shared / "shared") == "now"
    assert files("")["kept"] == [], "what was there is in the backup before the first attempt"
    assert (note(shared / "shared"), restoring.interrupted(marks)) == ("then", {})


def test_without_a_backup_the_former_files_are_told(files: Restore, shared: Path) -> None:
    assert files("")["kept"] == [str(shared / "shared.before-restore")]


def test_sites_that_are_not_in_a_backup_are_told(tmp_path: Path) -> None:
    partial = {**MANIFEST, "failed": {"blog": "a view is broken."}}
    words = rf"The backup {ID} lacks blog: a view is broken\. Choose another backup, or .* \(restore_site\): shop\."
    for site in ("", "blog"):
        with pytest.raises(GroundworkError, match=words):
            restoring.parts_of(plan(tmp_path), partial, restoring.Wish(site))
    [part] = restoring.parts_of(plan(tmp_path), partial, restoring.Wish("shop"))
    assert part.site == "shop"


def test_a_plan_of_an_older_version_is_refused(tmp_path: Path) -> None:
    old = {name: value for name, value in plan(tmp_path).items() if name != "hosts"}
    with pytest.raises(GroundworkError, match=r"of an older version\. Run groundwork\.aws\.site first\."):
        restoring.parts_of(old, MANIFEST, restoring.Wish())


def test_the_room_that_a_drill_needs() -> None:
    assert drilling.needed(SITES.values()) == 10 + 20 + 3 * 1000 + drilling.SERVER
    assert drilling.needed([{"files": FILES}]) == 20
