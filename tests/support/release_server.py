"""A server with releases of one site, in a folder."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.services import Services
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.transaction import Journal
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.packing import Source, pack
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.pages import Answer, Page
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.serving import Releases

OWNER, PRIVATE = "nobody", "daemon"  # accounts of every Debian


@dataclass
class FakeServices:
    acted: list[str] = field(default_factory=list)
    broken: BaseException | None = None

    def act(self, action: str, names: Sequence[str]) -> None:
        self.acted.append(f"{action} {' '.join(names)}")
        if self.broken:
            broken, self.broken = self.broken, None
            raise broken


@dataclass
class Server:
    root: Path
    services: FakeServices = field(default_factory=FakeServices)

    def packed(self, text: str, keep: int = 2) -> Release:
        app = self.root / "source"
        (app / "public").mkdir(parents=True, exist_ok=True)
        (app / "public" / "index.php").write_text(text)
        (app / "run.sh").write_text("#!/bin/sh")
        (app / "run.sh").chmod(0o755)
        made = pack("app", Source(str(app)), self.root / "cache", run, check_mode=False)
        group = grp.getgrgid(os.getgid()).gr_name
        return Release(
            name="app",
            path=str(self.site),
            id=made["id"],
            archive=made["archive"],
            owner=OWNER,
            group=group,
            private_group=PRIVATE,
            keep=keep,
            reload=("php8.2-fpm",),
        )

    @property
    def site(self) -> Path:
        return self.root / "app"

    def unpacked(self, release: Release) -> Release:
        """Return a release whose archive is not on the controller."""
        return replace(release, archive="", mend=False)

    def converge(self, release: Release, check_mode: bool = False) -> dict[str, Any]:
        return self.releases().converge([release], check_mode=check_mode)

    def releases(self, ask: Callable[[Collection[Page]], list[Answer]] = lambda _: []) -> Releases:
        return Releases(cast(Services, self.services), Journal(self.root / "journal.json"), ask)

    def served(self) -> str:
        return (self.site / "current" / "public" / "index.php").read_text()

    def kept(self) -> list[str]:
        """Return what is in the folder of the releases, without their records."""
        return sorted(path.name for path in (self.site / "releases").iterdir() if path.suffix != ".files")


def open_way(folder: Path) -> None:
    """Let other accounts come into a folder: pytest's own are for their owner alone."""
    for place in (folder, *folder.parents):
        mode = place.stat().st_mode & 0o7777
        if not mode & 0o001:
            place.chmod(mode | 0o011)


def rights(folder: Path) -> dict[str, tuple[str, str, int]]:
    """Owner, group and mode of everything in a folder, and of itself."""
    paths = [folder, *folder.rglob("*")]
    return {
        path.relative_to(folder).as_posix(): (
            path.owner() if not path.is_symlink() else pwd.getpwuid(path.lstat().st_uid).pw_name,
            grp.getgrgid(path.lstat().st_gid).gr_name,
            path.lstat().st_mode & 0o777,
        )
        for path in paths
    }
