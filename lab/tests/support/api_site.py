"""A site built with API calls, with a resource of each type that the data plane uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from groundwork_lab.settings import REGION

Call = Callable[..., Mapping[str, Any]]
MANAGED_CACHING = "658327ea-f89d-4fab-a63d-7e88639e58f6"  # CachingOptimized
FUNCTION = b"function handler(event) { return event.request; }"


def build(call: Call, name: str, network: str, booted: Callable[[str], None]) -> None:
    """Build a site. `network` is the beginning of its VPC's addresses. `booted` waits until an instance runs."""
    vpc = call("ec2", "CreateVpc", CidrBlock=f"{network}.0.0/16")["Vpc"]["VpcId"]
    call("ec2", "CreateTags", Resources=[vpc], Tags=[{"Key": "Name", "Value": name}])
    gateway = call("ec2", "CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
    call("ec2", "AttachInternetGateway", InternetGatewayId=gateway, VpcId=vpc)
    subnets = [
        call(
            "ec2",
            "CreateSubnet",
            VpcId=vpc,
            CidrBlock=f"{network}.{number}.0/24",
            AvailabilityZone=f"{REGION}{zone}",
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate("ab")
    ]
    table = call("ec2", "CreateRouteTable", VpcId=vpc)["RouteTable"]["RouteTableId"]
    call("ec2", "CreateRoute", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    for subnet in subnets:
        call("ec2", "AssociateRouteTable", RouteTableId=table, SubnetId=subnet)
    _filters(call, vpc, subnets[0])
    group = call("ec2", "CreateSecurityGroup", GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    call("ec2", "AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[permission])
    address = call("ec2", "AllocateAddress", Domain="vpc")["AllocationId"]
    nat = call("ec2", "CreateNatGateway", SubnetId=subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    call("ec2", "CreateRoute", RouteTableId=table, DestinationCidrBlock="203.0.113.0/24", NatGatewayId=nat)
    _balanced(call, name, vpc, subnets, group, booted)
    _edge(call, name)


def _filters(call: Call, vpc: str, subnet: str) -> None:
    """Replace the default network ACL by the site's own."""
    acl = call("ec2", "CreateNetworkAcl", VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    rule = {"RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0"}
    for egress in (True, False):
        call("ec2", "CreateNetworkAclEntry", NetworkAclId=acl, Egress=egress, **rule)
    found = call("ec2", "DescribeNetworkAcls", Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    associations = [each for known in found["NetworkAcls"] for each in known["Associations"]]
    association = next(each["NetworkAclAssociationId"] for each in associations if each["SubnetId"] == subnet)
    call("ec2", "ReplaceNetworkAclAssociation", AssociationId=association, NetworkAclId=acl)


def _balanced(call: Call, name: str, vpc: str, subnets: list[str], group: str, booted: Callable[[str], None]) -> None:
    """Create servers behind a load balancer: a single one, and those of an Auto Scaling group."""
    image = call("ec2", "DescribeImages", Owners=["136693071363"])["Images"][0]["ImageId"]
    launch = {"ImageId": image, "InstanceType": "t3.micro", "SecurityGroupIds": [group]}
    launched = call("ec2", "RunInstances", SubnetId=subnets[0], MinCount=1, MaxCount=1, **launch)
    instance = launched["Instances"][0]["InstanceId"]
    booted(instance)
    balancer = call("elbv2", "CreateLoadBalancer", Name=name, Subnets=subnets, SecurityGroups=[group])
    balancer_arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    targets = call("elbv2", "CreateTargetGroup", Name=name, Protocol="HTTP", Port=80, VpcId=vpc)
    targets_arn = targets["TargetGroups"][0]["TargetGroupArn"]
    call("elbv2", "RegisterTargets", TargetGroupArn=targets_arn, Targets=[{"Id": instance, "Port": 80}])
    forward = [{"Type": "forward", "TargetGroupArn": targets_arn}]
    listener = call(
        "elbv2", "CreateListener", LoadBalancerArn=balancer_arn, Protocol="HTTP", Port=80, DefaultActions=forward
    )["Listeners"][0]["ListenerArn"]
    moved = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Path": "/new"}}
    conditions = [{"Field": "path-pattern", "Values": ["/old/*"]}]
    call("elbv2", "CreateRule", ListenerArn=listener, Priority=10, Conditions=conditions, Actions=[moved])
    attributes = [{"Key": "stickiness.enabled", "Value": "true"}]
    call("elbv2", "ModifyTargetGroupAttributes", TargetGroupArn=targets_arn, Attributes=attributes)
    call("ec2", "CreateLaunchTemplate", LaunchTemplateName=name, LaunchTemplateData=launch)
    call(
        "autoscaling",
        "CreateAutoScalingGroup",
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=3,
        DesiredCapacity=0,
        LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
        VPCZoneIdentifier=",".join(subnets),
        TargetGroupARNs=[targets_arn],
    )


def _edge(call: Call, name: str) -> None:
    """Create a distribution for a bucket, with an origin access control and a function."""
    bucket = f"{name}-site"
    call("s3", "CreateBucket", Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    call("s3", "PutObject", Bucket=bucket, Key="index.html", Body=b"hello")
    control = call(
        "cloudfront",
        "CreateOriginAccessControl",
        OriginAccessControlConfig={
            "Name": name,
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        },
    )["OriginAccessControl"]["Id"]
    code = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    made = call("cloudfront", "CreateFunction", Name=name, FunctionConfig=code, FunctionCode=FUNCTION)
    call("cloudfront", "PublishFunction", Name=name, IfMatch=made["ETag"])
    function = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    origin = {
        "Id": "bucket",
        "DomainName": f"{bucket}.s3.{REGION}.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": control,
    }
    behavior = {
        "TargetOriginId": "bucket",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": MANAGED_CACHING,
        "FunctionAssociations": {
            "Quantity": 1,
            "Items": [{"FunctionARN": function, "EventType": "viewer-request"}],
        },
    }
    config = {
        "CallerReference": name,
        "Comment": name,
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behavior,
    }
    made = call("cloudfront", "CreateDistribution", DistributionConfig=config)
    batch = {"CallerReference": name, "Paths": {"Quantity": 1, "Items": ["/*"]}}
    call("cloudfront", "CreateInvalidation", DistributionId=made["Distribution"]["Id"], InvalidationBatch=batch)
