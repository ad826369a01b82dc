"""DB snapshots: copies of volumes, with the place in the binary logs at which they were taken.

A restore to a point in time starts a server on such a copy, and lets it execute the binary logs until then.
https://mariadb.com/docs/server/server-usage/backup-and-restore/mariadb-enterprise-backup/pitr and mariadb-binlog(1)
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from groundwork_lab.model import DatabaseOrigin
from groundwork_lab.plane.databases import volumes
from groundwork_lab.plane.databases.config import BACKUP, Files
from groundwork_lab.plane.databases.programs import CLIENT, DatabaseError, session


class Place(NamedTuple):
    """A place in the binary logs: the folder of the server that wrote them, the name of the file, and the offset."""

    server: str
    file: str
    offset: int


class Epoch(NamedTuple):
    """The time since a standby became the primary: when it did, its place in the binary logs, and a copy of its volume.

    `began` is in seconds since the epoch of Unix.
    """

    began: float
    place: Place
    image: str


def read_epochs(folder: Path) -> list[Epoch]:
    """Return the epochs of the instance with this folder, in order."""
    file = folder / "epochs.json"
    told = json.loads(file.read_text(encoding="ascii")) if file.exists() else []
    return [Epoch(began, Place(*place), image) for began, place, image in told]


def add_epoch(folder: Path, epoch: Epoch) -> None:
    text = json.dumps([*read_epochs(folder), epoch])
    (folder / "epochs.json").write_text(text, encoding="ascii")


class Snapshots:
    """The snapshots of a lab, each in a folder with its id. They outlive their DB instances."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def exists(self, name: str) -> bool:
        return (self._folder / name).is_dir()

    def image(self, name: str) -> Path:
        return self._folder / name / "volume.ext4"

    def take(self, name: str, files: Files, *, running: bool, logged: bool) -> None:
        """Take a snapshot. Nothing is committed meanwhile, if the server runs. Raise DatabaseError or OSError."""
        unfinished = self._folder / f"{name}.new"
        shutil.rmtree(unfinished, ignore_errors=True)  # left over from a snapshot that was interrupted, or not there
        unfinished.mkdir(parents=True)
        place = None
        with ExitStack() as stack:
            if running:
                server = stack.enter_context(session(files.socket))
                server.ask(*BACKUP)
                place = place_of(files, server.ask("SHOW MASTER STATUS")) if logged else None
            stack.enter_context(volumes.frozen(files))
            volumes.copy(files.image, unfinished / "volume.ext4")
        if place is not None:
            (unfinished / "place.json").write_text(json.dumps(place), encoding="ascii")
        unfinished.rename(self._folder / name)

    def place(self, name: str) -> Place:
        """Return the place in the binary logs at which the snapshot was taken. Raise DatabaseError without one."""
        file = self._folder / name / "place.json"
        if not file.exists():
            message = f"The snapshot {name} was taken without binary logs."
            raise DatabaseError(message)
        return Place(*json.loads(file.read_text(encoding="ascii")))

    def base(self, origin: DatabaseOrigin, source: Path) -> tuple[Path, Place | None]:
        """Return the copy of a volume that a restore begins with, and the place from which binary logs are executed.

        After a failover it is the copy that was made then, because the new primary has binary logs of its own.
        """
        image = self.image(origin.snapshot)
        if origin.until is None:
            return image, None
        place = self.place(origin.snapshot)
        epochs = [each for each in read_epochs(source) if each.began <= origin.until.timestamp()]
        if epochs and epochs[-1].place.server != place.server:
            return Path(epochs[-1].image), epochs[-1].place
        return image, place

    def names(self) -> set[str]:
        return {each.name for each in self._folder.iterdir()} if self._folder.exists() else set()

    def delete(self, name: str) -> None:
        shutil.rmtree(self._folder / name)


def place_of(files: Files, rows: Sequence[str]) -> Place | None:
    """Return the place that a server tells with SHOW MASTER STATUS, or None if it has no binary logs."""
    if not rows:
        return None
    file, offset = rows[0].split("\t")[:2]
    return Place(str(files.folder), file, int(offset))


def logs_since(place: Place) -> list[Path]:
    """Return the binary logs of a server from a place on, in order."""
    files = Files(Path(place.server))
    names = sorted(each for each in files.logs.glob(f"{files.log_names.name}.[0-9]*"))
    return [each for each in names if each.name >= place.file]


def replay(place: Place, until: datetime, socket: Path) -> None:
    """Let the server at `socket` execute binary logs from a place until a time. Raise DatabaseError.

    A statement is executed if it began before the time, which is in whole seconds.
    """
    logs = logs_since(place)
    if not logs or logs[0].name != place.file:
        message = f"The binary log {place.file} of {place.server} is missing."
        raise DatabaseError(message)
    reading = [
        "mariadb-binlog",
        "--no-defaults",
        f"--start-position={place.offset}",
        f"--stop-datetime={until.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        *map(str, logs),
    ]
    writing = [*CLIENT, "--binary-mode", f"--socket={socket}"]
    environment = {**os.environ, "TZ": "UTC"}
    pipe = subprocess.PIPE
    with subprocess.Popen(reading, stdout=pipe, stderr=pipe, env=environment) as reader:
        written = subprocess.run(writing, check=False, stdin=reader.stdout, capture_output=True)
        words = (reader.communicate()[1] + written.stderr).decode(errors="replace").strip()
    if reader.returncode != 0 or written.returncode != 0:
        message = f"The binary logs could not be executed: {words[-500:]}"
        raise DatabaseError(message)
