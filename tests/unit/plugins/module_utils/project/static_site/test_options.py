"""The variables of a static site, and the message for each mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.project.static_site.options import (
    distribution,
    parse_static_site,
)

ROLE = Path(__file__).parents[6] / "roles" / "static_site"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name in ("index.html", "404.html"):
        (tmp_path / name).write_text(name)
    return tmp_path


DEFAULTS = {
    name.removeprefix("static_site_"): value
    for name, value in yaml.safe_load((ROLE / "defaults" / "main.yml").read_text()).items()
}


WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/site/1"
OTHERS = {
    "origins": [{"name": "app", "domain": "app.example.org"}],
    "behaviors": [{"path": "/api/*", "origin": "app"}],
}


def found(folder: Path, **more: Any) -> dict[str, str]:
    problems = Problems()
    given = {"region": "eu-central-1", "source": str(folder), "bucket": "example-site"}
    parse_static_site({**DEFAULTS, **given, **more}, problems)
    return {problem.variable: str(problem) for problem in problems.found}


def redirect(start: str, to: str, code: int = 301) -> dict[str, Any]:
    return {"from": start, "to": to, "code": code}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"not_found_page": ""},
        {"precompress": ["js", "css"]},
        {"redirects": [redirect("/old/", "/new/"), redirect("/new/", "https://example.org/?a=b#c")]},
        {"redirects": [redirect("/caf%C3%A9", "/bar")]},
        {"origins": [{"name": "app", "domain": "app.example.org"}], "behaviors": [{"path": "/api/*", "origin": "app"}]},
        {"response_headers": {"security": {"frame_options": "DENY"}}},
        {"web_acl_arn": WEB_ACL},
        {"web_acl_arn": WEB_ACL, "behaviors": [{"path": "/a/*"}]},
        {"web_acl_arn": WEB_ACL, **OTHERS, "not_found_page": ""},
    ],
)
def test_what_is_right(source: Path, more: dict[str, Any]) -> None:
    assert found(source, **more) == {}


def test_without_a_source_there_is_nothing_to_check(source: Path) -> None:
    assert found(source, source="", bucket="", redirects=[redirect("old", "")]) == {}


@pytest.mark.parametrize(
    ("more", "variable", "words"),
    [
        ({"source": "/nowhere"}, "source", "the folder /nowhere does not exist"),
        ({"bucket": ""}, "bucket", "is missing; give a bucket name"),
        ({"index_document": "start.html"}, "index_document", "the file start.html does not exist"),
        ({"index_document": "pages/index.html"}, "index_document", "every folder has"),
        ({"not_found_page": "missing.html"}, "not_found_page", "no such page"),
        ({"not_found_page": "/404.html"}, "not_found_page", "is not the path of a file"),
        ({"precompress": ["br"]}, "precompress[0]", "is not a valid extension"),
        ({"bucket": "Example_Site"}, "bucket", "is not a valid bucket name"),
        ({"keep_versions_days": 0}, "keep_versions_days", "out of range"),
        ({"keep_releases": 0}, "keep_releases", "1 to 100"),
        ({"max_deletions": "half"}, "max_deletions", "percentage"),
        ({"release": "yesterday"}, "release", "is not the id of a release"),
        ({"aliases": ["www.example.org"]}, "certificate_arn", "aliases require one"),
        ({"aliases": ["www_example"]}, "aliases[0]", "is not a host name"),
        ({"web_acl_arn": "arn:aws:wafv2:eu-central-1:1:regional/webacl/a/b"}, "web_acl_arn", "CLOUDFRONT"),
        ({"web_acl_arn": WEB_ACL, **OTHERS}, "web_acl_arn", "'site-pages', which serves all pages"),
        ({"web_acl_arn": WEB_ACL, **OTHERS}, "web_acl_arn", "set static_site_not_found_page to ''"),
        (
            {"behaviors": [{"path": "/api/*", "origin": "app"}]},
            "behaviors[0].origin",
            "'app' is not the name of an origin",
        ),
        ({"origins": [{"name": "app", "domain": "app"}]}, "origins[0].domain", "is not a host name"),
        ({"response_headers": {"securty": {}}}, "response_headers.securty", "did you mean security"),
        (
            {"response_headers": {"custom": {"no header": 1}}},
            "response_headers.custom.no header",
            "is not the name of a header",
        ),
        ({"redirects": [redirect("old", "/new")]}, "redirects[0].from", "is not a valid path"),
        ({"redirects": [redirect("/old/*", "/new")]}, "redirects[0].from", "without *"),
        ({"redirects": [redirect("/café", "/bar")]}, "redirects[0].from", "write /caf%C3%A9"),
        ({"redirects": [redirect("/old", "new")]}, "redirects[0].to", "is not a path or a URL"),
        ({"redirects": [redirect("/old", "ftp://example.org/")]}, "redirects[0].to", "is not a path or a URL"),
        ({"redirects": [redirect("/old", "//example.org/")]}, "redirects[0].to", "is not a path or a URL"),
        ({"redirects": [redirect("/a", "/b"), redirect("/a", "/c")]}, "redirects[1].from", "redirect it once"),
        ({"redirects": [redirect("/a", "/a")]}, "redirects[0]", "/a → /a"),
        ({"not_found_page": "x" * 300}, "not_found_page", "does not exist in"),
        ({"redirects": [redirect("/a", "/b"), redirect("/b", "/a")]}, "redirects[1]", "/b → /a → /b"),
        ({"redirects": [redirect(f"/{n:04}", f"/to/{n:04}") for n in range(400)]}, "redirects", "at most 10 KB"),
    ],
)
def test_what_is_wrong(source: Path, more: dict[str, Any], variable: str, words: str) -> None:
    told = found(source, **more)
    assert words in told.get(variable, ""), told


APP = {"name": "app", "domain": "app.example.org"}
API = {"path": "/api/*", "origin": "app", "cache_policy": "CachingDisabled", "response_headers_policy": None}
ERROR_PAGES = [{"code": 404, "page": "/404.html", "response_code": 404}]
ORIGIN = {"name": "site", "bucket": "b", "path": "/site", "origin_access_control": "site"}


def test_the_bucket_is_the_first_origin_and_serves_all_other_paths() -> None:
    computed = distribution({**DEFAULTS, "bucket": "b", "origins": [APP], "behaviors": [{"path": "/a/*"}]})
    common = {"origin": "site", "cache_policy": "CachingOptimized", "response_headers_policy": "SecurityHeadersPolicy"}
    assert computed == {
        "origins": [ORIGIN, APP],
        "behavior": {**common, "functions": {"viewer-request": "site"}},
        "behaviors": [{**common, "path": "/a/*"}],
        "error_pages": ERROR_PAGES,
        "pages": {},
        "cache_control": [],
        "readers": {"distribution": "site", "more_distributions": ["site-pages"]},
    }


def test_the_error_page_does_not_replace_the_errors_of_other_origins() -> None:
    given = {**DEFAULTS, "bucket": "b", "origins": [APP], "behaviors": [API, {"path": "/a/*"}]}
    computed = distribution({**given, "pages_domain": "d1.cloudfront.net"})
    assert computed["error_pages"] == []
    assert computed["origins"] == [{"name": "site", "domain": "d1.cloudfront.net"}, APP]
    assert [one["origin"] for one in computed["behaviors"]] == ["app", "site"]
    assert computed["pages"] == {
        "name": "site-pages",
        "origins": [ORIGIN],
        "behavior": {"origin": "site", "cache_policy": "CachingOptimized", "viewer_protocol": "https-only"},
        "error_pages": ERROR_PAGES,
    }
    # CloudFront would cache the page as an error for as long as other pages.
    assert computed["cache_control"] == [{"pattern": "/404.html", "value": "public, max-age=0, must-revalidate"}]
    assert distribution(given)["origins"][0]["domain"] == "(known after apply)"


def test_without_an_error_page_one_distribution_is_enough() -> None:
    computed = distribution({**DEFAULTS, "bucket": "b", "not_found_page": "", "origins": [APP], "behaviors": [API]})
    assert (computed["pages"], computed["error_pages"]) == ({}, [])
    assert computed["origins"] == [ORIGIN, APP]


def test_own_response_headers_replace_the_policy_of_aws() -> None:
    computed = distribution({**DEFAULTS, "not_found_page": "", "response_headers": {"custom": {"X-A": "1"}}})
    assert computed["behavior"]["response_headers_policy"] == "site"
    assert computed["error_pages"] == []


@pytest.mark.parametrize(
    ("more", "distribution_name", "more_distributions"),
    [
        (OTHERS, "site-pages", ["site"]),
        ({}, "site", ["site-pages"]),  # the last other origin was removed, and edge locations may not know yet
        ({**OTHERS, "not_found_page": ""}, "site", ["site-pages"]),
        ({"web_acl_arn": WEB_ACL}, "site", []),
        ({"name": "s" * 27}, "s" * 27, []),  # its name with -pages is too long for a distribution
    ],
)
def test_the_distributions_that_may_read_the_bucket(
    more: dict[str, Any], distribution_name: str, more_distributions: list[str]
) -> None:
    readers = distribution({**DEFAULTS, "bucket": "b", **more})["readers"]
    assert readers == {"distribution": distribution_name, "more_distributions": more_distributions}


def test_a_publication_invalidates_the_distribution_of_the_pages_while_it_exists() -> None:
    """It may remain from before, so that the variables do not tell whether it exists."""
    [task] = yaml.safe_load((ROLE / "tasks" / "publish.yml").read_text())
    assert task["groundwork.aws.s3_site_content"]["pages_distribution"] == "{{ static_site_name }}-pages"
