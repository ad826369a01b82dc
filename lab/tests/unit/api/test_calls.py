from __future__ import annotations

import pytest

from groundwork_lab.api.calls import CallCounter, is_read


@pytest.mark.parametrize(
    ("operation", "read"),
    [
        ("DescribeVpcs", True),
        ("GetParameter", True),
        ("ListObjectsV2", True),
        ("HeadObject", True),
        ("AssumeRole", True),
        ("RunInstances", False),
        ("PutParameter", False),
        ("CreateTags", False),
        ("ModifyVpcAttribute", False),
        ("", False),
    ],
)
def test_is_read(operation: str, read: bool) -> None:
    assert is_read(operation) is read


def test_counter() -> None:
    counter = CallCounter()
    for service, operation in [("ec2", "RunInstances"), ("ec2", "DescribeVpcs"), ("ssm", "GetParameter")]:
        counter.count(service, operation)
    counter.count("ec2", "DescribeVpcs")
    assert counter.counted() == {"ec2": {"DescribeVpcs": 2, "RunInstances": 1}, "ssm": {"GetParameter": 1}}
    assert counter.writes == {"ec2": {"RunInstances": 1}}
    counter.reset()
    assert counter.counted() == {}
