"""The health of HAProxy's servers in the format of ELB, and its transfer during a reload. Pure functions.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html and
https://docs.haproxy.org/2.6/management.html, sections 9.1 (the CSV format) and 9.3 (show servers state).
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from groundwork_lab.model import HealthCheck
from groundwork_lab.plane.balancers.nodes import CHECKS, OPEN, Pool
from groundwork_lab.ports import HealthReport

Key = tuple[str, str]  # pool and server

CHECKING = HealthReport("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
REGISTERING = HealthReport("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
HEALTHY = HealthReport("healthy")
TIMED_OUT = HealthReport("unhealthy", "Target.Timeout", "Request timed out")
FAILED = HealthReport("unhealthy", "Target.FailedHealthChecks", "Health checks failed")

STATE_VERSION = "1"
DOWN = "0"  # srv_op_state
STATE_FIELDS = (
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state "
    "bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr "
    "srv_agent_addr srv_agent_port"
)


@dataclass(frozen=True)
class ServerStat:
    """A server's line in `show stat`: `check` is the result of the last check (`L7OK`, `L4TOUT`), `code` its status."""

    up: bool
    check: str
    code: str

    @property
    def passed(self) -> bool:
        """Return whether the last check succeeded. The server may still be down."""
        return self.check in ("L4OK", "L6OK", "L7OK", "L7OKC")

    @property
    def checked(self) -> bool:
        """Return whether a check has ended since the process started."""
        return self.check not in ("", "UNK", "INI")


def parse_stats(answer: str) -> dict[Key, ServerStat]:
    """Return the checked servers in the CSV of `show stat`, by pool and name."""
    lines = csv.DictReader(answer.lstrip("# ").splitlines())
    return {
        (line["pxname"].removesuffix(CHECKS), line["svname"]): ServerStat(
            up=line["status"].startswith("UP"),
            check=line["check_status"].removeprefix("* "),  # an asterisk marks a check in progress
            code=line["check_code"],
        )
        for line in lines
        if line["pxname"].endswith(CHECKS) and line["svname"] != "BACKEND"
    }


def parse_requests(answer: str) -> Counter[str]:
    """Return the requests for which a target was chosen, by pool, in the CSV of `show stat`.

    Those of a pool and of its open backend are added.
    """
    found: Counter[str] = Counter()
    for line in csv.DictReader(answer.lstrip("# ").splitlines()):
        if line["svname"] not in ("BACKEND", "FRONTEND") and not line["pxname"].endswith(CHECKS):
            pool = line["pxname"].removesuffix(OPEN)
            found[pool] += int(line["req_tot"] or 0)
    return found


def told(stat: ServerStat | None, *, fresh: bool, before: HealthReport | None) -> HealthReport:
    """Return the health of a server on one node.

    `fresh` means that it has no initial health yet. `before` is the health that was last reported. It is valid until
    the first check after a reload, because HAProxy transfers that a server is down, but not why.
    """
    if stat is None:  # before the first reload with this server, or during a reload
        return before or REGISTERING
    if stat.up:
        return HEALTHY
    if fresh:
        return CHECKING
    if not stat.checked or stat.passed:
        return before if before is not None and before.state == "unhealthy" else FAILED
    return _failure(stat)


def _failure(stat: ServerStat) -> HealthReport:
    if stat.check.endswith("TOUT"):
        return TIMED_OUT
    if stat.check == "L7STS" and stat.code:
        words = f"Health checks failed with these codes: [{stat.code}]"
        return HealthReport("unhealthy", "Target.ResponseCodeMismatch", words)
    return FAILED


_WORST_FIRST = ("unhealthy", "initial", "healthy")


def combined(reports: Iterable[HealthReport]) -> HealthReport:
    """Return the health of a target that several nodes check: the worst of their reports, as ELB does."""
    return min(reports, key=lambda report: _WORST_FIRST.index(report.state))


def verdict_after(check: HealthCheck) -> float:
    """Return the seconds after which a new target that fails all checks is unhealthy."""
    return check.interval * (check.unhealthy_threshold - 1) + check.timeout


def parse_state(answer: str) -> dict[Key, str]:
    """Return the lines of the checked servers in `show servers state`, by pool and server."""
    lines = (line for line in answer.splitlines()[1:] if line and not line.startswith("#"))
    return {
        (fields[1].removesuffix(CHECKS), fields[3]): line
        for line in lines
        if len(fields := line.split()) >= len(STATE_FIELDS.split()) and fields[1].endswith(CHECKS)
    }


def render_state(pools: Iterable[Pool], known: Mapping[Key, str]) -> tuple[str, list[Key]]:
    """Return a server-state file, and the servers in it that are new.

    The health of known servers is kept, so that a reload does not lose it. Whatever is configured (ports, TLS,
    thresholds) is that of the new configuration: HAProxy would prefer what the file says. A new server starts as down:
    without a line, HAProxy would send it requests before its first check, which ELB does not.
    """
    lines, new = [], []
    for pool in pools:
        for server in pool.servers:
            key = (pool.name, server.name)
            if key not in known:
                new.append(key)
            lines.append(_state(pool, server.name, known.get(key)))
    return "\n".join([STATE_VERSION, f"# {STATE_FIELDS}", *lines]) + "\n", new


def _state(pool: Pool, server: str, known: str | None) -> str:
    """Return the line of a server. `known` is its line in the running process; without one it is down."""
    before = dict(zip(STATE_FIELDS.split(), known.split(), strict=False)) if known else {}
    check = pool.group.health_check
    address, _, port = server.rpartition(":")
    up = before.get("srv_op_state", DOWN) != DOWN
    level = int(before.get("srv_check_health", "0"))
    least, most = (check.healthy_threshold, check.healthy_threshold + check.unhealthy_threshold - 1)
    values = {
        "be_id": "1",
        "be_name": f"{pool.name}{CHECKS}",
        "srv_id": "1",
        "srv_name": server,
        "srv_addr": address,
        "srv_op_state": before.get("srv_op_state", DOWN),
        "srv_uweight": "1",
        "srv_iweight": "1",
        "srv_time_since_last_change": before.get("srv_time_since_last_change", "0"),
        "srv_check_status": before.get("srv_check_status", "1"),
        "srv_check_result": before.get("srv_check_result", "0"),
        "srv_check_health": str(max(least, min(level, most)) if up else min(level, least - 1)),
        "srv_check_state": "6",  # configured and enabled
        "srv_fqdn": "-",
        "srv_port": port,
        "srvrecord": "-",
        "srv_use_ssl": "1" if pool.group.protocol == "HTTPS" else "0",
        "srv_check_port": "0" if check.port == "traffic-port" else check.port,
        "srv_check_addr": "-",
        "srv_agent_addr": "-",
    }
    return " ".join(values.get(name, "0") for name in STATE_FIELDS.split())


def sessions(answer: str, servers: Collection[Key]) -> list[str]:
    """Return the ids of the sessions in `show sess` that use one of the servers, in their pool or its open backend."""
    found = re.findall(r"^(0x[0-9a-f]+): .*? be=(\S+) srv=(\S+) ", answer, re.MULTILINE)
    return [session for session, backend, server in found if (backend.removesuffix(OPEN), server) in servers]
