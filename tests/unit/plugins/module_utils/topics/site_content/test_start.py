"""A publication with nothing to do loads only what it uses: most of its time is the start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine import errors

PREFIX = "ansible_collections.groundwork.aws.plugins.module_utils."
COLLECTIONS = Path(errors.__file__).parents[6]
CODE = f"""
import json, sys
sys.path.append({str(COLLECTIONS)!r})
import {PREFIX}topics.site_content.run
print(json.dumps(sorted(sys.modules)))
"""


def test_what_publishes_is_not_loaded_before_there_is_something_to_publish() -> None:
    ran = subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True)
    loaded = {name.removeprefix(PREFIX) for name in json.loads(ran.stdout)}
    rooms = {".".join(name.split(".")[:2]) for name in loaded if name.startswith("topics.")}
    assert rooms == {"topics.site_content", "topics.site_bucket"}
    assert "topics.site_content.s3" in loaded
    unused = ("executing", "publishing", "edge", "lease", "telling", "multipart")
    assert not loaded & {*(f"topics.site_content.{one}" for one in unused), "topics.site_bucket.bucket"}
    assert not loaded & {"engine.run", "engine.apply", "boto3", "ansible"}
