"""The real roles and modules of a distribution in front of a load balancer: plan = run, and a secret that rotates."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from watching import watching

from groundwork_lab.api import ControlPlane
from groundwork_lab.authority import Authority
from groundwork_lab.credentials import ACCESS_KEY
from groundwork_lab.settings import REGION, Settings

ROOT = Path(__file__).parents[3]
NAME = "www.example.com"
PARAMETER = "/groundwork/dev/alb/public/origin-verify"
SITE = [("network", "main.yml"), ("firewall", "main.yml"), ("alb", "main.yml"), ("alb", "distributions.yml")]
ROTATION = [("alb", "rotate.yml"), ("alb", "distributions.yml")]
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}


class Account:
    """An account with certificates of the user for the name, in the region and in us-east-1."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder = folder
        self._endpoint = endpoint
        self.output = ""
        authority = Authority(Settings("test", folder, folder))
        authority.start()
        certificate, key = authority.issue([NAME])
        given = {"Certificate": certificate, "PrivateKey": key, "CertificateChain": authority.certificate}
        own, edge = [
            str(self.client("acm", region).import_certificate(**given)["CertificateArn"])
            for region in (REGION, "us-east-1")
        ]
        listener = {
            "port": 443,
            "protocol": "HTTPS",
            "certificates": [own],
            "default_action": {"target_groups": [{"name": "public"}]},
        }
        balancer = {"name": "public", "tier": "public", "security_groups": ["public-alb"], "listeners": [listener]}
        self.variables = {
            "environment_name": "dev",
            "aws_region": REGION,
            "network_cidr": "10.20.0.0/16",
            "network_zones": [f"{REGION}a", f"{REGION}b"],
            "alb_target_groups": [{"name": "public", "tier": "public"}],
            "alb_load_balancers": [balancer],
            "alb_names": {"public": [NAME]},
            "alb_distributions": [{"name": "public", "certificate_arn": edge, "static_paths": ["*.css"]}],
        }

    def client(self, service: str, region: str = REGION) -> Any:
        own = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": "testing"}
        return boto3.client(service, region_name=region, endpoint_url=self._endpoint, **own)

    def play(self, roles: list[tuple[str, str]], *words: str, **more: Any) -> list[str]:
        """Run the roles with --diff, and return the changes, without those of parameters, which Ansible hides."""
        tasks = [{"ansible.builtin.import_role": {"name": f"groundwork.aws.{n}", "tasks_from": t}} for n, t in roles]
        own = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": own, "tasks": tasks}
        (self._folder / "play.yml").write_text(json.dumps([play]))
        environment = {
            **os.environ,
            **KEYS,
            "AWS_ENDPOINT_URL": self._endpoint,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_LOCAL_TEMP": str(self._folder / "tmp"),
            "ANSIBLE_REMOTE_TEMP": str(self._folder / "tmp"),
        }
        ansible = str(Path(sys.executable).with_name("ansible-playbook"))
        variables = json.dumps({**self.variables, **more})
        argv = [ansible, "-i", "localhost,", "play.yml", "--diff", "-vvv", "-e", variables, *words]
        ran = subprocess.run(argv, cwd=self._folder, env=environment, capture_output=True, text=True, check=False)
        self.output += ran.stdout + ran.stderr
        assert ran.returncode == 0, ran.stdout[-3000:]
        told = json.loads(ran.stdout[ran.stdout.index("\n{") :])
        results = [task["hosts"]["localhost"] for play in told["plays"] for task in play["tasks"]]
        whole = [one for result in results for one in (result, *result.get("results", ()))]
        changes = [change for one in whole for change in one.get("changes", ())]
        return [f"{one['action']} {one['resource']} {one['name']}" for one in changes]

    def secret(self) -> str:
        found = self.client("ssm").get_parameter(Name=PARAMETER, WithDecryption=True)
        return str(found["Parameter"]["Value"])

    def accepted(self) -> list[str]:
        """Return the secrets that the load balancer accepts."""
        elb = self.client("elbv2")
        [balancer] = elb.describe_load_balancers()["LoadBalancers"]
        [listener] = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        [condition] = next(rule for rule in rules if not rule["IsDefault"])["Conditions"]
        return list(condition["HttpHeaderConfig"]["Values"])

    def sent(self) -> str:
        """Return the secret that the distribution sends."""
        edge = self.client("cloudfront")
        [one] = edge.list_distributions()["DistributionList"]["Items"]
        [origin] = edge.get_distribution_config(Id=one["Id"])["DistributionConfig"]["Origins"]["Items"]
        return str(origin["CustomHeaders"]["Items"][0]["HeaderValue"])


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    plane = ControlPlane(Settings("test", tmp_path, tmp_path), lambda: None)
    sockets = [socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))]
    plane.serve(sockets)
    with watching(lambda: plane.reconciled(plane.snapshot())):
        yield Account(tmp_path, f"http://127.0.0.1:{sockets[0].getsockname()[1]}")
    plane.close()


@pytest.mark.exhaustive
def test_the_plan_of_an_empty_account_is_the_run_and_the_secret_rotates(account: Account) -> None:
    planned = account.play(SITE, "--check")
    assert account.play(SITE) == planned
    assert {"create cache policy alb-static", "create distribution alb-public"} < {*planned}
    first = account.secret()
    assert (account.accepted(), account.sent()) == ([first], first)
    assert account.play(SITE) == []

    rotation = account.play(ROTATION, "--check", alb_rotate="public")
    assert account.secret() == first
    rule = "update rule public:443/50000"
    assert rotation == [rule, "update distribution alb-public", rule]
    assert account.play(ROTATION, alb_rotate="public") == rotation
    second = account.secret()
    assert second != first
    assert (account.accepted(), account.sent()) == ([second], second)
    assert [value for value in (first, second) if value in account.output] == []
