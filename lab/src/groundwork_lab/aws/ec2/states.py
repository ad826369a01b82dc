"""The states of an instance, and their transitions by API calls and by reports of the host.

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
    """Return the state after StartInstances. A running instance stays running."""
    if state not in _STARTED:
        message = f"The instance '{instance_id}' is not in a state from which it can be started."
        refuse("IncorrectInstanceState", message)
    return _STARTED[state]


def stopped(instance_id: str, state: InstanceState) -> InstanceState:
    """Return the state after StopInstances."""
    if state not in _STOPPED:
        message = f"The instance '{instance_id}' is not in a state from which it can be stopped."
        refuse("IncorrectInstanceState", message)
    return _STOPPED[state]


def terminated(state: InstanceState) -> InstanceState:
    """Return the state after TerminateInstances, which is possible in every state."""
    return state if state in ("shutting-down", "terminated") else "shutting-down"


def check_rebootable(instance_id: str, state: InstanceState) -> None:
    if state not in ("pending", "running"):
        message = f"The instance '{instance_id}' is not in a state from which it can be rebooted."
        refuse("IncorrectInstanceState", message)


def reported(state: InstanceState, report: InstanceState, *, terminates_on_shutdown: bool) -> InstanceState:
    """Return the state after a host's report. A report that is out of date changes nothing.

    If a host has shut down on its own, its instance is stopped, or terminated if its InstanceInitiatedShutdownBehavior
    is `terminate`.
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
