"""Amazon RDS: DB instances of MariaDB, their groups, snapshots and backups. The state and its rules are the lab's own.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(client="rds", protocol="query", reach="lab")
