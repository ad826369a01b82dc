# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mail of sites: a Postfix that accepts mail of its own server alone, and hands it to a relay.

Postfix keeps a mail while the relay does not answer, and only root reads the password. Applications send by mail() of
PHP, or by SMTP to 127.0.0.1:25 without a password and without TLS.
https://www.postfix.org/STANDARD_CONFIGURATION_README.html#null_client
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp import php, secrets

Options = dict[str, t.Any]
Variables = t.Mapping[str, t.Any]
Render = t.Callable[[str, Variables], str]

SERVICE = "postfix"
INSTANCE = "postfix@-"  # what runs in Debian 12, whose service `postfix` only groups instances
OF_INSTANCES = "8.2"  # the version of PHP that Debian 12 has
PACKAGES = ("postfix", "libsasl2-modules", "msmtp", "ca-certificates")
CONFIGURATION = "/etc/postfix/main.cf"
PASSWORD = "/etc/postfix/groundwork-relay"  # noqa: S105 - the path of a file
CLIENT = "/etc/msmtprc"
COMMAND_SETTINGS = "cli/conf.d/90-groundwork-mail.ini"
QUOTING = "line"
DEFAULT_PORT = 587
WRAPPED = 465  # https://www.rfc-editor.org/rfc/rfc8314#section-3.3
# EC2 does not let port 25 out: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-resource-limits.html
BLOCKED = 25
HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
USER = re.compile(r"[^\s:\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class Relay:
    """A server that sends the mail of the sites. `domain` is the one of senders that have none."""

    host: str
    port: int
    user: str
    parameter: str
    domain: str

    @property
    def next_hop(self) -> str:
        """Return the relay as Postfix writes it. In brackets, a name is not looked up as that of a mail domain."""
        return f"[{self.host}]:{self.port}"

    @property
    def wrapped(self) -> bool:
        """Return whether the connection begins with TLS, instead of with STARTTLS."""
        return self.port == WRAPPED

    @property
    def password_line(self) -> str:
        """Return the line of Postfix's table with the placeholder of the password."""
        return f"{self.next_hop} {self.user}:@groundwork(parameter:{self.parameter}|{QUOTING})@\n"


def relay_of(given: Variables | None) -> Relay | None:
    """Return the relay that `lamp_mail_relay` gives, None if it gives none."""
    if not given:
        return None
    port = given.get("port") or DEFAULT_PORT
    return Relay(given["host"], port, given["user"], given["password_parameter"], given["domain"])


def sending(relay: Relay | None) -> dict[str, str]:
    """Return the settings of PHP by which mail() sends."""
    return {"sendmail_path": "/usr/bin/msmtp -t -i"} if relay else {}


def units(php_version: str) -> list[str]:
    """Return the services of Postfix. An instance can have started with Debian's configuration, at the installation."""
    return [SERVICE, INSTANCE] if php_version == OF_INSTANCES else [SERVICE]


def public_files(relay: Relay | None, php_version: str, php_folder: str, render: Render) -> list[Options]:
    """Return the files that hold no secret. The commands of sites do not read the settings of php-fpm."""
    if relay is None:
        return []
    settings = {name: php.ini_text(name, value) for name, value in sending(relay).items()}
    context = {"relay": relay, "password_file": PASSWORD, "settings": settings}
    return [
        {"path": CONFIGURATION, "content": render("postfix.cf.j2", context), "restart": units(php_version)},
        {"path": CLIENT, "content": render("msmtprc.j2", context)},
        {"path": f"{php_folder}/{COMMAND_SETTINGS}", "content": render("mail.ini.j2", context)},
    ]


def purged(php_folder: str) -> list[Options]:
    """Return the files that are removed without a relay."""
    return [{"pattern": path} for path in (PASSWORD, f"{php_folder}/{COMMAND_SETTINGS}")]


def secret_files(relay: Relay | None, php_version: str) -> list[Options]:
    """Return the file with the password."""
    if relay is None:
        return []
    return [{"path": PASSWORD, "content": relay.password_line, "mode": "0600", "restart": units(php_version)}]


def services(relay: Relay | None, php_version: str) -> list[Options]:
    """Return the services. Without a relay, a Postfix of the user's own is left as it is."""
    if relay is None:
        return []
    _service, *instances = units(php_version)
    return [{"name": SERVICE}, *({"name": name, "state": "unchanged"} for name in instances)]


def validators(relay: Relay | None) -> list[Options]:
    """Return the check of the configuration. Postfix warns of what it does not know, and runs without it."""
    return [{"argv": ["postfix", "check"], "services": [SERVICE], "refuse": "warning|fatal"}] if relay else []


def wanted(relay: Relay | None) -> list[Options]:
    """Return the options of the module `ssm_generated_secret` for the password, which is not generated."""
    if relay is None:
        return []
    return [{**secrets.generated(relay.parameter), "generate": False, "quotings": [QUOTING]}]


def check(given: Variables | None, problems: Problems) -> None:
    """Add to `problems` what is wrong with `lamp_mail_relay`."""
    if not given:
        return
    for name, right in (("host", "email-smtp.eu-central-1.amazonaws.com"), ("domain", "example.com")):
        if not HOST.fullmatch(given[name]):
            problems.add(f"mail_relay.{name}", f"'{given[name]}' is not a host name", f"write it as {right}")
    port = given.get("port") or DEFAULT_PORT
    if port == BLOCKED:
        wrong = "EC2 does not let connections to port 25 out"
        problems.add("mail_relay.port", wrong, f"use {DEFAULT_PORT} with STARTTLS, {WRAPPED} with TLS, or 2587")
    elif not 0 < port < 65536:
        problems.add(
            "mail_relay.port", f"{port} is not a port", f"use {DEFAULT_PORT}, {WRAPPED} or another from 1 to 65535"
        )
    if not USER.fullmatch(given["user"]):
        wrong = f"'{given['user']}' is empty, or contains a blank or a colon"
        problems.add("mail_relay.user", wrong, "give the user name of the relay's SMTP account")
    secrets.check_parameter(given["password_parameter"], "mail_relay.password_parameter", problems)
