# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names that one topic defines and others refer to."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


class Admitted(t.NamedTuple):
    """A range of TCP ports to which a security group admits a CIDR block, a group or a prefix list."""

    peer: str
    first: int
    last: int


@dataclass(frozen=True)
class Known:
    """The names that other roles define. None means that they are not known."""

    tiers: t.Collection[str] | None = None
    subnets: t.Collection[str] | None = None
    security_groups: t.Collection[str] | None = None
    admitted: t.Mapping[str, t.Collection[Admitted]] | None = None  # by security group
    public_subnets: t.Collection[str] | None = None
    subnet_prefixes: t.Mapping[str, int] = field(default_factory=dict)  # of the CIDR blocks, by subnet
    target_groups: t.Collection[str] | None = None
    balanced: t.Collection[str] | None = None  # target groups to which a load balancer forwards
    servers: t.Mapping[str, t.Sequence[str]] | None = None  # numbered servers, by tier
    groups: t.Sequence[str] = ()  # tiers that are Auto Scaling groups
    booting: t.Sequence[str] = ()  # those of them whose servers configure themselves
    images: t.Mapping[str, str] = field(default_factory=dict)  # names by tier, "" if it may be promoted
    zone: str = ""  # in which names are managed
    host_names: t.Mapping[str, str] = field(default_factory=dict)  # the variable of each name of a load balancer
    site_bucket: str = ""  # of the static site
    shares_files: bool = False  # whether a site's shared folders are the same on all servers
    database_clients: t.Sequence[str] = ()  # the security groups that may connect to MariaDB
    managed_database: bool = False  # whether the sites have their databases on RDS


NOTHING_KNOWN = Known()
