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
    assert [(one.line, one.directive) for one in needs_mod_php(text)] == found


@pytest.mark.parametrize(
    ("section", "skipped"),
    [
        ("IfModule lsapi_module", True),
        ("IfModule LiteSpeed", True),
        ("IfModule mod_suphp.c", True),
        ("IfModule !mod_rewrite.c", True),
        ("IfModule rewrite_module", False),
        ("IfModule mod_headers.c", False),
        ("IfModule !mod_security.c", False),
        ("IfVersion < 2.4", True),
        ("IfVersion >= 2.4", False),
        ("IfVersion 2.4", False),
        ("IfVersion = 2.2", True),
        ("IfVersion !< 2.4", False),
        ("IfVersion > 2.2", False),
        ("IfDirective !php_value", False),
    ],
)
def test_a_section_is_skipped_as_apache_does(section: str, skipped: bool) -> None:
    text = f"<{section}>\nphp_value a b\n</{section.split(maxsplit=1)[0]}>"
    assert bool(needs_mod_php(text)) is not skipped


@pytest.mark.parametrize(
    ("line", "directive"),
    [
        ("AddHandler application/x-httpd-php .html", "AddHandler application/x-httpd-php"),
        ('AddType "application/x-httpd-php" .html', "AddType application/x-httpd-php"),
        ("SetHandler application/x-httpd-php-source", "SetHandler application/x-httpd-php-source"),
        ("AddHandler application/x-httpd-ea-php82 .php .php8", "AddHandler application/x-httpd-ea-php82"),
        ("AddType application/x-httpd-alt-php74___lsphp .php", "AddType application/x-httpd-alt-php74___lsphp"),
    ],
)
def test_a_handler_of_mod_php_is_told_because_visitors_would_get_the_source(line: str, directive: str) -> None:
    [found] = needs_mod_php(line)
    assert found.directive == directive
    assert "the source of these files" in found.remedy


@pytest.mark.parametrize("line", ["AddType text/html .shtml", "AddHandler cgi-script .pl", "AddType image/webp .webp"])
def test_other_handlers_are_left(line: str) -> None:
    assert needs_mod_php(line) == []


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
    assert told[0] == "app cannot be released: its .htaccess files need mod_php, without which Apache answers 500."
    assert [line.partition(";")[0] for line in told[1:]] == [
        f"- {name}/.htaccess, line 2: php_value auth_key" for name in ("linked", "public", "public/sub")
    ]
    assert "s3cret" not in str(caught.value)


def test_a_file_with_many_such_lines_is_told_in_short(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / ".htaccess").write_text("php_value a b\n" * 30)
    with pytest.raises(GroundworkError, match=r"\n- and 10 more\.$"):
        pack("app", Source(str(tmp_path / "source")), tmp_path, run, check_mode=True, allow_override=True)
