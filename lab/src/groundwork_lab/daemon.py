"""The lab's daemon: it starts all parts, serves the API and the control socket, and stops the parts in order.

`groundwork-lab up` starts it as `python -m groundwork_lab.daemon READY`.
READY is a file descriptor: the daemon writes one line to it when the API answers, and closes it without a line when it
fails. SIGTERM stops the daemon.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import partial
from typing import Any

from groundwork_lab import registrar, status
from groundwork_lab.api import ControlPlane
from groundwork_lab.api.faults import Fault
from groundwork_lab.api.serving import server_context
from groundwork_lab.authority import Authority
from groundwork_lab.aws.cloudfront.world import is_deployed, store_log
from groundwork_lab.aws.services import global_endpoints
from groundwork_lab.control import RefusalError, Route, Server
from groundwork_lab.journal import Journal, start_time
from groundwork_lab.lookup import Lookup
from groundwork_lab.model import HostedZone
from groundwork_lab.packages import PORT as PACKAGES_PORT
from groundwork_lab.packages import Packages
from groundwork_lab.plane.balancers import BalancerManager
from groundwork_lab.plane.databases import DatabaseManager, TrustStore, version
from groundwork_lab.plane.edges import EdgeManager
from groundwork_lab.plane.fabric import Fabric
from groundwork_lab.plane.files import FileServers
from groundwork_lab.plane.hosts import HostManager
from groundwork_lab.plane.hosts.image import BaseImages
from groundwork_lab.plane.names import Names, endpoint_names
from groundwork_lab.ports import Reconciler
from groundwork_lab.processes import in_namespace, listen
from groundwork_lab.reconcile import Loop, Part
from groundwork_lab.settings import API, ORIGIN, PACKAGES, RESOLVER, S3, Settings, from_environment

_log = logging.getLogger(__name__)
SHORTEST_MINUTE, LONGEST_MINUTE = 2.0, 60.0  # seconds


@dataclass(frozen=True)
class Lab:
    """The parts of the lab that the control socket uses."""

    settings: Settings
    started: str
    control_plane: ControlPlane
    hosts: HostManager
    balancers: BalancerManager
    names: Names
    loop: Loop


@contextmanager
def running(settings: Settings, started: str) -> Iterator[Lab]:
    """Run the whole lab, with its API answering, until the context ends.

    Each part is closed after the parts that depend on it, also if the closing of another part fails.
    """
    journal = Journal(settings.journal)
    loop = Loop()
    with ExitStack() as parts:
        fabric = parts.enter_context(closing(Fabric(settings, journal)))
        fabric.start()
        authority = Authority(settings)
        authority.start()
        names = parts.enter_context(closing(Names(settings, journal, global_endpoints())))
        names.start()
        packages = parts.enter_context(closing(Packages(settings, journal)))
        packages.start()
        control_plane = parts.enter_context(closing(ControlPlane(settings, loop.changed)))
        proxy = f"http://{PACKAGES}:{PACKAGES_PORT}"
        trusted = (settings.authority / "ca.pem").read_text("ascii")
        hosts = HostManager(
            settings, journal, control_plane, BaseImages(settings), package_proxy=proxy, authority=trusted
        )
        parts.enter_context(closing(hosts))
        balancers = parts.enter_context(closing(BalancerManager(settings, journal)))
        control_plane.attach(hosts, balancers)
        control_plane.context.lookup, control_plane.context.authority = Lookup(settings), authority
        control_plane.context.mariadb = version()
        databases = DatabaseManager(
            settings,
            journal,
            authority,
            changed=loop.changed,
            trouble=lambda name, what: control_plane.report(lambda context: bool(context.rds.report(name, what))),
            failed_over=lambda name, interface: control_plane.report(
                lambda context: bool(context.rds.failed_over(name, interface))
            ),
        )
        parts.enter_context(closing(databases))
        parts.enter_context(closing(TrustStore(settings, authority))).start()
        network: list[tuple[str, Reconciler]] = [("fabric", fabric), ("names", names)]
        edges = EdgeManager(settings, journal, authority, partial(deliver_log, control_plane))
        others = [
            Part("packages", packages),
            Part("hosts", hosts),
            Part("balancers", balancers, ("load_balancers",)),
            Part("files", parts.enter_context(closing(FileServers(settings, journal))), ("file_systems",)),
            Part("databases", databases, ("databases", "database_snapshots"), databases.pending),
            Part("edges", parts.enter_context(closing(edges)), ("distributions",)),
        ]
        aws = settings.namespace("aws")
        origin, origin_port = ORIGIN
        control_plane.serve(
            [listen(aws, str(API), 80), listen(aws, str(S3), 80), listen(aws, str(origin), origin_port)],
            secure=[listen(aws, str(API), 443), listen(aws, str(S3), 443)],
            tls=server_context(settings.state, *authority.issue(endpoint_names(global_endpoints()))),
        )
        lab = Lab(settings, started, control_plane, hosts, balancers, names, loop)
        parts.enter_context(closing(Server(settings.control, routes(lab)))).start()
        parts.enter_context(closing(loop)).start(control_plane.snapshot, network, control_plane.reconciled, others)
        control_plane.start_workers()
        in_namespace(settings.namespace("laptop"), probe)
        yield lab


def deliver_log(control_plane: ControlPlane, distribution_id: str, name: str, content: bytes) -> None:
    """Store a log file of the edge in the bucket of its distribution."""
    control_plane.report(lambda context: store_log(context, distribution_id, name, content))


def probe() -> None:
    """Request the API from the network of this thread. Raise OSError or HTTPException if it does not answer."""
    connection = http.client.HTTPConnection(str(API), timeout=10)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()


def routes(lab: Lab) -> Mapping[str, Route]:
    """Return the routes of the control socket."""
    calls, faults = lab.control_plane.calls, lab.control_plane.faults

    def reset(_rest: str, _body: Any) -> object:
        counted = {"calls": calls.counted(), "writes": calls.writes}
        calls.reset()
        return counted

    def clear(_rest: str, _body: Any) -> object:
        faults.clear()
        return []

    def add(rest: str, body: Any) -> object:
        kept = faults.rules() if rest == "add" else []
        faults.set(*kept, fault_from(body))
        return [asdict(fault) for fault in faults.rules()]

    def zones() -> Collection[HostedZone]:
        return lab.control_plane.snapshot().hosted_zones.values()

    return {
        "GET /status": lambda _rest, _body: whole_status(lab),
        "GET /console": lambda rest, _body: console(lab, rest),
        "GET /calls": lambda _rest, _body: {"calls": calls.counted(), "writes": calls.writes},
        "DELETE /calls": reset,
        "GET /faults": lambda _rest, _body: [asdict(fault) for fault in faults.rules()],
        "POST /faults": add,
        "DELETE /faults": clear,
        "GET /minute": lambda _rest, _body: lab.control_plane.context.minute,
        "POST /minute": lambda _rest, body: set_minute(lab, body),
        "GET /domains": lambda _rest, _body: registrar.listed(lab.names),
        "POST /domains": lambda _rest, body: registrar.register(lab.names, zones(), body),
        "DELETE /domains": lambda rest, _body: registrar.deregister(lab.names, rest),
    }


def set_minute(lab: Lab, seconds: Any) -> float:
    """Set the seconds of a minute of metrics. Raise RefusalError for a value out of range."""
    if not isinstance(seconds, int | float) or not SHORTEST_MINUTE <= seconds <= LONGEST_MINUTE:
        raise RefusalError(
            f"A minute has {seconds} seconds; give {SHORTEST_MINUTE:g} to {LONGEST_MINUTE:g}, the length on AWS."
        )
    lab.control_plane.context.minute = float(seconds)
    return lab.control_plane.context.minute


def whole_status(lab: Lab) -> dict[str, Any]:
    """Return the status that `groundwork_lab.status` documents."""
    calls = lab.control_plane.calls
    return {
        "lab": lab.settings.name,
        "pid": os.getpid(),
        "started": lab.started,
        "log": str(lab.settings.log),
        "api": f"http://{API}",
        "s3": f"http://{S3}",
        "resolver": str(RESOLVER),
        "packages": f"http://{PACKAGES}:{PACKAGES_PORT}",
        **status.of_world(
            lab.control_plane.snapshot(),
            lab.hosts.reachable,
            lab.balancers.target_health,
            partial(is_deployed, lab.control_plane.context),
        ),
        **status.of_loop(lab.loop.report),
        "calls": {"total": total(calls.counted()), "writes": total(calls.writes)},
    }


def total(table: Mapping[str, Mapping[str, int]]) -> int:
    return sum(number for operations in table.values() for number in operations.values())


def console(lab: Lab, wanted: str) -> bytes:
    """Return the console log of the instance with this id or Name tag; if several have the name, of the newest one."""
    instances = lab.control_plane.snapshot().instances.values()
    named = sorted((each.launch_time, each.id) for each in instances if wanted in (each.id, each.tags.get("Name")))
    if named:
        return lab.hosts.console_output(named[-1][1])
    # A terminated instance is not in the `World`, but its console log may still exist.
    left = lab.hosts.console_output(wanted) if re.fullmatch("i-[0-9a-f]+", wanted) else b""
    if not left:
        known = ", ".join(sorted(each.tags.get("Name") or each.id for each in instances)) or "none"
        raise RefusalError(f"The host '{wanted}' does not exist; the existing hosts are: {known}.", 404)
    return left


def fault_from(body: Any) -> Fault:
    """Return the fault of a request. Raise RefusalError for an unknown field or a value out of range."""
    known = {each.name for each in fields(Fault)}
    if not isinstance(body, dict):
        raise RefusalError("A fault must be a JSON object.")
    if unknown := sorted(set(body) - known):
        raise RefusalError(f"A fault has unknown fields: {', '.join(unknown)}; use {', '.join(sorted(known))}.")
    fault = Fault(**body)
    wrong = [
        f"{name} is {getattr(fault, name)}; it must be {bounds}" for name, bounds, fits in BOUNDS if not fits(fault)
    ]
    if wrong:
        raise RefusalError("; ".join(wrong) + ".")
    return fault


BOUNDS: tuple[tuple[str, str, Callable[[Fault], bool]], ...] = (
    ("probability", "0 to 1", lambda fault: 0 <= fault.probability <= 1),
    ("every", "0 or more", lambda fault: fault.every >= 0),
    ("times", "0 or more", lambda fault: fault.times >= 0),
    ("status", "400 to 599", lambda fault: 400 <= fault.status <= 599),
    ("delay", "0 or more", lambda fault: fault.delay >= 0),
    ("stale", "0 or more", lambda fault: fault.stale >= 0),
    ("unknown", "0 or more", lambda fault: fault.unknown >= 0),
)


def main() -> int:
    """Run the daemon until SIGTERM or SIGINT."""
    os.umask(0o022)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s")
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    settings = from_environment()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    identity = {"pid": os.getpid(), "start": start_time(os.getpid()), "started": started}
    settings.daemon.write_text(json.dumps(identity), encoding="utf-8")
    with os.fdopen(int(sys.argv[1]), "w", encoding="utf-8") as ready, running(settings, started):
        _log.info("The API answers on http://%s.", API)
        ready.write("ready\n")
        ready.close()
        stop.wait()
        _log.info("Closing.")
    _log.info("Closed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
