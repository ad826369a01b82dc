# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The desired state of a LAMP server, computed from the variables of the role `lamp`.

The results are options of the module `server`. A run passes them to the module, a plan reports what the module would
do, a boot bundle contains them, and an image contains the part that is the same on every server and holds no secret.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import php_fpm_quoted
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import CURRENT, RELEASES, UNREADY
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import SHARED, Folders
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.planning import database_stays
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp import (
    authorities,
    backup,
    environment,
    folders,
    jobs,
    mail,
    metadata,
    mounting,
    php,
    secrets,
)
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.jobs import ReleaseCommand, Schedule, Worker
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.options import EACH, MANAGED, PROBE
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.secrets import Secret, SecretFile
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.options import MASTER, PORT
from ansible_collections.groundwork.aws.plugins.module_utils.topics.rollout import records

Options = dict[str, t.Any]
Variables = t.Mapping[str, t.Any]
Render = t.Callable[[str, Variables], str]  # from the name of a template and its variables to its text

ROOT = "/srv/www"
CONFIGURATION = "lamp"
APACHE = "apache2"
MARIADB = "mariadb"
MARIADB_CLIENT = "mariadb-client"
APACHE_MB = 64  # at least
APACHE_BASE_MB = 16
APACHE_PROCESS_MB = 3  # of mpm_event with its threads
APACHE_THREADS = 25  # of a process, ThreadsPerChild of Debian
MARIADB_CONNECTIONS = 151  # its default
SHARING_SERVERS = 10  # that connect to a shared database at once, at most
APACHE_REQUEST_BYTES = 1024**3  # https://httpd.apache.org/docs/2.4/mod/core.html#limitrequestbody
PHP_PROCESS_MB = 40
ANY_STATUS = "200-499"  # of the paths that are only requested to warm a server
# https://httpd.apache.org/docs/2.4/mod/
MODULES = (
    "headers.load",
    "proxy.conf",
    "proxy.load",
    "proxy_fcgi.load",
    "remoteip.load",
    "rewrite.load",
    "setenvif.conf",
    "setenvif.load",
)


@dataclass(frozen=True)
class Site:
    """One of `lamp_sites`, with the defaults filled in."""

    name: str
    is_first: bool
    source: Options
    web_root: str
    server_names: tuple[str, ...]
    front_controller: str
    allow_override: bool
    database: bool
    php_settings: Variables
    largest_request: int  # bytes; 0 for no limit
    environment: Variables
    folders: Folders
    uid: int
    php_in_writable: bool
    instance_metadata: bool
    probe: Options
    password_parameter: str
    secrets: tuple[Secret, ...] = ()
    secret_files: tuple[SecretFile, ...] = ()
    workers: tuple[Worker, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    release_command: ReleaseCommand | None = None

    @property
    def folder(self) -> str:
        """Return the folder of the site on a server."""
        return f"{ROOT}/{self.name}"

    @property
    def temporary(self) -> str:
        """Return the folder for the site's temporary files, which only the site can read."""
        return f"{self.folder}/tmp"  # noqa: S108 - this one is private

    @property
    def current(self) -> str:
        """Return the link to the release that is served."""
        return f"{self.folder}/{CURRENT}"

    @property
    def runner(self) -> str:
        """Return the account that the site's PHP runs as."""
        return f"site-{self.name}"

    @property
    def owner(self) -> str:
        """Return the account that owns the site's releases. Nothing runs as it."""
        return f"code-{self.name}"

    @property
    def identifier(self) -> str:
        """Return the name of the site's database, and of its user."""
        return self.name.replace("-", "_")

    @property
    def apache_limit(self) -> int | None:
        """Return the largest request of Apache in bytes, 0 for no limit, None if its default is large enough."""
        return None if 0 < self.largest_request <= APACHE_REQUEST_BYTES else self.largest_request

    @property
    def private_environment(self) -> dict[str, str]:
        """Return the variables that only the site may read, as they are written into its pool."""
        given = {name: php.environment_text(value) for name, value in self.environment.items()}
        password = f"@groundwork(parameter:{self.password_parameter}|php-fpm)@"
        own = {secret.name: secret.variable for secret in self.secrets if secret.environment}
        return {**({"DB_PASSWORD": password} if self.database else {}), **given, **own}

    @property
    def environment_file(self) -> str:
        """Return the file with all environment variables of the site, for systemd."""
        return environment.path_of(self.name)

    @property
    def private(self) -> str:
        """Return the folder for the site's files with secrets, which only the site can read."""
        return f"{environment.FOLDER}/{self.name}/{secrets.FOLDER}"

    @property
    def hidden_values(self) -> str:
        """Return the file, for root alone, with the secrets that are not in the site's environment."""
        return f"{environment.FOLDER}/{self.name}/hidden"

    @property
    def served_scripts(self) -> tuple[str, ...]:
        """Return the PHP scripts among the shared files that Apache would run."""
        return () if self.php_in_writable else folders.served_scripts(self.folders)

    @property
    def main_name(self) -> str:
        """Return the first host name, "" if the site has none."""
        return self.server_names[0].replace("*", "www") if self.server_names else ""

    @property
    def host(self) -> str:
        """Return the Host by which a request to the server reaches the site."""
        return self.main_name or ("127.0.0.1" if self.is_first else f"{self.name}.invalid")


@dataclass(frozen=True)
class Budget:
    """How a server divides its memory. What MariaDB, opcache and Apache leave is PHP's."""

    buffer_pool_mb: int
    opcache_mb: int
    php_processes: int  # of each site
    apache_processes: int
    database_connections: int

    @property
    def apache_workers(self) -> int:
        """Return how many requests Apache serves at once. The others wait, and a full server closes connections."""
        return self.apache_processes * APACHE_THREADS


@dataclass(frozen=True)
class Lamp:
    """The variables of the role `lamp` on one server."""

    given: Variables
    sites: tuple[Site, ...]
    passwords: t.Mapping[str, str]  # by the site's name

    @property
    def relay(self) -> mail.Relay | None:
        """Return the relay for the mail of the sites, None if there is none."""
        return mail.relay_of(self.given.get("mail_relay"))

    @property
    def fpm(self) -> str:
        """Return the name of php-fpm's service and package."""
        return f"php{self.given['php_version']}-fpm"

    @property
    def fpm_folder(self) -> str:
        """Return the folder of php-fpm's configuration."""
        return f"{self.php_folder}/fpm"

    @property
    def php_folder(self) -> str:
        """Return the folder of PHP's configuration."""
        return f"/etc/php/{self.given['php_version']}"

    @property
    def database_sites(self) -> tuple[Site, ...]:
        """Return the sites that have a database."""
        return tuple(site for site in self.sites if site.database)

    @property
    def php_settings(self) -> dict[str, str]:
        """Return the settings of all sites, as they are written into php.ini."""
        settings = {**mail.sending(self.relay), **php.with_defaults(self.given["php_settings"])}
        return {name: php.ini_text(name, value) for name, value in settings.items()}

    def public_environment(self, site: Site) -> dict[str, str]:
        """Return the variables that a site gets from the role, as they are written into its pool."""
        variables = {"TMPDIR": site.temporary, "SERVER": self.given["server_name"], "TIER": self.given["server_tier"]}
        if site.database:
            variables |= {"DB_HOST": self.database_host, "DB_NAME": site.identifier, "DB_USER": site.identifier}
        if site.database and self.has_managed_database:
            variables["DB_SSL_CA"] = authorities.BUNDLE
        return {name: php_fpm_quoted(value) if value else php.EMPTY_VARIABLE for name, value in variables.items()}

    @property
    def shares_database(self) -> bool:
        """Return whether this server is the database server of all servers."""
        return bool(self.given["database_server"] == self.given["server_name"])

    @property
    def shares_files(self) -> bool:
        """Return whether a site has shared folders that are the same on all servers."""
        return any(site.folders.files for site in self.sites)

    @property
    def has_database(self) -> bool:
        """Return whether MariaDB runs on this server."""
        return bool(self.database_sites) and self.given["database_server"] in (EACH, self.given["server_name"])

    @property
    def has_managed_database(self) -> bool:
        """Return whether the sites have their databases on the managed database of the environment."""
        return bool(self.database_sites) and self.given["database_server"] == MANAGED

    @property
    def database_host(self) -> str:
        """Return the host at which the sites of this server reach their databases."""
        return "localhost" if self.has_database else str(self.given["database_address"])

    @property
    def database_hosts(self) -> tuple[str, ...]:
        """Return the hosts from which the sites log in to the MariaDB of this server."""
        if not self.has_database:
            return ()
        return ("localhost", self.given["database_cidr"]) if self.shares_database else ("localhost",)

    @property
    def ready(self) -> str:
        """Return the Apache expression that allows a load balancer to see the server as healthy.

        A release is served, and the pages of a new server have been answered as expected. A site that is added to a
        server does not change this for the others. Other clients always see the server as healthy.
        """
        served = " || ".join(f"-d '{site.current}'" for site in self.sites)
        gates = " ".join(f"&& ! -e '{site.folder}/{UNREADY}'" for site in self.sites)
        balancers = " || ".join(f"-R '{cidr}'" for cidr in self.given["trusted_proxies"])
        return f"({served}) {gates} || ! ({balancers})"

    @property
    def budget(self) -> Budget:
        """Return how the server divides `lamp_memory_mb`."""
        memory = self.given["memory_mb"]
        buffer_pool = max(64, int(memory * 0.3))
        mariadb = buffer_pool + 100 if self.has_database else 0
        opcache = max(32, min(256, int(memory * 0.1)))
        apache = max(APACHE_MB, memory // 16)
        each = max(2, int((memory - apache - mariadb - opcache) / PHP_PROCESS_MB / len(self.sites)))
        clients = each * len(self.sites) * (SHARING_SERVERS if self.shares_database else 1)
        return Budget(
            buffer_pool,
            opcache,
            each,
            apache_processes=(apache - APACHE_BASE_MB) // APACHE_PROCESS_MB,
            database_connections=max(MARIADB_CONNECTIONS, clients + 20),
        )

    def pinned(self) -> dict[str, str]:
        """Return the release that `lamp_release` gives, by its site."""
        site, _colon, identity = self.given["release"].rpartition(":")
        return {site or self.sites[0].name: identity} if identity else {}

    def taken_back(self) -> dict[str, records.Record]:
        """Return the records of the packed releases that were taken back, by site."""
        recorded = records.records_for(self.given["server_tier"], self.given.get("recorded") or [])
        packed = {one["name"]: one["id"] for one in self.given["packed"]}
        return {name: record for name, record in recorded.items() if packed.get(name) == record.id}


def lamp_of(variables: Variables) -> Lamp:
    """Return the role's variables, given by their names without the role's, with each site complete."""
    folder = f"/groundwork/{variables['environment_name']}/lamp"
    settings = php.with_defaults(variables["php_settings"])
    sites = tuple(
        _site(site, variables["sample"], folder, settings, not at) for at, site in enumerate(variables["sites"])
    )
    given = {name: value for name, value in variables.items() if name != "database_passwords"}
    return Lamp(given, sites, variables["database_passwords"])


def _site(site: Variables, sample: str, folder: str, settings: Variables, is_first: bool) -> Site:
    own = php.with_room(site.get("php_settings") or {}, settings)
    own_secrets = secrets.secrets_of(site, f"{folder}/{site['name']}")
    return Site(
        name=site["name"],
        is_first=is_first,
        source={name: value for name, value in (site.get("source") or {"path": sample}).items() if value is not None},
        web_root=site.get("web_root") or "",
        server_names=tuple(site.get("server_names") or ()),
        front_controller=site.get("front_controller") or "",
        allow_override=bool(site.get("allow_override", False)),
        database=bool(site.get("database", True)),
        php_settings={name: php.pool_text(name, value) for name, value in own.items()},
        largest_request=php.size_in_bytes({**settings, **own}["post_max_size"]) or 0,
        environment=site.get("environment") or {},
        folders=folders.folders_of(site, f"site-{site['name']}"),
        uid=folders.number_of(site),
        php_in_writable=bool(site.get("php_in_writable", False)),
        instance_metadata=bool(site.get("instance_metadata", False)),
        probe={**PROBE, **(site.get("probe") or {})},
        password_parameter=f"{folder}/{site['name']}/database-password",
        secrets=own_secrets,
        secret_files=secrets.files_of(site, own_secrets),
        workers=jobs.workers_of(site),
        schedules=jobs.schedules_of(site),
        release_command=jobs.release_command_of(site),
    )


# Configuration ---------------------------------------------------------------------------------------------------


def configuration(lamp: Lamp, render: Render) -> Options:
    """Return the option `configuration` of the module `server`."""
    packages = _web_packages(lamp) + (["mariadb-server"] if lamp.has_database else [])
    files = [*_shared_files(lamp, render), *metadata.files(render, lamp.sites, APACHE), *_site_files(lamp, render)]
    files += [file for site in lamp.sites for file in _secret_files(lamp, site)]
    files += mail.secret_files(lamp.relay, lamp.given["php_version"])
    files += mounting.files(render, lamp.given["file_system"]) if lamp.shares_files else []
    files += authorities.files(render, lamp.given["database_ca_url"]) if lamp.has_managed_database else []
    common = _services(lamp)
    own = jobs.configuration(lamp.sites, _jobs_context(lamp), render)
    kept = backup.configuration(lamp, render)
    return {
        "name": CONFIGURATION,
        "packages": packages,
        "accounts": [account for site in lamp.sites for account in _accounts(lamp, site)],
        **common,
        "files": _each_once([*files, *own["files"], *kept["files"]]),
        "services": [
            *common["services"],
            *(mounting.services() if lamp.shares_files else ()),
            *(authorities.services() if lamp.has_managed_database else ()),
            *own["services"],
            *kept["services"],
        ],
        "purge": [
            *common["purge"],
            {"pattern": f"{environment.FOLDER}/*/{secrets.FOLDER}/*"},
            {"pattern": f"{environment.FOLDER}/*/hidden"},
            *mail.purged(lamp.php_folder),
            *mounting.PURGE,
            *authorities.PURGE,
            *own["purge"],
            *kept["purge"],
        ],
        "validators": [*common["validators"], *own["validators"], *kept["validators"]],
        "purge_services": [*own["purge_services"], *mounting.UNITS, authorities.SERVICE],
    }


def _each_once(files: t.Iterable[Options]) -> list[Options]:
    """Return the files without repetitions: schedules and backups have their programs in one folder."""
    return list({file["path"]: file for file in files}.values())


def _jobs_context(lamp: Lamp) -> Options:
    programs = {"claim": jobs.CLAIM, "launcher": environment.LAUNCHER}
    return {**programs, "metadata_service": metadata.SERVICE, "environment": lamp.given["environment_name"]}


def image_configuration(lamp: Lamp, render: Render) -> Options:
    """Return the part of `configuration` that every server has in common and that holds no secret.

    A server without a database that starts from the image has MariaDB's packages too, and does not run it.
    """
    runs = lamp.database_sites and not lamp.has_managed_database
    packages = _web_packages(lamp) + (["mariadb-server"] if runs else [])
    files = [*_shared_files(lamp, render), *metadata.files(render, (), APACHE)]
    return {"name": CONFIGURATION, "packages": packages, "files": files, **_services(lamp)}


def _web_packages(lamp: Lamp) -> list[str]:
    extensions = [f"php{lamp.given['php_version']}-{name}" for name in lamp.given["php_extensions"]]
    of_files = [mounting.PACKAGE] if lamp.shares_files else []
    of_mail = mail.PACKAGES if lamp.relay else ()
    of_database = [MARIADB_CLIENT] if lamp.has_managed_database else []
    return [APACHE, lamp.fpm, *extensions, metadata.PACKAGE, *of_files, *of_mail, *of_database]


def _accounts(lamp: Lamp, site: Site) -> list[Options]:
    """Return the accounts of a site. Of all processes only those of its PHP are in the group of `owner`."""
    return [
        {
            "name": site.runner,
            "home": site.folder,
            "members": ["www-data"],
            "uid": site.uid,
            "require_uid": bool(site.folders.files),
            "reload": [APACHE],
        },
        {
            "name": site.owner,
            "home": f"{site.folder}/{RELEASES}",
            "members": [site.runner],
            "reload": [lamp.fpm],
        },
    ]


def _services(lamp: Lamp) -> Options:
    validators: list[Options] = [
        {"argv": ["apache2ctl", "configtest"], "services": [APACHE]},
        {"argv": [f"php-fpm{lamp.given['php_version']}", "--test"], "services": [lamp.fpm]},
        metadata.validator(),
        *mail.validators(lamp.relay),
    ]
    if lamp.has_database:  # mariadbd reports a value that it does not understand, and runs without it
        argv = ["mariadbd", "--user=mysql", "--help", "--verbose"]
        validators.append({"argv": argv, "services": [MARIADB], "refuse": r"\[ERROR\]"})
    return {
        "purge": [
            {"pattern": "/etc/apache2/sites-available/groundwork-*.conf", "reload": [APACHE]},
            {"pattern": "/etc/apache2/sites-enabled/groundwork-*.conf", "reload": [APACHE]},
            {"pattern": "/etc/apache2/mods-enabled/php*", "restart": [APACHE]},
            {"pattern": f"{lamp.fpm_folder}/pool.d/groundwork-*.conf", "reload": [lamp.fpm]},
            {"pattern": environment.PATTERN},
        ],
        "includes": _includes(lamp),
        "validators": validators,
        "services": [
            metadata.service(),
            {"name": APACHE},
            {"name": lamp.fpm},
            {
                "name": MARIADB,
                "state": "started" if lamp.has_database else "stopped",
                "enabled": lamp.has_database,
            },
            *mail.services(lamp.relay, lamp.given["php_version"]),
        ],
    }


def _includes(lamp: Lamp) -> list[Options]:
    """Return what the daemons include. A file of others there overrides the configuration without being seen."""
    reload: dict[str, tuple[str, ...]] = {
        APACHE: ("/etc/apache2/conf-enabled/*.conf", "/etc/apache2/sites-enabled/*.conf"),
        lamp.fpm: (f"{lamp.fpm_folder}/conf.d/*.ini", f"{lamp.fpm_folder}/pool.d/*.conf"),
    }
    restart: dict[str, tuple[str, ...]] = {
        APACHE: ("/etc/apache2/mods-enabled/*.conf", "/etc/apache2/mods-enabled/*.load"),
        MARIADB: ("/etc/mysql/conf.d/*.cnf", "/etc/mysql/mariadb.conf.d/*.cnf"),
    }
    for service in (APACHE, lamp.fpm, MARIADB):
        restart[service] = (*restart.get(service, ()), f"/etc/systemd/system/{service}.service.d/*.conf")
    return [
        {"pattern": pattern, "keep": list(lamp.given["keep_files"]), how: [service]}
        for how, patterns in (("reload", reload), ("restart", restart))
        for service in patterns
        for pattern in patterns[service]
    ]


def _shared_files(lamp: Lamp, render: Render) -> list[Options]:
    context = {"lamp": lamp, "metadata_service": metadata.SERVICE, **lamp.given}
    unit = f"/etc/systemd/system/{lamp.fpm}.service.d"
    files = [
        _folder("/var/www/groundwork"),
        {"path": "/var/www/groundwork/healthz", "content": "ok\n"},
        # Debian's own security.conf comes before it.
        {
            "path": "/etc/apache2/conf-available/zz-groundwork.conf",
            "content": render("apache.conf.j2", context),
            "reload": [APACHE],
        },
        _enabled("conf", "zz-groundwork.conf", reload=[APACHE]),
        {
            "path": "/etc/apache2/conf-available/zz-groundwork-workers.conf",
            "content": render("apache.workers.conf.j2", context),
            "restart": [APACHE],
        },
        _enabled("conf", "zz-groundwork-workers.conf", restart=[APACHE]),
        *(_enabled("mods", f"mpm_event.{suffix}", restart=[APACHE]) for suffix in ("load", "conf")),
        *(
            _absent(f"/etc/apache2/mods-enabled/{name}.{suffix}", restart=[APACHE])
            for name in ("mpm_prefork", "mpm_worker")
            for suffix in ("load", "conf")
        ),
        *(_enabled("mods", name, reload=[APACHE]) for name in MODULES),
        _absent("/etc/apache2/sites-enabled/000-default.conf", reload=[APACHE]),
        # Through mod_status every site, and every user of the server, can see the requests of all visitors.
        *(_absent(f"/etc/apache2/mods-enabled/status.{suffix}", reload=[APACHE]) for suffix in ("load", "conf")),
        _folder(unit),
        {"path": f"{unit}/groundwork.conf", "content": render("fpm.service.conf.j2", context), "restart": [lamp.fpm]},
        {
            "path": f"{lamp.fpm_folder}/conf.d/90-groundwork.ini",
            "content": render("php.ini.j2", context),
            "reload": [lamp.fpm],
        },
        {
            "path": f"{lamp.fpm_folder}/pool.d/groundwork.conf",
            "content": render("fpm.conf.j2", context),
            "reload": [lamp.fpm],
        },
        environment.launcher(render, ROOT),
        *mail.public_files(lamp.relay, lamp.given["php_version"], lamp.php_folder, render),
    ]
    if lamp.has_database and not lamp.shares_database:
        files.append(_mariadb(lamp, render))
    return files


def _site_files(lamp: Lamp, render: Render) -> list[Options]:
    files = [_folder(ROOT), _folder(environment.FOLDER)]
    files += [environment.folder(site) for site in lamp.sites]
    for site in lamp.sites:
        readable = {"group": site.runner, "mode": "0750"}
        private = {"owner": site.runner, "group": site.runner, "mode": "0700"}
        files += [
            _folder(site.folder, **readable),
            _folder(f"{site.folder}/{RELEASES}", **readable),
            _folder(site.temporary, **private),
        ]
        if not site.folders.files:  # else the release makes it a link
            files.append(_folder(f"{site.folder}/{SHARED}", **{**private, "mode": f"{site.folders.shared_mode:04o}"}))
    files.append(
        {"path": "/etc/tmpfiles.d/groundwork.conf", "content": render("tmpfiles.conf.j2", {"lamp": lamp, **lamp.given})}
    )
    for number, site in enumerate(lamp.sites, 1):
        name = f"groundwork-{number:02d}-{site.name}.conf"
        context = {"lamp": lamp, "site": site, "php_scripts": folders.PHP_SCRIPTS, **lamp.given}
        files += [
            {
                "path": f"/etc/apache2/sites-available/{name}",
                "content": render("site.conf.j2", context),
                "reload": [APACHE],
            },
            _enabled("sites", name, reload=[APACHE]),
        ]
    files += [folders.record(site.name, site.folders) for site in lamp.sites]
    # php-fpm does not start without a pool: Debian's own is removed when there are others.
    files.append(_absent(f"{lamp.fpm_folder}/pool.d/www.conf", reload=[lamp.fpm]))
    files += [_pool(lamp, site, render) for site in lamp.sites]
    files += [_secret_pool(lamp, site, render) for site in lamp.sites if site.private_environment]
    for site in lamp.sites:
        variables = {**lamp.public_environment(site), **site.private_environment}
        files.append(environment.file(site, variables, jobs.services_of(site)))
    if lamp.has_database and lamp.shares_database:
        files.append(_mariadb(lamp, render))
    return files


def _secret_files(lamp: Lamp, site: Site) -> list[Options]:
    """Return the files with secrets of a site. The site cannot create files in their folder."""
    found: list[Options] = []
    if unseen := [secret for secret in site.secrets if not secret.environment]:
        lines = (f"{secret.name}=@groundwork(parameter:{secret.parameter}|environment)@\n" for secret in unseen)
        found.append({"path": site.hidden_values, "content": "".join(lines), "mode": "0600"})
    if site.secret_files:
        found.append(_folder(site.private, group=site.owner, mode="0750"))
    touch = {"reload": [lamp.fpm], "restart": jobs.services_of(site)}
    own = {"owner": site.runner, "group": site.runner, "mode": "0600", **touch}
    files = ({"path": f"{site.private}/{file.name}", "content": file.content, **own} for file in site.secret_files)
    return [*found, *files]


def hidden(lamp: Lamp, site: Site) -> list[str]:
    """Return the files with the values that are hidden in messages and logs of a site."""
    unseen = [site.hidden_values] if any(not secret.environment for secret in site.secrets) else []
    return [secret_path(lamp, site), *unseen]


def _pool(lamp: Lamp, site: Site, render: Render) -> Options:
    return {
        "path": f"{lamp.fpm_folder}/pool.d/groundwork-{site.name}.conf",
        "content": render("pool.conf.j2", {"lamp": lamp, "site": site, **lamp.given}),
        "reload": [lamp.fpm],
    }


def _secret_pool(lamp: Lamp, site: Site, render: Render) -> Options:
    return {
        "path": secret_path(lamp, site),
        "content": render("pool.secret.conf.j2", {"site": site}),
        "mode": "0600",
        "reload": [lamp.fpm],
        "restart": jobs.services_of(site),
    }


def secret_path(lamp: Lamp, site: Site) -> str:
    return f"{lamp.fpm_folder}/pool.d/groundwork-{site.name}.secret.conf"


def _mariadb(lamp: Lamp, render: Render) -> Options:
    return {
        "path": "/etc/mysql/mariadb.conf.d/60-groundwork.cnf",
        "content": render("mariadb.cnf.j2", {"lamp": lamp, **lamp.given}),
        "restart": [MARIADB],
    }


def _folder(path: str, **attributes: str) -> Options:
    return {"path": path, "state": "directory", **attributes}


def _absent(path: str, **touch: list[str]) -> Options:
    return {"path": path, "state": "absent", **touch}


def _enabled(kind: str, name: str, **touch: list[str]) -> Options:
    """Return the link by which Debian's Apache has a site, a module or a configuration enabled."""
    path = f"/etc/apache2/{kind}-enabled/{name}"
    return {"path": path, "state": "link", "target": f"../{kind}-available/{name}", **touch}


# Databases and releases ------------------------------------------------------------------------------------------


def databases(lamp: Lamp) -> Options | None:
    """Return the option `databases` of the module `server`, None for a server that makes no databases.

    On the managed database one server makes them for all.
    """
    if lamp.has_managed_database:
        return (
            {"server": _managed_server(lamp), **_declared(lamp, [lamp.given["database_cidr"]])} if makes(lamp) else None
        )
    if not lamp.has_database:
        return None
    return _declared(lamp, lamp.database_hosts)


def makes(lamp: Lamp) -> bool:
    """Return whether this server makes the databases of the sites on the managed database."""
    return lamp.has_managed_database and bool(lamp.given["database_maker"])


def master_password_parameter(environment_name: str) -> str:
    """Return the path of the parameter with the master password of the managed database."""
    return f"/groundwork/{environment_name}/database/master-password"


def _managed_server(lamp: Lamp) -> Options:
    return {
        "host": lamp.database_host,
        "port": PORT,
        "user": MASTER,
        "password": f"@groundwork(parameter:{master_password_parameter(lamp.given['environment_name'])})@",
        "authorities": authorities.BUNDLE,
    }


def _declared(lamp: Lamp, hosts: t.Sequence[str]) -> Options:
    return {
        "databases": [{"name": site.identifier} for site in lamp.database_sites],
        "users": [
            {
                "name": site.identifier,
                "hosts": list(hosts),
                "password": f"@groundwork(parameter:{site.password_parameter})@",
                "databases": [site.identifier],
            }
            for site in lamp.database_sites
        ],
    }


def sources(lamp: Lamp) -> list[Options]:
    """Return what must be packed: the sources of the sites whose release is not given by its id."""
    pinned = lamp.pinned()
    return [
        {
            "name": site.name,
            "source": site.source,
            **({"folders": folders.packed(site.folders)} if site.folders or site.allow_override else {}),
            **({"allow_override": True} if site.allow_override else {}),
        }
        for site in lamp.sites
        if site.name not in pinned
    ]


def releases(lamp: Lamp, render: Render, exists: t.Callable[[Path], bool] = Path.exists) -> list[Options]:
    """Return the option `releases` of the module `server`: releases given by their ids first, then packed ones.

    In place of a packed release that was taken back there is the one that is served instead. One that is given by its
    id was chosen on purpose.
    """
    by_name = {site.name: site for site in lamp.sites}
    folder = Path(lamp.given["archive_folder"]).expanduser()
    kept = {name: record.kept for name, record in lamp.taken_back().items()}
    found = []
    for name, identity in {**lamp.pinned(), **kept}.items():
        archive = folder / f"{name}-{identity}.tar.gz"
        found.append(_release(lamp, by_name[name], identity, str(archive) if exists(archive) else None, render))
    for packed in lamp.given["packed"]:
        if packed["name"] not in kept:
            found.append(_release(lamp, by_name[packed["name"]], packed["id"], packed["archive"], render))
    return found


def notes(lamp: Lamp) -> list[str]:
    """Return what is told about packed releases that were taken back."""
    return [records.noted(record, name) for name, record in lamp.taken_back().items()]


def stays(lamp: Lamp) -> list[Options]:
    """Return the releases with commands that are given by their ids, and what is told before one is served again."""
    commanding = {site.name for site in lamp.sites if site.release_command}
    return [
        {"site": name, "id": identity, "told": database_stays(name, identity)}
        for name, identity in lamp.pinned().items()
        if name in commanding
    ]


def outdated_records(lamp: Lamp, render: Render) -> list[Options]:
    """Return what changes in the server's records of releases that were taken back: options of `amazon.aws.ec2_tag`."""
    served = {release["name"]: release["id"] for release in releases(lamp, render)}
    return records.tag_changes(lamp.given.get("server_tags") or {}, served)


def released(lamp: Lamp, render: Render, exists: t.Callable[[Path], bool] = Path.exists) -> list[Options]:
    """Return the releases for a run that only releases: those given by their ids, or all if none is."""
    pinned = lamp.pinned()
    return [release for release in releases(lamp, render, exists) if release["name"] in pinned or not pinned]


def _release(lamp: Lamp, site: Site, identity: str, archive: str | None, render: Render) -> Options:
    return {
        "name": site.name,
        "path": site.folder,
        "id": identity,
        "archive": archive,
        "owner": site.owner,
        "group": site.runner,
        "private_group": site.owner,
        "keep": lamp.given["keep_releases"],
        "reload": [lamp.fpm],
        "workers": jobs.services_of(site),
        "jobs": [schedule.service for schedule in site.schedules],
        "pages": _pages(lamp, site),
        "logs": [
            {"path": f"/var/log/apache2/{site.name}-error.log"},
            {"path": f"/var/log/{lamp.fpm}.log", "containing": f"[pool {site.name}]"},
        ],
        "hide": hidden(lamp, site),
        "folders": folders.released(site.name, site.folders),
        "command": jobs.released(site, f"{site.folder}/{RELEASES}/{identity}", _jobs_context(lamp), render),
    }


def _pages(lamp: Lamp, site: Site) -> list[Options]:
    """Return the pages that a server requests of itself: the site's probe, and the paths that warm it."""
    own = {"host": site.host, "names": list(site.server_names), "any_name": site.is_first}
    warm = [path for path in dict.fromkeys(lamp.given["warm_paths"]) if path != site.probe["path"]]
    return [
        {**own, **site.probe},
        *({**own, "path": path, "matcher": ANY_STATUS, "timeout": site.probe["timeout"]} for path in warm),
    ]


def hosts(lamp: Lamp) -> dict[str, str]:
    """Return the Host of each site that a visitor can reach. The first site needs none, another one needs a name."""
    named = {site.name: site.main_name for site in lamp.sites if site.server_names}
    return {lamp.sites[0].name: "", **named}


# Secrets ---------------------------------------------------------------------------------------------------------


def kept_secrets(lamp: Lamp) -> list[Options]:
    """Return the parameters that the sites need, as options of the module `ssm_generated_secret`."""
    passwords = [site.password_parameter for site in lamp.database_sites if site.name not in lamp.passwords]
    return secrets.merged(
        [
            *(secrets.generated(parameter) for parameter in passwords),
            *(one for site in lamp.sites for one in secrets.wanted(site.secrets, site.secret_files)),
            *mail.wanted(lamp.relay),
        ]
    )


def rotated(lamp: Lamp) -> Options:
    """Return the secret that `lamp_rotate` gives, as options of the module `ssm_generated_secret`."""
    site, _colon, name = lamp.given["rotate"].partition(":")
    [path] = [s.parameter for one in lamp.sites if one.name == site for s in one.secrets if s.name == name]
    [found] = [one for one in kept_secrets(lamp) if one["name"] == path]
    return found


def given_passwords(lamp: Lamp) -> dict[str, str]:
    """Return the passwords that are given, by the parameters in their placeholders."""
    return {
        site.password_parameter: lamp.passwords[site.name]
        for site in lamp.database_sites
        if site.name in lamp.passwords
    }
