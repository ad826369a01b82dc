"""Secrets of sites: what they become on a server, what is read and generated, and the message for each mistake."""

from __future__ import annotations

import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from nasty_secrets import FOR_EVERYBODY, NOT_FOR_FPM

from ansible_collections.groundwork.aws.plugins.filter.lamp import lamp
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import (
    dotenv_quoted,
    parameters_in,
    php_literal,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import conform_options
from ansible_collections.groundwork.aws.plugins.module_utils.host.server import PARTS, parse_desired
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp import desired

from ...module_utils.project.lamp.test_options import site, told
from .test_desired import VARIABLES

OWN = "/groundwork/dev/lamp/app"
SALTS = "<?php\nconst A = @secret(AUTH_KEY|php)@;\nconst B = @secret(MAIL|php)@;\n"
APP: dict[str, t.Any] = {
    "name": "app",
    "database": False,
    "secrets": [
        {"name": "APP_SECRET", "length": 40},
        {"name": "AUTH_KEY", "environment": False},
        {"name": "MAIL", "parameter": "/mail/password"},
    ],
    "secret_files": [{"name": "salts.php", "content": SALTS}, {"name": "raw", "content": "@secret(AUTH_KEY)@"}],
    "workers": [{"name": "queue", "command": "php worker.php", "number": 2}],
}
WORKERS = ["groundwork-app-queue@1", "groundwork-app-queue@2"]
SALT_FILE, RAW_FILE = "/etc/groundwork/sites/app/secrets/salts.php", "/etc/groundwork/sites/app/secrets/raw"


def given(**changes: t.Any) -> dict[str, t.Any]:
    return {**VARIABLES, "rotate": "", "sites": [{**APP, **changes}], "packed": []}


def files(**changes: t.Any) -> dict[str, dict[str, t.Any]]:
    return {one["path"]: one for one in lamp(given(**changes), "configuration")["files"]}


def test_only_the_site_reads_its_files_and_cannot_replace_them() -> None:
    found = files()
    folder, salts = found["/etc/groundwork/sites/app/secrets"], found[SALT_FILE]
    assert (folder["group"], folder["mode"], folder.get("owner", "root")) == ("code-app", "0750", "root")
    assert (salts["owner"], salts["group"], salts["mode"]) == ("site-app", "site-app", "0600")
    assert (salts["reload"], salts["restart"]) == (["php8.2-fpm"], WORKERS)


def test_a_secret_that_is_only_in_a_file_is_hidden_in_logs_too() -> None:
    hidden = files()["/etc/groundwork/sites/app/hidden"]
    assert (hidden["content"], hidden["mode"]) == (
        f"AUTH_KEY=@groundwork(parameter:{OWN}/AUTH_KEY|environment)@\n",
        "0600",
    )
    logs = lamp(given(), "logs")["app"]
    assert logs["hide"][-1] == "/etc/groundwork/sites/app/hidden"
    assert logs["units"] == [*WORKERS, "groundwork-release:app:*"]
    assert "/etc/groundwork/sites/app/hidden" not in files(secrets=[], secret_files=[])


def test_a_configuration_has_placeholders_and_no_secret() -> None:
    found = files()
    assert found[SALT_FILE]["content"] == SALTS.replace(
        "@secret(AUTH_KEY|php)@", f"@groundwork(parameter:{OWN}/AUTH_KEY|php)@"
    ).replace("@secret(MAIL|php)@", "@groundwork(parameter:/mail/password|php)@")
    pool = found["/etc/php/8.2/fpm/pool.d/groundwork-app.secret.conf"]
    assert [line for line in pool["content"].splitlines() if line.startswith("env[")] == [
        f"env[APP_SECRET] = @groundwork(parameter:{OWN}/APP_SECRET|php-fpm)@",
        "env[MAIL] = @groundwork(parameter:/mail/password|php-fpm)@",
    ]
    assert pool["restart"] == WORKERS
    assert parameters_in(lamp(given(), "configuration")) == sorted(
        [f"{OWN}/APP_SECRET", f"{OWN}/AUTH_KEY", "/mail/password"]
    )
    assert parameters_in(lamp(given(), "image_configuration")) == []


def test_a_file_that_is_not_declared_any_more_is_removed() -> None:
    assert {"pattern": "/etc/groundwork/sites/*/secrets/*"} in lamp(
        given(secrets=[], secret_files=[]), "configuration"
    )["purge"]


def test_what_is_generated_and_what_is_read() -> None:
    wanted = {one["name"]: one for one in lamp(given(), "kept_secrets")}
    assert {name: (one["generate"], one["length"], one["quotings"]) for name, one in wanted.items()} == {
        f"{OWN}/APP_SECRET": (True, 40, ["php-fpm"]),
        f"{OWN}/AUTH_KEY": (True, 32, ["php"]),
        "/mail/password": (False, 32, ["php", "php-fpm"]),
    }


def test_sites_can_share_a_parameter() -> None:
    other = {"name": "shop", "database": False, "secrets": [{"name": "KEY", "parameter": f"{OWN}/AUTH_KEY"}]}
    for sites in ([APP, other], [other, APP]):
        wanted = lamp({**given(), "sites": sites}, "kept_secrets")
        [shared] = [one for one in wanted if one["name"] == f"{OWN}/AUTH_KEY"]
        assert (shared["generate"], shared["quotings"]) == (True, ["php", "php-fpm"])


def test_the_secret_to_rotate_is_the_declared_one() -> None:
    rotated = lamp({**given(), "rotate": "app:APP_SECRET"}, "rotated")
    assert (rotated["name"], rotated["length"]) == (f"{OWN}/APP_SECRET", 40)


def written(content: str, value: str) -> bytes:
    """Return the bytes of a file with a secret on a server. The module has checked the value."""
    variables = given(secrets=[{"name": "A", "environment": False}], secret_files=[{"name": "a", "content": content}])
    problems = Problems()
    options = {"configuration": lamp(variables, "configuration")}
    whole = parse_desired(conform_options(PARTS, options, "server", problems), problems, {f"{OWN}/A": value})
    assert problems.found == []
    assert whole.configuration
    [entry] = [one for one in whole.configuration.entries if one.path == "/etc/groundwork/sites/app/secrets/a"]
    assert entry.secret
    return entry.content


@pytest.mark.parametrize("value", [*FOR_EVERYBODY, *NOT_FOR_FPM])
def test_a_file_gets_every_value_byte_for_byte(value: str) -> None:
    assert written("<@secret(A)@>\n", value) == f"<{value}>\n".encode()
    literal = written("@secret(A|php)@", value).decode()
    inside = literal[1:-1].replace("\\\\", "\0").replace("\\'", "'").replace("\0", "\\")
    assert inside == value
    assert (literal[0], literal[-1]) == ("'", "'")


@pytest.mark.parametrize("value", [*FOR_EVERYBODY, *NOT_FOR_FPM])
def test_a_shell_reads_a_value_of_an_env_file_or_it_is_refused(value: str, tmp_path: Path) -> None:
    try:
        line = dotenv_quoted(value)
    except ValueError:
        assert "'" in value or any(ord(character) < 32 and character != "\t" for character in value)
        return
    (tmp_path / "env").write_text(f"A={line}\n")
    script = '. ./env; printf %s "$A"'
    assert subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, check=True).stdout == value.encode()


@pytest.mark.skipif(not shutil.which("php"), reason="PHP is not installed on this machine")
def test_php_reads_every_literal(tmp_path: Path) -> None:
    values = [*FOR_EVERYBODY, *NOT_FOR_FPM, "ends with \\", "\\'", "\\\\'\\"]
    script = f'<?php echo implode("\\x01", [{", ".join(map(php_literal, values))}]);'
    (tmp_path / "a.php").write_text(script)
    done = subprocess.run(["php", "a.php"], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.decode().split("\x01") == values


@pytest.mark.parametrize("value", NOT_FOR_FPM)
def test_a_variable_that_php_would_not_get_is_refused_by_its_parameter(value: str) -> None:
    variables = given(secrets=[{"name": "A"}], secret_files=[])
    problems = Problems()
    options = {"configuration": lamp(variables, "configuration")}
    parse_desired(conform_options(PARTS, options, "server", problems), problems, {f"{OWN}/A": value})
    assert [one.variable for one in problems.found] == [f"configuration.secrets.{OWN}/A"]
    assert value not in str(problems.found[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"secrets": [{"name": "A-B"}]}, "secrets[0].name: 'A-B' is not a valid name; use letters"),
        ({"secrets": [{"name": "TMPDIR"}]}, "secrets[0].name: the role sets the variable TMPDIR; use another name"),
        ({"secrets": [{"name": "DB_PASSWORD"}]}, "secrets[0].name: the role sets the variable DB_PASSWORD"),
        (
            {"secrets": [{"name": "A"}], "environment": {"A": "x"}},
            "secrets[0].name: 'A' is in environment too; remove it there",
        ),
        ({"secrets": [{"name": "A"}, {"name": "A"}]}, "secrets[1].name: 'A' is used twice"),
        ({"secrets": [{"name": "A", "parameter": "mail"}]}, "secrets[0].parameter: 'mail' is not the path of a"),
        (
            {"secrets": [{"name": "A", "parameter": "/groundwork/dev/servers/key"}]},
            "secrets[0].parameter: '/groundwork/dev/servers/key' has the private key for the servers",
        ),
        ({"secrets": [{"name": "A", "length": 8}]}, "secrets[0].length: 8 is out of range for 62 different"),
        ({"secrets": [{"name": "A", "characters": "a"}]}, "secrets[0].characters: cannot be used to generate"),
        (
            {"secrets": [{"name": "A", "parameter": "/mail/a", "length": 32}]},
            "secrets[0].length: the parameter has its value already; remove length or parameter",
        ),
        ({"secret_files": [{"name": ".env", "content": "@secret(A)@"}]}, "secret_files[0].name: '.env' is not a valid"),
        ({"secret_files": [{"name": "a/b", "content": "@secret(A)@"}]}, "secret_files[0].name: 'a/b' is not a valid"),
        ({"secret_files": [{"name": "a", "content": "@secret(B)@"}]}, "secret_files[0].content: 'B' is not a secret"),
        (
            {"secret_files": [{"name": "a", "content": "@secret(A|xml)@"}]},
            "secret_files[0].content: 'xml' is not a way to quote; use one of dotenv, php",
        ),
        (
            {"secret_files": [{"name": "a", "content": "@secret(A)@ @secret(A"}]},
            "secret_files[0].content: contains a placeholder that is not complete",
        ),
        ({"secret_files": [{"name": "a", "content": "none"}]}, "secret_files[0].content: contains no secret"),
        (
            {"secret_files": [{"name": "a", "content": "@secret(A)@ @groundwork(instance-id)@"}]},
            "secret_files[0].content: contains @groundwork(, which begins a placeholder of this collection",
        ),
    ],
)
def test_what_is_refused(changes: dict[str, t.Any], message: str) -> None:
    (problem,) = told(site(**{"secrets": [{"name": "A"}], **changes}))
    assert problem.startswith(f"lamp_sites[0].{message}")


@pytest.mark.parametrize(
    ("rotate", "message"),
    [
        ("A", "'A' is not a secret of a site; give one of app:A."),
        ("app:C", "'app:C' is not a secret of a site; give one of app:A."),
        ("app:B", "the value of 'app:B' is not generated by this collection; write a new value to /mail/b, and run"),
        ("app:database-password", "a database password cannot be rotated without failing requests: PHP and MariaDB"),
    ],
)
def test_what_cannot_be_rotated(rotate: str, message: str) -> None:
    own = site(secrets=[{"name": "A"}, {"name": "B", "parameter": "/mail/b"}])
    (problem,) = told({**own, "rotate": rotate})
    assert problem.startswith(f"lamp_rotate: {message}")


def test_a_secret_is_a_variable_of_its_site_alone() -> None:
    shop = {"name": "shop", "server_names": ["shop.example.com"], "database": False}
    both = desired.lamp_of({**given(), "sites": [APP, shop]})
    assert [sorted(one.private_environment) for one in both.sites] == [["APP_SECRET", "MAIL"], []]
