"""Whole environments are removed without remains, and resources of others are not changed."""

from __future__ import annotations

import typing as t

import pytest
from account_listing import Listing
from accounts.teardown import Build, TearDown
from cloud import Cloud, NewCloud, Survives, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError

OTHER = ("other", "10.30.0.0/16")
NAME = [{"Key": "Name", "Value": "by-hand"}]


def test_everything_goes_and_nothing_else(
    cloud: Cloud, build: Build, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    build(cloud, *OTHER)
    before = listing()
    build(cloud)
    planned = tear_down(cloud, check_mode=True)
    assert cloud.writes == []
    done = tear_down(cloud)
    assert told(planned) == told(done)
    assert listing() == before
    assert set(done["found"].values()) == {0}
    assert done["keepers"] == []


def test_what_is_gone_is_looked_for_once_and_with_few_calls(cloud: Cloud, build: Build, tear_down: TearDown) -> None:
    build(cloud)
    tear_down(cloud)
    again = tear_down(cloud)
    assert again["changed"] is False
    assert len(cloud.calls) == 38
    assert cloud.calls.count("DescribeVpcs") == 1


def test_what_takes_minutes_goes_at_the_same_time(cloud: Cloud, build: Build, tear_down: TearDown) -> None:
    build(cloud)
    tear_down(cloud)
    first = [cloud.calls.index(name) for name in ("TerminateInstances", "DeleteLoadBalancer", "DeleteVpcEndpoints")]
    nat = [position for position, name in enumerate(cloud.calls) if name == "DeleteNatGateway"]
    assert cloud.calls.count("TerminateInstances") == 1
    assert len(nat) == 2
    asked = cloud.calls[min(first) : max(*first, *nat)]
    assert not [name for name in asked if name.startswith("Describe")]


@pytest.mark.exhaustive
def test_killed_anywhere_it_is_completed(
    survives: Survives, build: Build, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    def counts(_cloud: Cloud) -> dict[str, int]:
        return {kind: len(things) for kind, things in listing().items()}

    assert survives(tear_down.converge, tear_down.options("dev"), counts, build, recent=False) > 25


@pytest.mark.exhaustive
def test_a_site_that_was_never_finished_goes_too(
    new_cloud: NewCloud, build: Build, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    """The creation of an environment is interrupted after a number of calls."""
    for calls in range(2, 40, 3):
        cloud = new_cloud()
        before = listing()
        cloud.killed_after = calls
        with pytest.raises(cloud.Killed):
            build(cloud)
            raise cloud.Killed
        cloud.killed_after = None
        done = tear_down(cloud)
        assert listing() == before, f"killed after call {calls}"
        assert set(done["found"].values()) == {0}


@pytest.mark.parametrize(
    ("confirmed", "message"),
    [
        ("", "environment_confirm: is missing; give -e environment_confirm=dev to remove all resources of dev"),
        ("prod", "environment_confirm: 'prod' is not the environment's name; give -e environment_confirm=dev"),
        ("Dev", "environment_confirm: 'Dev' is not the environment's name"),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_without_its_name_nothing_is_even_read(
    cloud: Cloud, tear_down: TearDown, confirmed: str, message: str, check_mode: bool
) -> None:
    with pytest.raises(InputError, match=message):
        tear_down(cloud, environment_confirm=confirmed, check_mode=check_mode)
    assert cloud.calls == []


# What people made by hand


def named(cloud: Cloud, kind: str, name: str) -> str:
    """Return the id of a resource of the environment."""
    wanted = [{"Name": "tag:Name", "Values": [f"dev-{name}"]}]
    operation, result, key = {
        "vpc": ("describe_vpcs", "Vpcs", "VpcId"),
        "subnet": ("describe_subnets", "Subnets", "SubnetId"),
        "table": ("describe_route_tables", "RouteTables", "RouteTableId"),
        "group": ("describe_security_groups", "SecurityGroups", "GroupId"),
        "gateway": ("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
        "nat": ("describe_nat_gateways", "NatGateways", "NatGatewayId"),
    }[kind]
    found = getattr(cloud.ec2, operation)(Filters=wanted)[result]
    return str(found[0][key])


def launch(cloud: Cloud, subnet: str, *groups: str) -> str:
    image = cloud.ec2.describe_images()["Images"][0]["ImageId"]
    options = {"SecurityGroupIds": list(groups)} if groups else {}
    made = cloud.ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        TagSpecifications=[{"ResourceType": "instance", "Tags": NAME}],
        **options,
    )
    instance = str(made["Instances"][0]["InstanceId"])
    cloud.plane.instance_state(instance, "running")
    return instance


def an_instance(cloud: Cloud) -> str:
    return launch(cloud, named(cloud, "subnet", "public-a"))


def a_private_instance_with_a_group_of_ours(cloud: Cloud) -> str:
    return launch(cloud, named(cloud, "subnet", "private-b"), named(cloud, "group", "private-servers"))


def an_interface(cloud: Cloud) -> str:
    made = cloud.ec2.create_network_interface(SubnetId=named(cloud, "subnet", "private-a"))
    return str(made["NetworkInterface"]["NetworkInterfaceId"])


def a_group(cloud: Cloud) -> str:
    made = cloud.ec2.create_security_group(GroupName="hand", Description="hand", VpcId=named(cloud, "vpc", "main"))
    return str(made["GroupId"])


def a_group_that_refers_to_ours(cloud: Cloud) -> str:
    group = a_group(cloud)
    pairs = [{"GroupId": named(cloud, "group", "public-servers")}]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": pairs}
    cloud.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    return group


def a_subnet(cloud: Cloud) -> str:
    made = cloud.ec2.create_subnet(VpcId=named(cloud, "vpc", "main"), CidrBlock="10.20.200.0/24")
    return str(made["Subnet"]["SubnetId"])


def a_subnet_with_our_table(cloud: Cloud) -> str:
    subnet = a_subnet(cloud)
    cloud.ec2.associate_route_table(SubnetId=subnet, RouteTableId=named(cloud, "table", "private-a"))
    return subnet


def a_table(cloud: Cloud) -> str:
    made = cloud.ec2.create_route_table(VpcId=named(cloud, "vpc", "main"))
    return str(made["RouteTable"]["RouteTableId"])


def a_table_that_leads_to_our_nat(cloud: Cloud) -> str:
    table = a_table(cloud)
    nat = named(cloud, "nat", "nat-a")
    cloud.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    return table


def a_route_to_an_interface(cloud: Cloud) -> str:
    interface = an_interface(cloud)
    table = named(cloud, "table", "public-b")
    cloud.ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.99.0.0/16", NetworkInterfaceId=interface)
    return interface


PRIVATE_A = {"subnet private-a", "route table private-a", "nat gateway nat-a", "elastic ip nat-a", "vpc endpoint s3"}
PUBLIC_A = {"subnet public-a", "route table public-a", "internet gateway main", "vpc main"}
THROUGH_PRIVATE_A = PRIVATE_A | PUBLIC_A
PRIVATE_B = {"subnet private-b", "route table private-b", "nat gateway nat-b", "elastic ip nat-b"}
PUBLIC_B = {"subnet public-b", "route table public-b"}
GROUPS = {"security group private-servers", "security group public-servers", "security group alb"}


@pytest.mark.parametrize(
    ("make", "kept"),
    [
        (an_instance, PUBLIC_A | {"vpc endpoint s3"}),
        (
            a_private_instance_with_a_group_of_ours,
            PRIVATE_B | PUBLIC_B | GROUPS | {"vpc endpoint s3", "internet gateway main", "vpc main"},
        ),
        (an_interface, THROUGH_PRIVATE_A),
        (a_group, {"vpc main"}),
        (a_group_that_refers_to_ours, {"vpc main", "security group public-servers", "security group alb"}),
        (a_subnet, {"vpc main"}),
        (a_subnet_with_our_table, THROUGH_PRIVATE_A - {"subnet private-a"}),
        (a_table, {"vpc main"}),
        (a_table_that_leads_to_our_nat, PUBLIC_A | {"nat gateway nat-a", "elastic ip nat-a", "vpc endpoint s3"}),
        (a_route_to_an_interface, THROUGH_PRIVATE_A | {"route table public-b"}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_is_not_ours_stays_with_what_it_rests_on(
    cloud: Cloud, build: Build, tear_down: TearDown, listing: t.Callable[[], Listing], make: t.Any, kept: set[str]
) -> None:
    build(cloud, *OTHER)
    foreign = listing()
    build(cloud)
    ours = listing()
    made = make(cloud)
    before = listing()
    planned = tear_down(cloud, check_mode=True)
    assert listing() == before
    with pytest.raises(GroundworkError, match="Resources of environment 'dev' remain") as failure:
        tear_down(cloud)
    assert told(failure.value.details) == told(planned)
    assert made in str(failure.value)
    assert stayed(str(failure.value)) == kept
    assert sum(failure.value.details["found"].values()) == len(kept)
    after = listing()
    for kind, things in before.items():
        others = {one for one in things if one in foreign[kind] or one not in ours[kind]}
        assert {one: after[kind].get(one) for one in others} == {one: things[one] for one in others}, kind
    with pytest.raises(GroundworkError) as again:
        tear_down(cloud)
    assert again.value.details["changed"] is False
    assert stayed(str(again.value)) == kept
    assert listing() == after


def stayed(message: str) -> set[str]:
    """Return the resources that a message names as kept."""
    return {
        thing
        for line in message.splitlines()[1:]
        for thing in line.partition(" prevents the removal of ")[2].partition(". ")[0].split(", ")
    }


def test_once_the_strange_thing_is_gone_the_rest_goes(
    cloud: Cloud, build: Build, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    before = listing()
    build(cloud)
    interface = an_interface(cloud)
    with pytest.raises(GroundworkError):
        tear_down(cloud)
    cloud.ec2.delete_network_interface(NetworkInterfaceId=interface)
    assert set(tear_down(cloud)["found"].values()) == {0}
    assert listing() == before


def test_a_load_balancer_of_others_is_reported_and_keeps_its_subnets(
    cloud: Cloud, build: Build, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    build(cloud)
    subnets = [named(cloud, "subnet", f"public-{zone}") for zone in ("a", "b")]
    made = cloud.of("elbv2").create_load_balancer(Name="by-hand", Subnets=subnets)["LoadBalancers"][0]
    with pytest.raises(GroundworkError, match=r"load balancer \(app/by-hand/") as failure:
        tear_down(cloud)
    assert {"subnet public-a", "subnet public-b", "internet gateway main", "vpc main"} <= stayed(str(failure.value))
    assert list(listing()["LoadBalancers"]) == [made["LoadBalancerArn"]]


def test_a_given_address_is_not_released(
    cloud: Cloud, build: Build, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    build(cloud)
    address = cloud.ec2.allocate_address(Domain="vpc")["AllocationId"]
    [server] = [
        instance["InstanceId"]
        for reservation in cloud.ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
        if {"Key": "Name", "Value": "dev-public-1"} in instance["Tags"]
    ]
    cloud.ec2.associate_address(AllocationId=address, InstanceId=server)
    tear_down(cloud)
    assert list(listing()["Addresses"]) == [address]
    assert not listing()["Addresses"][address].get("InstanceId")
