"""The data plane applies the state after random accepted and refused calls, generated from seeds.

`GROUNDWORK_FUZZ_SEEDS=7,8` and `GROUNDWORK_FUZZ_CALLS=20000` set other seeds and numbers of calls. A failure shows its
seed and the call.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import api_site
import pytest
from api_calls import Answer, Api, Caller, UnsendableError, operations

from groundwork_lab import status
from groundwork_lab.apart import Apart
from groundwork_lab.api import ControlPlane
from groundwork_lab.api.calls import is_read
from groundwork_lab.aws.corrections import discover
from groundwork_lab.model import InstanceState, World
from groundwork_lab.plane import balancers
from groundwork_lab.plane.balancers.nodes import nodes
from groundwork_lab.plane.edges import config as edges
from groundwork_lab.plane.edges import functions, sites
from groundwork_lab.plane.edges.place import Place
from groundwork_lab.plane.fabric.compute import compute
from groundwork_lab.plane.hosts.host import wanted
from groundwork_lab.plane.names import records
from groundwork_lab.plane.names.zones import by_name, hosted_zone, local_zones
from groundwork_lab.ports import HealthReport
from groundwork_lab.reconcile import LoopReport
from groundwork_lab.settings import Settings

SEEDS = [int(seed) for seed in os.environ.get("GROUNDWORK_FUZZ_SEEDS", "1,2,3").split(",")]
CALLS = int(os.environ.get("GROUNDWORK_FUZZ_CALLS", "350"))
FOLDER = Path("/var/lib/lab")
SETTINGS = Settings("fuzz", FOLDER, FOLDER)
NEXT: Mapping[InstanceState, InstanceState] = {
    "pending": "running",
    "stopping": "stopped",
    "shutting-down": "terminated",
}


class NoHosts:
    def console_output(self, instance_id: str) -> bytes:
        return b""

    def cpu_seconds(self, instance_id: str) -> float | None:
        return None


class NoBalancers:
    def target_health(self, target_group_arn: str) -> dict[tuple[str, int], HealthReport]:
        return {}

    def requests(self, target_group_arn: str) -> int | None:
        return None


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    made = ControlPlane(SETTINGS, lambda: None)
    made.attach(NoHosts(), NoBalancers())
    logging.disable(logging.CRITICAL)  # moto's failures are logged with tracebacks, of which there are thousands here
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield made
    logging.disable(logging.NOTSET)
    made.close()


def derive_all(world: World) -> None:
    """Return what each part of the data plane derives from a `World` before it changes the machine."""
    compute(world, SETTINGS)
    apart = Apart()
    for node in nodes(world, apart).values():
        balancers.config.render(node, FOLDER)
    names = by_name(records(world, apart))
    local_zones(names)
    for zone in world.hosted_zones.values():
        hosted_zone(zone, names)
    apart.end()
    for instance in world.instances.values():
        wanted(instance, world.images)
    edges.render(world, {}, Place(FOLDER))
    sites.known(world)
    functions.registry(functions.used(world), ())
    told = status.of_world(world, lambda _: True, lambda _: {}, lambda _: True)
    loop = status.of_loop(LoopReport())
    fixed = dict.fromkeys(("lab", "pid", "started", "log", "api", "s3", "resolver", "packages"), "")
    status.render({**fixed, **told, **loop, "calls": {"total": 0, "writes": 0}})


def follow(plane: ControlPlane, caller: Caller) -> None:
    """Report the `World` as applied: hosts have started or ended, images were captured."""
    world = plane.snapshot()
    for instance in world.instances.values():
        if instance.state in NEXT and caller.random.random() < 0.7:
            plane.instance_state(instance.id, NEXT[instance.state])
    for image in world.images.values():
        if image.pending:
            plane.image_captured(image.id, failure=caller.random.choice(("", "no disk left")))
    plane.reconciled(plane.snapshot())


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts(key)
            yield from texts(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from texts(inner)


def parts(world: World) -> dict[tuple[str, str], Any]:
    """Return all resources of a `World` by kind and id."""
    kinds = [each.name for each in fields(world) if each.name != "unreadable"]
    return {(kind, name): each for kind in kinds for name, each in getattr(world, kind).items()}


def differing(one: World, other: World) -> list[tuple[str, str]]:
    before, after = parts(one), parts(other)
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


def learning(api: Api, caller: Caller) -> api_site.Call:
    """Return a function that makes a call, which must be accepted, and passes it to the caller's `learn`."""

    def call(service: str, operation: str, **params: Any) -> Mapping[str, Any]:
        answer = api(service, operation, **params)
        caller.learn(service, operation, params, answer)
        return answer

    return call


def make(api: Api, caller: Caller, known: list[tuple[str, str]]) -> tuple[Answer, str, str, str] | None:
    """Make the caller's next call, and let it learn from it. Return None if no client could send it."""
    service, operation, params = caller.call(known)
    mangle = caller.mangled if caller.random.random() < 0.02 else None
    try:
        answer = api.send(service, operation, params, mangle)
    except UnsendableError:
        return None
    if answer.status < 300:
        caller.learn(service, operation, params, answer.parsed)
    return answer, service, operation, f"{service} {operation} {params!r}"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.exhaustive
def test_no_sequence_of_calls_keeps_the_data_plane_from_following(plane: ControlPlane, seed: int) -> None:
    api = Api(plane)
    caller = Caller(seed)

    def booted(instance_id: str) -> None:
        plane.instance_state(instance_id, "running")

    api_site.build(api, "canary", "10.77", booted)
    follow(plane, caller)
    follow(plane, caller)
    canary = parts(plane.snapshot())
    caller.spared = frozenset(texts([asdict(each) if hasattr(each, "id") else each for each in canary.values()]))
    caller.spared |= {name for _, name in canary} | {"canary", "canary-site"}

    api_site.build(learning(api, caller), "toy", "10.88", booted)
    known = operations()
    world = plane.snapshot()
    for number in range(CALLS):
        made = make(api, caller, known)
        if made is None:
            continue
        answer, service, operation, called = made
        where = f"seed {seed}, call {number}: {called}"
        before, world = world, plane.snapshot()
        check(answer, service, operation, before, world, where)
        if world != before:
            try:
                derive_all(world)
            except Exception as error:
                raise AssertionError(where) from error
        if number % 10 == 0:
            follow(plane, caller)
            world = plane.snapshot()
        now = parts(world)
        assert [key for key, each in canary.items() if now.get(key) != each] == [], where


def check(answer: Answer, service: str, operation: str, before: World, after: World, where: str) -> None:
    unknown_to_s3 = service == "s3" and answer.status == 501
    assert answer.status < 500 or unknown_to_s3, f"{where}\n{answer}"
    assert after.unreadable == (), where
    if answer.status >= 400 or is_read(operation):
        assert differing(before, after) == [], f"{where}\n{answer}"


def test_the_world_is_read_and_followed_while_calls_come_in(plane: ControlPlane) -> None:
    api = Api(plane)
    callers = [Caller(seed) for seed in (101, 102)]
    for caller in callers:
        name, network = f"toy-{caller.seed}", f"10.{caller.seed}"
        api_site.build(
            learning(api, caller), name, network, lambda instance_id: plane.instance_state(instance_id, "running")
        )
    deep = {name for name, each in discover().items() if each.sources or each.worker}
    known = [each for each in operations() if each[0] in deep]
    plane.start_workers()
    failures: list[Exception] = []

    def work(caller: Caller) -> None:
        try:
            for _ in range(60):
                make(api, caller, known)
        except Exception as error:  # the main thread fails with it
            failures.append(error)

    threads = [threading.Thread(target=work, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        follow(plane, callers[0])
        world = plane.snapshot()
        assert world.unreadable == ()
        derive_all(world)
    assert failures == []
    assert [each.name for each in threading.enumerate() if each.name == "auto-scaling"] == ["auto-scaling"]
