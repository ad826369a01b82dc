"""Launch a server that reads a parameter and an object with the keys of its role, with curl over https.

Print the content of the server's page as JSON.
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.request import urlopen

import boto3
from build_site import newest_debian
from make_images import PATIENCE, build_network

POLICY = [
    {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "arn:aws:ssm:*:*:parameter/web/password"},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::groundwork-releases/*"},
]
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
USER_DATA = r"""#!/bin/sh
mkdir -p /srv/www
cd /srv/www
metadata=http://169.254.169.254/latest
token=$(curl -s -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" $metadata/api/token)
imds() { curl -s -H "X-aws-ec2-metadata-token: $token" $metadata/meta-data/iam/security-credentials/$1; }
imds > role
imds $(cat role) > /root/keys
field() { python3 -c "import json; print(json.load(open('/root/keys'))['$1'])"; }
ask() {
    service=$1; shift
    curl -sS --aws-sigv4 aws:amz:eu-central-1:$service --user "$(field AccessKeyId):$(field SecretAccessKey)" \
        -H "x-amz-security-token: $(field Token)" "$@" 2>&1
}
parameter() {
    ask ssm -H "X-Amz-Target: AmazonSSM.GetParameter" -H "Content-Type: application/x-amz-json-1.1" \
        -d "{\"Name\": \"$1\", \"WithDecryption\": true}" https://ssm.eu-central-1.amazonaws.com/
}
parameter /web/password > parameter
parameter /other > denied
unsigned="x-amz-content-sha256: UNSIGNED-PAYLOAD"
ask s3 -H "$unsigned" https://groundwork-releases.s3.eu-central-1.amazonaws.com/one > object
ask sts "https://sts.eu-central-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15" > identity
systemd-run --unit=web python3 -m http.server 80 --directory /srv/www
"""
TOLD = ("role", "parameter", "denied", "object", "identity")


def main() -> None:
    prepare()
    network = build_network()
    ec2 = boto3.client("ec2")
    made = ec2.run_instances(
        ImageId=newest_debian(),
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        SubnetId=network["SubnetId"],
        SecurityGroupIds=[network["group"]],
        IamInstanceProfile={"Name": "web"},
        MetadataOptions={"HttpTokens": "required"},
        UserData=USER_DATA,
    )["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_status_ok").wait(InstanceIds=[made], WaiterConfig=PATIENCE)
    address = ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"][0]["PublicIpAddress"]
    print(json.dumps({"instance": made, **told(address)}))


def prepare() -> None:
    iam, ssm, s3 = boto3.client("iam"), boto3.client("ssm"), boto3.client("s3")
    iam.create_role(RoleName="web-role", AssumeRolePolicyDocument=TRUST)
    document = json.dumps({"Version": "2012-10-17", "Statement": POLICY})
    iam.put_role_policy(RoleName="web-role", PolicyName="own", PolicyDocument=document)
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web-role")
    ssm.put_parameter(Name="/web/password", Type="SecureString", Value="opens it")
    ssm.put_parameter(Name="/other", Type="SecureString", Value="not theirs")
    bucket = "groundwork-releases"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket=bucket, Key="one", Body=b"a release")


def told(address: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            return {name: urlopen(f"http://{address}/{name}", timeout=2).read().decode() for name in TOLD}
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(address)


if __name__ == "__main__":
    main()
