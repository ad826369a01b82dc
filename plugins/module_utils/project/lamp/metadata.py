# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packet filter that keeps the accounts of sites away from the instance metadata service (docs/decisions/0036).

A server of an Auto Scaling group has a role, whose credentials the service gives to every process of the server.
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import Folders

SERVICE = "groundwork-metadata"
PACKAGE = "nftables"
UNITS = "/etc/systemd/system"
RULES = "/etc/groundwork/metadata.nft"
TABLE = ("inet", "groundwork_metadata")
APACHE_ACCOUNT = "www-data"  # a .htaccess file can make Apache request any address for a site

Options = dict[str, t.Any]
Render = t.Callable[[str, t.Mapping[str, t.Any]], str]


class Site(t.Protocol):
    """The properties of a site that this module needs."""

    @property
    def runner(self) -> str:
        """Return the account of the site's processes."""

    @property
    def uid(self) -> int:
        """Return the number that the account has if its files are on several servers."""

    @property
    def folders(self) -> Folders:
        """Return what the site can write."""

    @property
    def instance_metadata(self) -> bool:
        """Return whether the site asks for the instance metadata service."""


def kept_away(sites: t.Iterable[Site]) -> list[str]:
    """Return the accounts that cannot reach the service: Apache's, and those of the sites that do not ask for it."""
    return [APACHE_ACCOUNT, *(site.runner for site in sites if not site.instance_metadata)]


def files(render: Render, sites: t.Iterable[Site], apache: str) -> list[Options]:
    """Return the files of the packet filter, of its unit, and of Apache's dependency on the unit."""
    numbers = [f"{site.runner} {site.uid}" for site in sites if site.folders.files]
    context = {
        "accounts": kept_away(sites),
        "numbers": numbers,
        "rules": RULES,
        "service": SERVICE,
        "table": " ".join(TABLE),
    }
    return [
        {"path": "/etc/groundwork", "state": "directory"},
        {"path": RULES, "content": render("metadata.nft.j2", context), "reload": [SERVICE]},
        {"path": f"{UNITS}/{SERVICE}.service", "content": render("metadata.service.j2", context)},
        {"path": f"{UNITS}/{PACKAGE}.service.d", "state": "directory"},
        {
            "path": f"{UNITS}/{PACKAGE}.service.d/groundwork.conf",
            "content": render("metadata.nftables.conf.j2", context),
        },
        {"path": f"{UNITS}/{apache}.service.d", "state": "directory"},
        {"path": f"{UNITS}/{apache}.service.d/groundwork.conf", "content": render("metadata.needs.conf.j2", context)},
    ]


def service() -> Options:
    """Return the unit as a service of the module `server`. It is reloaded if the table was removed."""
    return {"name": SERVICE, "check": ["nft", "list", "chain", *TABLE, "output"]}


def validator() -> Options:
    """Return the check of the rules before they are put in place."""
    return {"argv": ["nft", "--check", "--file", RULES], "services": [SERVICE]}
