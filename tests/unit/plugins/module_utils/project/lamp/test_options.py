"""The variables of the role lamp, and the message for each mistake."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from nasty_secrets import FOR_EVERYBODY, NOT_FOR_FPM

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.options import parse_lamp

SITE = {"name": "app", "source": None, "web_root": "public", "server_names": [], "database": True}
GOOD: dict[str, Any] = {
    "sites": [SITE],
    "database_server": "each",
    "database_address": "(known after apply)",
    "database_cidr": "10.20.0.0/16",
    "database_passwords": {},
    "trusted_proxies": ["10.20.0.0/24"],
    "php_version": "8.2",
    "php_extensions": ["mysql"],
    "php_settings": {"memory_limit": "128M"},
    "keep_files": [],
    "memory_mb": 1024,
    "keep_releases": 3,
    "keepalive_timeout": 75,
}
EVERYWHERE = {"shared": ["public/media"], "shared_everywhere": True}
OTHER: dict[str, Any] = {**SITE, "name": "shop"}
SERVERS = ("private-1", "private-2")


def told(options: dict[str, Any], servers: Any = SERVERS) -> list[str]:
    problems = Problems("lamp_")
    parse_lamp({**GOOD, **options}, problems, servers=servers)
    return [str(problem) for problem in problems.found]


def site(**changes: Any) -> dict[str, Any]:
    return {"sites": [{**SITE, **changes}]}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"database_server": "private-2", "database_address": "10.20.8.4"},
        site(name="a" * 20, server_names=["shop.example.com", "*.example.com"], front_controller="index.php"),
        site(environment={"MODE": "live", "WORKERS": 4, "EMPTY": "", "QUOTED": 'a "b" ${C}'}),
        site(php_settings={"opcache.jit": "off", "display_errors": False, "error_reporting": "E_ALL & ~E_DEPRECATED"}),
        {"php_settings": {"memory_limit": -1, "precision": 14.5, "auto_prepend_file": "", "error_reporting": 0}},
        {"php_settings": {"upload_max_filesize": "2G"}},
        {"php_settings": {"post_max_size": 0, "upload_max_filesize": "2G"}},
        site(php_settings={"upload_max_filesize": "64m", "error_reporting": "-1"}),
        site(php_settings={"post_max_size": "1M"}),
        {"php_settings": {"post_max_size": "8M", "error_reporting": "(E_ALL & ~(E_NOTICE | E_STRICT))"}},
        site(database=False, environment={"DB_HOST": "database.example.com"}),
        {"database_passwords": {"app": "correct-horse-battery"}},
        site(name="mysql", database=False),
        site(allow_override=True),
        {"sites": [{**SITE, "allow_override": True}, OTHER], "sites_trust_each_other": True},
        site(probe={"path": "/status?full", "matcher": "200-299,401", "timeout": 30}),
        site(probe=None),
        site(shared=["public/uploads"], shared_files=[".env.local"], writable=["var/cache"], php_in_writable=True),
        site(shared=["public/plugins"], front_controller="index.php"),
        site(shared_files=[".env"], shared_everywhere=True, uid=59007),
        {"sites": [{**SITE, "name": "shop"}, {**SITE, "name": "intranet"}]},
        {"sites": [{**SITE, "name": "shop", **EVERYWHERE}, {**SITE, "name": "intranet", "uid": 59007}]},
        {"release": "3f2a9c01d4e5"},
        {"release": "shop:3f2a9c01d4e5", "sites": [SITE, {**SITE, "name": "shop"}]},
    ],
)
def test_what_is_good(options: dict[str, Any]) -> None:
    assert told(options) == []


def test_without_servers_their_names_are_not_judged() -> None:
    assert told({"database_server": "private-9"}, servers=None) == []


NO_SITE_NAME = (
    "is not a valid site name; use at most 20 lower case letters, digits and hyphens, a letter first, no hyphen last."
)
NO_PATH = (
    "is not a path within the application; write it relative, without a leading slash and without dots at the beginning"
)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sites": []}, "lamp_sites: is empty"),
        (
            site(shared_everywhere=True, writable=["var"]),
            "lamp_sites[0].shared_everywhere: has no effect without shared folders or files; remove it",
        ),
        (site(uid=1000), "lamp_sites[0].uid: 1000 is out of range; give a whole number from 59000 to 59999"),
        (
            {"sites": [{**SITE, "name": "shop", **EVERYWHERE}, {**SITE, "name": "intranet"}]},
            "lamp_sites[1].uid: 'intranet' and 'shop' get the same number, 59586; give one of them ",
        ),
        (site(shared=["/srv/x"]), "lamp_sites[0].shared[0]: '/srv/x' is absolute; write it relative to the "),
        (site(shared_files=["../.env"]), "lamp_sites[0].shared_files[0]: '../.env' leads out of the application; "),
        (site(writable=["public"]), "lamp_sites[0].writable[0]: 'public' contains the web_root, 'public'; "),
        (
            site(shared=["var"], writable=["var/cache"]),
            "lamp_sites[0].writable[0]: 'var/cache' is within 'var', which is declared too; ",
        ),
        (
            site(shared=["public/app"], front_controller="app/index.php"),
            "lamp_sites[0].front_controller: 'app/index.php' is in a folder that the site can write; keep the script "
            "in the release, which is read-only.",
        ),
        (
            site(php_in_writable=True),
            "lamp_sites[0].php_in_writable: has no effect without shared or writable folders; remove it, or declare",
        ),
        (site(name="App"), f"lamp_sites[0].name: 'App' {NO_SITE_NAME}"),
        (site(name="a" * 21), f"lamp_sites[0].name: '{'a' * 21}' {NO_SITE_NAME}"),
        (site(name="app-"), f"lamp_sites[0].name: 'app-' {NO_SITE_NAME}"),
        (site(name="root"), "lamp_sites[0].name: 'root' is a name that MariaDB uses; use another name."),
        ({"sites": [SITE, SITE]}, "lamp_sites[1].name: 'app' is used twice; use another name."),
        (
            {"sites": [{**SITE, "server_names": ["a.b"]}, {**SITE, "name": "b", "server_names": ["a.b"]}]},
            "lamp_sites[1].server_names: 'a.b' is used twice; give it to one site.",
        ),
        (
            {"sites": [OTHER, {**SITE, "allow_override": True}]},
            "lamp_sites[1].allow_override: with .htaccess files, 'app' could run programs as any other site of its "
            "servers; use front_controller instead, move 'app' to another environment, or set "
            "lamp_sites_trust_each_other if all sites are yours.",
        ),
        (site(environment={"TMPDIR": "x"}), "lamp_sites[0].environment.TMPDIR: the role sets it"),
        (site(source={"path": "/nowhere"}), "lamp_sites[0].source.path: the folder /nowhere does not exist"),
        (site(source={"git": "nowhere"}), "lamp_sites[0].source.git: 'nowhere' is not a valid URL"),
        ({"release": "not an id"}, "lamp_release: 'not an id' is not the id of a release; give one as 3f2a9c01d4e5"),
        ({"release": "shop:3f2a"}, "lamp_release: 'shop' is not a site; begin it with one of app."),
        (
            {"release": "3f2a", "sites": [SITE, {**SITE, "name": "shop"}]},
            "lamp_release: '3f2a' does not contain the name of its site; begin it with one of app, shop, as app:3f2a.",
        ),
        ({"probe_cidrs": ["198.18.0.10/8"]}, "lamp_probe_cidrs[0]: "),
        (site(web_root="/public"), f"lamp_sites[0].web_root: '/public' {NO_PATH}"),
        (site(web_root="../x"), f"lamp_sites[0].web_root: '../x' {NO_PATH}"),
        (site(front_controller="a b.php"), f"lamp_sites[0].front_controller: 'a b.php' {NO_PATH}"),
        (site(server_names=["a b"]), "lamp_sites[0].server_names: 'a b' is not a valid host name"),
        (
            site(probe={"path": "status"}),
            "lamp_sites[0].probe.path: 'status' is not a path of a URL; begin it with /",
        ),
        (site(probe={"matcher": "500"}), "lamp_sites[0].probe.matcher: '500' is not a list of HTTP statuses; give"),
        (site(probe={"timeout": 0}), "lamp_sites[0].probe.timeout: 0 is out of range"),
        (site(environment={"DB_HOST": "x"}), "lamp_sites[0].environment.DB_HOST: the role sets it"),
        (site(environment={"A-B": "x"}), "lamp_sites[0].environment.A-B: is not a valid variable name"),
        *(
            (site(environment={"A": value}), f"lamp_sites[0].environment.A: the value cannot be passed to PHP: {why}")
            for value, why in (
                (False, "it is not text or a whole number; write the text that the application expects in quotes"),
                (1.1, "it is not text or a whole number"),
                (None, "it is not text or a whole number"),
                (["x"], "it is not text or a whole number"),
                (datetime.date(2026, 1, 1), "it is not text or a whole number"),
                ("x\ny", "it begins with a dollar sign, or contains $pool, a line break"),
                ("$HOME", "it begins with a dollar sign"),
                ("\ud800", "it cannot be encoded as UTF-8"),
                ("@groundwork(instance-id)@", "it contains @groundwork(, which begins a placeholder"),
            )
        ),
        (
            site(php_settings={"a": ["b"]}),
            "lamp_sites[0].php_settings.a: ['b'] cannot be set: it is not text, a number,",
        ),
        (site(php_settings={"a": ""}), "lamp_sites[0].php_settings.a: '' cannot be set: it is empty"),
        (
            site(php_settings={"error_log": "log"}),
            "lamp_sites[0].php_settings.error_log: 'log' cannot be set: php-fpm writes its own prefix",
        ),
        (site(php_settings={"a": "$pool"}), "lamp_sites[0].php_settings.a: '$pool' cannot be set: it begins with"),
        ({"php_settings": {"a": "b\nc"}}, "lamp_php_settings.a: 'b\\nc' cannot be set: it contains a line break"),
        ({"php_settings": {"a": None}}, "lamp_php_settings.a: None cannot be set: it is not text, a number, true or"),
        *(
            ({"php_settings": {"error_reporting": text}}, f"lamp_php_settings.error_reporting: '{text}' cannot be set")
            for text in (
                "E_ALL & ~E_DEPRACATED",
                "all",
                "E_ALL E_NOTICE",
                "E_ALL &",
                "(E_ALL",
                "E_ALL; x = 1",
                "",
                "E_ALL) & (E_NOTICE",
            )
        ),
        ({"php_settings": {"memory_limit": "lots"}}, "lamp_php_settings.memory_limit: 'lots' is not a size; write it"),
        ({"php_settings": {"post_max_size": "64MB"}}, "lamp_php_settings.post_max_size: '64MB' is not a size"),
        (
            {"php_settings": {"upload_max_filesize": "64M", "post_max_size": "32M"}},
            "lamp_php_settings.post_max_size: 32M is smaller than upload_max_filesize, 64M: the application would get "
            "empty forms; give a larger size, or remove it: it then follows upload_max_filesize.",
        ),
        (
            site(php_settings={"post_max_size": "8M", "upload_max_filesize": "9M"}),
            "lamp_sites[0].php_settings.post_max_size: 8M is smaller than upload_max_filesize, 9M",
        ),
        ({"server_name": 'web "1"'}, "lamp_server_name: 'web \"1\"' is not a valid name"),
        ({"php_settings": {"a b": 1}}, "lamp_php_settings.a b: is not the name of a PHP setting"),
        (
            {"database_server": "private-9"},
            "lamp_database_server: the private tier has no server 'private-9'; "
            "give each or managed, or one of private-1, private-2.",
        ),
        ({"database_server": "public-1"}, "lamp_database_server: the private tier has no server 'public-1'"),
        (
            {"database_server": "private-1", "database_address": "db"},
            "lamp_database_address: 'db' is not a valid IPv4 address; write it as 10.20.0.10.",
        ),
        ({"database_server": "private-1", "database_cidr": "x"}, "lamp_database_cidr: 'x' is not an IPv4 CIDR block"),
        ({"database_passwords": {"shop": "x"}}, "lamp_database_passwords.shop: is not the name of a site"),
        ({"database_passwords": {"app": "hunter2"}}, "lamp_database_passwords.app: the password is too short"),
        ({"trusted_proxies": ["10.20.0.1/24"]}, "lamp_trusted_proxies[0]: '10.20.0.1/24' is not in canonical form"),
        ({"php_version": "8"}, "lamp_php_version: Debian has no PHP 8: 8.2 in Debian 12, 8.4 in Debian 13; give"),
        ({"php_extensions": ["a b"]}, "lamp_php_extensions[0]: 'a b' is not a valid extension name"),
        ({"memory_mb": -1}, "lamp_memory_mb: -1 MB is too small; give at least 384."),
        ({"keep_releases": 1}, "lamp_keep_releases: 1 is too small"),
        ({"keepalive_timeout": 0}, "lamp_keepalive_timeout: "),
    ],
)
def test_what_is_refused(options: dict[str, Any], message: str) -> None:
    (problem,) = told(options)
    assert problem.startswith(message)


@pytest.mark.parametrize("password", [secret for secret in FOR_EVERYBODY if len(secret) >= 12])
def test_a_password_may_contain_what_a_server_gets_as_it_is(password: str) -> None:
    assert told({"database_passwords": {"app": password}}) == []


@pytest.mark.parametrize(
    "password", [*NOT_FOR_FPM, "hunter2", 1234567890123456, ["hunter2-hunter2"], {"a": "hunter2"}, None]
)
def test_another_password_is_refused_and_not_repeated(password: Any) -> None:
    [problem] = told({"database_passwords": {"app": password}})
    assert problem.startswith("lamp_database_passwords.app: ")
    assert str(password) not in problem.replace("None", "")
