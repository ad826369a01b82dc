# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dumps of MariaDB: the command, and a digest of each table that is the same before and after a restore.

`mariadb-dump` writes each row of an INSERT on a line of its own, with line breaks in values escaped. So the rows of a
table are counted, and digested, in the stream of the dump itself: they are those of its snapshot, whatever is written
meanwhile. Only Python's standard library, because the text of this file is also part of a program.
"""

from __future__ import annotations

import hashlib
import re
import typing as t

CREATES = re.compile(rb"CREATE TABLE `((?:[^`]|``)+)` \(")
INSERTS = re.compile(rb"INSERT INTO `((?:[^`]|``)+)` ")
DELIMITER = b"DELIMITER "
END = b"-- Dump completed"
LARGEST_PACKET = 1024**3  # bytes, MariaDB's limit. A row in hexadecimal digits is twice as long as the row.
DIGEST_BYTES = 32

Table = dict[str, t.Any]  # `rows`, and `digest` in hexadecimal digits


def as_root(program: str, socket: str, *more: str) -> list[str]:
    """Return the command of a program of MariaDB as root, without option files: these could set another user."""
    packet = f"--max-allowed-packet={LARGEST_PACKET}"
    return [program, "--no-defaults", "--user=root", "--protocol=socket", f"--socket={socket}", packet, *more]


def dump_argv(socket: str, database: str, *more: str) -> list[str]:
    """Return the command that dumps a database in one snapshot, with its code, and without its name.

    https://mariadb.com/kb/en/mariadb-dump/
    """
    consistent = ("--single-transaction", "--quick", "--skip-lock-tables")
    code = ("--routines", "--triggers", "--events")
    form = ("--hex-blob", "--default-character-set=utf8mb4")
    return as_root("mariadb-dump", socket, *consistent, *code, *form, *more, database)


class Digests:
    """The tables of a dump, and for each its rows and their digest, from the lines of the dump in their order.

    The digest is the sum of the SHA-256 digests of the rows, so that it does not depend on their order. Bodies of
    routines and triggers are between lines with DELIMITER, and are left out.
    """

    def __init__(self) -> None:
        self.complete = False
        self._rows: dict[bytes, int] = {}
        self._sums: dict[bytes, int] = {}
        self._table: bytes | None = None  # into which the next rows are inserted
        self._code = False

    def line(self, line: bytes) -> None:
        """Take the next line of the dump, with its line break."""
        if self._table is not None and line[:1] == b"(":
            self._row(line.rstrip(b"\n"))
        elif line[: len(DELIMITER)] == DELIMITER:
            self._code = line.strip() != b"DELIMITER ;"
        elif self._code:
            return
        elif found := INSERTS.match(line):
            self._table = found[1]
        elif found := CREATES.match(line):
            self._rows.setdefault(found[1], 0)
            self._sums.setdefault(found[1], 0)
        elif line[: len(END)] == END:
            self.complete = True

    def _row(self, line: bytes) -> None:
        table = t.cast(bytes, self._table)
        if line[-1:] == b";":
            self._table = None
        self._rows[table] = self._rows.get(table, 0) + 1
        digest = int.from_bytes(hashlib.sha256(line[:-1]).digest(), "big")
        self._sums[table] = (self._sums.get(table, 0) + digest) % (1 << 8 * DIGEST_BYTES)

    def tables(self) -> dict[str, Table]:
        """Return the tables by name."""
        return {
            name.decode(errors="replace").replace("``", "`"): {
                "rows": rows,
                "digest": f"{self._sums[name]:0{2 * DIGEST_BYTES}x}",
            }
            for name, rows in sorted(self._rows.items())
        }


def differences(wanted: t.Mapping[str, Table], found: t.Mapping[str, Table]) -> list[str]:
    """Return how the tables of a restored database differ from those that were dumped."""
    lacking = [f"the table {name} is missing" for name in wanted if name not in found]
    more = [f"the table {name} is not in the backup" for name in found if name not in wanted]
    changed = []
    for name in sorted(wanted.keys() & found.keys()):
        before, after = wanted[name], found[name]
        if before["rows"] != after["rows"]:
            changed.append(f"the table {name} has {after['rows']} rows instead of {before['rows']}")
        elif before["digest"] != after["digest"]:
            changed.append(f"the table {name} has other content")
    return [*lacking, *more, *changed]
