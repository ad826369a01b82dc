"""Every odd file is handled, or refused with the reason, all at once and before any write."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from accounts.site_content import Site

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import source


def test_odd_names_are_published_as_they_are(site: Site) -> None:
    odd = [
        "a b.html",
        "a+b.html",
        "a#b.html",
        "a?b.html",
        "100%.html",
        "a&b<c>.html",
        "grün.html",
        "日本.html",
        "a~'b.html",
    ]
    for name in odd:
        site.put(f"odd/{name}", f"<p>{name}")
    site.put(".well-known/security.txt", "Contact: mailto:a@example.com")
    site.publish()
    content = site.content()
    assert {name: content[f"odd/{name}"].decode() for name in odd} == {name: f"<p>{name}" for name in odd}
    assert ".well-known/security.txt" in content
    assert site.warnings == [
        "source: URLs must contain %2B for the + of odd/a+b.html, because S3 reads + in a URL as a space."
    ]
    assert not site.publish()["changed"]
    for name in odd:
        site.remove(f"odd/{name}")
    site.publish()
    assert not any(path.startswith("odd/") for path in site.content())


def test_decomposed_names_are_published_composed(site: Site) -> None:
    site.put("gru\u0308n.html", "<p>")
    site.publish()
    assert "gr\u00fcn.html" in site.content()


def test_hidden_files_are_left_out_and_told(site: Site) -> None:
    for name in (".git/config", ".DS_Store", ".htaccess", "guide/.hidden"):
        site.put(name, "secret")
    site.publish()
    assert len(site.content()) == 5
    names = ".DS_Store, .git, .htaccess, guide/.hidden"
    assert site.warnings == [f"These files are not published because `exclude` matches them: {names}."]
    site.publish(exclude=[".git", ".DS_Store"])
    assert ".htaccess" in site.content() and ".git/config" not in site.content()


def test_links_inside_are_followed(site: Site) -> None:
    (site.source / "alias.html").symlink_to("index.html")
    (site.source / "manual").symlink_to("guide")
    site.publish()
    assert site.content()["alias.html"] == site.content()["index.html"]
    assert "manual/index.html" in site.content()


def test_everything_wrong_is_told_at_once(site: Site, tmp_path: Path) -> None:
    (tmp_path / "outside.html").write_text("secret")
    (site.source / "out.html").symlink_to(tmp_path / "outside.html")
    (site.source / "guide" / "loop").symlink_to(site.source)
    (site.source / "dangling.html").symlink_to("nowhere.html")
    (site.source / "self").symlink_to("self")
    os.mkfifo(site.source / "pipe")
    site.put("new\nline.html", "")
    site.put("gru\u0308n.html", "")
    site.put("gr\u00fcn.html", "")
    site.put("/".join(["d" * 200] * 5 + ["long-name-that-is-too-much.html"]), "")
    (Path(os.fsencode(site.source).decode()) / os.fsdecode(b"latin\xe9.html")).write_text("")
    with pytest.raises(InputError) as caught:
        site.publish()
    told = "\n".join(str(problem) for problem in caught.value.problems)
    for expected in (
        "out.html: the link points outside of the source",
        "guide/loop: the link points to a folder that contains it",
        "dangling.html: cannot be read (No such file or directory)",
        "self: cannot be read (Too many levels of symbolic links)",
        "pipe: is not a regular file",
        r"'new\nline.html': the name contains a control character",
        "are equal in Unicode's form NFC",
        " bytes, including .br",
        "the name is not UTF-8",
    ):
        assert expected in told
    assert len(caught.value.problems) == 9 and site.wire.requests == []


def test_unreadable_files_are_named(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    readable = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("logo.svg") and readable(path, mode))
    with pytest.raises(InputError, match=r"logo\.svg: cannot be read \(Permission denied\)"):
        site.publish()


@pytest.mark.parametrize(
    ("prepare", "wrong"),
    [
        (lambda folder: None, "does not exist"),
        (lambda folder: folder.write_text(""), "does not exist"),
        (lambda folder: folder.mkdir(), "contains no files to publish"),
        (lambda folder: (folder / ".git").mkdir(parents=True), "contains no files to publish"),
    ],
)
def test_a_source_without_files_is_refused(
    site: Site, tmp_path: Path, prepare: t.Callable[[Path], None], wrong: str
) -> None:
    site.publish()
    prepare(tmp_path / "other")
    with pytest.raises(InputError, match=wrong):
        site.publish(source=str(tmp_path / "other"))
    assert site.wire.requests == []


def test_a_file_in_the_way_of_a_variant(tmp_path: Path) -> None:
    files = [source.File("a.js", "", 0), source.File("a.js.br", "", 0)]
    problems = Problems()
    source.check_names(files, "site", {"js"}, problems)
    assert "has the name of a compressed variant" in problems.found[0].wrong
    problems = Problems()
    source.check_names(files, "site", set(), problems)
    assert problems.found == []


@pytest.mark.parametrize(
    ("path", "hidden"),
    [("/a.html", "a.html"), ("/guide", "guide/index.html"), ("/guide/", "guide/index.html"), ("/", ""), ("/b", "")],
)
def test_a_redirect_must_not_hide_a_file(site: Site, path: str, hidden: str) -> None:
    site.remove("index.html")
    site.put("a.html", "<p>")
    if not hidden:
        assert site.publish(redirects=["/elsewhere", path])["changed"]
        return
    with pytest.raises(InputError) as caught:
        site.publish(redirects=["/elsewhere", path])
    assert [problem.variable for problem in caught.value.problems] == ["redirects[1]"]
    assert f"hides the file {hidden}" in caught.value.problems[0].wrong


def test_packing_needs_its_library(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.wanted.HAS_BROTLI", False
    )
    assert site.publish()["changed"]
    with pytest.raises(GroundworkError, match=r"required Python library \(brotli\).*for `precompress`"):
        site.publish(precompress=["svg"])
    monkeypatch.undo()
    site.publish(precompress=["svg"])
    monkeypatch.setattr(
        "ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.wanted.HAS_BROTLI", False
    )
    site.put("new.svg", "<svg/>")
    with pytest.raises(GroundworkError, match="required Python library"):
        site.publish()
