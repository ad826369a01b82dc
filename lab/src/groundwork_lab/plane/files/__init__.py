"""File systems of EFS: an NFS server for each mount target, in the namespace of its network interface."""

from __future__ import annotations

from groundwork_lab.plane.files.manager import FileServers

__all__ = ["FileServers"]
