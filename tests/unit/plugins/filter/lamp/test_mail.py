"""The mail of sites goes to one relay, by a password that only root reads."""

from __future__ import annotations

import re
import typing as t

import pytest
from lamp_variables import given

from ansible_collections.groundwork.aws.plugins.filter.lamp import lamp
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import fill
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.mail import check

PARAMETER = "/mail/smtp-password"
RELAY = {"host": "smtp.example.com", "user": "app", "password_parameter": PARAMETER, "domain": "example.com"}


def files(**relay: t.Any) -> dict[str, dict[str, t.Any]]:
    made = lamp(given(mail_relay={**RELAY, **relay}), "configuration")
    return {one["path"]: one for one in made["files"]}


def settings(**relay: t.Any) -> dict[str, str]:
    lines = files(**relay)["/etc/postfix/main.cf"]["content"].splitlines()
    return dict(re.split(r" =\s?", line, maxsplit=1) for line in lines if line and not line.startswith("#"))


def test_without_a_relay_a_server_has_no_postfix() -> None:
    made = lamp(given(mail_relay=None), "configuration")
    assert "postfix" not in made["packages"]
    assert not [one for one in made["files"] if "postfix" in one["path"] or "msmtp" in one["path"]]
    assert not [one for one in made["services"] if one["name"] == "postfix"]
    assert {"pattern": "/etc/postfix/groundwork-relay"} in made["purge"]


def test_mail_comes_from_the_server_alone_and_leaves_with_verified_tls() -> None:
    found = settings()
    assert found["inet_interfaces"] == "loopback-only"
    assert found["mydestination"] == ""
    assert found["relayhost"] == "[smtp.example.com]:587"
    assert (found["smtp_tls_security_level"], found["smtp_tls_wrappermode"]) == ("secure", "no")
    assert settings(port=465)["smtp_tls_wrappermode"] == "yes"


@pytest.mark.parametrize(("version", "names"), [("8.2", ["postfix", "postfix@-"]), ("8.4", ["postfix"])])
def test_what_runs_gets_a_changed_configuration(version: str, names: list[str]) -> None:
    made = lamp(given(mail_relay=RELAY, php_version=version), "configuration")
    assert [one["name"] for one in made["services"] if "postfix" in one["name"]] == names
    touched = [one["restart"] for one in made["files"] if "postfix" in one["path"]]
    assert touched == [names, names]


def test_only_root_reads_the_password() -> None:
    file = files()["/etc/postfix/groundwork-relay"]
    assert (file["mode"], file.get("owner", "root")) == ("0600", "root")
    problems = Problems()
    assert fill(file["content"], {PARAMETER: "a b'c\"d$e\\f"}, "x", problems) == (
        "[smtp.example.com]:587 app:a b'c\"d$e\\f\n"
    )
    assert problems.found == []


@pytest.mark.parametrize("value", ["two\nlines", " before", "after ", "tab\x00"])
def test_a_password_that_postfix_would_not_read_as_it_is_is_refused(value: str) -> None:
    problems = Problems()
    fill(files()["/etc/postfix/groundwork-relay"]["content"], {PARAMETER: value}, "x", problems)
    [problem] = problems.found
    assert "the value cannot be written" in str(problem)
    assert value not in str(problem)


def test_the_parameter_is_read_and_not_generated() -> None:
    wanted = lamp(given(mail_relay=RELAY), "kept_secrets")
    [own] = [one for one in wanted if one["name"] == PARAMETER]
    assert (own["generate"], own["quotings"]) == (False, ["line"])


def test_an_image_has_postfix_and_no_password() -> None:
    image = lamp(given(mail_relay=RELAY), "image_configuration")
    assert "postfix" in image["packages"]
    assert PARAMETER not in str(image)


def test_php_sends_in_pages_and_in_commands() -> None:
    own = files()
    for path in ("/etc/php/8.2/fpm/conf.d/90-groundwork.ini", "/etc/php/8.2/cli/conf.d/90-groundwork-mail.ini"):
        assert "sendmail_path = '/usr/bin/msmtp -t -i'\n" in own[path]["content"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": "https://smtp.example.com"}, "mail_relay.host"),
        ({"host": "localhost"}, "is not a host name"),
        ({"domain": "a@example.com"}, "mail_relay.domain"),
        ({"port": 25}, "EC2 does not let connections to port 25 out"),
        ({"port": 70000}, "70000 is not a port"),
        ({"user": "a b"}, "mail_relay.user"),
        ({"user": ""}, "mail_relay.user"),
        ({"password_parameter": "password"}, "is not the path of a parameter"),
        ({"password_parameter": "/groundwork/dev/servers/private-key"}, "private key"),
    ],
)
def test_a_wrong_relay_is_one_message(changes: dict[str, t.Any], words: str) -> None:
    problems = Problems()
    check({**RELAY, **changes}, problems)
    [problem] = problems.found
    assert words in str(problem)
