"""An instance's states: which follow on which, by the API's wish and by the host's report.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
"""

from __future__ import annotations

from groundwork_lab.aws.context import refuse
from groundwork_lab.model import InstanceState

CODES: dict[InstanceState, int] = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}
BY_USER = ("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown")
BY_INSTANCE = ("Client.InstanceInitiatedShutdown", "Client.InstanceInitiatedShutdown: Instance initiated shutdown")
FAILED = "Server.InternalError"

_STARTED: dict[InstanceState, InstanceState] = {"stopped": "pending", "pending": "pending", "running": "running"}
_STOPPED: dict[InstanceState, InstanceState] = {"running": "stopping", "stopping": "stopping", "stopped": "stopped"}


def started(instance_id: str, state: InstanceState) -> InstanceState:
    """The state that StartInstances leads to; starting what runs changes nothing."""
    if state not in _STARTED:
        message = f"The instance '{instance_id}' is not in a state from which it can be started."
        refuse("IncorrectInstanceState", message)
    return _STARTED[state]


def stopped(instance_id: str, state: InstanceState) -> InstanceState:
    """The state that StopInstances leads to."""
    if state not in _STOPPED:
        message = f"The instance '{instance_id}' is not in a state from which it can be stopped."
        refuse("IncorrectInstanceState", message)
    return _STOPPED[state]


def terminated(state: InstanceState) -> InstanceState:
    """The state that TerminateInstances leads to: from everywhere."""
    return state if state in ("shutting-down", "terminated") else "shutting-down"


def check_rebootable(instance_id: str, state: InstanceState) -> None:
    if state not in ("pending", "running"):
        message = f"The instance '{instance_id}' is not in a state from which it can be rebooted."
        refuse("IncorrectInstanceState", message)


def reported(state: InstanceState, report: InstanceState, *, terminates_on_shutdown: bool) -> InstanceState:
    """The state after a host's report; one that comes too late changes nothing.

    A host that went down by itself is stopped, or to be removed when its InstanceInitiatedShutdownBehavior is
    `terminate`.
    """
    if state == "terminated":
        return state
    if report == "terminated":
        return "terminated"
    if report == "running" and state == "pending":
        return "running"
    if report == "stopped" and state in ("pending", "running", "stopping"):
        return "shutting-down" if terminates_on_shutdown and state != "stopping" else "stopped"
    return state
