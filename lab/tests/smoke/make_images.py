"""Create images from servers and servers from images with boto3, and print the content of their disks as JSON.

Each server has a web server for the files on its disk. `made` is written once, by the user data of the first server.
`started` is written at each boot. `added` is written by the user data of a later server.
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.request import urlopen

import boto3
from botocore.exceptions import WaiterError
from build_site import ANYWHERE, group, leads, newest_debian, rule, subnet

USER_DATA = """#!/bin/sh
mkdir -p /srv/www
cat > /etc/systemd/system/web.service <<END
[Service]
ExecStartPre=/bin/sh -c "date +%%s%%N > /srv/www/started"
ExecStart=python3 -m http.server 80 --directory /srv/www
[Install]
WantedBy=multi-user.target
END
cat /proc/sys/kernel/random/uuid > /srv/www/made
cp /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub /srv/www
rm /etc/debian_version
systemctl enable --now web
"""
ADDITION = """#!/bin/sh
echo later > /srv/www/added
cp /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub /srv/www
ls /etc/debian_version > /srv/www/removed
"""
TOLD = ("made", "started", "added", "machine-id", "ssh_host_ed25519_key.pub", "removed")
PATIENCE = {"Delay": 1, "MaxAttempts": 60}

ec2 = boto3.client("ec2")


def main() -> None:
    network = build_network()
    first = launch(network, newest_debian(), USER_DATA)
    found: dict[str, Any] = {"first": told(first, "made")}
    golden, found["seconds"] = capture(first, "golden")
    found["first again"] = told(first, "made", since=found["first"]["started"])
    second = launch(network, golden, ADDITION)
    found["second"] = told(second, "removed")
    newer, _ = capture(second, "newer", NoReboot=True)
    found["second again"] = told(second, "removed")
    third = launch(network, newer, "")
    found["third"] = told(third, "removed")
    for image in (golden, newer):
        ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
    found["third later"] = told(third, "removed")
    ec2.terminate_instances(InstanceIds=[first, second])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[first, second], WaiterConfig=PATIENCE)
    found["third last"] = told(third, "removed")
    found |= {"images": [golden, newer], "left": third}
    print(json.dumps(found))


def build_network() -> dict[str, str]:
    vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    public = subnet(vpc, "10.30.0.0/24", "eu-central-1a")
    ec2.modify_subnet_attribute(SubnetId=public, MapPublicIpOnLaunch={"Value": True})
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=vpc)
    leads(vpc, [public], GatewayId=internet)
    return {"SubnetId": public, "group": group(vpc, "web", [rule(80, CidrIp=ANYWHERE)])}


def launch(network: dict[str, str], image: str, user_data: str) -> str:
    made = ec2.run_instances(
        ImageId=image,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        SubnetId=network["SubnetId"],
        SecurityGroupIds=[network["group"]],
        UserData=user_data,
    )
    instance = str(made["Instances"][0]["InstanceId"])
    ec2.get_waiter("instance_status_ok").wait(InstanceIds=[instance], WaiterConfig=PATIENCE)
    return instance


def capture(instance: str, name: str, **options: Any) -> tuple[str, float]:
    """Create an image of the instance. Return it and the seconds that it took."""
    began = time.monotonic()
    image = str(ec2.create_image(InstanceId=instance, Name=name, **options)["ImageId"])
    try:
        ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig=PATIENCE)
    except WaiterError as error:
        reason = ec2.describe_images(ImageIds=[image])["Images"][0].get("StateReason")
        message = f"The image {image} of {instance} is not available: {reason}"
        raise RuntimeError(message) from error
    return image, time.monotonic() - began


def told(instance: str, complete: str, since: str = "") -> dict[str, str]:
    """Wait for a boot after `since` and its file `complete`, which user data writes last. Return the server's files."""
    described = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if answer(described["PublicIpAddress"], complete) is None:
            continue
        answers = {name: answer(described["PublicIpAddress"], name) for name in TOLD}
        if answers["started"] not in (None, since):
            return {name: text for name, text in answers.items() if text is not None}
    raise TimeoutError(f"{instance} does not tell {complete}")


def answer(address: str, name: str) -> str | None:
    try:
        with urlopen(f"http://{address}/{name}", timeout=2) as response:
            return str(response.read().decode())
    except OSError:
        return None


if __name__ == "__main__":
    main()
