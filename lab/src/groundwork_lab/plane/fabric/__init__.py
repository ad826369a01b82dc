"""The lab's network: routers, gateways and packet filters, built from network namespaces, netlink and nftables."""

from __future__ import annotations

from groundwork_lab.plane.fabric.fabric import Fabric, FabricError

__all__ = ["Fabric", "FabricError"]
