from __future__ import annotations

from pathlib import Path

from groundwork_lab.plane.files.config import render


def test_servers_of_the_same_files_agree() -> None:
    """All but the clients' names is equal, so that a file has the same handle at each mount target."""
    one, two = (render(Path("/state/fs-1/data"), Path(f"/state/fs-1/{name}")) for name in ("fsmt-1", "fsmt-2"))
    assert one.replace("fsmt-1", "fsmt-2") == two
    assert 'Path = "/state/fs-1/data";' in one
    assert "Attr_Expiration_Time = 0;" in one  # another server may have changed them
    assert "Dir_Chunk = 0;" in one
