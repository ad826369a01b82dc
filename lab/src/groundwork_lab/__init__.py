"""The groundwork lab: an AWS on one machine, with real packets, hosts and balancers behind its API."""

from __future__ import annotations

__version__ = "0.1.0"
