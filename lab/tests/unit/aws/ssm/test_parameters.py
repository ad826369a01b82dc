from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.aws.ssm.parameters import excess, misnamed
from groundwork_lab.credentials import ACCESS_KEY
from groundwork_lab.settings import ACCOUNT, REGION


@pytest.mark.parametrize(
    ("size", "tier", "fits"),
    [
        (4096, None, True),
        (4097, None, False),
        (4097, "Standard", False),
        (4097, "Advanced", True),
        (8192, "Intelligent-Tiering", True),
        (8193, "Advanced", False),
    ],
)
def test_excess(size: int, tier: str | None, fits: bool) -> None:
    assert (excess("x" * size, tier) is None) is fits


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("/lab/db/password", True),
        ("password", True),
        ("lab/db", False),
        ("/lab/db password", False),
        ("/ä", False),
        ("/a" * 15, True),
        ("/a" * 16, False),
    ],
)
def test_names(name: str, good: bool) -> None:
    assert (misnamed(name) is None) is good


@pytest.mark.correction("ssm:PutParameter", "Names are valid, and a value has at most 4 KiB in the standard tier.")
def test_a_secret(lab: Lab) -> None:
    secret = {"Name": "/lab/db/password", "Value": "s3cret", "Type": "SecureString"}
    assert lab.ssm.put_parameter(**secret, Tags=[{"Key": "a", "Value": "b"}])["Version"] == 1
    lab.refused("ParameterAlreadyExists", lab.ssm.put_parameter, **secret)
    lab.refused(
        "ValidationException", lab.ssm.put_parameter, **secret, Overwrite=True, Tags=[{"Key": "a", "Value": "c"}]
    )
    get = lab.ssm.get_parameter
    assert get(Name=secret["Name"], WithDecryption=True)["Parameter"]["Value"] == "s3cret"
    assert get(Name=secret["Name"])["Parameter"]["Value"] != "s3cret"
    tags = lab.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=secret["Name"])["TagList"]
    assert tags == [{"Key": "a", "Value": "b"}]
    lab.refused("ParameterNotFound", get, Name="/lab/db/other")
    lab.refused("ValidationException", lab.ssm.put_parameter, Name="/lab/long", Value="x" * 4097, Type="String")


@pytest.mark.correction(
    "ssm:DescribeParameters", "The account's own parameters are described, in pages of 50 or fewer."
)
def test_own_parameters_are_described(lab: Lab) -> None:
    names = [f"/lab/{number:02}" for number in range(51)]
    for name in names:
        lab.ssm.put_parameter(Name=name, Value="x", Type="String")
    first = lab.ssm.describe_parameters()
    second = lab.ssm.describe_parameters(NextToken=first["NextToken"])
    assert [each["Name"] for page in (first, second) for each in page["Parameters"]] == names
    assert [len(lab.ssm.describe_parameters(MaxResults=size)["Parameters"]) for size in (1, 20)] == [1, 20]
    lab.refused("InvalidNextToken", lab.ssm.describe_parameters, NextToken="nothing")
    public = lab.ssm.get_parameters_by_path(Path="/aws/service/debian", Recursive=True)["Parameters"]
    assert public


@pytest.mark.correction("ssm:DescribeParameters", "A parameter has policies, a tier, an ARN and a user.")
def test_the_description_of_a_parameter(lab: Lab) -> None:
    lab.ssm.put_parameter(Name="/lab/one", Value="x", Type="String")
    [told] = lab.ssm.describe_parameters()["Parameters"]
    assert (told["Policies"], told["Tier"], told["DataType"]) == ([], "Standard", "text")
    assert told["ARN"] == f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/lab/one"
    assert told["LastModifiedUser"] == lab.client("sts").get_caller_identity()["Arn"]


@pytest.mark.correction("ssm:PutParameter", "Values are those of the model.", also=("Checked.call_action",))
@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("put_parameter", {"Name": "one", "Value": "x", "Type": "Number"}),
        ("put_parameter", {"Name": "one", "Value": "x", "Type": "String", "Tier": "Cheap"}),
        ("put_parameter", {"Name": "one", "Value": "x", "Type": "String", "Description": "x" * 1025}),
        ("describe_parameters", {"MaxResults": 51}),
        ("get_parameters", {"Names": ["one"] * 11}),
        ("add_tags_to_resource", {"ResourceType": "Bucket", "ResourceId": "one", "Tags": []}),
    ],
)
def test_values_of_the_model(lab: Lab, operation: str, given: dict[str, Any]) -> None:
    ssm = lab.client("ssm", parameter_validation=False)
    lab.refused("ValidationException", getattr(ssm, operation), **given)


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_a_body_that_is_not_an_object(lab: Lab, body: bytes) -> None:
    signature = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20261130/{REGION}/ssm/aws4_request, SignedHeaders=host"
    headers = {
        "Authorization": f"{signature}, Signature=0",
        "X-Amz-Target": "AmazonSSM.DescribeParameters",
        "Content-Type": "application/x-amz-json-1.1",
    }
    connection = HTTPConnection("127.0.0.1", lab.api)
    connection.request("POST", "/", body, headers)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["__type"]) == (400, "SerializationException")
    connection.close()
