"""What the network lets through, proven with packets."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from laptop import Laptop
from running_site import Site
from watching import eventually

LAPTOP = "198.18.0.10"
PORT = 8099
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2).close()"


@pytest.fixture(scope="module")
def witness() -> Iterator[str]:
    """A server on the internet that answers with the address it sees; its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.client_address[0].encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer((LAPTOP, PORT), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{LAPTOP}:{PORT}/"
    server.shutdown()
    thread.join()
    server.server_close()


def seen_as(laptop: Laptop, server: str, witness: str) -> str:
    """The address that the internet sees of a server; "" when it cannot get there."""
    _, said = laptop.on(server, f"curl -s -m 4 {witness}")
    return said if said.count(".") == 3 else ""


def reaches(laptop: Laptop, address: str, port: int, *, visitor: bool = False) -> bool:
    run = laptop.as_visitor if visitor else laptop.run
    return run("python3", "-c", CONNECT, address, str(port)).returncode == 0


def test_a_public_server_is_seen_with_its_own_address(laptop: Laptop, site: Site, witness: str) -> None:
    assert seen_as(laptop, "public-1", witness) == site.servers["public-1"]["PublicIpAddress"]


def test_a_private_server_is_seen_with_the_nat_gateways_address(laptop: Laptop, site: Site, witness: str) -> None:
    gateways = laptop.client("ec2").describe_nat_gateways()["NatGateways"]
    addresses = {a["PublicIp"] for gateway in gateways for a in gateway["NatGatewayAddresses"]}
    assert seen_as(laptop, "private-1", witness) in addresses
    assert "PublicIpAddress" not in site.servers["private-1"]


def test_without_the_nat_route_private_traffic_dies(laptop: Laptop, site: Site, witness: str) -> None:
    ec2 = laptop.client("ec2")
    subnet = site.servers["private-1"]["SubnetId"]
    tables = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    table = tables["RouteTables"][0]
    route = next(r for r in table["Routes"] if r.get("NatGatewayId"))
    ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
    assert seen_as(laptop, "private-1", witness) == ""
    play = laptop.play("--tags", "infrastructure")
    assert [c for c in play.changes() if "route" in c], "the run puts the route back"
    assert route["NatGatewayId"] and seen_as(laptop, "private-1", witness) != ""


def test_nothing_on_the_internet_reaches_a_private_server(laptop: Laptop, site: Site) -> None:
    ec2 = laptop.client("ec2")
    server = site.servers["private-1"]
    group = server["SecurityGroups"][0]["GroupId"]
    everyone = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=everyone)
    try:
        gateways = ec2.describe_nat_gateways()["NatGateways"]
        nat = gateways[0]["NatGatewayAddresses"][0]["PublicIp"]
        for address in (server["PrivateIpAddress"], nat):
            for port in (22, 80, 3306):
                assert not reaches(laptop, address, port), (address, port)
    finally:
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=everyone)


def test_ssh_only_from_the_admin_addresses(laptop: Laptop, site: Site) -> None:
    address = site.servers["public-1"]["PublicIpAddress"]
    assert reaches(laptop, address, 22)
    assert not reaches(laptop, address, 22, visitor=True)


@pytest.mark.parametrize("port", [80, 3306, 443])
def test_a_public_servers_other_ports_are_closed_to_the_internet(laptop: Laptop, site: Site, port: int) -> None:
    address = site.servers["public-1"]["PublicIpAddress"]
    assert not reaches(laptop, address, port)
    assert not reaches(laptop, address, port, visitor=True)


def test_a_servers_port_80_is_closed_to_other_servers(laptop: Laptop, site: Site) -> None:
    address = site.servers["public-2"]["PrivateIpAddress"]
    code, _ = laptop.on("public-1", f"curl -s -m 3 -o /dev/null http://{address}/healthz")
    assert code == 28, "curl ran into its time limit: the packets were dropped"


def test_a_revoked_rule_cuts_new_connections_within_two_seconds(laptop: Laptop, site: Site) -> None:
    ec2 = laptop.client("ec2")
    server = site.servers["public-1"]
    group = server["SecurityGroups"][0]["GroupId"]
    described = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    rule = [p for p in described["IpPermissions"] if p.get("FromPort") == 22]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule)
    try:
        gone = eventually(lambda: not _connects(server["PublicIpAddress"], 22), bool, 2.0)
        assert gone
    finally:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule)
    assert eventually(lambda: _connects(server["PublicIpAddress"], 22), bool, 2.0)


def _connects(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=0.3).close()
    except OSError:
        return False
    return True


def test_imds_wants_a_token(laptop: Laptop) -> None:
    _, status = laptop.on("public-1", "curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/")
    assert status == "401"


def test_what_is_in_use_cannot_be_deleted(laptop: Laptop, site: Site) -> None:
    ec2 = laptop.client("ec2")
    server = site.servers["public-1"]
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_security_group(GroupId=server["SecurityGroups"][0]["GroupId"])
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_subnet(SubnetId=server["SubnetId"])
