"""The layers that images' disks are made of: the base image below, and one for each capture above it.

A layer is never changed. It is there while an image or a disk needs it, whichever lives longer.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Layers:
    """The captured layers below `folder`, each named as the image that it was captured for. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._images: dict[str, tuple[Path, ...]] = {}
        self._being_made: set[Path] = set()
        self._removals: list[threading.Thread] = []

    def of(self, image_id: str) -> tuple[Path, ...]:
        """The layers of a captured image, the uppermost first. Raises KeyError for one that was not captured."""
        with self._lock:
            return self._images[image_id]

    @contextmanager
    def making(self, image_id: str, below: tuple[Path, ...]) -> Iterator[Path]:
        """Where to make the image's own layer, which lies on `below`; it is the image's once the block has ended well.

        Until then nobody removes it; what a failure leaves of it goes with the next collection.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        layer = self._folder / image_id
        with self._lock:
            self._being_made.add(layer)
        try:
            yield layer
            with self._lock:
                self._images[image_id] = (layer, *below)
        finally:
            with self._lock:
                self._being_made.discard(layer)

    def collect(self, images: Collection[str], disks: Callable[[], Iterable[tuple[Path, ...]]]) -> None:
        """Forget all images but these, and remove the layers that no image and none of the disks has.

        `disks` gives the layers of every disk that there is.
        """
        with self._lock:
            self._images = {image_id: layers for image_id, layers in self._images.items() if image_id in images}
            used = {layer for layers in (*self._images.values(), *disks()) for layer in layers} | self._being_made
        self._removals = [each for each in self._removals if each.is_alive()]
        for layer in self._folder.glob("ami-*"):
            if layer not in used:
                gone = layer.rename(layer.with_name(f"gone-{layer.name}"))  # out of the way of the next collection
                removal = threading.Thread(target=shutil.rmtree, args=(gone,), name=f"remove-{layer.name}")
                removal.start()
                self._removals.append(removal)

    def close(self) -> None:
        """Wait for the removals that are under way."""
        for removal in self._removals:
            removal.join()
