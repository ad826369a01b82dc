"""A site sends mail from pages and commands. It gets to the relay with TLS, also if the relay was away before."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import smtp_relay
from laptop import Laptop
from running_site import Site
from watching import eventually

SERVER = "public-1"
ONLY = ("--tags", "lamp", "--limit", SERVER)
PARAMETER = "/mail/relay-password"
PASSWORD = f"p' \"$\\{uuid4().hex}"
PORT = 2587
FOLDER = "/root/relay"
UNIT = "test-relay"
NAME = "mailer.test"
# Pages are asked for by runs as well, and send nothing then.
PAGE = """<?php
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    echo mail('someone@example.org', 'From a page', 'Hello') ? 'sent' : 'not sent';
}
"""


@pytest.fixture(scope="module")
def relay(laptop: Laptop, site: Site) -> Iterator[str]:
    """The host name of a relay, which is on the server itself. Its certificate is by an authority of its own."""
    found = laptop.client("ec2").describe_instances(InstanceIds=[site.server_id(SERVER)])
    host = str(found["Reservations"][0]["Instances"][0]["PrivateDnsName"])
    program = base64.b64encode(Path(smtp_relay.__file__).read_bytes()).decode()
    subject = f"-subj /CN=relay -addext subjectAltName=DNS:{host}"
    made = f"""set -e
mkdir -p {FOLDER}
cd {FOLDER}
echo {program} | base64 -d > relay.py
echo {base64.b64encode(PASSWORD.encode()).decode()} | base64 -d > password
openssl req -x509 -newkey rsa:2048 -nodes -days 2 {subject} -keyout key.pem -out own.pem 2> /dev/null
cat own.pem key.pem > certificate.pem
cp own.pem /usr/local/share/ca-certificates/{UNIT}.crt
update-ca-certificates > /dev/null 2>&1"""
    try:
        assert laptop.on(SERVER, made)[0] == 0
        laptop.client("ssm").put_parameter(Name=PARAMETER, Value=PASSWORD, Type="SecureString")
        yield host
    finally:
        back = laptop.play(*ONLY)
        laptop.client("ssm").delete_parameter(Name=PARAMETER)
        gone = [
            f"systemctl stop {UNIT} postfix",
            *(f"{command} {kind}-mailer" for command in ("userdel", "groupdel") for kind in ("code", "site")),
            f"rm -r {FOLDER} /usr/local/share/ca-certificates/{UNIT}.crt /srv/www/mailer /etc/groundwork/sites/mailer",
            "update-ca-certificates --fresh > /dev/null 2>&1",
            "test ! -e /etc/postfix/groundwork-relay",
        ]
        code, said = laptop.on(SERVER, "\n".join(["set -e", *gone]))
        assert back.code == 0, back.failures() or back.errors
        assert code == 0, said


@pytest.fixture(scope="module")
def given(laptop: Laptop, relay: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The variables of a site that sends mail."""
    source = tmp_path_factory.mktemp("mailer")
    (source / "index.php").write_text(PAGE)
    mailer = {"name": "mailer", "server_names": [NAME], "source": {"path": str(source)}, "database": False}
    own = {"host": relay, "port": PORT, "user": "app", "password_parameter": PARAMETER, "domain": "example.com"}
    sites = [{"name": "app", "web_root": "public"}, mailer]
    variables: dict[str, object] = {"lamp_mail_relay": own, "lamp_sites": sites}
    play = laptop.play(*ONLY, variables=variables)
    assert play.code == 0, play.failures() or play.errors
    return variables


def kept(laptop: Laptop) -> list[str]:
    """Return the messages that the relay has got."""
    code, printed = laptop.on(SERVER, f"find {FOLDER}/mail -name '*.eml' -exec sh -c 'base64 -w0 $1; echo' sh {{}} \\;")
    return [base64.b64decode(line).decode() for line in printed.splitlines()] if code == 0 else []


def start(laptop: Laptop) -> None:
    argv = f"/usr/bin/python3 {FOLDER}/relay.py {PORT} {FOLDER}/certificate.pem app {FOLDER}/password {FOLDER}/mail"
    assert laptop.on(SERVER, f"systemd-run --quiet --collect --unit={UNIT} -- {argv}")[0] == 0


def test_the_second_run_changes_nothing(laptop: Laptop, given: dict[str, object]) -> None:
    again = laptop.play(*ONLY, variables=given)
    assert (again.code, again.changes()) == (0, [])


def test_postfix_takes_mail_of_its_own_server_alone(laptop: Laptop, given: dict[str, object]) -> None:
    assert given
    listening = laptop.on(SERVER, "ss -Hltn sport = :25 | awk '{print $4}'")[1]
    assert listening == "127.0.0.1:25"


def test_a_site_cannot_read_the_password(laptop: Laptop, given: dict[str, object]) -> None:
    assert given
    assert laptop.on(SERVER, "groundwork-site mailer -- cat /etc/postfix/groundwork-relay")[0] != 0
    search = 's=$(tail -c 33 /etc/postfix/groundwork-relay); grep -rlF "$s" /etc /srv/www /var/log'
    assert laptop.on(SERVER, search) == (0, "/etc/postfix/groundwork-relay")


def test_mail_waits_for_a_relay_that_is_away(laptop: Laptop, given: dict[str, object]) -> None:
    assert given
    code = "mail('someone@example.org', 'From a command', 'Hello', 'From: shop@example.com') || exit(3);"
    assert laptop.on(SERVER, f"groundwork-site mailer -- php -r {shlex.quote(code)}") == (0, "")
    waiting = eventually(lambda: laptop.on(SERVER, "postqueue -p")[1], lambda told: "refused" in told, 60)
    assert "someone@example.org" in waiting
    start(laptop)
    assert laptop.on(SERVER, "postqueue -f")[0] == 0
    messages = eventually(lambda: kept(laptop), bool, 60)
    [message] = [one for one in messages if "Subject: From a command" in one]
    assert "From: shop@example.com" in message


def test_a_page_sends_as_well(laptop: Laptop, given: dict[str, object]) -> None:
    assert given
    before = len(kept(laptop))
    assert laptop.on(SERVER, f"curl -s -X POST -H 'Host: {NAME}' http://127.0.0.1/")[1] == "sent"
    messages = eventually(lambda: kept(laptop), lambda found: len(found) > before, 60)
    [message] = [one for one in messages if "Subject: From a page" in one]
    assert "From: " in message
    assert "@example.com" in message
