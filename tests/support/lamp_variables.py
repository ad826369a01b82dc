"""The variables of the role `lamp` for one server, as the filter `lamp` gets them."""

from __future__ import annotations

import typing as t

VARIABLES: dict[str, t.Any] = {
    "environment_name": "dev",
    "sites": [{"name": "app", "web_root": "public"}],
    "sample": "/sample",
    "database_server": "each",
    "database_address": "(known after apply)",
    "database_cidr": "10.20.0.0/16",
    "database_ca_url": "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
    "database_maker": False,
    "database_passwords": {},
    "sites_trust_each_other": False,
    "trusted_proxies": ["10.20.0.0/24"],
    "keepalive_timeout": 75,
    "probe_cidrs": [],
    "php_version": "8.2",
    "php_extensions": ["mysql"],
    "php_settings": {"memory_limit": "128M", "display_errors": False},
    "keep_files": [],
    "memory_mb": 1024,
    "release": "",
    "keep_releases": 3,
    "archive_folder": "/archives",
    "server_name": "private-1",
    "server_tier": "private",
    "server_address": "10.20.2.9",
    "packed": [{"name": "app", "id": "3f2a9c01d4e5", "archive": "/archives/app-3f2a9c01d4e5.tar.gz"}],
    "warm_paths": [],
}


def given(**changes: t.Any) -> dict[str, t.Any]:
    return {**VARIABLES, **changes}
