from __future__ import annotations

import pytest
from control_plane import Lab

from groundwork_lab.aws.ssm.parameters import excess, misnamed


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
