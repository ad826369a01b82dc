"""The groundwork lab: a local AWS on one machine, with real packets, hosts and load balancers behind its API."""

from __future__ import annotations

__version__ = "0.1.0"
