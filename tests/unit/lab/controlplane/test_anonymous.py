from __future__ import annotations

from typing import Any

import pytest

from groundwork_lab.controlplane.anonymous import allows_everyone

OBJECT = "arn:aws:s3:::site/index.html"


def statement(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site/*", **changes}


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([statement()], True),
        ([statement(Principal={"AWS": "*"})], True),
        ([statement(Action=["s3:Get*"])], True),
        ([statement(Action="s3:*", Resource="*")], True),
        ([], False),
        ([statement(Principal={"AWS": "arn:aws:iam::123456789012:root"})], False),
        ([statement(Principal={"Service": "cloudfront.amazonaws.com"})], False),
        ([statement(Action="s3:PutObject")], False),
        ([statement(Resource="arn:aws:s3:::site2/*")], False),
        ([statement(Resource="arn:aws:s3:::site")], False),
        ([statement(Condition={"StringEquals": {"aws:SourceArn": "x"}})], False),
        ([statement(), statement(Effect="Deny")], False),
        ([statement(Effect="Deny", Resource="arn:aws:s3:::site/private/*"), statement()], True),
    ],
)
def test_allows_everyone(statements: list[dict[str, Any]], allowed: bool) -> None:
    assert allows_everyone({"Statement": statements}, "s3:GetObject", OBJECT) is allowed
