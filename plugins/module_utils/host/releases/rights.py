# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Set the owners and modes of a release's files, and work with the rights of a site's account."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import is_within
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import served

MARK = ".groundwork-release"
CONFIGURE = "configure the site first (site.yml)"


def is_private(path: str) -> bool:
    """Return whether a member of a release is never served: PHP scripts, and names that begin with a dot.

    The web server must read .htaccess, .htpasswd and `MARK`, and serves the folder of RFC 8615.
    """
    if path == MARK:
        return False
    names = path.split("/")
    hidden = any(name.startswith(".") and name != ".well-known" and not name.startswith(".ht") for name in names)
    return hidden or names[-1].lower().endswith(".php")


@dataclass(frozen=True)
class Rights:
    """The owner and groups of a release's files, as numeric ids of this server.

    `served` are the paths that the web server serves. It can read no file of the others, because a site that can change
    what Apache serves can make Apache read other files (docs/decisions/0048).
    """

    owner: int
    group: int
    private_group: int
    served: frozenset[str]

    @classmethod
    def of(cls, release: Release, links: t.Mapping[str, str]) -> Rights:
        """Look up the accounts of a release with these links. Raise GroundworkError if an account does not exist."""
        paths = served(release.folders.web_root, links)
        return cls(uid_of(release.owner), gid_of(release.group), gid_of(release.private_group), paths)

    def give(self, path: Path, member: str) -> None:
        """Set owner, group and mode of a member, or of the release itself (""). A link is not followed."""
        mode = path.lstat().st_mode
        private = is_private(member) or (stat.S_ISREG(mode) and not self._is_read(member))
        os.chown(path, self.owner, self.private_group if private else self.group, follow_symlinks=False)
        if not stat.S_ISLNK(mode):
            path.chmod(0o750 if mode & stat.S_IXUSR else 0o640)

    def _is_read(self, member: str) -> bool:
        """Return whether the web server reads a file. Passwords of visitors (.htpasswd) can be anywhere."""
        return member == MARK or is_within(member, self.served) or member.rpartition("/")[2].startswith(".ht")


def uid_of(account: str) -> int:
    """Return the numeric id of an account. Raise GroundworkError if it does not exist."""
    try:
        return pwd.getpwnam(account).pw_uid
    except KeyError as error:
        raise GroundworkError(f"The account {account} does not exist on this server: {CONFIGURE}.") from error


def gid_of(group: str) -> int:
    """Return the numeric id of a group. Raise GroundworkError if it does not exist."""
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise GroundworkError(f"The group {group} does not exist on this server: {CONFIGURE}.") from error


@contextmanager
def acting_as(account: str) -> t.Iterator[None]:
    """Run a block with the rights of an account on files.

    In folders that a site can write, it could put a link into the way of a write by root.
    """
    uid = uid_of(account)
    gid, groups = pwd.getpwnam(account).pw_gid, os.getgroups()
    os.setgroups(os.getgrouplist(account, gid))
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
