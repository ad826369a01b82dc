"""Runs of the module that removes an environment."""

from __future__ import annotations

import typing as t

from cloud import Cloud

from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.run import converge_teardown

Build = t.Callable[..., None]


class TearDown:
    """Run the module once."""

    converge = staticmethod(converge_teardown)

    def options(self, environment: str, **given: t.Any) -> dict[str, t.Any]:
        own = {"environment_name": environment, "environment_confirm": environment, "tags": {}}
        return {
            **own,
            "images": False,
            "buckets": False,
            "file_systems": False,
            "databases": False,
            "deadline": 600,
            **given,
        }

    def __call__(self, cloud: Cloud, environment: str = "dev", *, check_mode: bool = False, **given: t.Any) -> t.Any:
        return cloud.run(self.converge, self.options(environment, **given), check_mode=check_mode)
