"""The manager of the edge: one nginx for all distributions, with a cache for each."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from groundwork_lab.apart import Apart
from groundwork_lab.authority import Authority
from groundwork_lab.journal import Journal
from groundwork_lab.model import Distribution, Invalidation, World
from groundwork_lab.plane.edges import functions, tls
from groundwork_lab.plane.edges.cache import carry_over
from groundwork_lab.plane.edges.config import MODULES, USER, render, zone
from groundwork_lab.plane.edges.logs import Deliver, Deliveries
from groundwork_lab.plane.edges.nginx import Nginx, NginxError, check
from groundwork_lab.plane.edges.patterns import Covered
from groundwork_lab.plane.edges.place import Place
from groundwork_lab.plane.edges.sites import known
from groundwork_lab.private import write_private
from groundwork_lab.settings import Settings

SCRIPTS = Path(__file__).parent / "js"
WILDCARD = "*.cloudfront.net"
OWN = ("certificate.pem", "key.pem")  # CloudFront's own certificate and its key

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Move:
    """The replacement of a distribution's cache. The new cache gets the objects that are still valid."""

    site: str
    old: Path
    new: Path
    covered: Covered

    def begin(self) -> None:
        shutil.rmtree(self.new, ignore_errors=True)  # left over from a failed attempt
        self.carry()

    def carry(self) -> None:
        _log.info("%s: %d objects were kept in the cache.", self.site, carry_over(self.old, self.new, self.covered))


class EdgeManager:
    """Implements `ports.Reconciler`. `deliver` takes the log files of distributions."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        authority: Authority,
        deliver: Deliver,
        place: Place | None = None,
    ) -> None:
        self._place = place or Place(settings.state / "edge", trusted=settings.bundle)
        self.deliveries = Deliveries(self._place.log, deliver)
        self._authority = authority
        self._nginx = Nginx(self._place.folder, settings.namespace("aws"), journal)
        self._scripts = {f"js/{file.name}": file.read_bytes() for file in sorted(SCRIPTS.glob("*.js"))}
        self._generations: dict[str, int] = {}  # by distribution: the generation of the cache that nginx uses
        self._forgotten: dict[str, frozenset[str]] = {}  # by distribution: completed invalidations in the `World`
        self._judged: dict[str, bool] = {}  # by a function's file: whether nginx accepts it

    def reconcile(self, world: World) -> None:
        """Serve the distributions, and carry out the invalidations: on return, viewers get no invalidated object.

        Raise UnservedError with the distributions that cannot be rendered or that nginx rejects. Raise NginxError or
        OSError if nothing can be served.
        """
        if not self._nginx.running:
            self._begin()
        apart = Apart()
        secrets = _secrets(world)
        for name, content in secrets.items():
            write_private(self._place.secret(name), content)
        rendered = apart.each(world.distributions.items(), lambda each: self._tried(_only(world, [each])))
        servable = _only(world, [world.distributions[each] for each in rendered])
        try:
            self._serve(servable)
        except NginxError:
            self._serve(self._accepted(servable, apart))
        self.deliveries.follow(servable.distributions.values())
        self._forget_secrets(secrets)
        apart.end()

    def _tried(self, world: World) -> dict[str, bytes]:
        return self._files(world, dict.fromkeys(world.distributions, 0))

    def _accepted(self, world: World, apart: Apart) -> World:
        """Return the `World` with the distributions that nginx accepts together. Raise NginxError if there is none."""
        accepted = _only(world, [])
        self._nginx.check(self._tried(accepted))
        for distribution in world.distributions.values():
            with apart.trying(distribution.id):
                more = _only(world, [*accepted.distributions.values(), distribution])
                self._nginx.check(self._tried(more))
                accepted = more
        return accepted

    def _serve(self, world: World) -> None:
        moves = [self._move(each) for each in world.distributions.values() if self._new(each)]
        generations = {each: self._generations.get(each, 0) for each in world.distributions}
        for move in moves:
            generations[move.site] += 1
            move.begin()
        files = self._files(world, generations)
        if files != self._nginx.files:
            self._nginx.apply(files)
        for move in moves:
            move.carry()  # the objects that old workers have stored since
        self._generations = generations
        self._forgotten = {each.id: _ids(each) for each in world.distributions.values()}
        self._clear()

    def close(self) -> None:
        """Stop nginx and delete its caches. What was logged since the last delivery is lost."""
        self.deliveries.close()
        self._nginx.close()

    def _begin(self) -> None:
        self._nginx.close()
        self._nginx.prepare(USER)
        for name, content in zip(OWN, self._authority.issue([WILDCARD]), strict=True):
            write_private(self._place.secret(name), content)

    def _new(self, distribution: Distribution) -> list[Invalidation]:
        """Return the invalidations that are not carried out yet."""
        done = self._forgotten.get(distribution.id, frozenset())
        return [each for each in distribution.invalidations if each.id not in done]

    def _move(self, distribution: Distribution) -> _Move:
        now = self._generations.get(distribution.id, 0)
        old, new = (self._place.cache(zone(distribution.id, each)) for each in (now, now + 1))
        covered = Covered(path for each in self._new(distribution) for path in each.paths)
        return _Move(distribution.id, old, new, covered)

    def _forget_secrets(self, kept: Collection[str]) -> None:
        """Delete the certificates that are not used any more."""
        for file in self._place.secret("").iterdir():
            if file.name not in (*kept, *OWN):
                file.unlink()

    def _files(self, world: World, generations: Mapping[str, int]) -> dict[str, bytes]:
        used = functions.used(world)
        modules = {functions.module_name(each.code): functions.module(each.code) for each in used}
        refused = {name for name, code in modules.items() if not self._takes(name, code)}
        broken = functions.BROKEN.encode()
        good = {name: code for name, code in modules.items() if name not in refused}
        good[functions.module_name(broken)] = functions.module(broken)
        return {
            "nginx.conf": render(world, generations, self._place).encode(),
            "js/edge.js": f"export default {json.dumps(known(world), sort_keys=True)};\n".encode(),
            "js/functions.js": functions.registry(used, refused).encode(),
            **{f"js/{name}": code for name, code in good.items()},
            **self._scripts,
        }

    def _takes(self, name: str, module: bytes) -> bool:
        """Return whether nginx accepts the code of a function. A rejected one must not affect the others."""
        if name not in self._judged:
            with tempfile.TemporaryDirectory(prefix="groundwork-function-") as folder:
                (Path(folder) / name).write_bytes(module)
                config = Path(folder) / "nginx.conf"
                config.write_text(functions.trial(MODULES[0], Path(folder), name), encoding="utf-8")
                try:
                    check(config)
                except NginxError as error:
                    _log.warning("nginx rejects the code of a function: %s", error)
                    self._judged[name] = False
                else:
                    self._judged[name] = True
        return self._judged[name]

    def _clear(self) -> None:
        """Delete unused caches: those of deleted distributions, and those from before an invalidation."""
        wanted = {zone(site, generation) for site, generation in self._generations.items()}
        for folder in (self._place.folder / "cache").iterdir():
            if folder.name not in wanted:
                shutil.rmtree(folder, ignore_errors=True)  # an old worker may still write to it


def _only(world: World, distributions: Iterable[Distribution]) -> World:
    """Return the `World` with only these distributions."""
    return replace(world, distributions={each.id: each for each in distributions})


def _secrets(world: World) -> dict[str, bytes]:
    """Return the files of all certificates by name."""
    found = [each.certificate for each in world.distributions.values() if each.certificate is not None]
    return {name: content for each in found for name, content in tls.files(each).items()}


def _ids(distribution: Distribution) -> frozenset[str]:
    return frozenset(each.id for each in distribution.invalidations)
