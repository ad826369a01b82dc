from __future__ import annotations

import pytest
from botocore.parsers import create_parser

from groundwork_lab.aws.errors import Protocol, error_answer


@pytest.mark.parametrize(
    ("protocol", "parser"),
    [("ec2", "ec2"), ("query", "query"), ("json", "json"), ("rest-json", "rest-json"), ("s3", "rest-xml")],
)
def test_botocore_reads_every_dialect(protocol: Protocol, parser: str) -> None:
    answer = error_answer(protocol, "Some.Code", "a <message> & more", 418)
    response = {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}
    error = create_parser(parser).parse(response, None)["Error"]
    assert (error["Code"], error["Message"]) == ("Some.Code", "a <message> & more")
    assert answer.status == 418
