"""A VPC with a DB subnet group, and RDS' client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from control_plane import Lab

PASSWORD = "correct-horse"


@dataclass
class Site:
    """A VPC with subnets in three zones, a DB subnet group of two of them, and a security group."""

    lab: Lab
    rds: Any
    vpc: str
    subnets: list[str]
    group: str

    def request(self, **options: Any) -> dict[str, Any]:
        """Return the members of a valid CreateDBInstance, with those of `options`; None removes one."""
        request: Mapping[str, Any] = {
            "DBInstanceIdentifier": "site",
            "Engine": "mariadb",
            "DBInstanceClass": "db.t3.micro",
            "AllocatedStorage": 20,
            "MasterUsername": "admin",
            "MasterUserPassword": PASSWORD,
            "DBSubnetGroupName": "site",
            "VpcSecurityGroupIds": [self.group],
            **options,
        }
        return {name: value for name, value in request.items() if value is not None}

    def create(self, **options: Any) -> dict[str, Any]:
        """Create a DB instance, and return it when it is available."""
        self.rds.create_db_instance(**self.request(**options))
        self.settle()
        return self.told(options.get("DBInstanceIdentifier", "site"))

    def settle(self) -> None:
        """Report that the data plane has applied everything, until no state follows. Plain moto needs no report."""
        for _ in range(4 if type(self.lab.plane).__name__ == "ControlPlane" else 0):
            self.lab.plane.reconciled(self.lab.plane.snapshot())

    def told(self, name: str = "site") -> dict[str, Any]:
        return dict(self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0])

    def status(self, name: str = "site") -> str:
        return str(self.told(name)["DBInstanceStatus"])

    def refused(self, code: str, **options: Any) -> str:
        """Send a CreateDBInstance that must be refused, and return the message."""
        return self.lab.refused(code, self.rds.create_db_instance, **self.request(**options))

    def modify(self, **options: Any) -> dict[str, Any]:
        return dict(self.rds.modify_db_instance(DBInstanceIdentifier="site", **options)["DBInstance"])


@pytest.fixture
def site(lab: Lab) -> Site:
    vpc = lab.vpc()
    subnets = [lab.subnet(vpc, f"10.0.{number}.0/24", zone) for number, zone in enumerate("abc")]
    rds = lab.client("rds")
    rds.create_db_subnet_group(DBSubnetGroupName="site", DBSubnetGroupDescription="site", SubnetIds=subnets[:2])
    return Site(lab, rds, vpc, subnets, lab.group(vpc, "database"))
