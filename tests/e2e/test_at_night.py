"""Commands for an outage: the state of all servers, their logs, a command of a site, a maintenance page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from asking import get
from laptop import ROOT, Laptop, Play
from running_site import Site

SHOWN = "Show the state of the environment"


@pytest.fixture
def _page_hidden(laptop: Laptop) -> Iterator[None]:
    yield
    assert maintained(laptop, on=False).code == 0


def maintained(laptop: Laptop, *, on: bool, **more: Any) -> Play:
    return laptop.play(playbook="playbooks/maintenance.yml", variables={"alb_maintenance": on, **more})


def text_of(play: Play, task: str) -> str:
    """Return what a task showed."""
    [told] = [result["msg"] for name, _host, result in play.results() if name.endswith(task) and "msg" in result]
    return "\n".join(told) if isinstance(told, list) else str(told)


def visited(laptop: Laptop, url: str) -> tuple[str, str]:
    """Return the status and the body that another machine on the internet gets."""
    done = laptop.as_visitor("curl", "--silent", "--max-time", "10", "--write-out", "\n%{http_code}", url)
    body, _line, status = done.stdout.rpartition("\n")
    return status, body


def test_status_tells_all_servers_and_changes_nothing(laptop: Laptop, site: Site) -> None:
    laptop.calls(reset=True)
    play = laptop.play(playbook="playbooks/status.yml")
    assert play.code == 0, play.failures()
    assert laptop.calls()["writes"] == {}
    told = text_of(play, SHOWN)
    assert told.splitlines()[0] == "No problems."
    for name, server in site.servers.items():
        assert re.search(rf"^{name} \({server['InstanceId']}\)$", told, re.MULTILINE)
    assert len(re.findall(r"site app: release \w+ since 20", told)) == len(site.servers)


def test_status_tells_a_stopped_service_first(laptop: Laptop) -> None:
    assert laptop.on("public-1", "systemctl stop mariadb")[0] == 0
    try:
        told = text_of(laptop.play(playbook="playbooks/status.yml"), SHOWN)
    finally:
        assert laptop.on("public-1", "systemctl start mariadb")[0] == 0
    assert told.splitlines()[:2] == ["1 problem:", "  public-1: mariadb.service is inactive"]


def test_a_shell_on_each_server_by_its_name(laptop: Laptop, site: Site) -> None:
    laptop.calls(reset=True)
    play = laptop.play(playbook="playbooks/ssh_config.yml")
    assert play.code == 0, play.failures()
    assert laptop.calls()["writes"] == {}
    config = ROOT / ".environments" / "local" / "ssh_config"
    assert config.stat().st_mode & 0o777 == 0o600
    for name, server in site.servers.items():
        done = laptop.run("ssh", "-F", str(config), "-o", "BatchMode=yes", name, "cat /var/lib/cloud/data/instance-id")
        assert (done.returncode, done.stdout.strip()) == (0, server["InstanceId"]), done.stderr


def test_logs_have_the_lines_of_all_servers_in_the_order_of_time(laptop: Laptop, site: Site) -> None:
    marks = [uuid4().hex for _ in range(6)]
    for number, mark in enumerate(marks):
        assert get(f"{site.urls[('public', 'private')[number % 2]]}/{mark}").status == 404
    play = laptop.play(playbook="playbooks/logs.yml", variables={"lamp_logs_lines": 400, "lamp_logs_minutes": 10})
    assert play.code == 0, play.failures()
    lines = text_of(play, "Show the lines of all servers in the order of time").splitlines()
    for mark in marks:
        assert sum(mark in line and " access: " in line for line in lines) == 1
    times = [line[:19] for line in lines]
    assert times == sorted(times)
    assert len({line.split()[2] for line in lines}) == 4


def test_following_shows_new_lines_while_the_command_runs(laptop: Laptop, site: Site) -> None:
    mark = uuid4().hex
    argv = ("ansible-playbook", "-i", "inventories/local", "playbooks/logs.yml", "-e", "lamp_logs_follow=20")
    with laptop.start_reading(*argv) as run:
        shown = ""
        for line in run.stdout or ():
            shown += line
            if "Read the logs of the site" in line:
                get(f"{site.urls['public']}/{mark}")
            if mark in line:
                break
        ended_before = run.poll() is not None
        run.terminate()
        run.communicate()
    assert re.search(rf"public-\d access: .*{mark}", shown), shown
    assert not ended_before


def test_a_command_runs_in_the_environment_of_its_site(laptop: Laptop) -> None:
    script = "echo getenv('DB_NAME'), ' ', getenv('SERVER'), ' ', trim(shell_exec('id -un')), ' ', getcwd();"
    ran = laptop.play(
        playbook="playbooks/run.yml",
        variables={"lamp_run_command": ["php", "-r", script], "lamp_run_server": "private-2"},
    )
    assert ran.code == 0, ran.failures()
    assert text_of(ran, "Show the output").startswith("app private-2 site-app /srv/www/app/releases/")


def test_a_command_that_fails_tells_its_exit_code_and_its_output(laptop: Laptop) -> None:
    ran = laptop.play(playbook="playbooks/run.yml", variables={"lamp_run_command": "echo reason >&2; exit 7"})
    assert ran.code != 0
    assert text_of(ran, "Show the output") == "reason"
    assert any("the command failed with exit code 7" in message for message in ran.failures())


@pytest.mark.parametrize(
    ("playbook", "variables", "message"),
    [
        ("run", {"lamp_run_command": ""}, "lamp_run_command: is empty"),
        (
            "run",
            {"lamp_run_command": "id", "lamp_run_site": "shop"},
            "lamp_run_site: 'shop' is not a site; give one of app",
        ),
        ("run", {"lamp_run_command": "id", "lamp_run_server": "web"}, "lamp_run_server: 'web' is not a server"),
        ("logs", {"lamp_logs_site": "shop"}, "lamp_logs_site: 'shop' is not a site; give one of app"),
        ("maintenance", {}, "alb_maintenance: is missing"),
        ("maintenance", {"alb_maintenance": True, "alb_maintenance_body": "x" * 1025}, "alb_maintenance_body"),
    ],
)
def test_wrong_input_is_named(laptop: Laptop, playbook: str, variables: dict[str, Any], message: str) -> None:
    play = laptop.play(playbook=f"playbooks/{playbook}.yml", variables=variables)
    assert play.code != 0
    assert any(message in failure for failure in play.failures()), play.failures()


@pytest.mark.usefixtures("_page_hidden")
def test_visitors_get_the_maintenance_page_and_administrators_the_site(laptop: Laptop, site: Site) -> None:
    url = site.urls["public"]
    assert visited(laptop, f"{url}/")[0] == "200"
    on = maintained(laptop, on=True, alb_maintenance_body="back at nine", alb_maintenance_content_type="text/plain")
    assert on.code == 0, on.failures()
    assert visited(laptop, f"{url}/") == ("503", "back at nine")
    assert site.status("public") == 200
    assert set(site.health("public").values()) == {"healthy"}
    run = laptop.play("--tags", "alb")
    assert run.changes() == []
    assert visited(laptop, f"{url}/")[0] == "503"
    assert maintained(laptop, on=False).code == 0
    assert visited(laptop, f"{url}/")[0] == "200"
