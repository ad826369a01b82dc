"""The publisher without Ansible around it: what a run costs beside Ansible's own start.

usage: publish.py BUCKET FOLDER, with AWS' usual environment variables.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from botocore.session import get_session

sys.path.append(str(Path(__file__).parents[2] / ".collections"))

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.s3_site_content import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.run import converge_content


class Clients:
    """botocore's clients as they are."""

    def client(self, service: str, /, **extra: str) -> object:
        return get_session().create_client(service, region_name=extra.get("region"))


def main(bucket: str, folder: str) -> None:
    """One run; its result without the changes."""
    given = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
    options = {**given, "environment_name": "bench", "tags": {}, "bucket": bucket, "source": folder}
    result = converge_content(Run(options, Clients(), lambda warning: print(warning, file=sys.stderr)))
    print(json.dumps({name: result[name] for name in ("changed", "counts", "calls")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
