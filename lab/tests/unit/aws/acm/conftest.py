"""Certificate Manager with an authority, and a resolver that answers with the records of a test."""

from __future__ import annotations

from pathlib import Path

import pytest
from acm_account import Certificates
from control_plane import Lab

from groundwork_lab.authority import Authority
from groundwork_lab.settings import Settings


@pytest.fixture
def certificates(lab: Lab, tmp_path: Path) -> Certificates:
    made = Certificates(lab, lab.client("acm"))
    authority = Authority(Settings("test", tmp_path, tmp_path))
    authority.start()
    lab.plane.context.authority, lab.plane.context.lookup = authority, made.lookup
    return made
