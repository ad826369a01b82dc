# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `lamp`, without calls to AWS or to a host."""

from __future__ import annotations

import re
import typing as t
from ipaddress import IPv4Address

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.server import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.addressing import parse_cidr
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import (
    RELATIVE_PATH,
    VARIABLE_NAME,
    check_bucket,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import (
    INSTANCE_ID_PLACEHOLDER,
    is_unicode,
    php_fpm_quoted,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.host.mariadb import SHORTEST_PASSWORD
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import FEWEST_KEPT, ID
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.packing import parse_source
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.pages import check_page
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp import folders, mail, php
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.jobs import (
    check_release_command,
    check_schedules,
    check_workers,
)
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.secrets import check_rotation, check_secrets
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.options import MASTER

EACH = "each"
MANAGED = "managed"  # the database of the role `database`
PAGE = ARGUMENTS["releases"]["options"]["pages"]["options"]
PROBE = {name: PAGE[name]["default"] for name in ("path", "matcher", "timeout")}
SITE_NAME = re.compile(r"[a-z][a-z0-9-]*")
SITE_NAME_LENGTH = 20  # the account `site-<name>` has at most 32 characters, and MariaDB's user as many
# The names of MariaDB's databases and users. A site's database and user have the name of the site.
RESERVED = frozenset({"information-schema", "mariadb-sys", "mysql", "performance-schema", "root", "sys", "test"})
# The names of RDS' users and databases, and of its master user.
RESERVED_ON_RDS = frozenset({MASTER, "innodb", "rds-superuser-role", "rdsadmin", "rdsrepladmin", "rdstopmgr"})
HOST_NAME = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
NUMBERS = re.compile(r"[0-9.]+")
CA_URL = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?/[A-Za-z0-9._~/-]+")
PHP_EXTENSION = re.compile(r"[a-z0-9][a-z0-9+.-]*")
PHP_SETTING = re.compile(r"[a-z_][a-z0-9_.]*", re.IGNORECASE)
OWN_ENVIRONMENT = frozenset({"SERVER", "TIER", "TMPDIR"})
DATABASE_ENVIRONMENT = frozenset({"DB_HOST", "DB_NAME", "DB_USER", "DB_PASSWORD"})
MANAGED_ENVIRONMENT = DATABASE_ENVIRONMENT | {"DB_SSL_CA"}
SERVER_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
UNLIMITED = (("memory_limit", -1), ("memory_limit", "-1"))
LONGEST_KEEPALIVE = 4100  # seconds: more than a load balancer's longest idle timeout, 4,000
LEAST_MEMORY_MB = 384  # 64 for Apache, 164 for MariaDB, 38 for opcache, two PHP processes, and some room


def parse_lamp(
    options: t.Mapping[str, t.Any],
    problems: Problems,
    *,
    servers: t.Sequence[str] | None = None,
    booting: t.Sequence[str] = (),
) -> None:
    """Add to `problems` what is wrong with the role's variables, named without the role's prefix.

    `servers` are the names of the private tier's servers, or None if they are not known. `booting` are the tiers whose
    servers configure themselves.
    """
    if options.get("bucket"):
        check_bucket(options["bucket"], problems)
    for name in sorted(options.get("database_passwords") or {}) if booting else ():
        wrong = f"the servers of {', '.join(booting)} configure themselves, and read it from Parameter Store"
        right = f"remove it, or store it there as /groundwork/<environment>/lamp/{name}/database-password"
        problems.add(f"database_passwords.{name}", wrong, right)
    own = MANAGED_ENVIRONMENT if options["database_server"] == MANAGED else DATABASE_ENVIRONMENT
    _check_sites(options["sites"], own, problems)
    if not options.get("sites_trust_each_other"):
        _check_override(options["sites"], problems)
    _check_database(options, problems, servers)
    _check_php(options, problems)
    mail.check(options.get("mail_relay"), problems)
    for at, cidr in enumerate(options.get("trusted_proxies") or []):
        parse_cidr(cidr, f"trusted_proxies[{at}]", problems)
    for at, cidr in enumerate(options.get("probe_cidrs") or []):
        parse_cidr(cidr, f"probe_cidrs[{at}]", problems)
    name = options.get("server_name") or ""
    if name and name != INSTANCE_ID_PLACEHOLDER and not SERVER_NAME.fullmatch(name):
        problems.add("server_name", f"'{name}' is not a valid name", "use letters, digits, dots, hyphens, underscores")
    _check_release(options.get("release") or "", options["sites"], problems)
    if options.get("rotate"):
        check_rotation(options["rotate"], options["sites"], problems)
    if options["keep_releases"] < FEWEST_KEPT:
        right = f"keep {FEWEST_KEPT} or more: a request that started with the previous release needs its files"
        problems.add("keep_releases", f"{options['keep_releases']} is too small", right)
    check_range("keepalive_timeout", options["keepalive_timeout"], 1, LONGEST_KEEPALIVE, problems)
    if options["memory_mb"] < LEAST_MEMORY_MB:
        problems.add("memory_mb", f"{options['memory_mb']} MB is too small", f"give at least {LEAST_MEMORY_MB}")


def _check_release(release: str, sites: t.Sequence[t.Mapping[str, t.Any]], problems: Problems) -> None:
    site, colon, identity = release.rpartition(":")
    names = [one["name"] for one in sites]
    if release and not ID.fullmatch(identity):
        problems.add(
            "release", f"'{release}' is not the id of a release", "give one as 3f2a9c01d4e5, or as shop:3f2a9c01d4e5"
        )
    elif colon and site not in names:
        problems.add("release", f"'{site}' is not a site", f"begin it with one of {', '.join(names)}")
    elif release and not colon and len(names) > 1:
        wrong = f"'{release}' does not contain the name of its site"
        problems.add("release", wrong, f"begin it with one of {', '.join(names)}, as {names[0]}:{identity}")


def _check_sites(sites: t.Sequence[t.Mapping[str, t.Any]], of_database: frozenset[str], problems: Problems) -> None:
    """Add to `problems` what is wrong with the sites. `of_database` are the variables of a site with a database."""
    if not sites:
        problems.add("sites", "is empty", "declare a site: a server without a site has nothing to serve")
    names: set[str] = set()
    hosts: set[str] = set()
    for at, site in enumerate(sites):
        where = f"sites[{at}]"
        _check_site(site, where, of_database, problems)
        # The name is also the name of the database, with underscores instead of hyphens.
        if site["name"] in names:
            problems.add(f"{where}.name", f"'{site['name']}' is used twice", "use another name")
        names.add(site["name"])
        for host in site.get("server_names") or []:
            if host in hosts:
                problems.add(f"{where}.server_names", f"'{host}' is used twice", "give it to one site")
            hosts.add(host)
    folders.check_numbers(sites, problems)


def _check_override(sites: t.Sequence[t.Mapping[str, t.Any]], problems: Problems) -> None:
    """Add to `problems` sites with .htaccess files, which can reach any socket of Apache (docs/decisions/0026)."""
    for at, site in enumerate(sites):
        if site.get("allow_override") and len(sites) > 1:
            wrong = f"with .htaccess files, '{site['name']}' could run programs as any other site of its servers"
            right = (
                f"use front_controller instead, move '{site['name']}' to another environment, "
                f"or set {problems.prefix}sites_trust_each_other if all sites are yours"
            )
            problems.add(f"sites[{at}].allow_override", wrong, right)


def _check_site(site: t.Mapping[str, t.Any], where: str, of_database: frozenset[str], problems: Problems) -> None:
    name = site["name"]
    if not SITE_NAME.fullmatch(name) or name.endswith("-") or len(name) > SITE_NAME_LENGTH:
        right = f"use at most {SITE_NAME_LENGTH} lower case letters, digits and hyphens, a letter first, no hyphen last"
        problems.add(f"{where}.name", f"'{name}' is not a valid site name", right)
    elif name in RESERVED and site.get("database"):
        problems.add(f"{where}.name", f"'{name}' is a name that MariaDB uses", "use another name")
    if site.get("source"):
        parse_source(site["source"], f"{where}.source", problems)
    for key in ("web_root", "front_controller"):
        if site.get(key) and not RELATIVE_PATH.fullmatch(site[key]):
            right = "write it relative, without a leading slash and without dots at the beginning, as public"
            problems.add(f"{where}.{key}", f"'{site[key]}' is not a path within the application", right)
    for host in site.get("server_names") or []:
        if not HOST_NAME.fullmatch(host):
            problems.add(f"{where}.server_names", f"'{host}' is not a valid host name", "write it as shop.example.com")
    _check_settings(site.get("php_settings") or {}, f"{where}.php_settings", problems, php.pool_text)
    reserved = OWN_ENVIRONMENT | (of_database if site.get("database") else frozenset())
    _check_environment(site.get("environment") or {}, reserved, f"{where}.environment", problems)
    folders.check(site, where, problems)
    check_page(f"{where}.probe", {**PROBE, **(site.get("probe") or {})}, problems)
    check_secrets(site, reserved, where, problems)
    check_workers(site, where, problems)
    check_schedules(site, where, problems)
    check_release_command(site, where, problems)


def _check_environment(
    variables: t.Mapping[str, t.Any], reserved: t.Container[str], where: str, problems: Problems
) -> None:
    for name, value in variables.items():
        if not VARIABLE_NAME.fullmatch(str(name)):
            problems.add(f"{where}.{name}", "is not a valid variable name", "use letters, digits and underscores")
        elif name in reserved:
            problems.add(f"{where}.{name}", "the role sets it", "use another name")
        try:
            php.environment_text(value)
        except ValueError as error:  # the message must not contain the value, which may be secret
            right = "write the text that the application expects in quotes, encoded in one line"
            problems.add(f"{where}.{name}", f"the value cannot be passed to PHP: {error}", right)


def _check_settings(
    settings: t.Mapping[str, t.Any], where: str, problems: Problems, written: t.Callable[[str, t.Any], str]
) -> None:
    """Add to `problems` the settings that `written` cannot write."""
    for name, value in settings.items():
        if not PHP_SETTING.fullmatch(str(name)):
            problems.add(
                f"{where}.{name}", "is not the name of a PHP setting", "write it as in php.ini, as memory_limit"
            )
        elif name in php.DEFAULTS and php.size_in_bytes(value) is None and (name, value) not in UNLIMITED:
            problems.add(f"{where}.{name}", f"{value!r} is not a size", "write it as 64M or 1G")
        else:
            try:
                written(name, value)
            except ValueError as error:
                problems.add(f"{where}.{name}", f"{value!r} cannot be set: {error}", "use another value")


def _check_uploads(settings: t.Mapping[str, t.Any], where: str, problems: Problems) -> None:
    """Add to `problems` a largest file that does not fit into the largest request."""
    if not php.fits(settings):
        wrong = "{post_max_size} is smaller than upload_max_filesize, {upload_max_filesize}".format(**settings)
        right = "give a larger size, or remove it: it then follows upload_max_filesize"
        problems.add(f"{where}.post_max_size", f"{wrong}: the application would get empty forms", right)


def _check_database(options: t.Mapping[str, t.Any], problems: Problems, servers: t.Sequence[str] | None) -> None:
    server = options["database_server"]
    if server not in (EACH, MANAGED) and servers is not None and server not in servers:
        there = f", or one of {', '.join(servers)}" if servers else ", because the private tier has no servers"
        problems.add(
            "database_server", f"the private tier has no server '{server}'", f"give {EACH} or {MANAGED}{there}"
        )
    if server != EACH and options.get("database_cidr"):
        parse_cidr(options["database_cidr"], "database_cidr", problems)
    address = options.get("database_address") or KNOWN_AFTER_APPLY
    if server == MANAGED:
        _check_managed(options, address, problems)
    elif server != EACH and address != KNOWN_AFTER_APPLY:
        _check_address(address, problems)
    sites = {site["name"] for site in options["sites"] if site.get("database")}
    for name, password in (options.get("database_passwords") or {}).items():
        where = f"database_passwords.{name}"
        if name not in sites:
            problems.add(
                where, "is not the name of a site with a database", "remove it, or use the name of one of sites"
            )
        else:
            _check_password(password, where, problems)


def _check_managed(options: t.Mapping[str, t.Any], address: str, problems: Problems) -> None:
    """Add to `problems` what does not fit the managed database: sites with names that RDS uses, and addresses."""
    for at, site in enumerate(options["sites"]):
        if site["name"] in RESERVED_ON_RDS and site.get("database"):
            problems.add(f"sites[{at}].name", f"'{site['name']}' is a name that RDS uses", "use another name")
    if address != KNOWN_AFTER_APPLY and not HOST_NAME.fullmatch(address):
        problems.add("database_address", f"'{address}' is not a host name", "remove it: the role database sets it")
    elif address != KNOWN_AFTER_APPLY and NUMBERS.fullmatch(address):
        wrong = f"'{address}' is an address, and the certificate of the database has a name"
        problems.add("database_address", wrong, "remove it: the role database sets it")
    url = options["database_ca_url"]
    if not CA_URL.fullmatch(url):
        wrong = f"'{url}' is not a URL with https"
        right = "give the certificate bundle of RDS in your partition, or remove it for that of most regions"
        problems.add("database_ca_url", wrong, right)


def _check_password(password: t.Any, where: str, problems: Problems) -> None:
    """Add to `problems` a password that a server would not get unchanged. The messages do not contain it."""
    if not isinstance(password, str):
        problems.add(where, "the password is not text", "put it in quotes")
    elif len(password) < SHORTEST_PASSWORD:
        problems.add(where, "the password is too short", f"use at least {SHORTEST_PASSWORD} characters")
    elif not is_unicode(password):
        problems.add(where, "the password cannot be encoded as UTF-8", "use Unicode text")
    else:
        try:
            php_fpm_quoted(password)
        except ValueError as error:
            problems.add(where, f"php-fpm cannot read this password: {error}", "use another one")


def _check_address(address: str, problems: Problems) -> None:
    try:
        IPv4Address(address)
    except ValueError:
        problems.add("database_address", f"'{address}' is not a valid IPv4 address", "write it as 10.20.0.10")


def _check_php(options: t.Mapping[str, t.Any], problems: Problems) -> None:
    if wrong := php.unknown(str(options["php_version"])):
        problems.add("php_version", wrong, "give the version of the servers' Debian, in quotes")
    for at, name in enumerate(options["php_extensions"]):
        if not PHP_EXTENSION.fullmatch(name):
            problems.add(f"php_extensions[{at}]", f"'{name}' is not a valid extension name", "write it as mbstring")
    _check_settings(options["php_settings"], "php_settings", problems, php.ini_text)
    settings = php.with_defaults(options["php_settings"])
    _check_uploads(settings, "php_settings", problems)
    for at, site in enumerate(options["sites"]):
        own = php.with_room(site.get("php_settings") or {}, settings)
        if own.keys() & php.UPLOADS:
            _check_uploads({**settings, **own}, f"sites[{at}].php_settings", problems)
