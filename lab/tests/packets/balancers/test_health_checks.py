"""Health checks follow the settings of their target group. Run with `-m lab`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from .conftest import CHECK, OK, PORT, until

pytestmark = pytest.mark.lab

OTHER = 8081


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [("traffic-port", str(OTHER), OTHER), (str(OTHER), "traffic-port", PORT), (str(OTHER), "8082", None)],
)
def test_a_changed_port(balancer: Any, before: str, after: str, asked: int | None) -> None:
    seen: list[int] = []
    for port in (PORT, OTHER):
        balancer.target(port, lambda _request, port=port: (seen.append(port), OK)[1])
    check = replace(CHECK, interval=1, timeout=1, path="/check")
    balancer.serve(replace(check, port=before))
    balancer.await_state("healthy")
    balancer.serve(replace(check, port=after))
    until(lambda: balancer.state() == "unhealthy" if asked is None else seen[-3:] == [asked] * 3)
    assert balancer.state() == ("unhealthy" if asked is None else "healthy")


@pytest.mark.parametrize("after", [{"path": "/broken"}, {"matcher": "299"}, {"protocol": "HTTPS"}, {"port": "8082"}])
@pytest.mark.parametrize(("healthy", "unhealthy"), [(2, 2), (4, 2), (2, 4)])
def test_any_changed_setting_is_followed(balancer: Any, after: dict[str, Any], healthy: int, unhealthy: int) -> None:
    """Test settings with which the target fails, and then the first ones again."""
    balancer.answers[PORT] = lambda request: OK if b" /check " in request else OK.replace(b"200", b"500", 1)
    check = replace(CHECK, interval=1, timeout=1, path="/check")
    balancer.serve(check)
    balancer.await_state("healthy")
    balancer.serve(replace(check, **after))
    balancer.await_state("unhealthy")
    balancer.serve(replace(check, healthy_threshold=healthy, unhealthy_threshold=unhealthy))
    balancer.await_state("healthy")
