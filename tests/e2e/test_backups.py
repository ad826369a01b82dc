"""What is on a server comes back from its backup: rows, files and secrets of one time; and damage is found before."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from laptop import ENVIRONMENT, Laptop, Play, besides_lock
from running_site import Site
from watching import eventually

SERVER, TIER = "private-1", "private"
ONLY = ("--limit", f"localhost,{SERVER}")
BACKUP, RESTORE = "playbooks/backup.yml", "playbooks/restore.yml"
SITE = {"name": "app", "web_root": "public", "secrets": [{"name": "APP_SECRET"}], "shared": ["uploads"]}
ENABLED: dict[str, Any] = {"backup_enabled": True, "backup_on_calendar": "*-*-* 02:30:00", "lamp_sites": [SITE]}
CONFIRMED = {"environment_confirm": ENVIRONMENT}
SHARED = "/srv/www/app/shared/uploads"
STATE = "/var/lib/groundwork/backup.json"
MARKS = "/var/lib/groundwork/restoring.json"
PROGRAM = "/usr/local/lib/groundwork/backup.py"
FILL = "/var/log/filled"
MANIFEST = "manifest.json"
STATE_OF_UNIT = "systemctl show --property=ActiveState --value groundwork-backup"
ROWS = 3


def sql(laptop: Laptop, statements: str, database: str = "app") -> str:
    """Return the answer of the server's MariaDB, as text."""
    code, said = laptop.on(SERVER, f'mariadb --batch --skip-column-names {database} --execute "{statements}"')
    assert code == 0, said
    return said


def shown(play: Play, task: str) -> str:
    """Return what a task showed on the server."""
    texts = [r["msg"] for name, host, r in play.results() if name.endswith(task) and host == SERVER and "msg" in r]
    assert texts, play.failures()
    return "\n".join(texts[0]) if isinstance(texts[0], list) else str(texts[0])


class Bucket:
    """The bucket of the backups."""

    def __init__(self, laptop: Laptop) -> None:
        account = laptop.client("sts").get_caller_identity()["Account"]
        self.name = f"groundwork-{ENVIRONMENT}-backups-{account}-eu-central-1"
        self.s3 = laptop.client("s3")

    def all_keys(self) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=f"{TIER}/{SERVER}/")
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def ids(self) -> list[str]:
        """Return the ids of the complete backups, the newest last."""
        return sorted(key.split("/")[2] for key in self.all_keys() if key.endswith(f"/{MANIFEST}"))

    def key(self, identity: str, name: str) -> str:
        return f"{TIER}/{SERVER}/{identity}/{name}"

    def get(self, identity: str, name: str) -> bytes:
        content: bytes = self.s3.get_object(Bucket=self.name, Key=self.key(identity, name))["Body"].read()
        return content

    def put(self, identity: str, name: str, content: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=self.key(identity, name), Body=content)

    def clear(self) -> None:
        """Delete the bucket with all versions."""
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if found:
                objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
                self.s3.delete_objects(Bucket=self.name, Delete={"Objects": objects})
        self.s3.delete_bucket(Bucket=self.name)


@pytest.fixture(scope="module")
def bucket(laptop: Laptop) -> Bucket:
    return Bucket(laptop)


@pytest.fixture(scope="module")
def enabled(laptop: Laptop, site: Site, bucket: Bucket) -> Iterator[Play]:
    """The site with backups, a table, and a file. Afterwards it is as it was."""
    try:
        made = laptop.play(variables=ENABLED)
        assert made.code == 0, made.failures() or made.errors
        rows = ", ".join(f"({number}, 'row {number}')" for number in range(1, ROWS + 1))
        sql(laptop, f"CREATE TABLE kept (id INT PRIMARY KEY, words TEXT); INSERT INTO kept VALUES {rows}")  # noqa: S608 - numbers
        assert laptop.on(SERVER, f"runuser -u site-app -- sh -c 'echo first > {SHARED}/note'")[0] == 0
        yield made
    finally:
        sql(laptop, "DROP TABLE IF EXISTS kept")
        back = laptop.play()
        bucket.clear()
        assert back.code == 0, back.failures() or back.errors


@pytest.fixture(scope="module")
def backed_up(laptop: Laptop, enabled: Play, bucket: Bucket) -> str:
    """The id of a backup with the rows and the file."""
    play = laptop.play(*ONLY, playbook=BACKUP, variables=ENABLED)
    assert play.code == 0, play.failures() or play.errors
    [identity] = bucket.ids()
    assert shown(play, "Show the backup").startswith(f"{identity}: ")
    assert f"{SERVER}: create backup {identity}" in play.changes()
    return identity


WRONG = [
    (
        BACKUP,
        {"backup_enabled": False},
        "backup_enabled: is false, so that the servers make no backups; set it to true",
    ),
    (BACKUP, {"backup_keep_days": 0}, "backup_keep_days: 0 is out of range"),
    (BACKUP, {"backup_on_calendar": "at night"}, "backup_on_calendar: "),
    (RESTORE, CONFIRMED, "restore_from: is missing; give newest, a time in UTC"),
    (RESTORE, {**CONFIRMED, "restore_from": "yesterday"}, "restore_from: 'yesterday' is neither a time nor the id"),
    (
        RESTORE,
        {"restore_from": "newest"},
        f"environment_confirm: is missing; give -e environment_confirm={ENVIRONMENT}",
    ),
    (RESTORE, {**CONFIRMED, "restore_from": "newest", "restore_site": "shop"}, "restore_site: 'shop' is not a site"),
    (
        RESTORE,
        {**CONFIRMED, "restore_from": "2001-01-01T00:00:00Z"},
        "restore_from: no server has a complete backup '2001-01-01T00:00:00Z'; give one of 20",
    ),
]


@pytest.mark.usefixtures("backed_up")
@pytest.mark.parametrize(("playbook", "given", "message"), WRONG, ids=[message[:30] for *_, message in WRONG])
def test_wrong_inputs_have_one_message_before_any_write(
    laptop: Laptop, bucket: Bucket, playbook: str, given: dict[str, Any], message: str
) -> None:
    before = bucket.all_keys()
    laptop.calls(reset=True)
    play = laptop.play(*ONLY, playbook=playbook, variables={**ENABLED, **given})
    assert play.code != 0
    [failure] = set(play.failures())
    assert message in failure
    assert besides_lock(laptop.calls()) == {}
    assert bucket.all_keys() == before


def test_a_second_run_changes_nothing(laptop: Laptop, backed_up: str) -> None:
    for flags in (("--check",), ()):
        again = laptop.play(*flags, variables=ENABLED)
        assert (again.code, again.changes()) == (0, []), again.failures()


def test_the_manifest_has_the_rows_and_no_secret(laptop: Laptop, bucket: Bucket, backed_up: str) -> None:
    manifest = json.loads(bucket.get(backed_up, MANIFEST))
    assert manifest["sites"]["app"]["database"]["tables"]["kept"]["rows"] == ROWS
    assert manifest["sites"]["app"]["secrets"]["names"] == ["APP_SECRET"]
    [value] = json.loads(bucket.get(backed_up, "app.secrets.json")).values()
    parameter = laptop.client("ssm").get_parameter(
        Name=f"/groundwork/{ENVIRONMENT}/lamp/app/APP_SECRET", WithDecryption=True
    )
    assert value == parameter["Parameter"]["Value"]
    assert value not in json.dumps(manifest)
    places = f"/etc/systemd/system {PROGRAM} {STATE} /etc/groundwork/backup/plan.json /var/log /run/systemd"
    look = f'value=$(cat /etc/groundwork/backup/app/APP_SECRET); {{ grep -rlF -- "$value" {places}; '
    # Ansible logs commands, so the value is in none.
    assert laptop.on(SERVER, look + 'journalctl --no-pager | grep -F -- "$value"; } | wc -l') == (0, "0")


def test_the_bucket_is_private_and_ends_what_is_old(bucket: Bucket, backed_up: str) -> None:
    s3, name = bucket.s3, bucket.name
    assert set(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=name)["Policy"]
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]}
    assert rules["groundwork-expiring"]["Expiration"] == {"Days": 30}


def test_the_server_can_neither_read_nor_overwrite_other_backups(
    laptop: Laptop, bucket: Bucket, backed_up: str
) -> None:
    own, other = bucket.key(backed_up, MANIFEST), "public/public-1/x"
    asked = [("GET", own), ("PUT", other), ("DELETE", own)]
    script = f"""python3 -I - <<'END'
import runpy
own = runpy.run_path("{PROGRAM}")
for method, key in {asked}:
    request = own["Request"](method, "{bucket.name}.s3.eu-central-1.amazonaws.com", "/" + key)
    try:
        own["Cloud"]("eu-central-1", "amazonaws.com").send("s3", request)
        print("allowed")
    except own["RefusedError"] as error:
        print(error.status)
END"""
    assert laptop.on(SERVER, script) == (0, "403\n403\n403")


def test_status_tells_the_backup(laptop: Laptop, backed_up: str) -> None:
    play = laptop.play(playbook="playbooks/status.yml", variables=ENABLED)
    told = "\n".join(next(r["msg"] for name, _host, r in play.results() if name == "Show the state of the environment"))
    assert f"  backup: {backed_up}, 0 h" not in told
    assert re.search(rf"  backup: {backed_up}, \d+ min old", told)
    assert "public-1: has no backup yet" in told


def test_the_drill_restores_in_isolation_and_leaves_nothing(laptop: Laptop, backed_up: str) -> None:
    play = laptop.play(*ONLY, "--tags", "drill", playbook=BACKUP, variables=ENABLED)
    assert play.code == 0, play.failures() or play.errors
    assert play.changes() == []
    told = shown(play, "Show what was found")
    assert re.search(rf"{backed_up}, \d+ min old, was restored in isolation in [\d.]+ s\. All is as it was", told)
    assert re.search(r"app: \d+ tables, \d+ rows, \d+ files, 1 secrets", told)
    code, left = laptop.on(SERVER, "ls /var/tmp | grep groundwork; pgrep -c mariadbd")
    assert (code, left) == (0, "1")


def test_the_backup_of_a_time_is_chosen(laptop: Laptop, bucket: Bucket, backed_up: str) -> None:
    """A backup cannot be made older, so the objects of one are copied to an older id."""
    old = "20200101T023000Z-private-1"
    manifest = json.loads(bucket.get(backed_up, MANIFEST))
    names = [key.rpartition("/")[2] for key in bucket.all_keys() if f"/{backed_up}/" in key]
    for name in names:
        bucket.put(
            old, name, json.dumps({**manifest, "id": old}).encode() if name == MANIFEST else bucket.get(backed_up, name)
        )
    chosen = {**ENABLED, **CONFIRMED, "restore_from": "2021-01-01T00:00:00Z"}
    play = laptop.play(*ONLY, "--check", playbook=RESTORE, variables=chosen)
    assert play.code == 0, play.failures() or play.errors
    assert shown(play, "Show what is restored").startswith(f"{old}, ")
    assert f"{SERVER}: update database app" in play.changes()
    for name in names:
        bucket.s3.delete_object(Bucket=bucket.name, Key=bucket.key(old, name))


def damaged(dump: bytes) -> bytes:
    """Return an object with one other byte."""
    return dump[:-20] + bytes([dump[-20] ^ 1]) + dump[-19:]


def forged(bucket: Bucket, identity: str) -> dict[str, bytes]:
    """Return a dump with another row, and a manifest that fits its size and its SHA-256."""
    manifest = json.loads(bucket.get(identity, MANIFEST))
    plain = gzip.decompress(bucket.get(identity, "app.sql.gz"))
    assert b"'row 2'" in plain
    dump = gzip.compress(plain.replace(b"'row 2'", b"'row 9'"))
    own = {"size": len(dump), "sha256": hashlib.sha256(dump).hexdigest()}
    manifest["sites"]["app"]["database"].update(own)
    return {"app.sql.gz": dump, MANIFEST: json.dumps(manifest).encode()}


@pytest.mark.parametrize("kind", ["damaged", "forged", "missing"])
def test_damage_is_found_by_the_drill_and_refused_by_the_restore(
    laptop: Laptop, bucket: Bucket, backed_up: str, kind: str
) -> None:
    before = {name: bucket.get(backed_up, name) for name in ("app.sql.gz", MANIFEST)}
    told = {
        "damaged": f"app.sql.gz of the backup {backed_up} has another content than what was written.",
        "forged": "app: the table kept has other content",
        "missing": f"app.sql.gz of the backup {backed_up} does not exist any more.",
    }[kind]
    try:
        if kind == "missing":
            bucket.s3.delete_object(Bucket=bucket.name, Key=bucket.key(backed_up, "app.sql.gz"))
        else:
            new = {"app.sql.gz": damaged(before["app.sql.gz"])} if kind == "damaged" else forged(bucket, backed_up)
            for name, content in new.items():
                bucket.put(backed_up, name, content)
        drill = laptop.play(*ONLY, "--tags", "drill", playbook=BACKUP, variables=ENABLED)
        assert (drill.code != 0, told in "\n".join(drill.failures())) == (True, True), drill.failures()
        if kind == "damaged":
            chosen = {**ENABLED, **CONFIRMED, "restore_from": "newest"}
            restore = laptop.play(*ONLY, playbook=RESTORE, variables=chosen)
            assert (restore.code != 0, told in "\n".join(restore.failures())) == (True, True), restore.failures()
            assert restore.changed()[SERVER] == 0
            assert sql(laptop, "SELECT COUNT(*) FROM kept") == str(ROWS)
            assert bucket.ids() == [backed_up], "no safety backup was made yet"
    finally:
        for name, content in before.items():
            bucket.put(backed_up, name, content)


def test_a_backup_that_was_killed_does_not_count(laptop: Laptop, bucket: Bucket, backed_up: str) -> None:
    fill = f"runuser -u site-app -- sh -c 'head -c 300M /dev/urandom > {SHARED}/large'"
    assert laptop.on(SERVER, fill)[0] == 0
    before = set(bucket.all_keys())
    try:
        assert laptop.on(SERVER, "systemctl start --no-block groundwork-backup")[0] == 0
        eventually(lambda: set(bucket.all_keys()) - before, bool, 60)
        assert laptop.on(SERVER, "systemctl kill --signal=KILL groundwork-backup")[0] == 0
        eventually(lambda: laptop.on(SERVER, STATE_OF_UNIT)[1], lambda it: it == "failed", 30)
    finally:
        assert laptop.on(SERVER, f"rm {SHARED}/large")[0] == 0
    assert bucket.ids() == [backed_up]
    status = laptop.play(playbook="playbooks/status.yml", variables=ENABLED)
    told = "\n".join(next(r["msg"] for name, _, r in status.results() if name == "Show the state of the environment"))
    assert f"{SERVER}: the unit groundwork-backup.service failed" in told


@pytest.fixture
def full(laptop: Laptop) -> Iterator[None]:
    laptop.on(SERVER, f"fallocate -l $(($(df --output=avail --block-size=1 / | tail -1) - 100000000)) {FILL}")
    yield
    assert laptop.on(SERVER, f"rm -f {FILL}")[0] == 0


@pytest.mark.usefixtures("full")
def test_a_drill_without_room_fails_before_it_begins(laptop: Laptop, backed_up: str) -> None:
    drill = laptop.play(*ONLY, "--tags", "drill", playbook=BACKUP, variables=ENABLED)
    assert drill.code != 0
    [failure] = drill.failures()
    assert "The file system / has" in failure
    assert "and this run needs" in failure
    assert laptop.on(SERVER, "ls /var/tmp | grep groundwork | wc -l") == (0, "0")


@pytest.mark.usefixtures("full")
def test_a_backup_is_made_although_the_disk_is_nearly_full(laptop: Laptop, bucket: Bucket, backed_up: str) -> None:
    play = laptop.play(*ONLY, playbook=BACKUP, variables=ENABLED)
    assert play.code == 0, play.failures() or play.errors
    assert len(bucket.ids()) == 2


def test_a_restore_brings_rows_files_and_secrets_of_one_time(laptop: Laptop, bucket: Bucket, backed_up: str) -> None:
    secret = json.loads(bucket.get(backed_up, "app.secrets.json"))["APP_SECRET"]
    sql(laptop, "DELETE FROM kept WHERE id = 2; INSERT INTO kept VALUES (9, 'later'); CREATE TABLE later (id INT)")
    changed = f"echo second > {SHARED}/note; echo later > {SHARED}/later"
    assert laptop.on(SERVER, f"runuser -u site-app -- sh -c '{changed}'")[0] == 0
    rotate = {**ENABLED, "lamp_rotate": "app:APP_SECRET"}
    assert laptop.play(playbook="playbooks/rotate.yml", variables=rotate).code == 0
    environment = "grep ^APP_SECRET= /etc/groundwork/sites/app/environment"
    assert secret not in laptop.on(SERVER, environment)[1]

    chosen = {**ENABLED, **CONFIRMED, "restore_from": backed_up}
    play = laptop.play(playbook=RESTORE, variables=chosen)  # an id is of one server: the others stay
    assert play.code == 0, play.failures() or play.errors
    assert secret not in json.dumps(play.output)
    assert sql(laptop, "SELECT * FROM kept ORDER BY id") == "1\trow 1\n2\trow 2\n3\trow 3"
    assert sql(laptop, "SHOW TABLES LIKE 'later'") == ""
    later = f"ls {SHARED} /srv/www/app | grep -E 'later|before|restor' | wc -l"
    assert laptop.on(SERVER, f"cat {SHARED}/note; {later}") == (0, "first\n0")
    for server in (SERVER, "public-1"):
        assert secret in laptop.on(server, environment)[1]
    assert laptop.on(SERVER, f"stat --format=%U:%G {SHARED}/note") == (0, "site-app:site-app")
    safety = bucket.ids()[-1]
    assert safety.endswith(f"-{SERVER}-safety")
    rows = json.loads(bucket.get(safety, MANIFEST))["sites"]["app"]["database"]["tables"]
    assert (rows["kept"]["rows"], "later" in rows) == (ROWS, True), "what was there before is in a backup"
    again = laptop.play(variables=ENABLED)
    assert (again.code, again.changes()) == (0, []), again.failures()


def visit(laptop: Laptop) -> tuple[int, str]:
    """Let the site write into its database, and return the exit code and what it said."""
    command = "php -r 'require \"src/visits.php\"; echo count_visit();'"
    return laptop.on(SERVER, f"groundwork-site app -- {command}")


def test_a_site_writes_after_the_restore(laptop: Laptop, site: Site, backed_up: str) -> None:
    code, said = visit(laptop)
    assert (code, said.isdecimal()) == (0, True), said


def test_the_newest_is_not_what_was_there_before_a_restore(laptop: Laptop, bucket: Bucket, backed_up: str) -> None:
    safety = bucket.ids()[-1]
    for given, chosen in (("newest", bucket.ids()[-2]), (safety, safety)):
        variables = {**ENABLED, **CONFIRMED, "restore_from": given}
        play = laptop.play(*ONLY, "--check", playbook=RESTORE, variables=variables)
        assert play.code == 0, play.failures() or play.errors
        assert shown(play, "Show what is restored").startswith(f"{chosen}, ")


def test_an_interrupted_restore_is_in_no_backup_until_it_is_repeated(
    laptop: Laptop, bucket: Bucket, backed_up: str
) -> None:
    """A restore that was killed leaves an incomplete database, and a mark that keeps it out of backups."""
    mark = {"app": {"backup": backed_up, "safety": bucket.ids()[-1]}}
    sql(laptop, "CREATE USER report@localhost; GRANT SELECT ON app.* TO report@localhost; DELETE FROM kept")
    assert laptop.on(SERVER, "mariadb --execute 'REVOKE ALL PRIVILEGES ON app.* FROM app@localhost'")[0] == 0
    assert laptop.on(SERVER, f"echo '{json.dumps(mark)}' > {MARKS}")[0] == 0
    assert visit(laptop)[0] != 0
    count = len(bucket.ids())
    refused = laptop.play(*ONLY, playbook=BACKUP, variables=ENABLED)
    [failure] = refused.failures()
    assert "No backup was made: app: Its restore was interrupted, and its data are incomplete" in failure
    assert f"restore_from={backed_up} and restore_site=app" in failure
    status = laptop.play(playbook="playbooks/status.yml", variables=ENABLED)
    told = "\n".join(next(r["msg"] for name, _, r in status.results() if name == "Show the state of the environment"))
    assert f"{SERVER}: the restore of app is not complete, and it gets into no backup" in told

    play = laptop.play(*ONLY, playbook=RESTORE, variables={**ENABLED, **CONFIRMED, "restore_from": backed_up})
    assert play.code == 0, play.failures() or play.errors
    assert len(bucket.ids()) == count, "half a database is no backup"
    assert sql(laptop, "SELECT COUNT(*) FROM kept") == str(ROWS)
    code, said = visit(laptop)
    assert (code, said.isdecimal()) == (0, True), said
    assert "GRANT SELECT ON `app`.* TO `report`@`localhost`" in sql(laptop, "SHOW GRANTS FOR report@localhost")
    sql(laptop, "DROP USER report@localhost")
    good = laptop.play(*ONLY, playbook=BACKUP, variables=ENABLED)
    assert good.code == 0, good.failures()


def test_beside_what_is_there(laptop: Laptop, bucket: Bucket, backed_up: str) -> None:
    sql(laptop, "UPDATE kept SET words = 'now' WHERE id = 1")
    chosen = {**ENABLED, "restore_from": backed_up, "restore_site": "app", "restore_beside": True}
    count = len(bucket.ids())
    play = laptop.play(*ONLY, playbook=RESTORE, variables=chosen)
    assert play.code == 0, play.failures() or play.errors
    aside = f"/srv/www/app/restored-{backed_up}"
    assert {f"{SERVER}: create database app_restored_from_backup", f"{SERVER}: create shared files {aside}"} == set(
        play.changes()
    )
    assert sql(laptop, "SELECT words FROM kept WHERE id = 1") == "now"
    assert sql(laptop, "SELECT words FROM kept WHERE id = 1", "app_restored_from_backup") == "row 1"
    assert laptop.on(SERVER, f"cat {aside}/uploads/note") == (0, "first")
    assert len(bucket.ids()) == count, "nothing is replaced, so no backup is made first"
    again = laptop.play(*ONLY, playbook=RESTORE, variables=chosen)
    [failure] = again.failures()
    assert "An earlier restore is still there: the database app_restored_from_backup" in failure
    assert laptop.on(SERVER, f"mariadb --execute 'DROP DATABASE app_restored_from_backup' && rm -r {aside}")[0] == 0


def test_without_the_permission_the_failure_is_told(laptop: Laptop, bucket: Bucket, backed_up: str) -> None:
    iam = laptop.client("iam")
    own = {"RoleName": f"{ENVIRONMENT}-{TIER}", "PolicyName": "groundwork"}
    policy = iam.get_role_policy(**own)["PolicyDocument"]
    nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    count = len(bucket.ids())
    iam.put_role_policy(**own, PolicyDocument=json.dumps(nothing))
    try:
        play = laptop.play(*ONLY, playbook=BACKUP, variables=ENABLED)
    finally:
        iam.put_role_policy(**own, PolicyDocument=json.dumps(policy))
    assert play.code != 0
    [failure] = play.failures()
    assert failure.startswith("No backup was made: app: Could not write app.")
    assert "answered 403 AccessDenied" in failure
    assert len(bucket.ids()) == count
    status = laptop.play(playbook="playbooks/status.yml", variables=ENABLED)
    told = "\n".join(next(r["msg"] for name, _, r in status.results() if name == "Show the state of the environment"))
    newest = [one for one in bucket.ids() if not one.endswith("-safety")][-1]
    assert f"{SERVER}: the newest backup is {newest}; the last attempt failed at 20" in told
    good = laptop.play(*ONLY, playbook=BACKUP, variables=ENABLED)
    assert good.code == 0, good.failures()
    assert len(bucket.ids()) == count + 1


def test_a_teardown_keeps_the_backups_and_says_so(laptop: Laptop, bucket: Bucket, backed_up: str) -> None:
    for given, kept in (({}, True), ({"teardown_buckets": True}, True), ({"teardown_backups": True}, False)):
        variables = {**ENABLED, **CONFIRMED, **given}
        play = laptop.play("--check", playbook="playbooks/teardown.yml", variables=variables)
        assert play.code == 0, play.failures()
        told = json.dumps([r.get("msg") for name, _host, r in play.results() if "Show what is kept" in name])
        assert (f"{bucket.name} " in told and "-e teardown_backups=true removes it." in told) is kept
        assert (f"localhost: delete bucket {bucket.name}" in play.changes()) is not kept
