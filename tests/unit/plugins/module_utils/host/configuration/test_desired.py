"""What a server should be: parsed with defaults, refused with all problems at once."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import (
    Entry,
    Touch,
    parse_server,
)

EMPTY: dict[str, Any] = {
    "name": "web",
    "packages": [],
    "accounts": [],
    "files": [],
    "purge": [],
    "includes": [],
    "validators": [],
    "services": [{"name": "apache2"}],
}


def told(**options: Any) -> list[str]:
    problems = Problems()
    parse_server({**EMPTY, **options}, problems)
    return [str(problem) for problem in problems.found]


def test_a_file_has_defaults() -> None:
    options = {**EMPTY, "files": [{"path": "/etc/a", "content": "x", "reload": ["apache2"]}]}
    (entry,) = parse_server(options, Problems()).entries
    assert entry == Entry("/etc/a", "file", b"x", mode=0o644, touch=Touch(reload=("apache2",)))


def test_a_folder_may_be_entered_by_default() -> None:
    (entry,) = parse_server({**EMPTY, "files": [{"path": "/srv", "state": "directory"}]}, Problems()).entries
    assert entry.mode == 0o755


SECRET = "@groundwork(parameter:/secret)@"


@pytest.mark.parametrize(("secrets", "content"), [({"secrets": {"/secret": "pässword"}}, "pässword"), ({}, SECRET)])
def test_a_file_with_a_placeholder_is_secret(secrets: dict[str, Any], content: str) -> None:
    """In a plan, where there are no secrets, the placeholder stays."""
    options = {**EMPTY, "files": [{"path": "/etc/a", "content": f"x = {SECRET}"}], **secrets}
    (entry,) = parse_server(options, Problems()).entries
    assert (entry.secret, entry.content.decode()) == (True, f"x = {content}")


def test_a_secret_that_is_not_given_is_told() -> None:
    (problem,) = told(files=[{"path": "/etc/a", "content": SECRET}], secrets={})
    assert problem.startswith(
        "files[0].content: contains a placeholder for /secret, which is not in secrets; add the value"
    )


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"validators": [{"argv": ["check", SECRET], "services": ["apache2"]}]},
        {"packages": [SECRET]},
        {"files": [{"path": f"/etc/{SECRET}", "content": ""}]},
        {"files": [{"path": "/etc/a", "state": "link", "target": SECRET}]},
    ],
)
def test_a_secret_belongs_into_a_file_alone(elsewhere: dict[str, Any]) -> None:
    (problem,) = told(**elsewhere, secrets={"/secret": "a password"})
    assert problem == "secrets: the placeholder for /secret is outside a file; use it in files[].content only."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"files": [{"path": "/etc/a"}]}, "files[0]: /etc/a has no content; give content."),
        ({"files": [{"path": "/a", "state": "link"}]}, "files[0]: the link /a has no target; give target."),
        ({"files": [{"path": "a", "content": ""}]}, "files[0].path: 'a' is not an absolute path; begin it with /."),
        (
            {"files": [{"path": "/a", "content": "", "mode": "rw"}]},
            "files[0].mode: 'rw' is not a valid mode; give octal digits in quotes, as '0644'.",
        ),
        (
            {"files": [{"path": "/a", "content": ""}, {"path": "/a", "content": "b"}]},
            "files[1].path: '/a' is declared twice; declare it once.",
        ),
        (
            {"files": [{"path": "/a", "content": "", "reload": ["nginx"]}]},
            "files[0]: 'nginx' is not a service; use one of apache2.",
        ),
        (
            {"purge": [{"pattern": "/a*", "restart": ["nginx"]}]},
            "purge[0]: 'nginx' is not a service; use one of apache2.",
        ),
        (
            {"validators": [{"argv": ["true"], "services": ["nginx"]}]},
            "validators[0]: 'nginx' is not a service; use one of services.",
        ),
        (
            {"accounts": [{"name": "Site", "home": "/srv"}]},
            "accounts[0].name: 'Site' is not a valid account name; use at most 32 lower case letters, digits, hyphens "
            "and underscores, beginning with a letter.",
        ),
    ],
)
def test_wrong_options_are_told(options: dict[str, Any], message: str) -> None:
    assert told(**options) == [message]
