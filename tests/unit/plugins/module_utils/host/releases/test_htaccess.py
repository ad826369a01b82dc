"""Files of Apache that need mod_php are refused where an application is packed, with each line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import Folders
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.htaccess import needs_mod_php
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.packing import Source, pack


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("RewriteEngine On\n# php_value a b\nSetEnv php_value x\nAddType php_flag .x", []),
        ("php_value memory_limit 256M", [(1, "php_value memory_limit")]),
        ("\r\n\t PHP_Flag display_errors on\r\n", [(2, "PHP_Flag display_errors")]),
        ("php_admin_value a b\nphp_admin_flag c d", [(1, "php_admin_value a"), (2, "php_admin_flag c")]),
        ("php_value", [(1, "php_value")]),
        ("<IfModule mod_php.c>\nphp_value a b\n</IfModule>\nphp_flag c d", [(4, "php_flag c")]),
        ("<IfModule mod_php7.c>\nphp_value a b\n</IfModule>", []),
        ('<ifmodule "php_module">\nphp_value a b\n</ifmodule>', []),
        ("<IfModule !mod_php.c>\nphp_value a b\n</IfModule>", [(2, "php_value a")]),
        ("<IfModule mod_rewrite.c>\nphp_value a b\n</IfModule>", [(2, "php_value a")]),
        (
            "<IfModule mod_php5.c>\n<IfModule mod_rewrite.c>\nphp_value a b\n</IfModule>\nphp_value c d\n</IfModule>\n"
            "php_value e f",
            [(7, "php_value e")],
        ),
        (
            "<IfDefine DEV>\nphp_value a b\n</IfDefine>\n<IfDefine !DEV>\nphp_value c d\n</IfDefine>",
            [(5, "php_value c")],
        ),
        ("<IfDirective php_value>\nphp_value a b\n</IfDirective>", []),
        ("<Files x>\nphp_value a b\n</Files>", [(2, "php_value a")]),
        ("SetEnv A \\\nb\nphp_\\\nvalue c d", [(3, "php_value c")]),
        ("</IfModule>\nphp_value a b\\", [(2, "php_value a")]),
    ],
)
def test_which_lines_need_it(text: str, found: list[tuple[int, str]]) -> None:
    assert needs_mod_php(text) == found


def test_only_what_apache_evaluates_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in ("public", "public/sub", "public/media", "config", "linked"):
        (source / name).mkdir(parents=True, exist_ok=True)
        (source / name / ".htaccess").write_text("Options -Indexes\nphp_value auth_key s3cret\n")
    (source / "public" / "link").symlink_to("../linked")
    (source / "public" / "x.htaccess").write_text("php_value a b")
    folders = Folders(shared=("public/media",), account="site-app", web_root="public")

    def packed(*, allow_override: bool) -> object:
        cache = tmp_path / "cache"
        return pack(
            "app", Source(str(source)), cache, run, check_mode=True, folders=folders, allow_override=allow_override
        )

    packed(allow_override=False)
    with pytest.raises(GroundworkError) as caught:
        packed(allow_override=True)
    told = str(caught.value).splitlines()
    assert told[0] == "app cannot be released: Apache would answer 500, because its .htaccess files need mod_php."
    assert [line.partition(";")[0] for line in told[1:]] == [
        f"- {name}/.htaccess, line 2: php_value auth_key" for name in ("linked", "public", "public/sub")
    ]
    assert "s3cret" not in str(caught.value)


def test_a_file_with_many_such_lines_is_told_in_short(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / ".htaccess").write_text("php_value a b\n" * 30)
    with pytest.raises(GroundworkError, match=r"\n- and 10 more\.$"):
        pack("app", Source(str(tmp_path / "source")), tmp_path, run, check_mode=True, allow_override=True)
