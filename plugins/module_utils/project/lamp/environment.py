# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment of a site for its commands: a file with everything that the site's PHP gets, and a launcher.

The variables of a php-fpm pool do not reach the command line. systemd reads the file by EnvironmentFile=, and a shell
by `.`. Only root and the site's processes can read it: the web server is in the site's own group, and a site can make
it read a file, but not in that of the owner of the site's releases.
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import (
    PARAMETER,
    environment_quoted,
    php_fpm_unquoted,
)
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.php import EMPTY_VARIABLE

FOLDER = "/etc/groundwork/sites"
LAUNCHER = "/usr/local/bin/groundwork-site"
PATTERN = f"{FOLDER}/*/environment"

Options = dict[str, t.Any]
Variables = t.Mapping[str, str]
Render = t.Callable[[str, t.Mapping[str, t.Any]], str]


class Site(t.Protocol):
    """The properties of a site that this module needs."""

    @property
    def name(self) -> str:
        """Return the name."""

    @property
    def folder(self) -> str:
        """Return the folder of the site on a server."""

    @property
    def runner(self) -> str:
        """Return the account of the site's processes."""

    @property
    def owner(self) -> str:
        """Return the account of the site's releases. Of all processes only the site's are in its group."""


def launcher(render: Render, root: str) -> Options:
    """Return the program that runs a command as a site. `root` is the folder of all sites."""
    context = {"environments": FOLDER, "root": root}
    return {"path": LAUNCHER, "content": render("site.sh.j2", context), "mode": "0755"}


def folder(site: Site) -> Options:
    """Return the folder for what is known of a site on a server."""
    return {"path": f"{FOLDER}/{site.name}", "state": "directory", "mode": "0750", "group": site.owner}


def path_of(site: str) -> str:
    """Return the path of the file of a site's variables."""
    return f"{FOLDER}/{site}/environment"


def file(site: Site, pool: Variables, workers: t.Sequence[str] = ()) -> Options:
    """Return the file of a site's variables. `pool` are the variables as they are in its pool.

    `workers` are the services of the site, which read the file when they start.
    """
    own = {"mode": "0640", "group": site.owner, "restart": list(workers)}
    return {"path": path_of(site.name), "content": text(site, pool), **own}


def text(site: Site, pool: Variables) -> str:
    """Return the content of the file. php-fpm sets HOME itself."""
    variables = {"HOME": environment_quoted(site.folder), **{name: _rewritten(value) for name, value in pool.items()}}
    lines = (f"{name}={value}\n" for name, value in sorted(variables.items()))
    return "".join(["# Managed by groundwork.aws. The next run replaces changes.\n", *lines])


def _rewritten(value: str) -> str:
    """Return a value of a pool as it is written into the file."""
    if value == EMPTY_VARIABLE:
        return environment_quoted("")
    if found := PARAMETER.fullmatch(value):
        return f"@groundwork(parameter:{found[1]}|environment)@"
    return environment_quoted(php_fpm_unquoted(value))
