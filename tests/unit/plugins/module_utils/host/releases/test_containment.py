"""Links are judged as Linux resolves them: random trees are compared with the kernel's own answer."""

from __future__ import annotations

import ctypes
import errno
import os
import random
from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import (
    MOST_LINKS,
    Member,
    leads_out,
    problems_of,
    whole_tree,
)

TREES = 400
NAMES = ("a", "b", "c", "l", "m", "n")
OPENAT2 = 437  # the same number on every architecture
RESOLVE_BENEATH = 0x08  # openat2(2): EXDEV as soon as a path leaves the folder that it began in


class How(ctypes.Structure):
    """`struct open_how` of openat2(2)."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def kernel(root: Path, path: str) -> int:
    """The error number with which the kernel follows a path that has to stay below a folder; 0 for none."""
    libc = ctypes.CDLL(None, use_errno=True)
    how = How(os.O_PATH | os.O_CLOEXEC, 0, RESOLVE_BENEATH)
    top = os.open(root, os.O_PATH | os.O_DIRECTORY)
    try:
        while True:
            found = libc.syscall(OPENAT2, top, path.encode(), ctypes.byref(how), ctypes.sizeof(how))
            if found >= 0:
                os.close(found)
                return 0
            if ctypes.get_errno() != errno.EAGAIN:  # something else on this machine was renamed meanwhile
                return ctypes.get_errno()
    finally:
        os.close(top)


def random_tree(chance: random.Random) -> list[Member]:
    """Folders three deep, files, and links to anything: through other links, to nowhere, in circles, and out."""
    folders = [""]
    members: dict[str, Member] = {}
    for _member in range(chance.randint(4, 16)):
        path = f"{chance.choice(folders)}/{chance.choice(NAMES)}".lstrip("/")
        if path in members:
            continue
        kind = chance.choice(("directory", "directory", "file", "link", "link", "link"))
        if kind == "directory" and path.count("/") < 3:
            folders.append(path)
            members[path] = Member(path, "directory")
        elif kind == "link":
            parts = chance.choices((*NAMES, "..", "..", "..", "."), k=chance.randint(1, 6))
            prefix = "/" if chance.random() < 0.03 else ""
            members[path] = Member(path, "link", target=prefix + "/".join(parts))
        else:
            members[path] = Member(path, "file")
    return list(members.values())


def build(root: Path, members: list[Member]) -> None:
    root.mkdir()
    for member in members:
        path = root / member.path
        if member.kind == "directory":
            path.mkdir()
        elif member.kind == "link":
            path.symlink_to(member.target)
        else:
            path.write_bytes(b"")


def test_random_links_are_judged_as_the_kernel_does(tmp_path: Path) -> None:
    chance = random.Random(8)  # noqa: S311 - repeatable on purpose
    seen = dict.fromkeys((0, errno.EXDEV, errno.ELOOP, errno.ENOENT, errno.ENOTDIR), 0)
    for number in range(TREES):
        members = random_tree(chance)
        root = tmp_path / str(number)
        build(root, members)
        links = {member.path: member.target for member in members if member.kind == "link"}
        for path in links:
            answer, refused = kernel(root, path), leads_out(path, links)
            seen[answer] += 1
            told = f"{path} of {links}: {errno.errorcode.get(answer, 'inside')}"
            if answer == errno.EXDEV:
                assert refused, told
            elif answer == 0:
                assert not refused, told
    assert min(seen.values()) > 20, seen


# A lookup that Linux begins again counts its links twice, so that it gives up somewhere between 20 and 40.
@pytest.mark.parametrize(("length", "answer"), [(1, errno.EXDEV), (20, errno.EXDEV), (MOST_LINKS + 1, errno.ELOOP)])
def test_a_chain_is_followed_as_far_as_the_kernel_does(tmp_path: Path, length: int, answer: int) -> None:
    chain = [Member(f"l{number}", "link", target=f"l{number - 1}") for number in range(1, length)]
    members = [Member("l0", "link", target=".."), *chain]
    build(tmp_path / "tree", members)
    links = {member.path: member.target for member in members}
    assert kernel(tmp_path / "tree", members[-1].path) == answer
    assert leads_out(members[-1].path, links) == (answer == errno.EXDEV)


def link(path: str, target: str) -> Member:
    return Member(path, "link", target=target)


def file(path: str) -> Member:
    return Member(path, "file")


@pytest.mark.parametrize(
    "members",
    [
        [link("vendor/bin/x", "../y/x"), file("vendor/y/x")],
        [link("latest", "releases/1"), file("releases/1/x")],
        [link("public/storage", "../storage/app"), file("storage/app/x")],
        [link("gone", "nowhere/at/all"), file("x")],
        [link("a/here", "."), link("a/up", ".."), file("a/x")],
        [link("a", "b"), link("b", "a"), file("x")],
        [Member("a", "directory"), Member("a", "directory"), file("a/x")],
        [file("é" * 127), file("X"), file("x")],
    ],
)
def test_what_stays_inside_is_taken(members: list[Member]) -> None:
    assert {member.path for member in members} <= {member.path for member in whole_tree(members, "app")}


OUT = "the link leads out of the application, to"
COPY = "copy its target, or leave it out (exclude)."


@pytest.mark.parametrize(
    ("members", "problems"),
    [
        ([link("x", "/etc/passwd")], [f"x: {OUT} /etc/passwd; {COPY}"]),
        ([link("x", "..")], [f"x: {OUT} ..; {COPY}"]),
        (
            [link("a", "sub/link/.."), link("sub/link", "..")],
            [f"a: {OUT} sub/link/..; {COPY}"],
        ),
        ([link("x", "gone/../../y")], [f"x: {OUT} gone/../../y; {COPY}"]),
        (
            [link("x", "."), file("x/y")],
            ["x: is a link, but x/y is below it; keep one of them."],
        ),
        ([file("x"), file("x/y")], ["x: is a file, but x/y is below it; keep one of them."]),
        ([file("x"), file("x")], ["x: exists more than once; keep one of them."]),
        ([file("x"), Member("x", "directory")], ["x: exists more than once; keep one of them."]),
        ([file("/etc/x")], ["/etc/x: its name is absolute; make it relative to the application's folder."]),
        ([file("a/../../x")], ["a/../../x: its name leads out of the application; leave '..' out of it."]),
        ([file("")], [": its name is empty; give it one."]),
        ([file("a\nb")], ["'a\\nb': its name has a control character; rename it."]),
        ([file("a\0b")], ["'a\\x00b': its name has a control character; rename it."]),
        ([file("a\udcff")], ["'a\\udcff': its name is not UTF-8; rename it."]),
        (
            [file("é" * 128)],
            [f"{'é' * 128}: its name has 256 bytes in one component; shorten it to 255."],
        ),
        (
            [file("/".join(["a" * 100] * 40))],
            [f"{'a' * 100}...{'a' * 100}: its name has 4039 bytes; shorten it to 3840."],
        ),
        ([link("x", "")], ["x: the link has an empty target; give it a target."]),
        (
            [link("x", "a" * 256)],
            ["x: in the link's target, its name has 256 bytes in one component; shorten it to 255."],
        ),
        ([Member("x", "file", wrong="it is odd; leave it out")], ["x: it is odd; leave it out."]),
    ],
)
def test_what_is_refused(members: list[Member], problems: list[str]) -> None:
    assert list(problems_of(members)) == problems


def test_folders_that_are_implied_are_there_before_their_content() -> None:
    assert [member.path for member in whole_tree([file("a/b/c"), file("a-b")], "app")] == ["a", "a-b", "a/b", "a/b/c"]


def test_all_problems_are_told_at_once_with_the_archives_name() -> None:
    with pytest.raises(GroundworkError) as refused:
        whole_tree([link(f"l{number:02}", "..") for number in range(22)], "app.tar.gz")
    lines = str(refused.value).splitlines()
    assert lines[:2] == ["app.tar.gz cannot be released: 22 members are refused.", f"- l00: {OUT} ..; {COPY}"]
    assert (len(lines), lines[-1]) == (22, "- and 2 more.")
