"""Searching everything that runs leave on the controller and on servers, and what processes are called with."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from watching import watching

from groundwork_lab.settings import from_environment

PLACES = ("etc", "home", "root", "run", "srv", "tmp", "var")
# Where a server needs the secret: root alone can read the first, root and the site itself the second.
NEEDED = re.compile(
    r"etc/php/[0-9.]+/fpm/pool\.d/groundwork-[a-z0-9-]+\.secret\.conf|etc/groundwork/sites/[a-z0-9-]+/environment"
)


def host_of(instance: str) -> int:
    """Return the process of systemd-nspawn whose host the instance is."""
    wanted = f"--machine={from_environment().name}-{instance}".encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            words = path.read_bytes().split(b"\0")
            if words[0] == b"systemd-nspawn" and wanted in words:
                return int(path.parent.name)
    raise AssertionError(f"no host {instance}")


def _forms(word: str) -> Iterator[str]:
    """Return a word of letters and digits as it is, which no escaping changes, in hexadecimal, and in base64."""
    raw = word.encode()
    yield word
    yield raw.hex()
    for before in range(3):  # in base64 it depends on what comes before; the ends depend on what is beside it
        yield base64.b64encode(b"\0" * before + raw).decode().rstrip("=")[4 if before else 0 : -1]


class Leaks:
    """A search for words of letters and digits that are in secrets and nowhere else."""

    def __init__(self, folder: Path, words: Iterable[str]) -> None:
        self._patterns = folder / "patterns"
        self._forms = sorted({form for word in words for form in _forms(word)})
        self._patterns.write_text("\n".join(self._forms))

    def in_text(self, text: str) -> list[str]:
        """Return the lines with a secret."""
        return [line for line in text.splitlines() if any(form in line for form in self._forms)]

    def below(self, *folders: Path) -> list[str]:
        """Return the files with a secret."""
        argv = ["grep", "--recursive", "--files-with-matches", "--text", "--fixed-strings", "--no-messages"]
        argv += [f"--file={self._patterns}", *(str(folder) for folder in folders if folder.is_dir())]
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.splitlines()

    def on_server(self, instance: str) -> list[str]:
        """Return what has a secret on a server, its journal included, apart from the files that need it."""
        nspawn = host_of(instance)
        leader = Path(f"/proc/{nspawn}/task/{nspawn}/children").read_text().split()[0]
        root = Path(f"/proc/{leader}/root")
        argv = ["journalctl", f"--directory={root}/var/log/journal", "--all", "--output=cat", "--no-pager"]
        journal = subprocess.run(argv, capture_output=True, check=True).stdout.decode(errors="replace")
        assert "groundwork" in journal, "this is not the journal of a server that was configured"
        found = [path.removeprefix(f"{root}/") for path in self.below(*(root / place for place in PLACES))]
        return self.in_text(journal) + [path for path in found if not NEEDED.fullmatch(path)]

    @contextmanager
    def watching_processes(self) -> Iterator[set[str]]:
        """Look at the arguments and environments of all processes meanwhile, those on servers included."""
        seen: set[str] = set()
        patterns = [form.encode() for form in self._forms]

        def look() -> None:
            for name in ("cmdline", "environ"):
                for path in Path("/proc").glob(f"[0-9]*/{name}"):
                    with suppress(OSError):  # it has just ended
                        content = path.read_bytes()
                        if any(form in content for form in patterns):
                            seen.add(f"{name}: {content[:200]!r}")

        with watching(look):
            yield seen
