"""Releases on a server: planned, unpacked whole or not at all, switched in one stroke, and back again."""

from __future__ import annotations

import tarfile
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hostile import add, link, special, tar
from release_server import OWNER, PRIVATE, Server, rights

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import Release, parse_releases
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.logs import Log
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.pages import Answer, Page
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.planning import Site, make_plan
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.rights import Rights

APP = Release("app", "/srv/www/app", "new", keep=3, reload=("php8.2-fpm",))


@pytest.mark.parametrize(
    ("site", "unpack", "switch", "prune"),
    [
        (Site(), True, True, ()),
        (Site(("new",), ""), False, True, ()),
        (Site(("new", "old"), "old"), False, True, ()),
        (Site(("c", "b", "a"), "c"), True, True, ("a",)),
        (Site(("c", "b", "a"), "a"), True, True, ("b",)),
    ],
)
def test_what_happens_to_a_site(site: Site, unpack: bool, switch: bool, prune: tuple[str, ...]) -> None:
    (step,) = make_plan([APP], {"app": site}, ()).steps
    assert (step.unpack, step.switch, step.prune) == (unpack, switch, prune)


def test_what_is_current_stays() -> None:
    assert make_plan([APP], {"app": Site(("new", "b", "a"), "new")}, ()).steps == ()


def test_a_pending_reload_is_made_up_for() -> None:
    assert make_plan([APP], {"app": Site(("new",), "new")}, ["php8.2-fpm"]).reload == ("php8.2-fpm",)


def test_sites_that_share_a_service_reload_it_once() -> None:
    other = replace(APP, name="shop", path="/srv/www/shop")
    assert make_plan([APP, other], {}, ()).reload == ("php8.2-fpm",)


class Killed(BaseException):
    """What a SIGKILL looks like from inside: nothing catches it."""


@pytest.fixture
def server(tmp_path: Path) -> Server:
    (tmp_path / "app" / "releases").mkdir(parents=True)
    return Server(tmp_path)


def test_a_release_is_unpacked_and_becomes_current(server: Server) -> None:
    release = server.packed("one")
    assert server.converge(release)["changed"]
    assert server.served() == "one"
    assert server.services.acted == ["reload php8.2-fpm"]
    folder = server.site / "releases" / release.id
    assert [(folder / name).stat().st_mode & 0o777 for name in ("public", "public/index.php", "run.sh")] == [
        0o750,
        0o640,
        0o750,
    ]


def test_its_owner_runs_nothing_and_scripts_are_for_php_alone(server: Server) -> None:
    app = server.root / "source"
    (app / "public" / ".well-known").mkdir(parents=True)
    (app / "public" / ".well-known" / "security.txt").write_text("")
    (app / "public" / ".htaccess").write_text("")
    (app / "public" / "style.css").write_text("")
    (app / ".env").write_text("")
    (app / "latest").symlink_to("public")
    release = server.packed("one")
    server.converge(release)
    web = release.group
    assert rights(server.site / "releases" / release.id) == {
        ".": (OWNER, web, 0o750),
        ".env": (OWNER, PRIVATE, 0o640),
        ".groundwork-release": ("root", web, 0o640),
        "latest": (OWNER, web, 0o777),
        "public": (OWNER, web, 0o750),
        "public/.htaccess": (OWNER, web, 0o640),
        "public/.well-known": (OWNER, web, 0o750),
        "public/.well-known/security.txt": (OWNER, web, 0o640),
        "public/index.php": (OWNER, PRIVATE, 0o640),
        "public/style.css": (OWNER, web, 0o640),
        "run.sh": (OWNER, web, 0o750),
    }


def test_a_release_of_an_earlier_version_gets_its_owner(server: Server) -> None:
    """As one that was unpacked before releases had an owner of their own, the current one and one that is kept."""
    old, new = server.packed("one"), server.packed("two")
    before = {"owner": "root", "private_group": old.group}
    server.converge(replace(old, **before))
    server.converge(replace(new, **before))
    public = server.site / "releases" / old.id / "public"
    (public / "here").symlink_to("index.php")
    (public / "up").symlink_to("..")
    (public / "out").symlink_to("up/../../../../../../etc/passwd")
    planned = server.converge(new, check_mode=True)
    assert planned["changes"] == [
        {"action": "update", "resource": "release owner", "name": f"app {one.id}"} for one in (new, old)
    ]
    acted = list(server.services.acted)
    assert server.converge(new) == planned
    assert server.services.acted == acted, "what is served did not change"
    for one in (old, new):
        found = rights(server.site / "releases" / one.id)
        assert found["."] == (OWNER, old.group, 0o750)
        assert found["public/index.php"] == (OWNER, PRIVATE, 0o640)
        assert found[".groundwork-release"] == (OWNER, old.group, 0o640)
    assert sorted(path.name for path in public.iterdir()) == ["here", "index.php", "up"], "no link leads out any more"
    assert server.converge(new)["changed"] is False


def test_a_change_of_owner_that_was_killed_is_done_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    release = server.packed("one")
    server.converge(replace(release, owner="root"))
    give, given = Rights.give, []

    def killed(self: Rights, path: Path, member: str) -> None:
        if len(given) == 2:
            raise Killed
        given.append(member)
        give(self, path, member)

    monkeypatch.setattr(Rights, "give", killed)
    with pytest.raises(Killed):
        server.converge(release)
    monkeypatch.undo()
    assert server.converge(release)["changed"]
    assert {found[0] for found in rights(server.site / "releases" / release.id).values()} == {OWNER}


def test_without_its_accounts_nothing_is_unpacked(server: Server) -> None:
    with pytest.raises(
        GroundworkError, match=r"The account code-x does not exist on this server: configure the site first"
    ):
        server.converge(replace(server.packed("one"), owner="code-x"))
    assert server.kept() == []


@pytest.mark.parametrize(
    "make",
    [
        lambda a: (link(a, "x", "/"), add(a, "x/etc/groundwork-was-here")),
        lambda a: (link(a, "x", "../../.."), add(a, "x/was-here")),
        lambda a: (link(a, "s/l", ".."), link(a, "a", "s/l/..")),
        lambda a: add(a, "../was-here"),
        lambda a: add(a, "/was-here"),
        special("x", tarfile.LNKTYPE, linkname="/etc/passwd"),
        special("x", tarfile.CHRTYPE),
        lambda a: add(a, "x", mode=0o4755),
        lambda a: (add(a, "x"), add(a, "x/y")),
        lambda a: (link(a, "x", "index.php"), add(a, "x")),
    ],
)
def test_an_archive_made_by_hand_gets_nothing_out_of_its_folder(server: Server, make: Any) -> None:
    archive = tar(server.root / "app-hand.tar.gz", make)
    with pytest.raises(
        GroundworkError, match=r"Could not unpack release hand of app: app-hand\.tar\.gz cannot be released"
    ):
        server.converge(replace(server.packed("one"), id="hand", archive=str(archive)))
    assert server.kept() == []
    assert list(server.root.rglob("*was-here")) == []


def test_the_second_run_changes_nothing(server: Server) -> None:
    server.converge(server.packed("one"))
    told = server.converge(replace(server.packed("one"), archive=""))
    assert (told["changed"], told["missing"]) == (False, [])
    assert server.services.acted == ["reload php8.2-fpm"]


def test_what_is_served_tells_its_id(server: Server) -> None:
    first, second = server.packed("one"), server.packed("two")
    for release in (first, second, first):
        server.converge(release)
        mark = server.site / "current" / ".groundwork-release"
        assert (mark.read_text(), mark.stat().st_mode & 0o777) == (release.id, 0o640)


def test_it_tells_what_the_site_has(server: Server) -> None:
    first, second = server.packed("one"), server.packed("two")
    assert server.converge(first)["sites"] == {"app": {"current": "", "kept": [], "command": []}}
    server.converge(second)
    told = server.converge(first, check_mode=True)["sites"]
    assert told == {"app": {"current": second.id, "kept": [second.id, first.id], "command": []}}


def test_a_release_that_is_not_here_is_asked_for(server: Server) -> None:
    told = server.converge(replace(server.packed("one"), archive=""))
    assert (told["changed"], told["missing"]) == (True, ["app"])
    assert server.kept() == []


def test_check_mode_tells_the_same_and_does_nothing(server: Server) -> None:
    release = server.packed("one")
    planned = server.converge(release, check_mode=True)
    assert server.kept() == []
    assert server.converge(release) == planned


def test_check_mode_works_without_the_site(tmp_path: Path) -> None:
    assert Server(tmp_path).converge(APP, check_mode=True)["changed"]


def test_old_releases_go_and_the_one_before_stays(server: Server) -> None:
    ids = []
    for text in ("one", "two", "three"):
        release = server.packed(text)
        ids.append(release.id)
        server.converge(release)
    assert server.kept() == sorted(ids[1:])
    assert server.converge(server.packed("three"))["changed"] is False


def test_going_back_needs_no_archive(server: Server) -> None:
    one, two = server.packed("one"), server.packed("two")
    server.converge(one)
    server.converge(two)
    server.converge(replace(one, archive=""))
    assert server.served() == "one"


def test_the_release_before_is_current_again_when_php_does_not_come_back(server: Server) -> None:
    server.converge(server.packed("one"))
    server.services.broken = GroundworkError("php8.2-fpm did not come back")
    with pytest.raises(GroundworkError, match="did not come back\nThe previous releases are current again"):
        server.converge(server.packed("two"))
    assert server.served() == "one"
    assert len(server.services.acted) == 3


def test_the_next_run_reloads_what_a_killed_one_did_not(server: Server) -> None:
    server.converge(server.packed("one"))
    server.services.broken = Killed()
    with pytest.raises(Killed):
        server.converge(server.packed("two"))
    told = server.converge(server.packed("two"))
    assert told["changes"] == [{"action": "reload", "resource": "service", "name": "php8.2-fpm"}]
    assert server.converge(server.packed("two"))["changed"] is False


def test_a_half_unpacked_release_is_begun_again(server: Server) -> None:
    release = server.packed("one")
    partial = server.site / "releases" / f".{release.id}.partial"
    partial.mkdir()
    (partial / "rubbish").write_text("")
    assert server.converge(release, check_mode=True)["missing"] == ["app"]
    server.converge(release)
    assert server.kept() == [release.id]
    assert not (server.site / "current" / "rubbish").exists()


def test_a_broken_archive_is_never_current(server: Server) -> None:
    release = server.packed("one")
    whole = Path(release.archive).read_bytes()
    Path(release.archive).write_bytes(whole[: len(whole) // 2])
    refused = rf"Could not unpack release {release.id} of app: app-{release.id}\.tar\.gz cannot be read: "
    with pytest.raises(GroundworkError, match=refused):
        server.converge(release)
    assert server.kept() == []
    assert not (server.site / "current").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "../x"}, "releases[0].id: '../x' is not a valid release id; use letters, digits, dots and hyphens."),
        ({"keep": 1}, "releases[0].keep: 1 is too small; keep 2 or more."),
    ],
)
def test_wrong_options_are_told(change: dict[str, Any], message: str) -> None:
    item = {
        "name": "app",
        "path": "/srv",
        "id": "a",
        "owner": "root",
        "group": "root",
        "keep": 3,
        "reload": [],
        **change,
    }
    problems = Problems()
    parse_releases({"releases": [item]}, problems)
    assert [str(problem) for problem in problems.found] == [message]


@dataclass
class Sites:
    """Sites whose pages fail when the release that is current says so: `broken`, or `broken: <another site>`."""

    server: Server
    asked: list[str] = field(default_factory=list)
    killed: bool = False

    def release(self, name: str, text: str) -> Release:
        """A release of a site, packed."""
        (self.server.root / name / "releases").mkdir(parents=True, exist_ok=True)
        packed = self.server.packed(f"{name} {text}")
        pages, logs = (Page(name, release=packed.id),), (Log(str(self.server.root / f"{name}.log")),)
        return replace(packed, name=name, path=str(self.server.root / name), pages=pages, logs=logs)

    def ask(self, pages: Collection[Page]) -> list[Answer]:
        if self.killed:
            raise Killed
        self.asked += [page.site for page in pages]
        return [Answer(page, 500 if self._broken(page) else 200, self._broken(page)) for page in pages]

    def _broken(self, page: Page) -> str:
        told = [self.served(path.name) for path in self.server.root.iterdir() if (path / "current").exists()]
        own = self.served(page.site).removeprefix(f"{page.site} ")
        broken = own == "broken" or any(text.endswith(f"broken: {page.site}") for text in told)
        return f"answered 500 at {len(self.asked)}" if broken else ""

    def served(self, name: str) -> str:
        return (self.server.root / name / "current" / "public" / "index.php").read_text()

    def unready(self) -> list[str]:
        return sorted(path.parent.name for path in self.server.root.glob("*/.unready"))

    def converge(self, required: bool = True, **texts: str) -> dict[str, Any]:
        desired = [self.release(name, text) for name, text in texts.items()]
        return self.server.releases(self.ask).converge(desired, check_mode=False, require_pages=required)

    def fail(self, **texts: str) -> GroundworkError:
        with pytest.raises(GroundworkError) as failed:
            self.converge(**texts)
        return failed.value


@pytest.fixture
def sites(server: Server) -> Sites:
    return Sites(server)


@pytest.mark.parametrize(
    ("before", "after", "served", "taken_back"),
    [
        # What answered before and does not now goes back, and nothing else.
        ({"app": "one"}, {"app": "broken"}, {"app": "one"}, ["app"]),
        ({"app": "broken"}, {"app": "broken: app"}, {"app": "broken: app"}, []),
        ({"app": "one", "shop": "one"}, {"app": "one", "shop": "broken"}, {"app": "one", "shop": "one"}, ["shop"]),
        ({"app": "one", "shop": "one"}, {"app": "two", "shop": "broken"}, {"app": "two", "shop": "one"}, ["shop"]),
        (
            {"app": "one", "shop": "broken"},
            {"app": "broken", "shop": "broken: shop"},
            {"app": "one", "shop": "broken: shop"},
            ["app"],
        ),
        # The first release of a site has nothing to go back to.
        ({"app": "one"}, {"app": "one", "shop": "broken"}, {"app": "one", "shop": "broken"}, []),
        ({"app": "one"}, {"app": "two", "shop": "broken"}, {"app": "two", "shop": "broken"}, []),
        # A release that breaks the page of another site goes back, though its own page is answered.
        ({"app": "one", "shop": "one"}, {"app": "one", "shop": "broken: app"}, {"app": "one", "shop": "one"}, ["shop"]),
        # Nothing changed, and the page is broken for another reason.
        ({"app": "broken"}, {"app": "broken"}, {"app": "broken"}, []),
        ({"app": "one"}, {"app": "one"}, {"app": "one"}, None),
        ({"app": "broken"}, {"app": "one"}, {"app": "one"}, None),
    ],
)
def test_a_release_is_judged_against_what_was_answered_before(
    sites: Sites, before: dict[str, str], after: dict[str, str], served: dict[str, str], taken_back: list[str] | None
) -> None:
    sites.converge(required=False, **before)
    if taken_back is None:
        assert sites.converge(**after)["failed_pages"] == []
    else:
        failure = sites.fail(**after)
        assert sorted(failure.details["taken_back"]) == taken_back
        assert ("The release was taken back" in str(failure)) == bool(taken_back)
        assert "site's probe in lamp_sites" in str(failure)
    assert {name: sites.served(name) for name in served} == {name: f"{name} {text}" for name, text in served.items()}
    assert not (sites.server.root / "journal.json").exists()


def test_pages_are_asked_for_before_only_when_a_release_changes(sites: Sites) -> None:
    for text, asked in (("one", ["app"]), ("one", ["app"]), ("two", ["app", "app"])):
        sites.asked.clear()
        assert sites.converge(app=text)["pages"] == ["app: /"]
        assert sites.asked == asked


def test_check_mode_asks_for_nothing_and_tells_what_a_run_asks_for(sites: Sites) -> None:
    told = sites.server.releases(sites.ask).converge([sites.release("app", "one")], check_mode=True)
    assert (told["pages"], sites.asked) == (["app: /"], [])


def test_a_release_that_is_not_here_yet_is_not_asked_for(sites: Sites) -> None:
    sites.server.releases(sites.ask).converge([replace(sites.release("app", "one"), archive="")], check_mode=False)
    assert sites.asked == []


def test_a_new_server_is_not_ready_before_all_its_pages_are_answered(sites: Sites) -> None:
    failure = sites.fail(app="one", shop="broken")
    assert "No release was taken back" in str(failure)
    assert "send no requests to this server" in str(failure)
    assert sites.unready() == ["shop"]
    sites.converge(app="one", shop="two")
    assert sites.unready() == []


def test_a_server_that_serves_stays_ready(sites: Sites) -> None:
    """A page that breaks, and a site that is added, take no server out of its balancer."""
    sites.converge(app="one")
    for texts in ({"app": "broken"}, {"app": "one", "shop": "broken"}):
        assert "send no visitors" not in str(sites.fail(**texts))
        assert sites.unready() == []


def test_a_new_server_that_was_killed_is_not_ready(sites: Sites) -> None:
    sites.killed = True
    with pytest.raises(Killed):
        sites.converge(app="broken")
    sites.killed = False
    sites.fail(app="broken")
    assert sites.unready() == ["app"]


@pytest.mark.parametrize(
    ("text", "served"), [("broken", "one"), ("broken: app", "one"), ("two", "two"), ("one", "one")]
)
def test_the_next_run_judges_what_a_killed_one_did_not(sites: Sites, text: str, served: str) -> None:
    """The killed run made a broken release current, and had not asked for its page yet."""
    sites.converge(app="one")
    sites.server.services.broken = Killed()
    with pytest.raises(Killed):
        sites.converge(app="broken")
    if text == served:
        sites.converge(app=text)
    else:
        assert sites.fail(app=text).details["taken_back"].keys() == {"app"}
    assert sites.served("app") == f"app {served}"


def test_what_need_not_be_answered_is_told(sites: Sites) -> None:
    """On the way back of a release over many servers, which is judged by who does that."""
    told = sites.converge(required=False, app="broken")
    assert [page["site"] for page in told["failed_pages"]] == ["app"]
    assert sites.converge(required=False, app="one")["failed_before"][0]["status"] == 500


def test_what_failed_is_told_with_the_end_of_the_sites_log(sites: Sites) -> None:
    sites.converge(app="one")
    (sites.server.root / "app.log").write_text("PHP Fatal error: gone\n")
    assert str(sites.fail(app="broken")).splitlines()[:4] == [
        "1 of 1 pages are not answered as expected:",
        "- app: / answered 500 at 3",
        f"  {sites.server.root}/app.log (nothing new, its last lines):",
        "    PHP Fatal error: gone",
    ]


def test_releases_that_fail_do_not_pile_up_and_what_is_served_stays(sites: Sites) -> None:
    sites.converge(app="one")
    for number in range(4):
        sites.fail(app=f"{number} broken: app")
        assert sites.served("app") == "app one"
        assert len(sites.server.kept()) <= 3
