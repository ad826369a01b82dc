"""The layers of images' disks: the base image, and a layer for each capture above it.

A layer is never changed. It is kept while an image or a disk uses it.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Layers:
    """The captured layers below `folder`, each named after its image. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._images: dict[str, tuple[Path, ...]] = {}
        self._being_made: set[Path] = set()
        self._removals: list[threading.Thread] = []

    def of(self, image_id: str) -> tuple[Path, ...]:
        """Return the layers of a captured image, the uppermost first. Raise KeyError if it was not captured."""
        with self._lock:
            return self._images[image_id]

    @contextmanager
    def making(self, image_id: str, below: tuple[Path, ...]) -> Iterator[Path]:
        """Yield the folder for the image's own layer above `below`. The image has it when the block succeeds.

        The folder is not collected before the end of the block. After a failure, the next collection removes it.
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
        """Forget all images except these, and remove the layers that no image and no disk uses.

        `disks` returns the layers of all existing disks.
        """
        with self._lock:
            self._images = {image_id: layers for image_id, layers in self._images.items() if image_id in images}
            used = {layer for layers in (*self._images.values(), *disks()) for layer in layers} | self._being_made
        self._removals = [each for each in self._removals if each.is_alive()]
        for layer in self._folder.glob("ami-*"):
            if layer not in used:
                gone = layer.rename(layer.with_name(f"gone-{layer.name}"))  # so that the next collection ignores it
                removal = threading.Thread(target=shutil.rmtree, args=(gone,), name=f"remove-{layer.name}")
                removal.start()
                self._removals.append(removal)

    def close(self) -> None:
        """Wait for the running removals."""
        for removal in self._removals:
            removal.join()
