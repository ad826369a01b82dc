"""A site whose pages need what does not exist is refused."""

from __future__ import annotations

import pytest
from accounts.site_content import Site

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError


def test_a_page_whose_asset_is_missing_is_refused_or_told(site: Site) -> None:
    site.put("guide/index.html", '<img src="nothing.png">')
    site.put("app.3f2a9c1b.css", "a { background: url(gone.png) }")
    with pytest.raises(InputError) as caught:
        site.publish()
    assert [problem.wrong for problem in caught.value.problems] == [
        "app.3f2a9c1b.css refers to gone.png, which does not exist",
        "guide/index.html refers to guide/nothing.png, which does not exist",
    ]
    assert site.writes == []
    site.publish(allow_missing_references=True)
    assert len(site.warnings) == 2
    site.publish(allow_missing_references=True)
    with pytest.raises(InputError, match=r"guide/nothing\.png"):
        site.publish()


def test_an_asset_that_unchanged_pages_need_is_missed(site: Site) -> None:
    """Only what has changed is parsed; the rest is remembered."""
    site.publish()
    site.remove("logo.svg")
    with pytest.raises(InputError, match=r"index\.html refers to logo\.svg"):
        site.publish()
