# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Get the objects of a backup by presigned URLs, and compare them with what the manifest says.

The server itself may not read backups. So whoever takes over a server reads no older data than those that are on it.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import ssl
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.making import FORMAT, MANIFEST
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.fetching import AUTHORITIES, WORDS
from ansible_collections.groundwork.aws.plugins.module_utils.host.mariadb import IDENTIFIER

CHUNK = 1024**2
TIMEOUT = 60.0  # seconds for the next bytes
ATTEMPTS = 3
OBJECT = re.compile(r"[a-z0-9][a-z0-9-]*\.(sql\.gz|files\.tar\.gz|secrets\.json)")

Facts = dict[str, t.Any]


class DamagedError(GroundworkError):
    """A backup is not what its manifest says."""


def to_host(host: str) -> http.client.HTTPConnection:
    """Return a connection to S3, whose certificate is verified."""
    context = ssl.create_default_context(cafile=AUTHORITIES)
    return http.client.HTTPSConnection(host, timeout=TIMEOUT, context=context)


def is_sound(manifest: t.Any) -> bool:
    """Return whether a manifest has what is read of it, with names that are safe in paths and in SQL. Pure.

    A server can write its own manifests, and somebody may have taken over that server.
    """
    try:
        parts = [part for site in manifest["sites"].values() for part in site.values() if isinstance(part, dict)]
        databases = [site["database"] for site in manifest["sites"].values() if "database" in site]
        names = [one[key] for one in databases for key in ("name", "character_set", "collation")]
        return (
            manifest["format"] == FORMAT
            and all(OBJECT.fullmatch(part["object"]) and len(part["sha256"]) == 64 for part in parts)
            and all(part["size"] >= 0 for part in parts)
            and all(IDENTIFIER.fullmatch(name) for name in names)
            and all(table["rows"] >= 0 and table["digest"] for one in databases for table in one["tables"].values())
            and all(one["plain"] >= 0 for one in databases)
            and all(isinstance(words, str) for words in manifest.get("failed", {}).values())
            and bool(manifest["id"] and manifest["finished"])
        )
    except (AttributeError, KeyError, TypeError):
        return False


class Objects:
    """The objects of one backup. `urls` are presigned, by the name of the object, and in no message."""

    def __init__(
        self,
        identity: str,
        urls: t.Mapping[str, str],
        connect: t.Callable[[str], http.client.HTTPConnection] = to_host,
    ) -> None:
        self.identity = identity
        self._urls = urls
        self._connect = connect

    def manifest(self) -> Facts:
        """Return the manifest. Raise GroundworkError."""
        try:
            found = json.loads(b"".join(self._read(MANIFEST)))
        except ValueError as error:
            raise DamagedError(f"The manifest of the backup {self.identity} is damaged: {error}.") from error
        if not is_sound(found) or found["id"] != self.identity:
            raise DamagedError(f"The manifest of the backup {self.identity} is damaged, or not one of this version.")
        return t.cast(Facts, found)

    def get(self, facts: t.Mapping[str, t.Any], path: Path) -> None:
        """Write an object to a new file that only root can read. Raise DamagedError if it is not what was written."""
        name, digest, size = facts["object"], hashlib.sha256(), 0
        with open(path, "wb", opener=_private) as file:
            for data in self._read(name):
                digest.update(data)
                size += len(data)
                file.write(data)
        if size != facts["size"]:
            raise DamagedError(f"{name} of the backup {self.identity} has {size} bytes instead of {facts['size']}.")
        if digest.hexdigest() != facts["sha256"]:
            raise DamagedError(f"{name} of the backup {self.identity} has another content than what was written.")

    def _read(self, name: str) -> t.Iterator[bytes]:
        """Yield the content of an object. Raise GroundworkError, with AWS' words and without the URL."""
        if name not in self._urls:
            raise DamagedError(f"{name} of the backup {self.identity} does not exist any more.")
        url = urlsplit(self._urls[name])
        for attempt in range(1, ATTEMPTS + 1):
            connection = self._connect(url.netloc)
            begun = False
            try:
                connection.request("GET", f"{url.path}?{url.query}")
                response = connection.getresponse()
                if response.status != 200:
                    said = response.read(4096).decode(errors="replace")
                    words = ": ".join("".join(pair) for pair in WORDS.findall(said)) or response.reason
                    way = " The URLs of a backup are valid for some hours. Run again." if response.status == 403 else ""
                    raise GroundworkError(f"Could not read {name} of {self.identity}: {response.status} {words}.{way}")
                while data := response.read(CHUNK):
                    begun = True
                    yield data
                if response.length:  # the connection ended before the content
                    raise http.client.IncompleteRead(b"", response.length)
                return
            except (OSError, http.client.HTTPException) as error:
                if begun or attempt == ATTEMPTS:
                    told = f"{type(error).__name__}: {error}"
                    raise GroundworkError(f"Could not read {name} of {self.identity}: {told}. Run again.") from error
            finally:
                connection.close()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)
