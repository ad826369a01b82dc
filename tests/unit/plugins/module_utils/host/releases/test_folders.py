"""What a site can write of its application: wrong paths, and what an application has in their way."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import Member
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import (
    Folders,
    aliases,
    conflicts,
    kind_in,
    parse_folders,
    require_no_conflicts,
    served,
)

RELATIVE = "write it relative to the application, without a slash at its end, as wp-content/uploads."
READ_ONLY = "declare folders within it: the application itself stays read-only."


def told(**options: t.Any) -> list[str]:
    problems = Problems()
    parse_folders({"account": "site-app", **options}, "folders", problems)
    return [str(problem) for problem in problems.found]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shared": ["wp-content/uploads", "a b".replace(" ", "-")], "writable": ["wp-content/cache"]},
        {"shared": ["var"], "shared_files": [".env.local", "vary"], "writable": ["va"]},
        {"shared": ["public/uploads"], "web_root": "public"},
        {"shared": ["a@b+c~d_e.f"], "writable": [], "account": "x"},
    ],
)
def test_what_is_good(options: dict[str, t.Any]) -> None:
    assert told(**options) == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"shared": [""]}, f"folders.shared[0]: '' is empty; {RELATIVE}"),
        ({"shared": ["/srv/x"]}, f"folders.shared[0]: '/srv/x' is absolute; {RELATIVE}"),
        ({"shared": ["a/../../x"]}, f"folders.shared[0]: 'a/../../x' leads out of the application; {RELATIVE}"),
        ({"shared": ["."]}, f"folders.shared[0]: '.' has an empty component or a single dot; {RELATIVE}"),
        ({"shared": ["a/"]}, f"folders.shared[0]: 'a/' has an empty component or a single dot; {RELATIVE}"),
        ({"writable": ["a//b"]}, f"folders.writable[0]: 'a//b' has an empty component or a single dot; {RELATIVE}"),
        (
            {"writable": ["var/*"]},
            f"folders.writable[0]: 'var/*' has other characters than letters, digits and ._-+@~; {RELATIVE}",
        ),
        (
            {"writable": ['a"\n']},
            f"folders.writable[0]: ''a\"\\n'' has other characters than letters, digits and ._-+@~; {RELATIVE}",
        ),
        (
            {"shared_files": ["é"]},
            f"folders.shared_files[0]: 'é' has other characters than letters, digits and ._-+@~; {RELATIVE}",
        ),
        (
            {"shared_files": [".groundwork-release"]},
            "folders.shared_files[0]: '.groundwork-release' has a name that is never part of a release; " + RELATIVE,
        ),
        (
            {"shared": ["a"], "writable": ["a"]},
            "folders.writable[0]: 'a' is used twice; declare it once, as shared or as writable.",
        ),
        (
            {"shared": ["a", "a"]},
            "folders.shared[1]: 'a' is used twice; declare it once, as shared or as writable.",
        ),
        (
            {"shared": ["var/cache"], "writable": ["var"]},
            "folders.writable[0]: 'var/cache' is within 'var', which is declared too; declare one of them.",
        ),
        (
            {"shared": ["var"], "shared_files": ["var/x"]},
            "folders.shared_files[0]: 'var/x' is within 'var', which is declared too; declare one of them.",
        ),
        (
            {"shared": ["public"], "web_root": "public"},
            f"folders.shared[0]: 'public' contains the web_root, 'public'; {READ_ONLY}",
        ),
        (
            {"writable": ["web"], "web_root": "web/public"},
            f"folders.writable[0]: 'web' contains the web_root, 'web/public'; {READ_ONLY}",
        ),
        (
            {"shared": ["a"], "account": ""},
            "folders: has no account; give the account that can write to the folders.",
        ),
    ],
)
def test_each_mistake_has_one_message(options: dict[str, t.Any], problem: str) -> None:
    assert told(**options) == [problem]


MEMBERS = [
    Member("index.php", "file"),
    Member("uploads", "directory"),
    Member("up", "link", target="uploads"),
    Member(".env", "file"),
]


@pytest.mark.parametrize(
    ("folders", "problems"),
    [
        (Folders(shared=("uploads", "new/folder"), shared_files=(".env", "new/file"), writable=("cache",)), []),
        (
            Folders(shared=(".env",)),
            [".env: is a file of the application, but is declared in shared; declare it in shared_files."],
        ),
        (
            Folders(writable=("index.php",)),
            ["index.php: is a file of the application, but is declared in writable; declare it in shared_files."],
        ),
        (
            Folders(shared_files=("uploads",)),
            ["uploads: is a folder of the application, but is declared in shared_files; declare it in shared."],
        ),
        (
            Folders(shared=("up",)),
            ["up: is a link of the application, but is declared in shared; leave the link out (exclude)."],
        ),
        (
            Folders(shared=("up/2026",), writable=("index.php/cache",)),
            [
                "up: is a link of the application, but up/2026 is declared in shared; declare a path within folders "
                "of the application.",
                "index.php: is a file of the application, but index.php/cache is declared in writable; declare a path "
                "within folders of the application.",
            ],
        ),
    ],
)
def test_what_is_in_the_way(folders: Folders, problems: list[str]) -> None:
    found = conflicts(folders, kind_in(MEMBERS))
    assert found == problems
    if found:
        with pytest.raises(GroundworkError, match="The shared and writable folders of app do not fit its release:\n- "):
            require_no_conflicts("app", found)


@pytest.mark.parametrize(
    ("web_root", "links", "found"),
    [
        ("", {}, {""}),
        ("public", {}, {"public"}),
        ("public", {"public/x": "../data/x", "data/x/y": "/etc", "other": "elsewhere"}, {"public", "data/x"}),
        ("public", {"public/x": "../a", "a": "b", "b/c": "../d"}, {"public", "b", "d"}),
        ("public", {"public": "web"}, {"public", "web"}),
        ("now/public", {"now": "v2"}, {"now/public", "v2/public"}),
        ("public", {"public/all": ".."}, {"public", ""}),
        ("public", {"public/loop": "loop", "public/out": "../.."}, {"public", "public/loop"}),
    ],
)
def test_what_apache_serves(web_root: str, links: dict[str, str], found: set[str]) -> None:
    assert {path for path in served(web_root, links) if path} | ({""} & served(web_root, links)) == found


@pytest.mark.parametrize(
    ("folders", "links", "names"),
    [
        (Folders(shared=("wp-content/uploads",)), {"blog": "."}, ["blog/wp-content/uploads"]),
        (Folders(shared=("wp-content/uploads",)), {"media": "wp-content/uploads"}, []),
        (Folders(writable=("a/b/c",)), {"x": "a", "y": "x/b"}, ["x/b/c", "y/c"]),
        (Folders(writable=("a/b",)), {"x": "a/b/c", "z": "other"}, []),
        (
            Folders(shared=("public/up",), web_root="public"),
            {"public/all": "..", "up": "public"},
            ["public/all/public/up", "up/up"],
        ),
        (Folders(shared=("var/log",), web_root="public"), {"public/all": ".."}, []),
        (Folders(shared=("up",)), {"out": "../.."}, []),
    ],
)
def test_a_link_by_which_a_folder_would_be_served_twice(
    folders: Folders, links: dict[str, str], names: list[str]
) -> None:
    assert [wrong.partition("also be served as ")[2].partition(";")[0] for wrong in aliases(folders, links)] == names


@pytest.mark.parametrize(
    ("path", "is_served"),
    [
        ("public/uploads", True),
        ("public", True),
        ("publicity", False),
        ("var", False),
        ("public/.git", False),
        ("public/.well-known/acme", True),
    ],
)
def test_which_folders_visitors_see(path: str, is_served: bool) -> None:
    assert Folders(web_root="public").is_served(path) is is_served
