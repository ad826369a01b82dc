"""Measure what the publisher costs before its first request: `python benchmarks/start.py`.

Each row is a process of its own, in turns. Processor time is printed, because it does not depend on other processes.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TURNS = 9
SIGNED = """
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
URLLib3Session()
request = AWSRequest("GET", "https://b.s3.eu-central-1.amazonaws.com/", headers={"x-amz-content-sha256": "0" * 64})
S3SigV4Auth(Credentials("a", "b"), "s3", "eu-central-1").add_auth(request)
request.prepare()
"""
CLIENT = """
from botocore.session import get_session
session = get_session()
session.set_credentials("a", "b")
session.create_client("s3", region_name="eu-central-1")
"""
PUBLISHER = f"""
import sys
sys.path.append({str(ROOT / ".collections")!r})
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.run import converge_content
"""
ROWS = {
    "Python alone": "",
    "Python that signs one request": SIGNED,
    "Python with a client of botocore's": CLIENT,
    "the publisher, loaded, with its client": CLIENT + PUBLISHER,
}
TOLD = "\nimport time\nprint(time.process_time())"


def seconds(code: str) -> float:
    """Return the processor's time of a process that runs the code."""
    ran = subprocess.run([sys.executable, "-c", code + TOLD], check=True, capture_output=True, text=True)
    return float(ran.stdout)


def main() -> None:
    """Print the medians as a Markdown table, with the difference to signing one request."""
    taken: dict[str, list[float]] = {name: [] for name in ROWS}
    for _turn in range(TURNS):
        for name, code in ROWS.items():
            taken[name].append(seconds(code))
    base = statistics.median(taken["Python that signs one request"])
    print("| process | seconds | above signing one request |\n|---|---:|---:|")
    for name, times in taken.items():
        middle = statistics.median(times)
        print(f"| {name} | {middle:.2f} | {middle - base:+.2f} |")


if __name__ == "__main__":
    main()
