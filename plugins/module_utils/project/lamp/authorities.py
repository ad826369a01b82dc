# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificate authorities of Amazon RDS on a server: a service that fetches them at each boot, for the sites."""

from __future__ import annotations

import typing as t

Options = dict[str, t.Any]
Render = t.Callable[[str, t.Mapping[str, t.Any]], str]

BUNDLE = "/etc/ssl/groundwork-database.pem"
SERVICE = "groundwork-database-ca"
PROGRAM = f"/usr/local/sbin/{SERVICE}"
UNIT = f"/etc/systemd/system/{SERVICE}.service"
PURGE = [{"pattern": path} for path in (UNIT, PROGRAM)]


def files(render: Render, url: str) -> list[Options]:
    """Return the program that fetches the bundle of authorities from this URL, and its service."""
    context = {"url": url, "bundle": BUNDLE, "program": PROGRAM}
    touch = {"restart": [SERVICE]}
    program = f"#!/usr/bin/python3\n{render('database.ca.py.j2', context)}"
    return [
        {"path": PROGRAM, "content": program, "mode": "0755", **touch},
        {"path": UNIT, "content": render("database.ca.service.j2", context), **touch},
    ]


def services() -> list[Options]:
    """Return the service."""
    return [{"name": SERVICE}]
