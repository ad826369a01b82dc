"""The manager of the DB instances: a keeper for each of them, and the snapshots."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from groundwork_lab.apart import Apart
from groundwork_lab.authority import Authority
from groundwork_lab.journal import Journal
from groundwork_lab.model import World
from groundwork_lab.plane.databases import programs
from groundwork_lab.plane.databases.keeper import Keeper, Surroundings, Trouble, Wanted
from groundwork_lab.plane.databases.snapshots import Snapshots
from groundwork_lab.settings import Settings


class DatabaseManager:
    """Implements `ports.Reconciler`.

    `changed` is called from any thread when an instance or a snapshot is no longer pending. `trouble` gets the id of an
    instance with what is wrong with it, or "". `failed_over` gets the id of an instance and that of the network
    interface of its new primary.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        authority: Authority,
        *,
        changed: Callable[[], None],
        trouble: Callable[[str, Trouble], None],
        failed_over: Callable[[str, str], None],
    ) -> None:
        self._folder = settings.state / "databases"
        self._snapshots = Snapshots(self._folder / "snapshots")
        self._template_lock = threading.Lock()
        self._around = Surroundings(
            settings,
            journal,
            authority,
            self._snapshots,
            self._of,
            self._template,
            changed,
            trouble,
            failed_over,
        )
        self._keepers: dict[str, Keeper] = {}
        self._pending: frozenset[str] = frozenset()

    def reconcile(self, world: World) -> None:
        """Hand the instances to their keepers, and delete the others. Raise UnservedError with those that failed."""
        apart = Apart()
        gone = [self._keepers.pop(name) for name in self._keepers.keys() - world.databases.keys()]
        _together(gone, lambda keeper: self._delete(keeper, apart))
        for database in world.databases.values():
            with apart.trying(database.id):
                interface = world.interfaces.get(database.interface_id)
                standby = world.interfaces.get(database.standby_id)
                if interface is None or (database.standby_id and standby is None):
                    message = f"The network interface of {database.name} does not exist."
                    raise LookupError(message)
                keeper = self._keepers.get(database.id)
                if keeper is None:
                    self._folder.mkdir(mode=0o711, parents=True, exist_ok=True)
                    keeper = self._keepers[database.id] = Keeper(database.id, self._around)
                taken = frozenset(
                    each.id
                    for each in world.database_snapshots.values()
                    if each.pending and each.database_id == database.id
                )
                keeper.give(Wanted(database, interface, standby, taken))
                if keeper.error:
                    apart.reasons[database.id] = keeper.error
        for name in self._snapshots.names() - world.database_snapshots.keys():
            if not name.endswith(".new"):
                with apart.trying(name):
                    self._snapshots.delete(name)
        self._pending = self._unfinished(world)
        apart.end()

    def pending(self) -> frozenset[str]:
        """Return the ids of the instances and snapshots of the last `World` that are not finished yet."""
        return self._pending

    def _unfinished(self, world: World) -> frozenset[str]:
        databases = (
            name
            for name, each in world.databases.items()
            if name not in self._keepers or not self._keepers[name].has_applied(each)
        )
        snapshots = (
            name for name, each in world.database_snapshots.items() if each.pending and not self._snapshots.exists(name)
        )
        return frozenset((*databases, *snapshots))

    def _of(self, name: str) -> Path:
        return self._folder / name

    def _template(self) -> Path:
        """Return the data folder of a new server, which the first instance makes."""
        template = self._folder / "template"
        with self._template_lock:
            if not template.exists():
                programs.install(template)
        return template

    def _delete(self, keeper: Keeper, apart: Apart) -> None:
        with apart.trying(keeper.name):
            keeper.close()
            keeper.delete()

    def close(self) -> None:
        """Stop all servers, and keep the files."""
        _together(self._keepers.values(), Keeper.close)
        self._keepers.clear()


def _together(keepers: Iterable[Keeper], work: Callable[[Keeper], None]) -> None:
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="databases") as pool:
        list(pool.map(work, keepers))
