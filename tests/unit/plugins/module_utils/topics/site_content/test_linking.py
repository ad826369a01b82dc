"""What a page needs is found, and what it merely mentions is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.linking import missing, references_of

HTML = [
    ('<img src="a.png">', ["guide/a.png"]),
    ("<IMG SRC=a.png>", ["guide/a.png"]),
    ("<img src='/a.png?v=1#x'>", ["a.png"]),
    ('<img src="../b%20c.png">', ["b c.png"]),
    ('<img alt="a > b" src="a.png">', ["guide/a.png"]),
    ('<img src="a.png" srcset="b.png 1x, c.png 2x">', ["guide/a.png", "guide/b.png", "guide/c.png"]),
    ('<source srcset="b.avif" type="image/avif">', ["guide/b.avif"]),
    ('<link rel="preload" as="image" imagesrcset="a.png 100w,b.png 200w">', ["guide/a.png", "guide/b.png"]),
    ('<script src="app.js"></script>', ["guide/app.js"]),
    ('<script>var x = "<img src=no.png>";</script><img src="a.png">', ["guide/a.png"]),
    ('<!-- <img src="no.png"> --><img src="a.png">', ["guide/a.png"]),
    ('<textarea><img src="no.png"></textarea>', []),
    ('<link rel="stylesheet" href="s.css">', ["guide/s.css"]),
    ('<link rel="shortcut icon" href="/f.ico">', ["f.ico"]),
    ('<link rel="canonical" href="elsewhere.html"><link rel="next" href="2.html">', []),
    ('<video src="v.mp4" poster="p.jpg"><track src="t.vtt"></video>', ["guide/p.jpg", "guide/t.vtt", "guide/v.mp4"]),
    ('<object data="o.svg"></object><iframe src="f.html"></iframe>', ["guide/f.html", "guide/o.svg"]),
    ('<svg><image xlink:href="i.png"/></svg>', ["guide/i.png"]),
    ("<style>body { background: url(b.png) } @import 'x.css';</style>", ["guide/b.png", "guide/x.css"]),
    ("<p style=\"background: url('b.png')\">", ["guide/b.png"]),
    ('<p style="background: url(&quot;b.png&quot;)">', ["guide/b.png"]),
    ('<base href="/other/"><img src="a.png">', ["other/a.png"]),
    ('<base href="https://cdn.example.com/"><img src="a.png">', []),
    ('<img src="https://example.com/a.png"><img src="//example.com/b.png">', []),
    ('<img src="data:image/png;base64,AAAA"><img src="#x"><img src=""><img src>', []),
    ('<img src="{{ logo }}"><img src="${logo}">', []),
    ('<img src="http://[broken">', []),
    ('<a href="page.html">a page is no asset</a>', []),
    ("<img src='gru\u0308n.png'>", ["guide/gr\u00fcn.png"]),
    ('<img src="a&amp;b.png">', ["guide/a&b.png"]),
    ("<p>İ</p><img src='A.png'>", ["guide/A.png"]),
]


@pytest.mark.parametrize(("html", "expected"), HTML)
def test_html(html: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    assert list(references_of("guide/page.html", str(tmp_path / "page.html"))) == expected


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        ('@import "base.css"; a { background: url("../img/a.png") }', ["css/base.css", "img/a.png"]),
        ("@import url(base.css);", ["css/base.css"]),
        ("/* url(no.png) */ @font-face { src: url('/f.woff2?#iefix') }", ["f.woff2"]),
        ("a { background: url(data:image/png;base64,AA==) } b { fill: url(#c) }", []),
    ],
)
def test_css(css: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "s.css").write_text(css)
    assert list(references_of("css/s.css", str(tmp_path / "s.css"))) == expected


@pytest.mark.parametrize(
    ("reference", "is_missing"),
    [
        ("a.png", False),
        ("b.png", True),
        ("guide/", False),
        ("guide", False),
        ("other/", True),
        ("", False),
        ("guide.png", True),
    ],
)
def test_a_folder_is_answered_by_its_page(reference: str, is_missing: bool) -> None:
    files = {"a.png", "index.html", "guide/index.html"}
    assert bool(missing([reference], files)) is is_missing
