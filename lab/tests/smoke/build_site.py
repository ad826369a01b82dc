"""Build a small site with boto3 at the endpoint of the environment, and print its ids as JSON.

The site has a VPC with a public and a private subnet in two zones, an internet gateway, a NAT gateway, a web server in
each tier, and an internet-facing Application Load Balancer for both. The argument is the path of an SSH public key.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3

ZONES = ("eu-central-1a", "eu-central-1b")
ANYWHERE = "0.0.0.0/0"
USER_DATA = """#!/bin/sh
mkdir -p /srv/www
hostname > /srv/www/index.html
systemd-run --unit=web python3 -m http.server 80 --directory /srv/www
"""

ec2 = boto3.client("ec2")
elb = boto3.client("elbv2")


def main() -> None:
    network = build_network()
    balancer_group = group(network["vpc"], "balancer", [rule(80, CidrIp=ANYWHERE)])
    web_group = group(network["vpc"], "web", [rule(22, CidrIp=ANYWHERE), rule(80, GroupId=balancer_group)])
    ec2.import_key_pair(KeyName="smoke", PublicKeyMaterial=Path(sys.argv[1]).read_bytes())
    servers = {
        "public": server("public-1", network["public"][0], web_group),
        "private": server("private-1", network["private"][1], web_group),
    }
    patience = {"Delay": 1, "MaxAttempts": 90}
    ec2.get_waiter("instance_running").wait(InstanceIds=list(servers.values()), WaiterConfig=patience)
    balancer, target_group = balance(network, balancer_group, list(servers.values()))
    ec2.get_waiter("instance_status_ok").wait(InstanceIds=list(servers.values()), WaiterConfig=patience)
    elb.get_waiter("target_in_service").wait(TargetGroupArn=target_group, WaiterConfig=patience)
    described = {tier: describe(instance) for tier, instance in servers.items()}
    found = {"nat_address": network["nat_address"], "web_group": web_group, "balancer": balancer, "servers": described}
    print(json.dumps(found))


def build_network() -> dict[str, Any]:
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    public = [subnet(vpc, f"10.20.{number}.0/24", zone) for number, zone in enumerate(ZONES)]
    private = [subnet(vpc, f"10.20.{number + 10}.0/24", zone) for number, zone in enumerate(ZONES)]
    for each in public:
        ec2.modify_subnet_attribute(SubnetId=each, MapPublicIpOnLaunch={"Value": True})
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=vpc)
    leads(vpc, public, GatewayId=internet)
    nat = nat_gateway(public[0])
    leads(vpc, private, NatGatewayId=nat["id"])
    return {"vpc": vpc, "public": public, "private": private, "nat_address": nat["address"]}


def balance(network: dict[str, Any], group_id: str, servers: list[str]) -> tuple[str, str]:
    """Create a load balancer for these servers, and return its DNS name and its target group."""
    target_group = elb.create_target_group(
        Name="web",
        Protocol="HTTP",
        Port=80,
        VpcId=network["vpc"],
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=target_group, Targets=[{"Id": each} for each in servers])
    made = elb.create_load_balancer(Name="smoke", Subnets=network["public"], SecurityGroups=[group_id])
    balancer = made["LoadBalancers"][0]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )
    return str(balancer["DNSName"]), str(target_group)


def subnet(vpc: str, cidr: str, zone: str) -> str:
    made = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)
    return str(made["Subnet"]["SubnetId"])


def leads(vpc: str, subnets: list[str], **target: str) -> None:
    """Create a route table for each subnet with a default route to this target."""
    for each in subnets:
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, **target)
        ec2.associate_route_table(RouteTableId=table, SubnetId=each)


def nat_gateway(subnet_id: str) -> dict[str, str]:
    address = ec2.allocate_address(Domain="vpc")
    made = ec2.create_nat_gateway(SubnetId=subnet_id, AllocationId=address["AllocationId"])["NatGateway"]
    ec2.get_waiter("nat_gateway_available").wait(
        NatGatewayIds=[made["NatGatewayId"]], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    return {"id": made["NatGatewayId"], "address": address["PublicIp"]}


def group(vpc: str, name: str, rules: list[dict[str, Any]]) -> str:
    made = ec2.create_security_group(VpcId=vpc, GroupName=name, Description=name)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=rules)
    return str(made)


def rule(port: int, **source: str) -> dict[str, Any]:
    key = "IpRanges" if "CidrIp" in source else "UserIdGroupPairs"
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, key: [source]}


def newest_debian() -> str:
    """Return the newest Debian 12 image, by the names of its publisher (136693071363)."""
    found = ec2.describe_images(Owners=["136693071363"], Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])[
        "Images"
    ]
    return str(max(found, key=lambda image: image["CreationDate"])["ImageId"])


def server(name: str, subnet_id: str, group_id: str) -> str:
    made = ec2.run_instances(
        ImageId=newest_debian(),
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        KeyName="smoke",
        SubnetId=subnet_id,
        SecurityGroupIds=[group_id],
        UserData=USER_DATA,
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}],
    )
    return str(made["Instances"][0]["InstanceId"])


def describe(instance_id: str) -> dict[str, str | None]:
    instance = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return {
        "id": instance_id,
        "subnet": instance["SubnetId"],
        "private_ip": instance["PrivateIpAddress"],
        "public_ip": instance.get("PublicIpAddress"),
        "private_name": instance["PrivateDnsName"],
        "public_name": instance.get("PublicDnsName"),
    }


if __name__ == "__main__":
    main()
