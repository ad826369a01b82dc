from __future__ import annotations

import http.client
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from control_plane import Lab

from groundwork_lab.api.faults import Fault


def get(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def test_calls_are_counted_and_writes_told_apart(lab: Lab) -> None:
    vpc = lab.vpc()
    lab.ec2.describe_vpcs()
    lab.ec2.describe_vpcs()
    lab.refused("InvalidSubnet.Range", lab.ec2.create_subnet, VpcId=vpc, CidrBlock="10.9.0.0/24")
    assert lab.plane.calls.counted() == {"ec2": {"CreateSubnet": 1, "CreateVpc": 1, "DescribeVpcs": 2}}
    assert lab.plane.calls.writes == {"ec2": {"CreateSubnet": 1, "CreateVpc": 1}}
    lab.plane.calls.reset()
    assert lab.plane.calls.counted() == {}


def test_accepted_writes_tell_the_data_plane(lab: Lab) -> None:
    lab.ec2.describe_vpcs()
    assert lab.changes == []
    vpc = lab.vpc()
    assert len(lab.changes) == 1
    lab.refused("InvalidSubnet.Range", lab.ec2.create_subnet, VpcId=vpc, CidrBlock="10.9.0.0/24")
    lab.refused("DryRunOperation", lab.ec2.create_internet_gateway, DryRun=True)
    assert len(lab.changes) == 1


def test_who_may_ask(lab: Lab) -> None:
    status, body = get(lab.api, "/?Action=DescribeVpcs&Version=2016-11-15")
    assert (status, b"MissingAuthenticationToken" in body) == (403, True)
    status, body = get(lab.api, "/", **{"X-Amz-Target": "AmazonSSM.GetParameter"})
    assert (status, json.loads(body)["__type"]) == (400, "MissingAuthenticationTokenException")
    lab.refused("AuthFailure", lab.client("ec2", region="us-east-1").describe_vpcs)
    lab.refused("InvalidAction", lab.client("redshift").describe_clusters)
    lab.refused("UnsupportedOperation", lab.client("elb").delete_load_balancer, LoadBalancerName="x")
    assert lab.client("route53").list_hosted_zones()["HostedZones"] == []
    assert lab.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_s3_for_everyone_and_for_signers(lab: Lab) -> None:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="site-1", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="site-1", Key="a/page", Body=b"hello")
    assert s3.get_object(Bucket="site-1", Key="a/page")["Body"].read() == b"hello"
    assert get(lab.s3_port, "/site-1/a/page")[0] == 403
    assert get(lab.s3_port, "/none/at/all")[0] == 404
    s3.delete_public_access_block(Bucket="site-1")
    policy = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site-1/a/*"}
    s3.put_bucket_policy(Bucket="site-1", Policy=json.dumps({"Version": "2012-10-17", "Statement": [policy]}))
    assert get(lab.s3_port, "/site-1/a/page") == (200, b"hello")
    assert get(lab.s3_port, "/site-1")[0] == 403
    assert get(lab.api, "/site-1/a/page")[0] == 403
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "site-1", "Key": "a/page"})
    assert get(lab.s3_port, "/" + url.split("/", 3)[3]) == (200, b"hello")
    assert lab.plane.calls.counted()["s3"]["GetObject"] == 5


def test_throttling(lab: Lab) -> None:
    lab.plane.faults.set(Fault(service="ec2", operation="CreateVpc", every=2, code="RequestLimitExceeded", status=503))
    lab.vpc()
    with pytest.raises(ClientError) as caught:
        lab.vpc()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert caught.value.response["Error"]["Code"] == "RequestLimitExceeded"
    assert len(lab.plane.snapshot().vpcs) == 2  # the default one and the first
    assert lab.plane.calls.counted()["ec2"]["CreateVpc"] == 2
    lab.plane.faults.clear()
    lab.vpc()


def test_a_connection_that_dies_after_the_call(lab: Lab) -> None:
    lab.plane.faults.set(Fault(operation="CreateVpc", drop=True, times=1))
    with pytest.raises(ConnectionClosedError):
        lab.vpc()
    assert len(lab.plane.snapshot().vpcs) == 2
    assert lab.changes == ["changed"]
    lab.vpc("10.1.0.0/16")


def test_connections_stay_open(lab: Lab) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", lab.api, timeout=10)
    for body in (b"", b"Action=DescribeVpcs", b"x" * 100_000):
        connection.request("POST", "/", body=body)
        first = connection.sock
        response = connection.getresponse()
        assert response.version == 11
        assert response.read()
        assert connection.sock is first
    connection.request("HEAD", "/")
    assert connection.getresponse().read() == b""
    connection.request("GET", "/")
    assert connection.getresponse().status == 403
    connection.close()


def test_chunked_bodies_and_expectations(lab: Lab) -> None:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="site-1", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="site-1", Key="big", Body=iter_file(b"y" * 300_000))
    assert s3.head_object(Bucket="site-1", Key="big")["ContentLength"] == 300_000
    connection = http.client.HTTPConnection("127.0.0.1", lab.api, timeout=10)
    connection.request("POST", "/", body=iter([b"Action=", b"DescribeVpcs"]), encode_chunked=True)
    assert connection.getresponse().read()
    connection.close()


def iter_file(content: bytes) -> Any:
    from io import BytesIO

    return BytesIO(content)


def test_a_failure_of_moto_is_an_aws_error(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise KeyError("oops")

    lab.ec2.describe_vpcs()
    monkeypatch.setattr(type(lab.plane.context.ec2), "describe_vpcs", broken)
    assert "oops" in lab.refused("UnsupportedOperation", lab.ec2.describe_vpcs)


def test_a_new_plane_is_an_empty_account(lab: Lab) -> None:
    lab.vpc()
    before = lab.plane.snapshot()
    assert before == lab.plane.snapshot()
    lab.ec2.create_internet_gateway()
    assert before != lab.plane.snapshot()


def test_characters_that_an_answer_could_not_have_are_refused(lab: Lab) -> None:
    name = "\0"
    lab.refused("InvalidParameterValue", lab.ec2.create_key_pair, KeyName=name)
    lab.refused("ValidationError", lab.client("iam").create_user, UserName=name)
    lab.refused("InvalidArgument", lab.client("route53").get_change, Id=name)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("dynamodb", "list_tables"),
        ("lambda", "list_functions"),
        ("eks", "list_clusters"),
        ("cloudwatch", "describe_alarms"),
        ("redshift", "describe_clusters"),
        ("secretsmanager", "list_secrets"),
    ],
)
def test_clients_understand_that_a_service_is_not_there(lab: Lab, service: str, operation: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(lab.client(service), operation)()
    error = caught.value.response["Error"]
    assert error["Code"] in ("UnknownOperationException", "InvalidAction")
    assert error["Message"].startswith("The lab does not have the service ")
