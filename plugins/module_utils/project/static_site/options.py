# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `static_site`, and compute what its distribution is, without calls to AWS."""

from __future__ import annotations

import typing as t
from pathlib import Path
from urllib.parse import quote, urlsplit

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.cloudfront_distribution import (
    ARGUMENTS as DISTRIBUTION,
)
from ansible_collections.groundwork.aws.plugins.module_utils.arguments.cloudfront_response_headers_policy import (
    ARGUMENTS as HEADERS_POLICY,
)
from ansible_collections.groundwork.aws.plugins.module_utils.arguments.s3_site_content import ARGUMENTS as CONTENT
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import RELATIVE_PATH, RESOURCE_NAME
from ansible_collections.groundwork.aws.plugins.module_utils.engine.paths import is_file, is_folder
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import conform_options
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import (
    parse_response_headers_policy,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.options import parse_distribution
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.options import check_names_in_zone
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.bucket import parse_bucket
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.options import parse_content

# A function has at most 10,240 bytes, including its code.
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-functions
LARGEST_TABLE = 8192
HEADERS = {name: option for name, option in HEADERS_POLICY.items() if name != "name"}
# CloudFront caches an error as long as its Cache-Control says, at least for ErrorCachingMinTTL, which is 10 seconds.
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
REVALIDATED = "public, max-age=0, must-revalidate"
PREFIX: str = CONTENT["prefix"]["default"]  # of the content in the bucket


def parse_static_site(options: t.Mapping[str, t.Any], problems: Problems, *, zone: str = "") -> None:
    """Add to `problems` what is wrong with the role's variables, named without the role's prefix.

    Without a source there is nothing to check, because the static site is disabled. With a `zone` the certificate of
    the aliases follows from it.
    """
    if not options["source"]:
        return
    if options["bucket"]:
        before = len(problems.found)
        parse_bucket(options, problems)
        if len(problems.found) == before:  # the bucket is also an origin: do not report its problems twice
            parse_distribution(_checked(options, zone), problems)
            if zone and options["aliases"] and not options["certificate_arn"]:
                check_names_in_zone(options["aliases"], "aliases", zone, problems)
        parse_content({**options, "prefix": PREFIX, "redirects": []}, problems)
    else:
        right = "give a bucket name that is unique in all of AWS, such as <company>-<environment>-site"
        problems.add("bucket", "is missing", right)
    _check_pages(options, problems)
    _check_web_acl(options, problems)
    _check_redirects(options["redirects"], problems)
    if options["response_headers"]:
        _check_headers(options, problems)


def distribution(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the options of `cloudfront_distribution` that are computed from several variables.

    The first origin is the site's bucket, to which all paths without a behavior of their own lead. An error page is one
    of a whole distribution, so that it would replace the errors of other origins, too. If there are any, the bucket and
    the page belong to a distribution of their own, `pages`, which is the first origin then. docs/decisions/0044
    """
    name, page = options["name"], options["not_found_page"]
    bucket = {"name": name, "bucket": options["bucket"], "path": f"/{PREFIX}", "origin_access_control": name}
    error_pages = [{"code": 404, "page": f"/{page}", "response_code": 404}] if page else []
    pages = pages_distribution(options)
    behind = {"name": name, "domain": options.get("pages_domain") or KNOWN_AFTER_APPLY} if pages else bucket
    common = {
        "origin": name,
        "cache_policy": options["cache_policy"],
        "response_headers_policy": name if options["response_headers"] else options["response_headers_policy"],
    }
    return {
        "origins": [behind, *options["origins"]],
        "behavior": {**common, "functions": {"viewer-request": name}},
        "behaviors": [{**common, **_given(one)} for one in options["behaviors"]],
        "error_pages": [] if pages else error_pages,
        "pages": {
            "name": pages,
            "origins": [bucket],
            "behavior": {"origin": name, "cache_policy": options["cache_policy"], "viewer_protocol": "https-only"},
            "error_pages": error_pages,
        }
        if pages
        else {},
        "cache_control": [{"pattern": f"/{page}", "value": REVALIDATED}] if pages else [],
        "readers": _readers(options, pages),
    }


def _readers(options: t.Mapping[str, t.Any], pages: str) -> dict[str, t.Any]:
    """Return the options of `s3_site_access`.

    `<name>-pages` remains when the last other origin is removed. Edge locations fetch from it until the change is
    deployed, so that it may still read the bucket. With a web ACL it may not, because visitors could evade the ACL.
    """
    name, former = options["name"], f"{options['name']}-pages"
    if pages:
        return {"distribution": pages, "more_distributions": [name]}
    may_remain = RESOURCE_NAME.fullmatch(former) and not options.get("web_acl_arn")
    return {"distribution": name, "more_distributions": [former] if may_remain else []}


def pages_distribution(options: t.Mapping[str, t.Any]) -> str:
    """Return the name of the distribution that has the error page, or "" if it is the only distribution."""
    name = options["name"]
    others = any((one.get("origin") or name) != name for one in options["behaviors"])
    return f"{name}-pages" if others and options["not_found_page"] else ""


def _check_web_acl(options: t.Mapping[str, t.Any], problems: Problems) -> None:
    """Add to `problems` a web ACL that visitors could evade, because `<name>-pages` has a host name of its own."""
    pages = pages_distribution(options)
    if pages and options["web_acl_arn"]:
        wrong = f"does not protect the distribution '{pages}', which serves all pages at a host name of its own"
        right = "set static_site_not_found_page to '', so that there is only one distribution"
        problems.add("web_acl_arn", wrong, right)


def _checked(options: t.Mapping[str, t.Any], zone: str) -> dict[str, t.Any]:
    """Return the options of `cloudfront_distribution` for the check: a message counts the given origins alone."""
    given = {option: value for option, value in options.items() if option in DISTRIBUTION and value is not None}
    if zone and options["aliases"] and not options["certificate_arn"]:
        given["certificate_arn"] = KNOWN_AFTER_APPLY
    computed = distribution(options)
    computed = {option: value for option, value in computed.items() if option in DISTRIBUTION}
    bucket, *origins = computed["origins"]
    shaped = {**given, **computed, "origins": [*origins, bucket], "error_pages": []}  # the page is checked by itself
    return {**conform_options(DISTRIBUTION, shaped, "", Problems()), "region": options.get("region")}


def _given(one: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {option: value for option, value in one.items() if value is not None}


def _check_headers(options: t.Mapping[str, t.Any], problems: Problems) -> None:
    """Add to `problems` what is wrong with the headers, which are the options of a module."""
    before = len(problems.found)
    given = conform_options(HEADERS, options["response_headers"], "response_headers", problems)
    if len(problems.found) == before:
        where = problems.scope(f"{problems.prefix}response_headers.")
        parse_response_headers_policy({**given, "name": options["name"]}, where)


def _check_redirects(given: t.Sequence[t.Mapping[str, t.Any]], problems: Problems) -> None:
    leads: dict[str, str] = {}
    for at, one in enumerate(given):
        _check_redirect(one, f"redirects[{at}]", problems)
        if one["from"] in leads:
            problems.add(f"redirects[{at}].from", f"'{one['from']}' is redirected twice", "redirect it once")
        leads[one["from"]] = one["to"]
    for at, one in enumerate(given):
        way = [one["from"]]
        while way[-1] in leads and way.count(way[-1]) == 1:
            way.append(leads[way[-1]])
        if way[-1] == one["from"] and len(way) > 1:
            problems.add(f"redirects[{at}]", f"is a loop: {' → '.join(way)}", "redirect one of them to a page")
    size = sum(len(path) + len(target) + 14 for path, target in leads.items())
    if size > LARGEST_TABLE:
        right = f"use at most {LARGEST_TABLE}, because a CloudFront function has at most 10 KB"
        problems.add("redirects", f"the table has about {size} bytes", right)


def _check_redirect(one: t.Mapping[str, t.Any], where: str, problems: Problems) -> None:
    for end in ("from", "to"):
        as_sent = quote(one[end], safe="/%:?#[]@!$&'()*+,;=~")
        if as_sent != one[end]:
            problems.add(
                f"{where}.{end}", f"'{one[end]}' is not percent-encoded as browsers send it", f"write {as_sent}"
            )
    if not one["from"].startswith("/") or set(one["from"]) & set("*?#"):
        right = "give the path of a request, such as /old/page, without *, ? and #"
        problems.add(f"{where}.from", f"'{one['from']}' is not a valid path", right)
    target = urlsplit(one["to"])
    outside = target.scheme in ("http", "https") and target.netloc
    inside = not target.scheme and not target.netloc and target.path.startswith("/")
    if not (outside or inside):
        problems.add(
            f"{where}.to", f"'{one['to']}' is not a path or a URL", "give a path (/new/page) or a URL (https://…)"
        )


def _check_pages(options: t.Mapping[str, t.Any], problems: Problems) -> None:
    if not options["release"] and not is_folder(Path(options["source"]).expanduser()):
        problems.add(
            "source", f"the folder {options['source']} does not exist", "give the folder that the site was built into"
        )
    for name in ("index_document", "not_found_page"):
        page = options[name]
        if not page:
            continue
        if not RELATIVE_PATH.fullmatch(page):
            problems.add(name, f"'{page}' is not the path of a file", "give the path in the source, such as 404.html")
        elif is_folder(Path(options["source"]).expanduser()):
            _check_there(name, page, options["source"], problems)
    if "/" in (options["index_document"] or ""):
        problems.add(
            "index_document", "contains a folder", "give the file name that every folder has, such as index.html"
        )


def _check_there(name: str, page: str, source: str, problems: Problems) -> None:
    if not is_file(Path(source).expanduser() / page):
        right = (
            "add the file, or set the variable to '' to have no such page"
            if name == "not_found_page"
            else "add the file"
        )
        problems.add(name, f"the file {page} does not exist in {source}", right)
