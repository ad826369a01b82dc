"""The register of the lab's corrections: the marks of the tests, compared with what the lab overrides of moto.

A correction is a mark of the test that shows it:

    @pytest.mark.correction("ec2:CreateSubnet", "A subnet must be inside of its VPC.", also=("Subnet.request_ip",))

The documentation page is that of the operation in AWS' API reference, or `page`. The correction accounts for the
overrides that have the operation's name, and for those in `also`. With `data_plane=True` it needs the data plane, so
that moto alone cannot show it.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.core.utils import camelcase_to_underscores

from groundwork_lab.aws.corrections import Corrections, Installed

PAGES = {
    "acm": "https://docs.aws.amazon.com/acm/latest/APIReference/API_{}.html",
    "ec2": "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_{}.html",
    "efs": "https://docs.aws.amazon.com/efs/latest/ug/API_{}.html",
    "elbv2": "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_{}.html",
    "iam": "https://docs.aws.amazon.com/IAM/latest/APIReference/API_{}.html",
    "rds": "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_{}.html",
    "resourcegroupstaggingapi": "https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_{}.html",
    "route53": "https://docs.aws.amazon.com/Route53/latest/APIReference/API_{}.html",
    "s3": "https://docs.aws.amazon.com/AmazonS3/latest/API/API_{}.html",
    "ssm": "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_{}.html",
    "sts": "https://docs.aws.amazon.com/STS/latest/APIReference/API_{}.html",
}
TECHNICAL = frozenset({"SERVICE_NAMESPACE", "_url_module", "context", "instances_tracked"})
"""Attributes with which a subclass of moto's works at all."""


@dataclass(frozen=True)
class Entry:
    """A correction. `test` is the path of the test's file in the folder of unit tests, and its name."""

    service: str
    operation: str
    rule: str
    page: str
    test: str
    also: frozenset[str]
    data_plane: bool


@dataclass(frozen=True)
class Override:
    """An attribute or function of moto that the lab replaces. `owner` is "" for a function."""

    service: str
    owner: str
    name: str

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}" if self.owner else self.name


def entries(folder: Path) -> list[Entry]:
    """Return the corrections that the tests in this folder are marked with."""
    return [
        _entry(mark, f"{path.relative_to(folder)}::{test.name}")
        for path in sorted(folder.rglob("test_*.py"))
        for test in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(test, ast.FunctionDef)
        for mark in test.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.correction"
    ]


def _entry(mark: ast.Call, test: str) -> Entry:
    called, rule = (ast.literal_eval(each) for each in mark.args)
    options: dict[str, Any] = {str(each.arg): ast.literal_eval(each.value) for each in mark.keywords}
    service, _, operation = called.partition(":")
    return Entry(
        service=service,
        operation=operation,
        rule=rule,
        page=options.pop("page", None) or PAGES[service].format(operation),
        test=test,
        also=frozenset(options.pop("also", ())),
        data_plane=options.pop("data_plane", False),
    )


def overrides(installed: Installed) -> list[Override]:
    """Return what the lab replaces of moto, without the services that are implementations of their own."""
    found = {
        each for service, corrections in installed.items() if not corrections.own for each in _of(service, corrections)
    }
    return sorted(found, key=lambda each: (each.service, str(each)))


def _of(service: str, corrections: Corrections) -> Iterator[Override]:
    for kind in _classes(corrections):
        for ours in (each for each in kind.__mro__ if _is_ours(each)):
            for name in vars(ours):
                if _has_rules(name) and any(name in vars(each) for each in _motos(ours, kind)):
                    yield Override(service, ours.__name__, name)
    for _module, name, replacement in corrections.exchanged:
        if inspect.isfunction(replacement):
            yield Override(service, "", name)


def _classes(corrections: Corrections) -> Iterator[type[Any]]:
    yield corrections.backend
    replacements = [replacement for _module, _name, replacement in corrections.exchanged]
    paths = [each for replacement in replacements if isinstance(replacement, dict) for each in replacement.values()]
    yield from (each for each in replacements if inspect.isclass(each))
    methods = [each for each in (*paths, corrections.application) if inspect.ismethod(each)]
    yield from (each.__self__ for each in methods if inspect.isclass(each.__self__))


def _motos(ours: type[Any], kind: type[Any]) -> Iterator[type[Any]]:
    """Yield moto's classes behind `ours` in the order of `kind`."""
    behind = kind.__mro__[kind.__mro__.index(ours) + 1 :]
    return (each for each in behind if each.__module__.startswith("moto."))


def _has_rules(name: str) -> bool:
    return name == "__eq__" or not (name in TECHNICAL or name.startswith("__"))


def _is_ours(kind: type[Any]) -> bool:
    return kind.__module__.startswith("groundwork_lab.")


def unregistered(known: Iterable[Entry], found: Iterable[Override]) -> list[Override]:
    """Return the overrides that no correction accounts for."""
    named = {(each.service, camelcase_to_underscores(each.operation)) for each in known}
    also = {(each.service, name) for each in known for name in each.also}
    return [each for each in found if (each.service, each.name) not in named and (each.service, str(each)) not in also]


def unknown(known: Iterable[Entry], found: Iterable[Override]) -> list[str]:
    """Return what corrections account for in `also` although the lab does not override it."""
    there = {(each.service, str(each)) for each in found}
    return sorted(name for each in known for name in each.also if (each.service, name) not in there)


def render(known: list[Entry], installed: Installed, moto: str) -> str:
    """Return the register as Markdown."""
    found = overrides(installed)
    missing = unregistered(known, found)
    shown = [each for each in known if not each.data_plane]
    needing = [each for each in known if each.data_plane]
    exchanged = sum(len(each.exchanged) for each in installed.values())
    lines = [
        "# The lab's corrections of moto",
        "",
        "<!-- Written by tools/lab-corrections from the marks of the tests in lab/tests/unit. -->",
        "",
        "The lab answers as AWS' documentation says. Where moto answers otherwise, the lab overrides it, and a test",
        "shows it. [README.md](README.md#corrections) says how the register is kept.",
        "",
        f"| moto {moto} | number |",
        "|---|---|",
        f"| methods and functions of moto that the lab overrides | {len(found)} |",
        f"| of them without a registered correction | {len(missing)} |",
        f"| names in moto's modules that the lab exchanges | {exchanged} |",
        f"| corrections that fail on moto alone | {len(shown)} |",
        f"| corrections that need the data plane | {len(needing)} |",
        "",
        "## Corrections",
        "",
        "The test of each of them fails on moto without corrections (`pytest --plain-moto`). When it passes on a newer",
        "moto, the correction can be deleted.",
        "",
        *_tables(shown),
        "## Corrections that need the data plane",
        "",
        "Hosts, load balancers and routers report what these answer. moto alone cannot show them.",
        "",
        *_tables(needing),
        "## Implementations of the lab's own",
        "",
        "These have a state of their own, and use moto's server, parser and serializer: "
        + ", ".join(f"`{name}`" for name, each in installed.items() if each.own)
        + ".",
        "",
        "## Not yet registered",
        "",
        "No mark accounts for these overrides. A test holds their number, so that it can only shrink.",
        "",
        *_missing(missing),
    ]
    return "\n".join(lines)


def _tables(known: list[Entry]) -> Iterator[str]:
    for service in sorted({each.service for each in known}):
        yield from (f"### {service}", "", "| operation | rule | test |", "|---|---|---|")
        for each in sorted(known, key=lambda each: (each.operation, each.rule)):
            if each.service == service:
                rule = each.rule.replace("|", "\\|")
                yield f"| [{each.operation}]({each.page}) | {rule} | `{each.test}` |"
        yield ""


def _missing(missing: list[Override]) -> Iterator[str]:
    for service in sorted({each.service for each in missing}):
        names = ", ".join(f"`{each}`" for each in missing if each.service == service)
        yield f"- {service}: {names}"
    yield ""
