"""What a LAMP server should be follows from the role's variables, and every consumer takes the same data."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError
from lamp_variables import VARIABLES, given
from nasty_secrets import FOR_EVERYBODY

from ansible_collections.groundwork.aws.plugins.filter.lamp import PARTS, RENDERED, lamp, render
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import parameters_in, php_fpm_unquoted
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import conform_options
from ansible_collections.groundwork.aws.plugins.module_utils.host.server import PARTS as OPTIONS
from ansible_collections.groundwork.aws.plugins.module_utils.host.server import parse_desired
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp import desired

PASSWORD = "correct-horse-battery"
SHOP = {"name": "my-shop", "server_names": ["*.example.com"], "database": False, "probe": {"path": "/up"}}

ALBUM = {"name": "album", "shared": ["public/media"], "web_root": "public", "shared_everywhere": True}


def file(path: str, **changes: t.Any) -> str:
    """Return the content of one file of a server."""
    [content] = [one["content"] for one in lamp(given(**changes), "configuration")["files"] if one["path"] == path]
    return str(content)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sites": [SHOP], "packed": []},
        {"database_server": "private-1"},
        {"database_server": "private-2"},
        {"trusted_proxies": []},
        {"backup_on_calendar": "daily"},
        {"sites": [ALBUM], "packed": [], "file_system": "fs-1.efs.eu-central-1.amazonaws.com"},
    ],
)
def test_the_module_server_accepts_what_is_computed(changes: dict[str, t.Any]) -> None:
    variables = given(**changes)
    problems = Problems()
    options = {name: lamp(variables, name) for name in ("configuration", "databases", "releases")}
    whole = {name: value for name, value in options.items() if value}
    parse_desired(conform_options(OPTIONS, whole, "server", problems), problems)
    image = {"configuration": lamp(variables, "image_configuration")}
    parse_desired(conform_options(OPTIONS, image, "server", problems), problems)
    assert problems.found == []


def test_each_part_is_computed() -> None:
    site = {"name": "app", "secrets": [{"name": "KEY"}]}
    variables = given(sites=[site], rotate="app:KEY")
    assert {part: type(lamp(variables, part)) for part in (*PARTS, *RENDERED)} == {
        "backed_up": list,
        "configuration": dict,
        "databases": dict,
        "generated_secrets": dict,
        "given_passwords": dict,
        "hosts": dict,
        "image_configuration": dict,
        "kept_secrets": list,
        "logs": dict,
        "notes": list,
        "outdated_records": list,
        "released": list,
        "releases": list,
        "rotated": dict,
        "site_names": list,
        "sources": list,
        "stays": list,
        "watched": dict,
    }


@pytest.mark.parametrize(
    ("changes", "runs", "address"),
    [
        ({}, True, "localhost"),
        ({"database_server": "private-1"}, True, "localhost"),
        ({"database_server": "private-2", "database_address": "10.20.2.7"}, False, "10.20.2.7"),
    ],
)
def test_where_the_database_runs(changes: dict[str, t.Any], runs: bool, address: str) -> None:
    configuration = lamp(given(**changes), "configuration")
    [mariadb] = [one for one in configuration["services"] if one["name"] == "mariadb"]
    assert (mariadb["state"], mariadb["enabled"]) == (("started", True) if runs else ("stopped", False))
    assert ("mariadb-server" in configuration["packages"]) is runs
    assert bool(lamp(given(**changes), "databases")) is runs
    pool = file("/etc/php/8.2/fpm/pool.d/groundwork-app.conf", **changes)
    assert f"env[DB_HOST] = '{address}'" in pool


@pytest.mark.parametrize(
    ("memory", "sites", "budget"),
    [
        (384, 1, desired.Budget(115, 38, 2, 16, 151)),
        (1024, 1, desired.Budget(307, 102, 11, 16, 151)),
        (1024, 2, desired.Budget(307, 102, 5, 16, 151)),
        (8192, 1, desired.Budget(2457, 256, 121, 165, 151)),
    ],
)
def test_memory_is_divided(memory: int, sites: int, budget: desired.Budget) -> None:
    many = [{"name": f"app-{number}"} for number in range(sites)]
    assert desired.lamp_of(given(memory_mb=memory, sites=many)).budget == budget


def test_apache_keeps_all_its_workers() -> None:
    """It closes idle connections when it ends a process, and before it has started enough of them."""
    text = file("/etc/apache2/conf-available/zz-groundwork-workers.conf", memory_mb=2048)
    settings = dict(line.split() for line in text.splitlines() if line and not line.startswith("#"))
    assert settings["StartServers"] == settings["ServerLimit"] == "37"
    assert settings["MaxSpareThreads"] == settings["MaxRequestWorkers"] == "925"


def test_only_root_reads_the_variables_of_a_site() -> None:
    site = {"name": "app", "environment": {"KEY": "hunter2-hunter2", "NONE": ""}}
    files = lamp(given(sites=[site]), "configuration")["files"]
    secret, commands = [one for one in files if "hunter2" in one.get("content", "")]
    assert (secret["path"], secret["mode"]) == ("/etc/php/8.2/fpm/pool.d/groundwork-app.secret.conf", "0600")
    assert (commands["path"], commands["mode"]) == ("/etc/groundwork/sites/app/environment", "0640")
    assert secret["content"].splitlines()[2:] == [
        "[app]",
        "env[DB_PASSWORD] = @groundwork(parameter:/groundwork/dev/lamp/app/database-password|php-fpm)@",
        "env[KEY] = 'hunter2-hunter2'",
        "env[NONE] = $GROUNDWORK_EMPTY",
    ]
    [release] = lamp(given(sites=[site]), "releases")
    assert release["hide"] == [secret["path"]]


def test_a_site_without_variables_has_no_secret_file() -> None:
    paths = [one["path"] for one in lamp(given(sites=[SHOP], packed=[]), "configuration")["files"]]
    assert [path for path in paths if "secret" in path] == []


@pytest.mark.parametrize(
    ("everywhere", "own", "ini", "pool", "apache"),
    [
        ({}, {}, "16M", None, None),
        ({"upload_max_filesize": "64M"}, {}, str(65 * 1024**2), None, None),
        ({"upload_max_filesize": "8M"}, {}, "16M", None, None),
        ({"post_max_size": "32M"}, {"upload_max_filesize": "64M"}, "32M", str(65 * 1024**2), None),
        ({}, {"upload_max_filesize": "2G", "post_max_size": "3G"}, "16M", "'3G'", 3 * 1024**3),
        ({"post_max_size": 0}, {"upload_max_filesize": "2G"}, "0", None, 0),
        ({"post_max_size": "8M"}, {}, "8M", None, None),
    ],
)
def test_uploads_fit_into_requests(
    everywhere: dict[str, t.Any], own: dict[str, t.Any], ini: str, pool: str | None, apache: int | None
) -> None:
    given_ = desired.lamp_of(given(php_settings=everywhere, sites=[{"name": "app", "php_settings": own}]))
    [site] = given_.sites
    assert given_.php_settings["post_max_size"].strip("'") == ini
    assert given_.php_settings["memory_limit"] == "'128M'"
    assert site.php_settings.get("post_max_size") == pool
    assert site.apache_limit == apache
    text = file(
        "/etc/apache2/sites-available/groundwork-01-app.conf",
        php_settings=everywhere,
        sites=[{"name": "app", "php_settings": own}],
    )
    assert ("LimitRequestBody" in text) is (apache is not None)


@pytest.mark.parametrize("text", [secret for secret in FOR_EVERYBODY if "@groundwork(" not in secret])
def test_text_is_written_as_php_reads_it(text: str) -> None:
    site = {"name": "app", "environment": {"A": text}, "php_settings": {"user_agent": text}}
    pool = file("/etc/php/8.2/fpm/pool.d/groundwork-app.conf", sites=[site])
    ini = file("/etc/php/8.2/fpm/conf.d/90-groundwork.ini", php_settings={"user_agent": text})
    secret = file("/etc/php/8.2/fpm/pool.d/groundwork-app.secret.conf", sites=[site])
    for line in (pool, ini, secret):
        [value] = re.findall(r"(?:user_agent\]?|env\[A\]) = (.*)", line)
        assert php_fpm_unquoted(value) == text


def test_the_image_has_no_site_and_no_secret() -> None:
    image = lamp(given(sites=[SHOP, {"name": "app"}]), "image_configuration")
    assert "accounts" not in image
    assert "mariadb-server" in image["packages"]
    whole = {one["path"] for one in lamp(given(sites=[SHOP, {"name": "app"}]), "configuration")["files"]}
    assert {one["path"] for one in image["files"]} < whole | {"/etc/mysql/mariadb.conf.d/60-groundwork.cnf"}
    texts = [one.get("content", "") for one in image["files"]]
    assert [text for text in texts if "@groundwork(" in text] == []


RULES = "/etc/groundwork/metadata.nft"
ADDRESSES = ("ip daddr 169.254.169.254", "ip6 daddr fd00:ec2::254")


@pytest.mark.parametrize(
    ("sites", "accounts"),
    [
        ([{"name": "app"}, SHOP], '"www-data", "site-app", "site-my-shop"'),
        ([{"name": "app", "instance_metadata": True}, SHOP], '"www-data", "site-my-shop"'),
        ([{"name": "app", "instance_metadata": "yes"}], '"www-data"'),
    ],
)
def test_sites_that_do_not_ask_are_kept_away_from_the_instance_metadata(
    sites: list[dict[str, t.Any]], accounts: str
) -> None:
    rules = file(RULES, sites=sites, packed=[])
    assert [line.strip() for line in rules.splitlines() if "reject" in line] == [
        f"meta skuid {{ {accounts} }} {address} reject" for address in ADDRESSES
    ]
    assert rules.index("add table") < rules.index("delete table") < rules.index("\ntable")
    assert "flush" not in rules


@pytest.mark.parametrize("part", ["configuration", "image_configuration"])
def test_nothing_of_a_site_runs_before_the_packet_filter(part: str) -> None:
    computed = lamp(VARIABLES, part)
    files = {one["path"]: one for one in computed["files"]}
    for name in ("apache2", "php8.2-fpm"):
        needs = files[f"/etc/systemd/system/{name}.service.d/groundwork.conf"]["content"]
        assert "\nRequires=groundwork-metadata.service\nAfter=groundwork-metadata.service\n" in needs
    unit = files["/etc/systemd/system/groundwork-metadata.service"]["content"]
    assert f"ExecStart=/usr/sbin/nft --file {RULES}\n" in unit
    assert files[RULES]["reload"] == ["groundwork-metadata"]
    assert "nftables" in computed["packages"]
    checked = {"argv": ["nft", "--check", "--file", RULES], "services": ["groundwork-metadata"]}
    assert checked in computed["validators"]
    [service] = [one for one in computed["services"] if one["name"] == "groundwork-metadata"]
    assert service["check"] == ["nft", "list", "chain", "inet", "groundwork_metadata", "output"]


def test_the_packet_filter_of_an_image_names_no_site() -> None:
    [rules] = [one["content"] for one in lamp(VARIABLES, "image_configuration")["files"] if one["path"] == RULES]
    assert 'meta skuid { "www-data" } ip daddr' in rules
    assert "site-" not in rules


def test_a_server_reads_the_parameters_of_its_sites_alone() -> None:
    """The role of a server may read what the placeholders in its bundle name."""
    variables = given(sites=[{"name": "app"}, SHOP])
    parts = [lamp(variables, name) for name in ("configuration", "databases", "releases")]
    assert parameters_in(parts) == ["/groundwork/dev/lamp/app/database-password"]


def test_a_release_is_given_by_its_id() -> None:
    variables = given(
        sites=[{"name": "app"}, SHOP],
        release="my-shop:000000000001",
        packed=VARIABLES["packed"],
        warm_paths=["/", "/up"],
    )
    found = desired.lamp_of(variables)
    assert [(one["name"], one["id"]) for one in desired.releases(found, render)] == [
        ("my-shop", "000000000001"),
        ("app", "3f2a9c01d4e5"),
    ]
    assert [one["name"] for one in desired.released(found, render)] == ["my-shop"]
    assert desired.sources(found) == [{"name": "app", "source": {"path": "/sample"}}]
    [shop] = desired.released(found, render, exists=lambda path: path == Path("/archives/my-shop-000000000001.tar.gz"))
    assert shop["archive"] == "/archives/my-shop-000000000001.tar.gz"
    assert [(page["path"], page["matcher"], page["host"]) for page in shop["pages"]] == [
        ("/up", "200-399", "www.example.com"),
        ("/", "200-499", "www.example.com"),
    ]


BAD = "3f2a9c01d4e5, kept 000000000001, 2026-11-29T20:31Z, too many errors"
TAKEN_BACK = {"groundwork:tier": "private", "groundwork:taken-back:app": BAD}


@pytest.mark.parametrize(
    ("changes", "identity", "noted"),
    [
        ({}, "000000000001", True),
        ({"server_tier": "public"}, "3f2a9c01d4e5", False),
        ({"packed": [{**VARIABLES["packed"][0], "id": "000000000002"}]}, "000000000002", False),
        ({"packed": [], "release": "3f2a9c01d4e5"}, "3f2a9c01d4e5", False),
    ],
    ids=["taken back", "in another tier", "corrected", "on purpose"],
)
def test_a_release_that_was_taken_back_is_not_released_again(
    changes: dict[str, t.Any], identity: str, noted: bool
) -> None:
    recorded = [TAKEN_BACK, {"groundwork:tier": "public"}]
    found = desired.lamp_of(given(recorded=recorded, server_tags=TAKEN_BACK, **changes))
    [release] = desired.releases(found, render, exists=lambda _: True)
    assert release["id"] == identity
    assert not noted or release["archive"] == f"/archives/app-{identity}.tar.gz"
    assert [note[:36] for note in desired.notes(found)] == ["The release 3f2a9c01d4e5 of app was "] * noted
    changed = desired.outdated_records(found, render)
    key = "groundwork:taken-back:app"
    values = {"000000000001": [], "3f2a9c01d4e5": [None], "000000000002": [BAD.replace("000000000001", identity)]}
    assert [one["tags"][key] for one in changed] == values[identity]


def test_which_host_leads_to_a_site() -> None:
    assert lamp(given(sites=[{"name": "app"}, SHOP, {"name": "lost"}]), "hosts") == {
        "app": "",
        "my-shop": "www.example.com",
    }


def test_passwords_that_are_not_given_are_kept() -> None:
    variables = given(sites=[{"name": "app"}, {"name": "other"}, SHOP], database_passwords={"app": PASSWORD})
    assert [one["name"] for one in lamp(variables, "kept_secrets")] == ["/groundwork/dev/lamp/other/database-password"]
    assert lamp(variables, "given_passwords") == {"/groundwork/dev/lamp/app/database-password": PASSWORD}


def test_a_template_needs_all_its_variables() -> None:
    with pytest.raises(Exception, match="'site' is undefined"):
        render("pool.secret.conf.j2", {})


@pytest.mark.parametrize(
    ("changes", "path", "text"),
    [
        (
            {"sites": [{"name": "app", "allow_override": "no"}]},
            "/etc/apache2/sites-available/groundwork-01-app.conf",
            "AllowOverride None",
        ),
        (
            {"sites": [{"name": "app", "server_names": "shop.example.com"}]},
            "/etc/apache2/sites-available/groundwork-01-app.conf",
            "ServerName shop.example.com\n",
        ),
        ({"trusted_proxies": "10.0.0.0/24"}, "/etc/apache2/conf-available/zz-groundwork.conf", "Proxy 10.0.0.0/24\n"),
        ({"memory_mb": "4096"}, "/etc/php/8.2/fpm/conf.d/90-groundwork.ini", "memory_consumption = 256\n"),
        ({"php_settings": {"precision": 1.5}}, "/etc/php/8.2/fpm/conf.d/90-groundwork.ini", "precision = 1.5\n"),
    ],
)
def test_variables_have_the_types_that_the_role_declares(changes: dict[str, t.Any], path: str, text: str) -> None:
    """As the preflight sees them: -e gives text, and a list may be written as text with commas."""
    assert text in file(path, **changes)


def test_a_release_may_be_a_number() -> None:
    assert [one["id"] for one in lamp(given(release=123456789012, packed=[]), "released")] == ["123456789012"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"memory_mb": "4 GB"}, "lamp_memory_mb: '4 GB' is not a whole number; give a whole number."),
        ({"php_version": "8"}, "lamp_php_version: "),
        ({"sites": [{"name": "app"}, {"name": "b", "allow_override": True}]}, "lamp_sites[1].allow_override: "),
    ],
)
def test_wrong_variables_of_a_new_server_are_told_by_name(changes: dict[str, t.Any], problem: str) -> None:
    with pytest.raises(AnsibleFilterError) as refused:
        lamp(given(**changes), "configuration")
    assert str(refused.value).startswith(problem)


WRITING: dict[str, t.Any] = {
    "name": "app",
    "web_root": "public",
    "shared": ["public/media", "data"],
    "shared_files": ["public/settings.php", "public/robots.txt", ".env.local"],
    "writable": ["public/cache", "var/cache"],
}
SITE_CONF = "/etc/apache2/sites-available/groundwork-01-app.conf"
SECTION = re.compile(r'<Directory "([^"]*)">\n(.*?)\n    </Directory>', re.DOTALL)


def test_apache_runs_no_php_where_the_site_can_write() -> None:
    sections = dict(SECTION.findall(file(SITE_CONF, sites=[WRITING])))
    assert sections.keys() == {f"/srv/www/app/current/public{name}" for name in ("/media", "/cache", "")}
    for name in ("media", "cache"):
        lines = [line.strip() for line in sections[f"/srv/www/app/current/public/{name}"].splitlines()]
        assert lines == [
            "Options None",
            "AllowOverride None",
            "DirectoryIndex index.html",
            r'<FilesMatch "(?i)\.ph(p[0-9]?|t|tml|ps|ar)(\.|$)">',
            "Require all denied",
            "</FilesMatch>",
        ]
    assert '<Files "settings.php">' in sections["/srv/www/app/current/public"]


def test_apache_runs_it_when_asked_for() -> None:
    sections = dict(SECTION.findall(file(SITE_CONF, sites=[{**WRITING, "php_in_writable": True}])))
    assert {path: text.split() for path, text in sections.items()} == {
        f"/srv/www/app/current/public/{name}": ["Options", "None", "AllowOverride", "None"]
        for name in ("media", "cache")
    }


def test_a_server_and_the_packing_get_the_folders() -> None:
    variables = given(sites=[WRITING])
    [release] = lamp(variables, "releases")
    [source] = lamp(variables, "sources")
    paths = {name: WRITING[name] for name in ("shared", "shared_files", "writable")}
    configured = "/etc/groundwork/sites/app/folders.json"
    assert release["folders"] == {**paths, "account": "site-app", "web_root": "public", "configured": configured}
    assert source["folders"] == {**paths, "web_root": "public"}
    assert json.loads(file(configured, sites=[WRITING])) == {"web_root": "public", **paths}


@pytest.mark.parametrize(("shared", "mode"), [(["data"], "0700"), (["public/media"], "0710"), ([], "0700")])
def test_apache_uses_shared_folders_only_if_it_serves_one(shared: list[str], mode: str) -> None:
    files = lamp(given(sites=[{"name": "app", "web_root": "public", "shared": shared}]), "configuration")["files"]
    [found] = [one for one in files if one["path"] == "/srv/www/app/shared"]
    assert (found["owner"], found["group"], found["mode"]) == ("site-app", "site-app", mode)


def test_the_packing_checks_the_files_that_apache_evaluates() -> None:
    [source] = lamp(given(sites=[{"name": "app", "web_root": "public", "allow_override": True}]), "sources")
    assert (source["allow_override"], source["folders"]["web_root"]) == (True, "public")
