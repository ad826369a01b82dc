"""Servers without a known key come back by their user data, from any point at which a run was killed."""

from __future__ import annotations

import base64
import random
import typing as t
from pathlib import Path

import pytest
from accounts.servers import Account

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.host_keys import converge_host_keys
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.private_key import generate
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.recovery_data import recovery_in
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.recovery_run import converge_recovery
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import public_half

Make = t.Callable[..., dict[str, t.Any]]
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
FINISHED = "Cloud-init v. 22.4.2 finished at Sun, 29 Nov 2026 19:47:06 +0000. Datasource DataSourceEc2.\n"
BLOCK = f"-----BEGIN SSH HOST KEY KEYS-----\n{HOST_KEY} root@host\n-----END SSH HOST KEY KEYS-----\n"
OWN = b"#cloud-config\nruncmd: [date]\n"
RESTART = ["update server public-1"] * 3
WHOLE = [*RESTART, "update host keys public-1", *RESTART]


class Hosts:
    """Servers that were started before, so that they print host keys only if their user data says so."""

    def __init__(self, account: Recovered) -> None:
        self.account = account
        self.installed: dict[str, str] = {}  # the script that each server executed last
        account.plane.context.attach(t.cast(t.Any, self), t.cast(t.Any, None))

    def console_output(self, instance_id: str) -> bytes:
        recovery = recovery_in(self.account.user_data(instance_id))
        if not recovery or self.account.state(instance_id) != "running":
            return FINISHED.encode()
        if "'admin'" not in recovery.script:
            return f"groundwork.aws recovery {recovery.token} failed: the user does not exist\r\n{FINISHED}".encode()
        self.installed[instance_id] = recovery.script
        return f"{BLOCK}groundwork.aws recovery {recovery.token} complete\r\n{FINISHED}".encode()


class Recovered(Account):
    """The account with its servers, and a controller that knows none of them."""

    folder: Path

    def user_data(self, instance_id: str) -> bytes:
        found = self.ec2.describe_instance_attribute(InstanceId=instance_id, Attribute="userData")["UserData"]
        return base64.b64decode(found.get("Value", ""))

    def one(self, name: str = "public-1") -> dict[str, t.Any]:
        return next(i for i in self.instances() if {"Key": "Name", "Value": f"dev-{name}"} in i["Tags"])

    def state(self, instance_id: str) -> str:
        found = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
        return str(found["State"]["Name"])

    def tag(self, name: str = "public-1") -> str:
        return str({tag["Key"]: tag["Value"] for tag in self.one(name)["Tags"]}.get("groundwork:host-key", ""))

    def recover(self, *, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
        options = {
            "environment_name": "dev",
            "tags": {},
            "recover": ["public-1"],
            "recover_downtime": "accepted",
            "state": "recovered",
            "key_file": str(self.folder / "id_ed25519.pub"),
            "key_file_planned": False,
            "known_hosts": str(self.known_hosts),
            "user": "admin",
            "database": "",
            "deadline": 30,
            **given,
        }
        self.calls.clear()
        self.warnings.clear()
        return converge_recovery(Run(options, self, self.warnings.append, check_mode=check_mode, clock=self))

    def keys(self, **given: t.Any) -> dict[str, t.Any]:
        """Record the host keys as every playbook does before it connects."""
        options = {
            "environment_name": "dev",
            "tags": {},
            "servers": None,
            "known_hosts": str(self.known_hosts),
            "shared": True,
            "required": ["public-1"],
            "verify": False,
            "deadline": 30,
            **given,
        }
        self.calls.clear()
        self.warnings.clear()
        check_mode = options.pop("check_mode", False)
        return converge_host_keys(Run(options, self, self.warnings.append, check_mode=check_mode, clock=self))

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"


def told(result: dict[str, t.Any]) -> list[str]:
    return [f"{change['action']} {change['resource']} {change['name']}" for change in result["changes"]]


@pytest.fixture
def lost(new_network: t.Callable[[], Account], options: Make, tmp_path: Path) -> Recovered:
    """The account with four servers, whose host keys are known nowhere."""
    return launched(new_network, options, tmp_path)


def launched(new_network: t.Callable[[], Account], options: Make, folder: Path) -> Recovered:
    account = new_network()
    account.__class__ = Recovered
    recovered = t.cast(Recovered, account)
    recovered.folder = folder
    recovered.known_hosts.unlink(missing_ok=True)
    Hosts(recovered)
    recovered.converge(options(public={"user_data": OWN.decode()}))
    return recovered


def test_one_comes_back(lost: Recovered) -> None:
    server = lost.one()
    hosts = Hosts(lost)
    predicted = lost.recover(check_mode=True)
    assert told(predicted) == WHOLE
    assert not [call for call in lost.calls if not call.startswith(("Describe", "Get"))]
    done = lost.recover()
    assert told(done) == WHOLE
    assert lost.user_data(server["InstanceId"]) == OWN
    assert lost.state(server["InstanceId"]) == "running"
    assert lost.known_hosts.read_text() == f"{server['InstanceId']} {HOST_KEY} public-1\n"
    assert lost.tag().startswith(f"{HOST_KEY} 20")
    key = (lost.folder / "id_ed25519.pub").read_text().split()[1]
    assert f"echo 'ssh-ed25519 {key} dev-servers' >> \"$keys\"" in hosts.installed[server["InstanceId"]]
    assert lost.warnings == []
    assert told(lost.keys()) == []
    assert lost.calls == ["DescribeInstances"]


def test_it_is_announced_and_refused_until_it_is_accepted(lost: Recovered) -> None:
    server = lost.one()
    with pytest.raises(InputError) as caught:
        lost.recover(recover_downtime="refused", database="public-1")
    assert [problem.variable for problem in caught.value.problems] == ["recover_downtime"]
    for words in (
        f"public-1 ({server['InstanceId']}) is deregistered from its load balancers, stopped and started twice",
        f"its public address {server['PublicIpAddress']} changes",
        "its disks and data are kept",
        "all sites have no database meanwhile",
    ):
        assert words in str(caught.value)
    planned = lost.recover(recover_downtime="refused", state="planned", check_mode=True)
    assert planned["changes"] == [] and planned["servers"][0]["name"] == "public-1"
    told(lost.recover())
    assert lost.one()["PublicIpAddress"] != server["PublicIpAddress"]


def test_an_elastic_address_stays_and_a_lonely_server_is_told(lost: Recovered) -> None:
    server = lost.one()
    gateway = lost.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    lost.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=server["VpcId"])
    address = lost.ec2.allocate_address(Domain="vpc")
    lost.ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=server["InstanceId"])
    other = lost.one("public-2")["InstanceId"]
    lost.ec2.stop_instances(InstanceIds=[other])
    [line] = lost.recover(state="planned", check_mode=True)["lines"]
    assert "changes" not in line
    assert "no other server of the tier public serves" in line
    lost.recover()
    assert lost.one()["PublicIpAddress"] == address["PublicIp"]


def test_public_servers_are_first_because_others_are_reached_through_them(lost: Recovered) -> None:
    found = [server["name"] for server in lost.recover(recover="all", state="planned")["servers"]]
    assert found == ["public-1", "public-2", "private-1", "private-2"]


@pytest.mark.parametrize("user_data", [b"", OWN, b"\x1f\x8b" + bytes(range(256)) * 32, bytes(range(256)) * 64])
def test_its_own_user_data_comes_back_byte_for_byte(lost: Recovered, user_data: bytes) -> None:
    server = lost.one()["InstanceId"]
    lost.ec2.stop_instances(InstanceIds=[server])
    lost.settle()
    lost.ec2.modify_instance_attribute(InstanceId=server, UserData={"Value": user_data})
    assert told(lost.recover()) == WHOLE
    assert lost.user_data(server) == user_data


def test_user_data_that_leaves_no_room_is_refused_and_nothing_is_stopped(lost: Recovered) -> None:
    server = lost.one()["InstanceId"]
    full = random.Random(1).randbytes(16 * 1024)  # noqa: S311 - content that cannot be compressed
    lost.ec2.stop_instances(InstanceIds=[server])
    lost.settle()
    lost.ec2.modify_instance_attribute(InstanceId=server, UserData={"Value": full})
    lost.ec2.start_instances(InstanceIds=[server])
    lost.settle()
    for state in ("planned", "recovered"):
        with pytest.raises(GroundworkError, match=rf"groundwork.aws.replace with servers_replace={server}"):
            lost.recover(state=state)
        assert not [call for call in lost.calls if not call.startswith(("Describe", "Get"))]
    assert (lost.state(server), lost.user_data(server)) == ("running", full)


@pytest.mark.exhaustive
def test_killed_after_any_write_the_next_run_completes_it(
    new_network: t.Callable[[], Account], options: Make, tmp_path: Path
) -> None:
    whole = launched(new_network, options, tmp_path)
    whole.recover()
    writes = [at for at, call in enumerate(whole.calls) if not call.startswith(("Describe", "Get"))]
    assert len(writes) == 7
    for position in writes:
        victim = launched(new_network, options, tmp_path)
        server = victim.one()["InstanceId"]
        victim.killed_after = position
        with pytest.raises(Account.Killed):
            victim.recover()
        victim.killed_after = None
        victim.settle()
        victim.recover()
        assert victim.user_data(server) == OWN, position
        assert victim.state(server) == "running"
        assert victim.tag().startswith(HOST_KEY)


def test_a_recovery_that_has_printed_the_keys_is_not_begun_again(lost: Recovered) -> None:
    lost.recover()
    at = lost.calls.index("CreateTags")
    lost.ec2.delete_tags(Resources=[lost.one()["InstanceId"]], Tags=[{"Key": "groundwork:host-key"}])
    lost.killed_before = at
    with pytest.raises(Account.Killed):
        lost.recover()
    lost.killed_before = None
    assert told(lost.recover()) == WHOLE[3:]


def test_a_new_key_goes_into_the_key_pair_too(lost: Recovered) -> None:
    key = public_half(generate("dev"))
    (lost.folder / "id_ed25519.pub").write_text(f"{key}\n")
    assert told(lost.recover(check_mode=True)) == ["update key pair servers", *WHOLE]
    assert told(lost.recover()) == ["update key pair servers", *WHOLE]
    [pair] = lost.ec2.describe_key_pairs(IncludePublicKey=True)["KeyPairs"]
    assert pair["PublicKey"].startswith(str(key))
    assert {"Key": "groundwork:environment", "Value": "dev"} in pair["Tags"]


def test_a_user_that_does_not_exist_is_told_and_the_remedy_works(lost: Recovered) -> None:
    with pytest.raises(
        GroundworkError, match=r"could not install the key: .*Correct servers_recover_user and run again"
    ):
        lost.recover(user="debian")
    assert told(lost.recover(user="admin")) == WHOLE
    assert lost.user_data(lost.one()["InstanceId"]) == OWN


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"recover": ""}, "recover: is empty; give 'all' or a list of servers"),
        ({"recover": "public-7"}, "recover: 'public-7' is not a server of the environment; give some of private-1 (i-"),
        ({"user": "a b"}, "user: 'a b' is not the name of a user"),
        ({"key_file": "/nowhere.pub"}, "key_file: the file /nowhere.pub does not exist"),
        ({"key_file": "/nowhere.pub", "key_file_planned": True}, "key_file: does not exist"),
        ({"deadline": 0}, "deadline: 0 is out of range"),
    ],
)
def test_bad_input_is_refused(lost: Recovered, given: dict[str, t.Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        lost.recover(**given)
    assert message in str(caught.value)
    assert not [call for call in lost.calls if not call.startswith(("Describe", "Get"))]


# Host keys of all controllers ------------------------------------------------------------------------------------


def test_another_controller_copies_the_key_in_check_mode_too(lost: Recovered) -> None:
    lost.recover()
    lost.known_hosts.unlink()
    assert told(lost.keys(check_mode=True)) == ["create host keys public-1"]
    server = lost.one()["InstanceId"]
    assert lost.known_hosts.read_text() == f"{server} {HOST_KEY} public-1\n"
    assert lost.calls == ["DescribeInstances"]
    assert told(lost.keys()) == []


def test_a_controller_of_before_writes_the_tag(lost: Recovered) -> None:
    server = lost.one()["InstanceId"]
    lost.known_hosts.write_text(f"{server} {HOST_KEY} public-1\n")
    assert told(lost.keys(check_mode=True)) == ["update host keys public-1"]
    assert lost.tag() == ""
    assert told(lost.keys()) == ["update host keys public-1"]
    assert lost.tag().startswith(f"{HOST_KEY} 20")
    assert told(lost.keys()) == []


def test_a_key_that_differs_is_told_and_both_remedies_work(lost: Recovered) -> None:
    lost.recover()
    server = lost.one()["InstanceId"]
    other = str(public_half(generate("dev")))
    for remedy in ("tag", "recover"):
        lost.known_hosts.write_text(f"{server} {other} public-1\n")
        with pytest.raises(GroundworkError) as caught:
            lost.keys()
        assert f"'ssh-keygen -R {server} -f {lost.known_hosts}'" in str(caught.value)
        assert "written at 20" in str(caught.value)
        assert lost.known_hosts.read_text() == f"{server} {other} public-1\n"
        if remedy == "tag":
            lost.known_hosts.write_text("")
            assert told(lost.keys()) == ["create host keys public-1"]
        else:
            lost.recover()
            assert lost.warnings == [f"public-1 ({server}) has other host keys than those that were recorded."]
            assert told(lost.keys()) == []
        assert HOST_KEY in lost.known_hosts.read_text()


def test_a_server_that_prints_nothing_is_told_and_recovers(lost: Recovered) -> None:
    with pytest.raises(GroundworkError, match=r"run groundwork.aws.recover|Run groundwork.aws.recover"):
        lost.keys()
    lost.recover()
    assert told(lost.keys()) == []


def test_a_server_that_is_to_be_replaced_need_not_be_known(lost: Recovered) -> None:
    assert told(lost.keys(required=[])) == []
    assert len(lost.warnings) == 4 and all("are not known" in warning for warning in lost.warnings)
