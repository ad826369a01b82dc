"""Make calls that the lab must refuse without harm, then launch a server and print its id.

The arguments are the subnet and the security group of the server.
"""

from __future__ import annotations

import sys
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from build_site import server

AS_THEY_ARE = Config(parameter_validation=False, retries={"total_max_attempts": 1})
ec2 = boto3.client("ec2", config=AS_THEY_ARE)
elb = boto3.client("elbv2", config=AS_THEY_ARE)
cloudfront = boto3.client("cloudfront", region_name="us-east-1", config=AS_THEY_ARE)


def main() -> None:
    subnet, group = sys.argv[1:]
    found = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"]
    associations = [each for acl in found for each in acl["Associations"] if each["SubnetId"] == subnet]
    association = associations[0]["NetworkAclAssociationId"]
    listener = elb.describe_listeners(LoadBalancerArn=balancer())["Listeners"][0]["ListenerArn"]
    refuse(ec2.replace_network_acl_association, AssociationId=association, NetworkAclId="acl-0123456789abcdef0")
    refuse(ec2.replace_network_acl_association, AssociationId="aclassoc-0123456789abcdef0", NetworkAclId="acl-0")
    refuse(ec2.run_instances, ImageId="ami-0", SubnetId=subnet, MinCount="many", MaxCount="x")
    refuse(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": "x"}])
    refuse(ec2.create_security_group, GroupName="\0", Description="\0", VpcId="vpc-\0")
    refuse(elb.set_rule_priorities, RulePriorities=[{"RuleArn": "arn:aws:none"}])
    refuse(elb.create_rule, ListenerArn=listener, Priority=1, Actions=[])
    refuse(cloudfront.create_distribution, DistributionConfig={"CallerReference": "x", "Enabled": True})
    print(server("public-2", subnet, group))


def balancer() -> str:
    return str(elb.describe_load_balancers(Names=["smoke"])["LoadBalancers"][0]["LoadBalancerArn"])


def refuse(call: Any, **params: Any) -> None:
    """Make a call that must be refused as a client error."""
    try:
        call(**params)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if 400 <= status < 500:
            return
        raise
    raise SystemExit(f"{call.__name__} {params} is accepted.")


main()
