"""Keep connections open while the load balancer's targets change, and print the answers before and after.

The arguments are the load balancer's DNS name and the id of the server to deregister. At the end it is registered.
"""

from __future__ import annotations

import json
import sys
import time
from http.client import HTTPConnection
from typing import Any

import boto3

VISITORS = 4
ELSEWHERE = 81  # nothing listens on this port
DELAY = "deregistration_delay.timeout_seconds"
DEADLINE = 30.0  # seconds

elb = boto3.client("elbv2")


def main() -> None:
    balancer, server = sys.argv[1:]
    group = elb.describe_target_groups(Names=["web"])["TargetGroups"][0]["TargetGroupArn"]
    elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[{"Key": DELAY, "Value": "0"}])
    connections = [HTTPConnection(balancer, timeout=10) for _ in range(VISITORS)]
    before = [ask(each) for each in connections]
    sockets = [each.sock for each in connections]
    change(elb.register_targets, group, server, ELSEWHERE, "unhealthy")
    change(elb.deregister_targets, group, server, 80, "unused")
    await_one(balancer)
    kept = [each.sock is socket is not None for each, socket in zip(connections, sockets, strict=True)]
    after = [ask(each) for each in connections]
    change(elb.deregister_targets, group, server, ELSEWHERE, "unused")
    change(elb.register_targets, group, server, 80, "healthy")
    print(json.dumps({"before": before, "kept": kept, "after": after}))


def change(how: Any, group: str, server: str, port: int, state: str) -> None:
    """Register or deregister a target, and wait until the load balancer has applied it."""
    target = {"Id": server, "Port": port}
    how(TargetGroupArn=group, Targets=[target])
    deadline = time.monotonic() + DEADLINE
    while True:
        [health] = elb.describe_target_health(TargetGroupArn=group, Targets=[target])["TargetHealthDescriptions"]
        if health["TargetHealth"]["State"] == state:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{target} is not {state} but {health}")


def await_one(balancer: str) -> None:
    """Wait until new connections reach one server only."""
    deadline = time.monotonic() + DEADLINE
    while len({ask(HTTPConnection(balancer, timeout=10)) for _ in range(3 * VISITORS)}) > 1:
        if time.monotonic() > deadline:
            raise TimeoutError("the server that left still answers")


def ask(connection: HTTPConnection) -> tuple[int, str]:
    connection.request("GET", "/")
    answer = connection.getresponse()
    return answer.status, answer.read().decode().strip()


if __name__ == "__main__":
    main()
