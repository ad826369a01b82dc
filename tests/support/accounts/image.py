"""An account with a network, whose instances and images change state during waits."""

from __future__ import annotations

import typing as t

from cloud import NEXT_STATE, Cloud

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, specification
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.run import converge_golden

OPTIONS = {
    "environment_name": "dev",
    "tags": {},
    "stage": "plan",
    "stamp": "",
    "recipe": {"packages": ["apache2"]},
    "base": {},
    "subnet": "public-a",
    "instance_type": "t3.small",
    "admin_cidrs": ["203.0.113.7/32"],
    "keep": 3,
    "rebuild": False,
    "deadline": 60,
}
KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJIF4M9mOM1CgqWnVr0CnU4jUDqUDV/AiWYOf4qqJmz"


class Site:
    """The environment `dev`. The calls of `images` and the like are not counted."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        cloud.sleep = self.settle
        self.ec2 = cloud.ec2
        self.ssm = cloud._watched.client("ssm", watched=False)

    def build(self) -> None:
        owner = Owner("dev", "network")
        vpc = self.ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        tags = specification("subnet", owner.tags("public-a"))
        arguments = {"VpcId": vpc, "CidrBlock": "10.20.0.0/24", "AvailabilityZone": "eu-central-1a"}
        self.subnet = self.ec2.create_subnet(**arguments, TagSpecifications=tags)["Subnet"]["SubnetId"]
        self.ec2.import_key_pair(KeyName="dev-servers", PublicKeyMaterial=KEY)

    def settle(self, seconds: float) -> None:
        self.cloud.now += seconds
        for instance in self.instances():
            following = NEXT_STATE.get(instance["State"]["Name"])
            if following:
                self.cloud.plane.instance_state(instance["InstanceId"], following)
        for image in self.ec2.describe_images(Owners=["self"])["Images"]:
            if image["State"] == "pending":
                self.cloud.plane.image_captured(image["ImageId"])

    def instances(self, *states: str) -> list[dict[str, t.Any]]:
        found = [i for r in self.ec2.describe_instances()["Reservations"] for i in r["Instances"]]
        return [i for i in found if not states or i["State"]["Name"] in states]

    def images(self) -> list[str]:
        return sorted(image["Name"] for image in self.ec2.describe_images(Owners=["self"])["Images"])

    def image_id(self, stamp: str) -> str:
        named = [{"Name": "name", "Values": [f"dev-lamp-{stamp}"]}]
        return str(self.ec2.describe_images(Owners=["self"], Filters=named)["Images"][0]["ImageId"])

    def promoted(self) -> str:
        return str(self.ssm.get_parameter(Name="/groundwork/dev/image/lamp")["Parameter"]["Value"])

    def snapshots(self) -> int:
        return len(self.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"])

    def stage(self, stage: str, *, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
        options = {**OPTIONS, "stage": stage, **given}
        return t.cast(dict[str, t.Any], self.cloud.run(converge_golden, options, check_mode=check_mode))

    def bake(self, stamp: str, **given: t.Any) -> list[str]:
        """As the role does; everything that was changed."""
        plan = self.stage("plan", stamp=stamp, **given)
        stages = ("build", "capture", "test", "promote") if plan["bake"] else ("clear",)
        made = [self.stage(stage, stamp=stamp, **given) for stage in stages]
        return [f"{c['action']} {c['resource']} {c['name']}" for result in made for c in result["changes"]]

    def left(self) -> tuple[int, list[str]]:
        """Instances and groups of a bench that are still there."""
        groups = self.ec2.describe_security_groups(Filters=[{"Name": "tag:groundwork:component", "Values": ["image"]}])
        return len(self.instances("pending", "running", "stopping", "stopped")), [
            group["GroupName"] for group in groups["SecurityGroups"]
        ]
