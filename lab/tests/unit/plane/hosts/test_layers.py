from __future__ import annotations

from pathlib import Path

import pytest

from groundwork_lab.plane.hosts.layers import Layers

BASE = Path("/cache/base")


@pytest.fixture
def layers(tmp_path: Path) -> Layers:
    return Layers(tmp_path / "layers")


def made(layers: Layers, image: str, *below: Path) -> Path:
    with layers.making(image, below) as layer:
        layer.mkdir()
        (layer / "file").write_text(image)
    return layer


def left(layers: Layers, folder: Path) -> list[str]:
    layers.close()
    return sorted(path.name for path in folder.glob("layers/*"))


def test_an_image_of_an_instance_of_an_image(layers: Layers) -> None:
    first = made(layers, "ami-1", BASE)
    second = made(layers, "ami-2", first, BASE)
    assert layers.of("ami-1") == (first, BASE)
    assert layers.of("ami-2") == (second, first, BASE)


def test_an_image_that_was_not_captured(layers: Layers) -> None:
    with pytest.raises(OSError, match="full"), layers.making("ami-1", (BASE,)) as layer:
        layer.mkdir()
        raise OSError("full")
    with pytest.raises(KeyError):
        layers.of("ami-1")


@pytest.mark.parametrize(
    ("images", "disks", "kept"),
    [
        (["ami-1", "ami-2"], [], ["ami-1", "ami-2"]),
        (["ami-2"], [], ["ami-1", "ami-2"]),  # the second is based on the first
        (["ami-1"], [], ["ami-1"]),
        ([], ["ami-1"], ["ami-1"]),
        ([], ["ami-1", "ami-2"], ["ami-1", "ami-2"]),
        ([], [], []),
    ],
)
def test_a_layer_is_there_while_something_needs_it(
    layers: Layers, tmp_path: Path, images: list[str], disks: list[str], kept: list[str]
) -> None:
    first = made(layers, "ami-1", BASE)
    made(layers, "ami-2", first, BASE)
    layers.collect(images, lambda: [(tmp_path / "layers" / name, BASE) for name in disks])
    assert left(layers, tmp_path) == kept
    assert BASE not in (tmp_path / "layers").iterdir()


def test_what_is_being_made_stays(layers: Layers, tmp_path: Path) -> None:
    with layers.making("ami-1", (BASE,)) as layer:
        layer.mkdir()
        layers.collect([], list)
        assert left(layers, tmp_path) == ["ami-1"]
    layers.collect([], list)
    assert left(layers, tmp_path) == []


def test_nothing_to_collect(layers: Layers) -> None:
    layers.collect([], list)
