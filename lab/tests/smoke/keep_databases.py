"""Create, fail over and restore DB instances with boto3 on the lab's internet. Print what a test needs as JSON.

keep_databases.py create
keep_databases.py fail-over
keep_databases.py restore TIME
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import boto3
from build_site import newest_debian

ec2, rds = boto3.client("ec2"), boto3.client("rds")
QUICK = {"Delay": 1, "MaxAttempts": 120}
PASSWORD = "correct-horse"


def create() -> dict[str, Any]:
    """Create a Multi-AZ deployment, and a server in the group that reaches it, whose network interface is returned."""
    vpc = ec2.create_vpc(CidrBlock="10.60.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.60.{number}.0/24", AvailabilityZone=f"eu-central-1{zone}")[
            "Subnet"
        ]["SubnetId"]
        for number, zone in enumerate("ab")
    ]
    app, database = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("app", "db")
    )
    port = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "UserIdGroupPairs": [{"GroupId": app}]}
    ec2.authorize_security_group_ingress(GroupId=database, IpPermissions=[port])
    [client] = ec2.run_instances(
        ImageId=newest_debian(),
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnets[0],
        SecurityGroupIds=[app],
    )["Instances"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[client["InstanceId"]], WaiterConfig=QUICK)
    rds.create_db_subnet_group(DBSubnetGroupName="site", DBSubnetGroupDescription="site", SubnetIds=subnets)
    rds.create_db_instance(
        DBInstanceIdentifier="site",
        Engine="mariadb",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="admin",
        MasterUserPassword=PASSWORD,
        DBName="shop",
        DBSubnetGroupName="site",
        VpcSecurityGroupIds=[database],
        MultiAZ=True,
    )
    interface = client["NetworkInterfaces"][0]["NetworkInterfaceId"]
    return {"interface": interface, "group": database, "site": available("site")}


def available(name: str) -> dict[str, Any]:
    """Return the instance when it is available."""
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig=QUICK)
    [told] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    return {each: told.get(each) for each in ("Endpoint", "AvailabilityZone", "SecondaryAvailabilityZone")}


def fail_over() -> dict[str, Any]:
    rds.reboot_db_instance(DBInstanceIdentifier="site", ForceFailover=True)
    return available("site")


def restore(time: str) -> dict[str, Any]:
    """Restore the instance to a time, and delete the restored instance's source of rows."""
    [told] = rds.describe_db_instances(DBInstanceIdentifier="site")["DBInstances"]
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier="site",
        TargetDBInstanceIdentifier="copy",
        RestoreTime=datetime.fromisoformat(time),
        DBSubnetGroupName="site",
        VpcSecurityGroupIds=[told["VpcSecurityGroups"][0]["VpcSecurityGroupId"]],
    )
    return available("copy")


def delete() -> list[str]:
    """Delete the instances, and return what is left."""
    for name in ("site", "copy"):
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    for name in ("site", "copy"):
        rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier=name, WaiterConfig=QUICK)
    owned = [{"Name": "description", "Values": ["RDSNetworkInterface"]}]
    return [each["NetworkInterfaceId"] for each in ec2.describe_network_interfaces(Filters=owned)["NetworkInterfaces"]]


PHASES: dict[str, Callable[..., Any]] = {
    "create": create,
    "fail-over": fail_over,
    "restore": restore,
    "delete": delete,
}

if __name__ == "__main__":
    print(json.dumps(PHASES[sys.argv[1]](*sys.argv[2:]), default=str))
