"""The manager of the load balancers' nodes: it runs an HAProxy for each and reports the health of the targets."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from groundwork_lab.apart import Apart
from groundwork_lab.journal import Journal
from groundwork_lab.model import Target, World
from groundwork_lab.plane.balancers import health
from groundwork_lab.plane.balancers.config import render
from groundwork_lab.plane.balancers.haproxy import Haproxy
from groundwork_lab.plane.balancers.health import Key, ServerStat
from groundwork_lab.plane.balancers.nodes import CHECKS, Node, nodes, pool_name
from groundwork_lab.plane.balancers.tls import files
from groundwork_lab.ports import HealthReport
from groundwork_lab.settings import Settings

_log = logging.getLogger(__name__)
LOOK_AT_NEW = 0.2  # seconds between checks of servers that have no initial health


@dataclass
class _Running:
    """The HAProxy of a node. `lock` is held while its configuration or the states of its servers change."""

    haproxy: Haproxy
    node: Node
    lock: threading.Lock = field(default_factory=threading.Lock)
    fresh: dict[Key, float] = field(default_factory=dict)  # servers without initial health, with the time when added
    told: dict[Key, HealthReport] = field(default_factory=dict)
    leaving: dict[Key, tuple[str, Target]] = field(default_factory=dict)  # those that old workers may still use
    counted: Counter[str] = field(default_factory=Counter)  # requests that replaced workers have counted, by pool

    def follow(self, node: Node, config: str, secrets: Mapping[str, bytes]) -> None:
        """Run with `config` and the secret files that it names, and keep the health of the servers."""
        with self.lock:
            if self.haproxy.running and self.haproxy.config == config:
                self.node = node
                return
            known = health.parse_state(self.haproxy.ask("show servers state"))
            state, new = health.render_state(node.pools, known)
            before, now = _servers(self.node), _servers(node)
            self.counted.update(health.parse_requests(self.haproxy.apply(config, state, secrets)))
            self.leaving = {key: value for key, value in {**self.leaving, **before}.items() if key not in now}
            self.fresh = {key: since for key, since in self.fresh.items() if key in now}
            self.fresh.update(dict.fromkeys(new, time.monotonic()))
            told = self.told.copy()  # API calls add to it at the same time
            self.told = {key: report for key, report in told.items() if key in now}
            self.node = node

    def let_go(self, world: World) -> None:
        """End the sessions of old workers with targets whose deregistration delay is over."""
        if not self.leaving:
            return
        with self.lock:
            over = {key for key, (arn, target) in self.leaving.items() if _is_over(world, arn, target)}
            if over:
                self.haproxy.cut_old_sessions(over)
            for key in over:
                del self.leaving[key]

    def look_at_new(self) -> None:
        """Set the initial health of new servers: one successful check is enough to be healthy.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
        """
        with self.lock:
            stats = self.stats() if self.fresh else {}
            checks = {pool.name: pool.group.health_check for pool in self.node.pools}
            for key, since in list(self.fresh.items()):
                stat = stats.get(key)
                if stat is None or not stat.checked:
                    continue
                if stat.passed and not stat.up:
                    self.haproxy.ask(f"set server {key[0]}{CHECKS}/{key[1]} health up")
                if stat.passed or stat.up or time.monotonic() - since >= health.verdict_after(checks[key[0]]):
                    del self.fresh[key]

    def stats(self) -> dict[Key, ServerStat]:
        return health.parse_stats(self.haproxy.ask("show stat"))

    def requests(self) -> Counter[str] | None:
        """Return the numbers of requests that this node has sent to targets, by pool, or None if it does not answer."""
        with self.lock:
            answer = self.haproxy.ask("show stat")
            return self.counted + health.parse_requests(answer) if answer else None

    def reports(self, backend: str) -> dict[tuple[str, int], HealthReport]:
        """Return the health of a backend's targets on this node."""
        servers = [server for pool in self.node.pools if pool.name == backend for server in pool.servers]
        stats = self.stats() if servers else {}
        answer = {}
        for server in servers:
            key = (backend, server.name)
            report = health.told(stats.get(key), fresh=key in self.fresh, before=self.told.get(key))
            self.told[key] = report
            answer[(server.target.id, server.target.port)] = report
        return answer


def _servers(node: Node) -> dict[Key, tuple[str, Target]]:
    return {(pool.name, server.name): (pool.group.arn, server.target) for pool in node.pools for server in pool.servers}


def _is_over(world: World, arn: str, target: Target) -> bool:
    group = world.target_groups.get(arn)
    return group is not None and target not in group.targets and target not in group.draining


class BalancerManager:
    """Implements `ports.Reconciler` and `ports.Balancers`."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._running: dict[str, _Running] = {}
        self._left: Counter[str] = Counter()  # the requests of nodes that are gone, by pool
        self._changed = threading.Condition()  # guards `_running`; notified when there may be new servers
        self._closing = False
        self._watcher = threading.Thread(target=self._watch, name="balancers-new-targets")
        self._watcher.start()

    def reconcile(self, world: World) -> None:
        """Start, reload and stop nodes. Raise UnservedError with the load balancers whose nodes failed."""
        apart = Apart()
        wanted = nodes(world, apart)
        for interface_id in self._running.keys() - wanted.keys():
            arn = self._running[interface_id].node.balancer.arn
            if arn not in apart.reasons:  # the nodes of a failed load balancer keep running
                with apart.trying(arn):
                    self._forget(interface_id)
        with ThreadPoolExecutor(max_workers=4, thread_name_prefix="balancer") as pool:
            for node in wanted.values():
                pool.submit(self._follow, node, world, apart)
        apart.end()

    def _follow(self, node: Node, world: World, apart: Apart) -> None:
        with apart.trying(node.balancer.arn):
            folder = self._settings.state / "balancers" / node.interface_id
            with self._changed:
                running = self._running.get(node.interface_id)
                if running is None:
                    haproxy = Haproxy(folder, self._settings.namespace(node.interface_id), self._journal)
                    running = self._running[node.interface_id] = _Running(haproxy, node)
            running.follow(node, render(node, folder), files(node.balancer, folder))
            running.let_go(world)
            with self._changed:
                self._changed.notify_all()

    def _forget(self, interface_id: str) -> None:
        counted = self._running[interface_id].requests()
        with self._changed:
            running = self._running.pop(interface_id)
            self._left += counted or Counter()
        with running.lock:
            running.haproxy.close()

    def target_health(self, target_group_arn: str) -> dict[tuple[str, int], HealthReport]:
        """Return the health by (target id, port) over all nodes that check the group, or {} if none does."""
        found: dict[tuple[str, int], list[HealthReport]] = {}
        for running in self._all():
            for target, report in running.reports(pool_name(target_group_arn)).items():
                found.setdefault(target, []).append(report)
        return {target: health.combined(reports) for target, reports in found.items()}

    def requests(self, target_group_arn: str) -> int | None:
        """Return the number of requests to targets of the group over all nodes, or None if one does not answer."""
        with self._changed:
            total, nodes_now = self._left.copy(), list(self._running.values())
        for running in nodes_now:
            counted = running.requests()
            if counted is None:
                return None
            total += counted
        return total[pool_name(target_group_arn)]

    def _all(self) -> list[_Running]:
        with self._changed:
            return list(self._running.values())

    def _watch(self) -> None:
        while self._await_new():
            for running in self._all():
                try:
                    running.look_at_new()
                except Exception:  # an error on one node must not stop the others
                    _log.exception("The new targets of node %s could not be checked", running.node.interface_id)
                    running.fresh.clear()  # HAProxy's own health applies

    def _await_new(self) -> bool:
        """Wait until a server has no initial health, then for a moment. Return False when the manager is closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or _any_fresh(self._running))
            self._changed.wait_for(lambda: self._closing, timeout=LOOK_AT_NEW)
            return not self._closing

    def close(self) -> None:
        """Stop all HAProxy processes and the watcher."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._watcher.join()
        for interface_id in list(self._running):
            self._forget(interface_id)


def _any_fresh(running: Mapping[str, _Running]) -> bool:
    return any(each.fresh for each in running.values())
