"""DB instances of RDS: a MariaDB server for each, in the namespace of its network interface."""

from __future__ import annotations

from groundwork_lab.plane.databases.manager import DatabaseManager
from groundwork_lab.plane.databases.programs import version
from groundwork_lab.plane.databases.truststore import TrustStore

__all__ = ["DatabaseManager", "TrustStore", "version"]
