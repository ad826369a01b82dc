"""Publishing against the lab's control plane: plan = run, budgets, order, releases."""

from __future__ import annotations

import typing as t

import pytest
from accounts.site_content import Site
from cloud import told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError


def test_the_plan_of_an_empty_account_is_the_run(
    new_site: t.Callable[[], Site], fill: t.Callable[[Site], None]
) -> None:
    site = new_site()
    fill(site)
    planned = site.publish(check_mode=True)
    assert site.writes == [] and site.edge.calls == []
    site.make_bucket()
    site.cloud.plane.calls.reset()
    done = site.publish()
    assert (
        told(planned)
        == told(done)
        == [
            "create object app.3f2a9c1b.css",
            "create object app.4e5d6c7b.js",
            "create object guide/index.html",
            "create object index.html",
            "create object logo.svg",
            "create release of the site",
        ]
    )
    assert planned["release"] == "(known after apply)"
    for same in ("diff", "counts", "calls", "previous"):
        assert planned[same] == done[same]
    assert site.cloud.plane.calls.writes == done["calls"] == {"s3": {"PutObject": 7}}
    assert site.edge.calls == []
    assert set(site.content()) == {"app.3f2a9c1b.css", "app.4e5d6c7b.js", "guide/index.html", "index.html", "logo.svg"}


def test_pages_come_last_and_have_their_headers(site: Site) -> None:
    site.publish()
    puts = [one.removeprefix("PUT site/") for one in site.writes if one.startswith("PUT site/")]
    assert set(puts[:2]) == {"app.3f2a9c1b.css", "app.4e5d6c7b.js"}
    assert puts[2] == "logo.svg" and set(puts[3:]) == {"index.html", "guide/index.html"}
    assert site.writes[0] == "PUT releases/current.json"
    page, asset = site.head("index.html"), site.head("app.4e5d6c7b.js")
    assert page["ContentType"] == "text/html; charset=utf-8" and "must-revalidate" in page["CacheControl"]
    assert asset["ContentType"] == "text/javascript; charset=utf-8" and "immutable" in asset["CacheControl"]


def test_nothing_to_do_is_three_reads(site: Site) -> None:
    first = site.publish()
    again = site.publish()
    assert not again["changed"] and again["changes"] == [] and again["release"] == first["release"]
    assert len(site.wire.requests) == 3 and site.writes == [] and site.edge.calls == []


def test_one_changed_page_is_one_put_two_records_and_one_invalidation(site: Site) -> None:
    site.publish()
    site.put("guide/index.html", "<p>new")
    planned = site.publish(check_mode=True)
    done = site.publish()
    assert told(planned) == told(done)
    assert told(done) == [
        "update object guide/index.html",
        "create invalidation of 3 paths",
        "create release of the site",
    ]
    assert done["calls"] == planned["calls"] == {"s3": {"PutObject": 3}, "cloudfront": {"CreateInvalidation": 1}}
    assert len(site.writes) == 3
    assert site.edge.paths == ["/guide", "/guide/", "/guide/index.html"] == done["invalidation"]["paths"]
    assert site.edge.calls == ["GetResources", "CreateInvalidation", "GetInvalidation", "GetInvalidation"]
    assert done["previous"] and done["invalidation"]["id"] == "I1"


def test_assets_that_left_stay_for_a_release(site: Site) -> None:
    site.publish()
    site.remove("app.4e5d6c7b.js")
    site.remove("logo.svg")
    site.put("app.0a1b2c3d.js", "go(2)")
    site.put("guide/index.html", '<script src="../app.0a1b2c3d.js"></script>')
    site.put("index.html", "<p>no logo")
    done = site.publish()
    assert {"app.4e5d6c7b.js", "logo.svg"} <= set(site.content())
    assert done["counts"]["kept"] == 2
    assert site.edge.paths == ["/", "/guide", "/guide/", "/guide/index.html", "/index.html"]
    site.put("index.html", "<p>another release")
    done = site.publish()
    assert told(done)[:3] == ["update object index.html", "delete object app.4e5d6c7b.js", "delete object logo.svg"]
    assert site.writes[-2:] == ["POST ?delete=", "PUT releases/" + done["release"] + ".json"]
    assert site.edge.paths == ["/", "/index.html", "/logo.svg"]
    assert not {"app.4e5d6c7b.js", "logo.svg"} & set(site.content())


def test_assets_that_left_go_at_once_if_the_user_says_so(site: Site) -> None:
    site.publish()
    site.remove("logo.svg")
    site.put("index.html", "<p>no logo")
    assert "delete object logo.svg" in told(site.publish(keep_assets=0))


def test_a_document_that_left_goes_before_the_invalidation(site: Site) -> None:
    """It may be one that must not be public. An edge location could fetch it again after the invalidation."""
    site.put("docs/salaries.pdf", "secret")
    site.put("index.html", '<a href="docs/salaries.pdf">Salaries</a><img src="logo.svg">')
    site.publish()
    site.remove("docs/salaries.pdf")
    site.put("index.html", '<img src="logo.svg">')
    there: list[set[str]] = []
    create = site.edge.create_invalidation

    def look(**arguments: t.Any) -> t.Any:
        there.append(set(site.content()))
        return create(**arguments)

    site.edge.create_invalidation = look
    planned = site.publish(check_mode=True)
    done = site.publish()
    assert told(planned) == told(done) and "delete object docs/salaries.pdf" in told(done)
    assert done["counts"]["kept"] == 0 and site.warnings == []
    assert "docs/salaries.pdf" not in there[0] and "/docs/salaries.pdf" in site.edge.paths


@pytest.mark.parametrize("check_mode", [True, False])
def test_removed_files_that_are_still_served_are_told(site: Site, check_mode: bool) -> None:
    names = [f"photo{number}.jpg" for number in range(7)]
    for name in names:
        site.put(name, name)
    site.put("index.html", "".join(f'<img src="{name}">' for name in names))
    site.publish(precompress=["jpg"])
    for name in [*names, "app.4e5d6c7b.js"]:
        site.remove(name)
    site.put("index.html", "<p>")
    site.put("guide/index.html", "<p>")
    site.publish(precompress=["jpg"], max_deletions="14", variables="static_site_", check_mode=check_mode)
    [warning] = site.warnings
    assert "photo0.jpg, photo1.jpg, photo2.jpg, photo3.jpg, photo4.jpg, …" in warning and ".br" not in warning
    assert "publish with static_site_keep_assets=0" in warning
    if not check_mode:
        assert site.publish(precompress=["jpg"], keep_assets=0)["changed"] and site.warnings == []
        assert not {*names, "app.4e5d6c7b.js"} & set(site.content())


def test_a_build_with_new_names_for_everything_is_no_deletion(site: Site) -> None:
    """Each build of a bundler replaces most files, and those of the build before the last one are deleted."""
    for build in range(4):
        for old in site.source.glob("assets/*"):
            old.unlink()
        for number in range(40):
            site.put(f"assets/chunk{number}-B{build}x9Kd{number:02}.js", f"{build}")
        site.put("index.html", f"<p>{build}")
        assert site.publish()["counts"]["kept"] == (40 if build else 0)


def test_a_release_is_brought_back_without_an_upload(site: Site) -> None:
    first = site.publish()
    before = site.content()
    site.put("index.html", "<p>worse")
    site.put("new.html", "<p>new")
    site.remove("logo.svg")
    worse = site.publish()
    planned = site.publish(check_mode=True, release=first["release"], source=None)
    done = site.publish(release=first["release"], source=None)
    assert told(planned) == told(done)
    assert told(done) == [
        "update object index.html",
        "delete object new.html",
        "create invalidation of 3 paths",
        "create release of the site",
    ]
    assert (
        done["calls"]
        == planned["calls"]
        == {
            "s3": {"CopyObject": 1, "DeleteObjects": 1, "PutObject": 2},
            "cloudfront": {"CreateInvalidation": 1},
        }
    )
    assert site.content() == before and done["previous"] == worse["release"]
    assert done["release"].endswith(first["release"][-8:])
    assert site.head("logo.svg")["ContentType"] == "image/svg+xml; charset=utf-8"
    again = site.publish(release=first["release"], source=None)
    assert not again["changed"] and site.writes == []


def test_an_expired_release_is_refused_before_any_write(site: Site) -> None:
    first = site.publish()
    site.put("index.html", "<p>new")
    site.publish()
    expire(site, "site/index.html")
    with pytest.raises(InputError, match=r"1 objects of the release have expired: index\.html"):
        site.publish(release=first["release"])
    assert site.writes == []


def expire(site: Site, key: str) -> None:
    """What the bucket's lifecycle does to old versions."""
    for one in site.s3.list_object_versions(Bucket="dev-site", Prefix=key)["Versions"]:
        if not one["IsLatest"]:
            site.s3.delete_object(Bucket="dev-site", Key=key, VersionId=one["VersionId"])


def test_a_release_that_nobody_knows_is_refused(site: Site) -> None:
    with pytest.raises(InputError, match="publish something first"):
        site.publish(release="20260131T120000Z-3f2a9c1b")
    known = site.publish()["release"]
    with pytest.raises(InputError, match=known):
        site.publish(release="20260131T120000Z-3f2a9c1b")


def test_releases_beyond_the_last_few_are_forgotten(site: Site) -> None:
    for number in range(6):
        site.put("index.html", f"<p>{number}")
        site.put(f"note.{number}a1b2c3d.txt", "gone after the next")
        site.publish(keep_releases=3)
        site.remove(f"note.{number}a1b2c3d.txt")
    assert len(site.content("releases/")) == 1 + 3  # current.json, and as many as are kept


@pytest.mark.parametrize("what", ["content", "gone"])
def test_what_was_changed_by_hand_is_mended(site: Site, what: str) -> None:
    site.publish()
    if what == "content":
        site.s3.put_object(Bucket="dev-site", Key="site/logo.svg", Body=b"<svg>mine</svg>")
    else:
        site.s3.delete_object(Bucket="dev-site", Key="site/logo.svg")
    done = site.publish()
    assert done["counts"]["mended"] == done["counts"]["uploaded"] == 1
    assert "logo.svg was changed or deleted in the bucket manually" in site.warnings[0]
    assert site.content()["logo.svg"] == b"<svg/>" and site.edge.paths == ["/logo.svg"]


def test_strangers_are_deleted_but_not_beside_the_prefix(site: Site) -> None:
    site.publish()
    site.s3.put_object(Bucket="dev-site", Key="site/stranger.txt", Body=b"")
    site.s3.put_object(Bucket="dev-site", Key="site2/neighbour.txt", Body=b"")
    assert told(site.publish())[0] == "delete object stranger.txt"
    assert site.content("site2/") == {"neighbour.txt": b""}


def test_too_many_deletions_are_refused_before_any_write(site: Site) -> None:
    for number in range(20):
        site.put(f"pages/{number}.html", "<p>")
    site.publish()
    for number in range(20):
        site.remove(f"pages/{number}.html")
    with pytest.raises(InputError, match="20 of 25 objects are not in the source, and the limit is 10"):
        site.publish()
    assert site.writes == []
    assert site.publish(max_deletions="20")["counts"]["deleted"] == 20


def test_other_headers_are_a_change(site: Site) -> None:
    site.publish()
    rules = [{"pattern": "*.svg", "value": "no-store"}]
    done = site.publish(cache_control=rules)
    assert done["counts"]["uploaded"] == 1 and site.head("logo.svg")["CacheControl"] == "no-store"
    assert not site.publish(cache_control=rules)["changed"]


def test_variants_are_packed_where_it_pays(site: Site) -> None:
    site.put("big.js", "go();" * 1000)
    options: dict[str, t.Any] = {"precompress": ["js", "svg"]}
    assert site.publish(**options)["calls"]["s3"]["PutObject"] == 6 + 3 + 2
    packed, plain = site.head("big.js.br"), site.head("logo.svg.br")
    assert packed["ContentEncoding"] == "br" and packed["ContentType"] == "text/javascript; charset=utf-8"
    assert packed["ContentLength"] < 100 and "ContentEncoding" not in plain
    assert not site.publish(**options)["changed"]
    site.put("big.js", "stop();" * 1000)
    assert site.publish(**options)["calls"]["s3"]["PutObject"] == 2 + 2
    assert site.edge.paths == ["/big.js", "/big.js.br"]


def test_what_edges_ask_for_stays_packed_after_its_extension_has_left(site: Site) -> None:
    site.put("big.js", "go();" * 1000)
    packed = site.publish(precompress=["js"])
    assert not site.publish()["changed"]
    assert site.head("app.4e5d6c7b.js.br")["ContentType"] == "text/javascript; charset=utf-8"
    site.put("big.js", "stop();" * 1000)
    site.put("new.js", "new();" * 1000)
    done = site.publish()
    assert set(told(done)[:4]) == {
        "update object big.js",
        "update object big.js.br",
        "create object new.js",
        "create object new.js.br",
    }
    assert site.edge.paths == ["/big.js", "/big.js.br"]
    assert site.head("new.js.br")["ContentEncoding"] == "br"
    site.remove("new.js")
    site.publish(keep_assets=0)
    assert not {"new.js", "new.js.br"} & set(site.content())
    planned, rid = site.publish(keep_variants=False, check_mode=True), site.publish(keep_variants=False)
    assert told(planned) == told(rid)
    assert told(rid)[:2] == ["delete object app.4e5d6c7b.js.br", "delete object big.js.br"]
    assert not {"app.4e5d6c7b.js.br", "big.js.br"} & set(site.content())
    assert {"app.4e5d6c7b.js", "big.js"} <= set(site.content())
    assert not site.publish()["changed"]
    assert site.publish(release=packed["release"], source=None)["changed"] and "big.js.br" in site.content()


def test_a_fingerprinted_asset_that_left_stays_for_a_while_with_its_variant(site: Site) -> None:
    both = {"app.4e5d6c7b.js", "app.4e5d6c7b.js.br"}
    site.publish(precompress=["js"])
    site.remove("app.4e5d6c7b.js")
    site.put("guide/index.html", "<p>")
    assert site.publish(precompress=["js"])["counts"]["kept"] == 2
    assert both <= set(site.content())
    site.put("guide/index.html", "<p>again")
    site.publish(precompress=["js"])
    assert not both & set(site.content())


def test_a_release_that_was_not_packed_comes_back_with_what_edges_ask_for(site: Site) -> None:
    site.put("big.js", "go();" * 1000)
    plain = site.publish()
    site.put("big.js", "stop();" * 1000)
    site.publish(precompress=["js"])
    planned = site.publish(check_mode=True, release=plain["release"], source=None, precompress=["js"])
    done = site.publish(release=plain["release"], source=None, precompress=["js"])
    assert told(planned) == told(done) and {"update object big.js", "update object big.js.br"} <= set(told(done))
    assert site.content()["big.js.br"] == site.content()["big.js"] == b"go();" * 1000
    copy = site.head("big.js.br")
    assert "ContentEncoding" not in copy and copy["ContentType"] == "text/javascript; charset=utf-8"
    assert not site.publish(release=plain["release"], source=None, precompress=["js"])["changed"]
    site.put("big.js", "go();" * 1000)
    site.publish(precompress=["js"])
    assert site.head("big.js.br")["ContentEncoding"] == "br"


def test_pages_go_with_their_variants_before_the_invalidation(site: Site) -> None:
    options: dict[str, t.Any] = {"precompress": ["html", "svg"]}
    site.put("old.html", "<p>" * 100)
    site.publish(**options)
    site.remove("old.html")
    site.remove("logo.svg")
    site.put("index.html", "<p>no logo")
    there: list[set[str]] = []
    create = site.edge.create_invalidation

    def look(**arguments: t.Any) -> t.Any:
        there.append(set(site.content()))
        return create(**arguments)

    site.edge.create_invalidation = look
    site.publish(**options, keep_assets=0)
    assert there[0] >= {"logo.svg", "logo.svg.br"} and not there[0] & {"old.html", "old.html.br"}
    assert not set(site.content()) & {"logo.svg", "logo.svg.br"}


def test_without_a_distribution_nothing_is_invalidated(site: Site) -> None:
    site.publish(distribution=None)
    site.put("index.html", "<p>new")
    done = site.publish(distribution=None)
    assert site.edge.calls == [] and done["invalidation"] == {"id": "", "paths": []}


def test_a_missing_distribution_is_refused_before_any_write_and_planned(site: Site) -> None:
    site.publish()
    site.put("index.html", "<p>new")
    site.edge.exists = False
    assert site.publish(check_mode=True)["changed"]
    with pytest.raises(InputError, match="the environment has no distribution 'site'"):
        site.publish()
    assert site.writes == []


def test_a_missing_bucket_is_refused(new_site: t.Callable[[], Site], fill: t.Callable[[Site], None]) -> None:
    site = new_site()
    fill(site)
    with pytest.raises(InputError, match="the bucket 'dev-site' does not exist"):
        site.publish()


def test_the_records_are_of_one_prefix(site: Site) -> None:
    site.publish()
    with pytest.raises(InputError, match="have the prefix 'site'"):
        site.publish(prefix="other")


def test_a_file_that_changes_while_it_is_published_is_named(site: Site) -> None:
    def change(request: str) -> None:
        if request.startswith("PUT releases/current.json"):
            site.put("index.html", "<p>changed meanwhile")

    site.wire.before = change
    with pytest.raises(GroundworkError, match=r"index\.html was changed during the publication"):
        site.publish()
    site.wire.before = lambda _request: None
    assert site.publish()["changed"] and site.content()["index.html"] == b"<p>changed meanwhile"


def test_another_content_under_the_same_fingerprint_is_told_and_invalidated(site: Site) -> None:
    site.publish()
    site.put("app.4e5d6c7b.js", "go(2)")
    site.publish()
    assert site.edge.paths == ["/app.4e5d6c7b.js"] and "keep the old content for up to a year" in site.warnings[0]


def test_large_files_go_in_parts(site: Site) -> None:
    site.put("film.mp4", b"x" * (16 * 1024 * 1024 + 1))
    done = site.publish()
    assert done["calls"]["s3"] == {
        "CompleteMultipartUpload": 1,
        "CreateMultipartUpload": 1,
        "PutObject": 7,
        "UploadPart": 2,
    }
    assert site.head("film.mp4")["ETag"].endswith('-2"') and site.head("film.mp4")["ContentType"] == "video/mp4"
    assert not site.publish()["changed"]


def test_many_changed_pages_are_few_paths(site: Site) -> None:
    pages = [f"part{number % 7}/page{number}/index.html" for number in range(120)]
    for path in pages:
        site.put(path, "old")
    site.publish()
    for path in pages[:100]:
        site.put(path, "new")
    site.publish(max_invalidation_paths=20)
    assert 0 < len(site.edge.paths) <= 20
    assert all(any(f"/{path}".startswith(one.removesuffix("*")) for one in site.edge.paths) for path in pages[:100])


def test_a_redirect_of_a_name_with_other_characters_hides_its_file(site: Site) -> None:
    site.put("a b/index.html", "here")
    with pytest.raises(InputError, match=r"/a%20b is redirected, which hides the file a b/index.html"):
        site.publish(redirects=["/a%20b"])


def test_types_that_depend_on_the_content(site: Site) -> None:
    site.put(".well-known/openid-configuration", '{"issuer": "https://x.example"}')
    site.put(".well-known/acme-challenge/token", "token.thumbprint")
    site.put("drawing.svgz", b"\x1f\x8b compressed")
    site.publish(precompress=["svgz"])
    assert site.head(".well-known/openid-configuration")["ContentType"] == "application/json; charset=utf-8"
    assert site.head(".well-known/acme-challenge/token")["ContentType"] == "application/octet-stream"
    drawing = site.head("drawing.svgz")
    assert (drawing["ContentType"], drawing["ContentEncoding"]) == ("image/svg+xml; charset=utf-8", "gzip")
    assert "drawing.svgz.br" not in site.content() and not site.publish(precompress=["svgz"])["changed"]


def test_files_that_visitors_do_not_find_are_told(site: Site) -> None:
    for path in ("LICENSE", ".well-known/security", "docs/1.4/index.html", "node.js/index.html", "data.xyz"):
        site.put(path, "it")
    site.publish(variables="static_site_")
    assert site.warnings == [
        "static_site_unmapped_paths: visitors do not find LICENSE, because a path without an extension is mapped to a "
        "page; add the paths, or set static_site_clean_urls to none.",
        "static_site_clean_urls: visitors find the folders node.js only with a slash at the end, because their names "
        "look like files.",
    ]
    site.publish(unmapped_paths=["/LICENSE"], clean_urls="html")
    assert site.warnings == []


@pytest.mark.parametrize(
    ("page", "clean_urls", "right"),
    [("about.html", "serve", "html"), ("about.html", "none", "html"), ("about/index.html", "html", "serve")],
)
def test_links_that_lead_nowhere_are_told(site: Site, page: str, clean_urls: str, right: str) -> None:
    site.put("index.html", '<a class="x" href="/about">About</a><a href="https://other.example/about">')
    site.put(page, "<p>about")
    site.publish(clean_urls=clean_urls)
    assert site.warnings == [
        f"clean_urls: with {clean_urls}, 1 links lead to missing files; index.html links to /about, and the file is "
        f"{page}. {right} may be right."
    ]
    site.put("index.html", '<p><a href="/about">')
    site.publish(clean_urls=right)
    assert site.warnings == []


def test_pages_without_their_extension_are_invalidated(site: Site) -> None:
    for text in ("old", "new"):
        site.put("about.html", text)
        site.put("guide/index.html", text)
        site.publish(clean_urls="html")
    assert site.edge.paths == ["/about", "/about.html", "/guide/", "/guide/index.html"]


def test_messages_name_the_variables_of_the_inventory(site: Site) -> None:
    site.put("index.html", '<img src="gone.png">')
    with pytest.raises(InputError) as failed:
        site.publish(variables="static_site_")
    assert "static_site_source: index.html refers to gone.png" in str(failed.value)
    assert "set static_site_allow_missing_references" in str(failed.value)
    with pytest.raises(InputError, match=r"- static_site_keep_assets: 101 is out of range"):
        site.publish(variables="static_site_", keep_assets=101)
