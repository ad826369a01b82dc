"""Whatever a module is given, it tells what is wrong with it: what Ansible's validation lets through crashes none."""

from __future__ import annotations

import importlib
import json
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from garbage import GARBAGE, places, put, sample

from ansible_collections.groundwork.aws.plugins.module_utils.arguments import http_probe, release_archives, server
from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import COMMON_ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.host.probe import parse_probes
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.packing import parse_source
from ansible_collections.groundwork.aws.plugins.module_utils.host.server import parse_desired

MODULES = Path(__file__).parents[4] / "plugins" / "modules"
CONVERGING = sorted(path.stem for path in MODULES.glob("*.py") if "import run_module" in path.read_text())
SEED = 8
CASES = 100  # of each module
Spec = Mapping[str, Any]


class Reached(BaseException):
    """The module found nothing wrong with its options, and would ask AWS now."""


class NoClients:
    def client(self, service: str, **_extra: Any) -> Any:
        raise Reached(service)


def parse_archives(options: Mapping[str, Any], problems: Problems) -> None:
    for at, one in enumerate(options["releases"]):
        parse_source(one["source"], f"releases[{at}].source", problems)


ON_SERVERS: dict[str, tuple[Spec, Callable[[Mapping[str, Any], Problems], Any]]] = {
    "http_probe": (http_probe.ARGUMENTS, parse_probes),
    "release_archives": (release_archives.ARGUMENTS, parse_archives),
    "server": (server.ARGUMENTS, parse_desired),
}


def received(spec: Spec, given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The options as a module gets them, or None when Ansible's validation refuses them."""
    sent = json.loads(json.dumps(given, default=str, skipkeys=True))
    try:
        validated = ArgumentSpecValidator(spec).validate(sent)
    except (
        TypeError,
        OverflowError,
    ):  # Ansible's own: a number in place of a dictionary with suboptions, an infinite one
        return None
    return None if validated.error_messages else validated.validated_parameters


def cases(spec: Spec, whole: Mapping[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Options with garbage in one or two places, those without anything optional included; the first are well."""
    draw = random.Random(SEED)  # noqa: S311 - no secret
    least = {name: value for name, value in whole.items() if spec[name].get("required")}
    yield None, least
    for _case in range(CASES):
        case, put_in = dict(draw.choice((least, whole))), []
        for _place in range(draw.choice((1, 1, 2))):
            name = draw.choice(sorted(whole))
            case.setdefault(name, whole[name])
            path = draw.choice([*places(case[name])])
            garbage = draw.choice(GARBAGE)
            case[name] = put(case[name], path, garbage)
            put_in.append(((name, *path), garbage))
        yield put_in, case


def wholes(spec: Spec) -> dict[str, Any]:
    found = {name: sample(one) for name, one in spec.items()}
    tier = {"count": 1, "instance_type": "t3.small", "subnets": ["public-a"], "image": {"id": "ami-01234567"}}
    group = {"group": {"min": 1, "max": 2, "target_groups": ["x"]}, "instance_type": "t3.small", "image": {"id": "x"}}
    known = {
        "environment_name": "dev",
        "environment_confirm": "dev",
        "tags": {"Team": "web"},
        "region": "eu-central-1",
        "zones": ["eu-central-1a", "eu-central-1b"],
        "cidr": "10.20.0.0/16",
        "subnet_prefix": 24,
        "deadline": 600,
        "bucket": "our-bucket",
        "tiers": {"public": {**tier, **group}, "private": tier},
        "roles": {"public": {"parameters": ["/x"], "archives": [{"bucket": "our-bucket", "prefix": "x/"}], "keys": []}},
    }
    return {
        name: known[name] if name in known and type(known[name]) is type(value) else value
        for name, value in found.items()
    }


def captured(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Spec, Callable[[Run], Any]]:
    """A module's argument spec, and what it does with its options."""
    module = importlib.import_module(f"ansible_collections.groundwork.aws.plugins.modules.{name}")
    seen: list[Any] = []
    monkeypatch.setattr(
        module, "run_module", lambda arguments, converge, **_settings: seen.append((arguments, converge))
    )
    module.main()
    [(arguments, converge)] = seen
    return {**COMMON_ARGUMENTS, "region": {"type": "str"}, **arguments}, converge


@pytest.mark.parametrize("name", CONVERGING)
def test_no_option_crashes_a_module(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    spec, converge = captured(name, monkeypatch)
    for garbage, given in cases(spec, wholes(spec)):
        options = received(spec, given)
        if options is None:
            continue
        try:
            converge(Run(options, NoClients(), [].append))
        except (GroundworkError, Reached):
            continue
        except Exception as error:
            raise AssertionError(f"{garbage!r}: {error!r}") from error


@pytest.mark.parametrize("name", ON_SERVERS)
def test_no_option_crashes_a_module_of_servers(name: str) -> None:
    spec, parse = ON_SERVERS[name]
    for garbage, given in cases(spec, wholes(spec)):
        options = received(spec, given)
        if options is None:
            continue
        try:
            parse(options, Problems())
        except GroundworkError:
            continue
        except Exception as error:
            raise AssertionError(f"{garbage!r}: {error!r}") from error
