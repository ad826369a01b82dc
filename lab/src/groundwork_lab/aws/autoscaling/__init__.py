"""Auto Scaling: groups that launch, replace and terminate instances."""

from __future__ import annotations

from groundwork_lab.aws.autoscaling.corrections import install

__all__ = ["install"]
