"""Load balancers with names need security groups that admit their clients."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Admitted, Known
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.names import check_admitted

HTTP = {"port": 80, "protocol": "HTTP"}
HTTPS = {"port": 8443, "protocol": "HTTPS"}
ALL = Admitted("0.0.0.0/0", 80, 80)


@pytest.mark.parametrize(
    ("rules", "listeners", "wrong"),
    [
        ([ALL], [HTTP], "do not admit 0.0.0.0/0 to port 443"),
        ([ALL, Admitted("0.0.0.0/0", 443, 443)], [HTTP], ""),
        ([Admitted("0.0.0.0/0", 0, 65535)], [HTTP], ""),
        ([ALL, Admitted("10.0.0.0/8", 443, 443)], [HTTP], "do not admit 0.0.0.0/0 to port 443"),
        ([Admitted("10.1.0.0/16", 80, 80), Admitted("10.0.0.0/8", 443, 443)], [HTTP], ""),
        ([Admitted("::/0", 80, 80), Admitted("0.0.0.0/0", 443, 443)], [HTTP], "do not admit ::/0 to port 443"),
        ([Admitted("pl-1", 443, 443)], [HTTP], ""),
        ([Admitted("office", 80, 80), Admitted("pl-1", 443, 443)], [HTTP], "do not admit office to port 443"),
        ([], [HTTP], "do not admit anything to port 443"),
        ([ALL], [HTTP, HTTPS], "do not admit anything to port 8443"),
        ([Admitted("10.0.0.0/8", 8000, 9000)], [HTTPS], ""),
    ],
)
def test_whom_the_security_groups_admit(rules: list[Admitted], listeners: list[t.Any], wrong: str) -> None:
    balancer = {"name": "web", "security_groups": ["one", "two"], "listeners": listeners}
    own = {"names": {"web": ["www.example.com"]}, "load_balancers": [balancer]}
    problems = Problems()
    check_admitted(own, Known(admitted={"one": rules, "two": []}), problems)
    assert [str(one) for one in problems.found] == (
        []
        if not wrong
        else [f"names.web: its security groups (one, two) {wrong}; {str(problems.found[0]).split('; ')[1]}"]
    )
    for known in (Known(), Known(admitted={"one": rules})):
        check_admitted(own, known, unknown := Problems())
        assert unknown.found == []
    check_admitted({**own, "names": {}}, Known(admitted={"one": rules, "two": []}), unknown)
    assert unknown.found == []
