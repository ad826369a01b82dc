"""The network against the lab's control plane: plan = run, nothing twice, calls counted, nothing moved."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud, Survives, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.run import converge_network

Make = t.Callable[..., dict[str, t.Any]]
ZONES = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
PRIVATE = {"name": "private", "public": False}
PUBLIC = {"name": "public", "public": True}


def image(cloud: Cloud) -> str:
    """Return an image of the account's region."""
    return str(cloud.ec2.describe_images()["Images"][0]["ImageId"])


def look(cloud: Cloud) -> t.Any:
    """Return the whole network without ids."""
    ec2 = cloud.ec2
    mine = [{"Name": "tag:groundwork:environment", "Values": ["dev"]}]

    def name(resource: t.Any) -> str:
        return next((tag["Value"] for tag in resource["Tags"] if tag["Key"] == "Name"), "")

    [vpc] = ec2.describe_vpcs(Filters=mine)["Vpcs"]
    inside = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets = {s["SubnetId"]: s for s in ec2.describe_subnets(Filters=inside)["Subnets"]}
    tables = ec2.describe_route_tables(Filters=mine)["RouteTables"]
    [default] = ec2.describe_security_groups(Filters=[*inside, {"Name": "group-name", "Values": ["default"]}])[
        "SecurityGroups"
    ]
    return {
        "vpc": (name(vpc), vpc["CidrBlock"]),
        "dns": ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute="enableDnsHostnames")["EnableDnsHostnames"][
            "Value"
        ],
        "subnets": sorted((name(s), s["CidrBlock"], s["AvailabilityZone"]) for s in subnets.values()),
        "tables": sorted(
            (
                name(table),
                [name(subnets[link["SubnetId"]]) for link in table["Associations"]],
                sorted(
                    (r.get("DestinationCidrBlock", "prefix list"), r.get("GatewayId", "")[:4]) for r in table["Routes"]
                ),
            )
            for table in tables
        ),
        "gateways": [
            (name(g), [a["VpcId"] == vpc["VpcId"] for a in g["Attachments"]])
            for g in ec2.describe_internet_gateways(Filters=mine)["InternetGateways"]
        ],
        "endpoints": [
            (e["ServiceName"], len(e["RouteTableIds"]))
            for e in ec2.describe_vpc_endpoints(Filters=inside)["VpcEndpoints"]
            if e["State"] != "deleted"
        ],
        "default group": (default["IpPermissions"], default["IpPermissionsEgress"]),
    }


def test_the_plan_of_an_empty_account_is_the_run(cloud: Cloud, options: Make) -> None:
    planned = cloud.run(converge_network, options(s3_endpoint=True), check_mode=True)
    assert cloud.writes == []
    done = cloud.run(converge_network, options(s3_endpoint=True))
    assert (
        told(planned)
        == told(done)
        == [
            "create vpc main",
            "update security group default",
            "create internet gateway main",
            "create subnet public-a",
            "create subnet public-b",
            "create subnet private-a",
            "create subnet private-b",
            "create route table public-a",
            "create route table public-b",
            "create route table private-a",
            "create route table private-b",
            "create vpc endpoint s3",
        ]
    )
    assert planned["vpc_id"] == planned["subnets"]["public-a"]["id"] == "(known after apply)"
    assert planned["subnets"]["private-b"]["cidr"] == done["subnets"]["private-b"]["cidr"] == "10.20.3.0/24"
    assert look(cloud) == {
        "vpc": ("dev-main", "10.20.0.0/16"),
        "dns": True,
        "subnets": [
            ("dev-private-a", "10.20.2.0/24", "eu-central-1a"),
            ("dev-private-b", "10.20.3.0/24", "eu-central-1b"),
            ("dev-public-a", "10.20.0.0/24", "eu-central-1a"),
            ("dev-public-b", "10.20.1.0/24", "eu-central-1b"),
        ],
        "tables": [
            ("dev-private-a", ["dev-private-a"], [("10.20.0.0/16", "loca"), ("prefix list", "vpce")]),
            ("dev-private-b", ["dev-private-b"], [("10.20.0.0/16", "loca"), ("prefix list", "vpce")]),
            (
                "dev-public-a",
                ["dev-public-a"],
                [("0.0.0.0/0", "igw-"), ("10.20.0.0/16", "loca"), ("prefix list", "vpce")],
            ),
            (
                "dev-public-b",
                ["dev-public-b"],
                [("0.0.0.0/0", "igw-"), ("10.20.0.0/16", "loca"), ("prefix list", "vpce")],
            ),
        ],
        "gateways": [("dev-main", [True])],
        "endpoints": [("com.amazonaws.eu-central-1.s3", 4)],
        "default group": ([], []),
    }


@pytest.mark.parametrize("zones", [1, 3])
def test_the_second_run_changes_nothing_in_eight_calls(cloud: Cloud, options: Make, zones: int) -> None:
    wanted = options(zones=ZONES[:zones], s3_endpoint=True, purge=True)
    first = cloud.run(converge_network, wanted)
    again = cloud.run(converge_network, wanted)
    assert again["changes"] == [] and not again["changed"]
    assert again["subnets"] == first["subnets"]
    assert len(cloud.calls) == 8


@pytest.mark.exhaustive
def test_killed_anywhere_it_converges(survives: Survives, options: Make) -> None:
    assert survives(converge_network, options(zones=ZONES[:1], s3_endpoint=True), look) == 14


def test_a_new_zone_and_a_new_tier_move_nothing(cloud: Cloud, options: Make) -> None:
    before = cloud.run(converge_network, options())["subnets"]
    grown = cloud.run(converge_network, options(zones=ZONES))
    assert told(grown) == [
        "create subnet public-c",
        "create subnet private-c",
        "create route table public-c",
        "create route table private-c",
    ]
    assert before.items() <= grown["subnets"].items()
    assert [grown["subnets"][name]["cidr"] for name in ("public-c", "private-c")] == ["10.20.4.0/24", "10.20.5.0/24"]
    tiers = [{"name": "data", "public": False}, PUBLIC, PRIVATE]
    wider = cloud.run(converge_network, options(zones=ZONES, tiers=tiers, subnet_cidrs={"data-b": "10.20.128.0/26"}))
    assert grown["subnets"].items() <= wider["subnets"].items()
    assert [wider["subnets"][f"data-{z}"]["cidr"] for z in "abc"] == ["10.20.6.0/24", "10.20.128.0/26", "10.20.7.0/24"]


def test_what_is_not_declared_stays_until_it_may_go(cloud: Cloud, options: Make) -> None:
    cloud.run(converge_network, options())
    kept = cloud.run(converge_network, options(zones=ZONES[:1], tiers=[PRIVATE]))
    assert kept["changes"] == []
    parts = [f"{what} {name}" for name in ("private-b", "public-a", "public-b") for what in ("subnet", "route table")]
    assert kept["undeclared"] == [*parts, "internet gateway main"]
    undeclared = ", ".join(kept["undeclared"])
    assert cloud.warnings == [f"Resources that are not declared: {undeclared}. Set purge to delete them."]
    planned = cloud.run(converge_network, options(zones=ZONES[:1], tiers=[PRIVATE], purge=True), check_mode=True)
    done = cloud.run(converge_network, options(zones=ZONES[:1], tiers=[PRIVATE], purge=True))
    assert told(planned) == told(done) == [f"delete {part}" for part in kept["undeclared"]]
    assert [subnet[0] for subnet in look(cloud)["subnets"]] == ["dev-private-a"]
    assert look(cloud)["gateways"] == []


def test_an_endpoint_goes_when_it_may(cloud: Cloud, options: Make) -> None:
    cloud.run(converge_network, options(s3_endpoint=True))
    kept = cloud.run(converge_network, options())
    assert (kept["changes"], kept["undeclared"]) == ([], ["vpc endpoint s3"])
    assert told(cloud.run(converge_network, options(purge=True))) == ["delete vpc endpoint s3"]
    assert look(cloud)["endpoints"] == []
    assert told(cloud.run(converge_network, options(purge=True))) == []


def test_a_purge_killed_anywhere_converges(survives: Survives, options: Make) -> None:
    def prepare(cloud: Cloud) -> None:
        cloud.run(converge_network, options(zones=ZONES[:1]))

    assert survives(converge_network, options(zones=ZONES[:1], tiers=[PRIVATE], purge=True), look, prepare) == 5


def test_a_tier_can_become_private_and_public_again(cloud: Cloud, options: Make) -> None:
    cloud.run(converge_network, options())
    hidden = options(tiers=[{"name": "public", "public": False}, PRIVATE])
    assert told(cloud.run(converge_network, hidden)) == ["update route table public-a", "update route table public-b"]
    assert told(cloud.run(converge_network, hidden)) == []
    assert told(cloud.run(converge_network, options())) == [
        "update route table public-a",
        "update route table public-b",
    ]


def drift_association(ec2: t.Any, made: t.Any) -> None:
    table = ec2.describe_route_tables(RouteTableIds=[made["subnets"]["public-a"]["route_table_id"]])["RouteTables"][0]
    ec2.replace_route_table_association(
        AssociationId=table["Associations"][0]["RouteTableAssociationId"],
        RouteTableId=made["subnets"]["private-a"]["route_table_id"],
    )


def drift_no_association(ec2: t.Any, made: t.Any) -> None:
    table = ec2.describe_route_tables(RouteTableIds=[made["subnets"]["public-a"]["route_table_id"]])["RouteTables"][0]
    ec2.disassociate_route_table(AssociationId=table["Associations"][0]["RouteTableAssociationId"])


def drift_route(ec2: t.Any, made: t.Any) -> None:
    ec2.delete_route(RouteTableId=made["subnets"]["public-a"]["route_table_id"], DestinationCidrBlock="0.0.0.0/0")


def drift_public_addresses(ec2: t.Any, made: t.Any) -> None:
    ec2.modify_subnet_attribute(SubnetId=made["subnets"]["public-a"]["id"], MapPublicIpOnLaunch={"Value": True})


def drift_default_group(ec2: t.Any, made: t.Any) -> None:
    filters = [{"Name": "vpc-id", "Values": [made["vpc_id"]]}, {"Name": "group-name", "Values": ["default"]}]
    group = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])


def drift_dns(ec2: t.Any, made: t.Any) -> None:
    ec2.modify_vpc_attribute(VpcId=made["vpc_id"], EnableDnsHostnames={"Value": False})


def drift_tags(ec2: t.Any, made: t.Any) -> None:
    ec2.delete_tags(Resources=[made["subnets"]["public-a"]["id"]], Tags=[{"Key": "groundwork:tier"}])


@pytest.mark.parametrize(
    ("drift", "healed"),
    [
        (drift_association, "update route table public-a"),
        (drift_no_association, "update route table public-a"),
        (drift_route, "update route table public-a"),
        (drift_public_addresses, "update subnet public-a"),
        (drift_default_group, "update security group default"),
        (drift_dns, "update vpc main"),
        (drift_tags, "update tags subnet public-a"),
    ],
)
def test_drift_is_healed(cloud: Cloud, options: Make, drift: t.Any, healed: str) -> None:
    made = cloud.run(converge_network, options())
    whole = look(cloud)
    drift(cloud.ec2, made)
    assert told(cloud.run(converge_network, options())) == [healed]
    assert look(cloud) == whole
    assert told(cloud.run(converge_network, options())) == []


def test_what_others_made_is_left_alone(cloud: Cloud, options: Make) -> None:
    made = cloud.run(converge_network, options())
    ec2 = cloud.ec2
    by_hand = ec2.create_subnet(VpcId=made["vpc_id"], CidrBlock="10.20.4.0/24", AvailabilityZone="eu-central-1a")
    where = {"RouteTableId": made["subnets"]["private-a"]["route_table_id"]}
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    peer = ec2.create_network_interface(SubnetId=made["subnets"]["private-a"]["id"])["NetworkInterface"]
    ec2.create_route(**where, DestinationCidrBlock="192.0.2.0/24", NetworkInterfaceId=peer["NetworkInterfaceId"])
    ec2.create_tags(Resources=[made["vpc_id"]], Tags=[{"Key": "theirs", "Value": "1"}])
    assert told(cloud.run(converge_network, options(purge=True))) == []
    grown = cloud.run(converge_network, options(zones=ZONES, purge=True))
    assert grown["subnets"]["public-c"]["cidr"] == "10.20.5.0/24"
    assert ec2.describe_subnets(SubnetIds=[by_hand["Subnet"]["SubnetId"]])["Subnets"]
    assert ec2.describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"]


def test_extra_tags_are_added_and_never_taken(cloud: Cloud, options: Make) -> None:
    cloud.run(converge_network, options(tags={"team": "web"}))
    assert told(cloud.run(converge_network, options())) == []
    assert told(cloud.run(converge_network, options(tags={"team": "ops"}))) == ["update tags 10 resources"]
    assert cloud.writes == ["CreateTags"]


def test_two_environments_share_an_account(cloud: Cloud, options: Make) -> None:
    cloud.run(converge_network, options())
    other = cloud.run(converge_network, options(environment_name="prod"))
    assert told(other)[0] == "create vpc main"
    assert told(cloud.run(converge_network, options())) == []


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"cidr": "10.21.0.0/16"},
            "cidr: the VPC exists with 10.20.0.0/16, and AWS cannot change it to 10.21.0.0/16; "
            "write 10.20.0.0/16, or remove the network first.",
        ),
        (
            {"subnet_cidrs": {"public-a": "10.20.9.0/24"}},
            "subnet_cidrs.public-a: the subnet exists with 10.20.0.0/24, and AWS cannot change it to 10.20.9.0/24; "
            "write 10.20.0.0/24, or remove the subnet first.",
        ),
        (
            {"zones": ZONES, "subnet_cidrs": {"public-c": "10.20.1.0/25"}},
            "subnet_cidrs.public-c: 10.20.1.0/25 overlaps the existing block 10.20.1.0/24; use a free block.",
        ),
        (
            {"zones": [*ZONES, "eu-central-1z"]},
            "zones: the account has no zone eu-central-1z; use zones from eu-central-1a, eu-central-1b, eu-central-1c.",
        ),
        (
            {"zones": ZONES, "subnet_prefix": 17},
            "cidr: 10.20.0.0/16 has 2 blocks of /17, too few for 6 subnets "
            "(public-a, public-b, public-c, private-a, private-b, private-c); "
            "use a larger cidr or a longer subnet_prefix (up to 28).",
        ),
        (
            {
                "zones": ZONES[:2],
                "tiers": [PUBLIC, PRIVATE, {"name": "data", "public": False}],
                "subnet_prefix": 18,
                "subnet_cidrs": {"public-a": "10.20.0.0/24", "public-b": "10.20.1.0/24", "private-a": "10.20.2.0/24"},
            },
            "cidr: 10.20.0.0/16 has no free /18 block for the subnet data-b; "
            "give it a smaller block in subnet_cidrs, or use a longer subnet_prefix.",
        ),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_what_aws_cannot_do_is_refused_before_the_first_write(
    cloud: Cloud, options: Make, given: dict[str, t.Any], problem: str, check_mode: bool
) -> None:
    cloud.run(converge_network, options())
    if "data" in problem:
        by_hand = cloud.ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["dev-main"]}])["Vpcs"][0]["VpcId"]
        cloud.ec2.create_subnet(VpcId=by_hand, CidrBlock="10.20.64.0/18")
        cloud.ec2.create_subnet(VpcId=by_hand, CidrBlock="10.20.128.0/18")
    with pytest.raises(InputError) as caught:
        cloud.run(converge_network, options(**given), check_mode=check_mode)
    assert str(caught.value) == f"1 problem in the input, nothing was changed:\n- {problem}"
    assert cloud.writes == []


def test_two_vpcs_of_one_environment_are_refused(cloud: Cloud, options: Make) -> None:
    made = cloud.run(converge_network, options())
    vpc = cloud.ec2.describe_vpcs(VpcIds=[made["vpc_id"]])["Vpcs"][0]
    twin = cloud.ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    cloud.ec2.create_tags(Resources=[twin], Tags=vpc["Tags"])
    subnet = cloud.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [made["vpc_id"]]}])["Subnets"][0]
    cloud.ec2.run_instances(ImageId=image(cloud), MinCount=1, MaxCount=1, SubnetId=subnet["SubnetId"])
    with pytest.raises(GroundworkError, match="2 VPCs have the tags of the environment dev") as refused:
        cloud.run(converge_network, options())
    assert cloud.writes == []
    [first, second] = [line for line in str(refused.value).splitlines() if line.startswith("- ")]
    assert first.startswith(f"- {made['vpc_id']}: {len(made['subnets'])} subnets, 1 internet gateway, ")
    assert "1 instance, in use since 20" in first
    assert second == f"- {twin}: empty"
    assert f"Keep {made['vpc_id']} if it is the one in use, and delete {twin} with everything in it" in str(
        refused.value
    )
