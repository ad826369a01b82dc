"""The collection's archive holds tracked files that galaxy.yml names, whatever else lies in the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from checkout import ROOT, copy_tracked, tracked

GALAXY = Path(sys.executable).with_name("ansible-galaxy")
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
SECRET = "PLANTED-SECRET"
PACKED = {
    "LICENSE",
    "README.md",
    "bindep.txt",
    "requirements.txt",
    "changelogs",
    "docs",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}
# What a checkout gathers while it is used. Each file has a secret in it, wherever it is and whatever its name says.
PLANTED = [
    ".ansible/facts/public-1",
    ".ansible/tmp/ansible-local-1/AnsiballZ_ec2_instance_group.py",
    ".aws/config",
    ".aws/credentials",
    ".build/ansible-test/.ansible/test/cache/content",
    ".bash_history",
    ".collections/ansible_collections/community/aws/plugins/modules/s3_sync.py",
    ".env",
    ".environments/local/id_ed25519",
    ".environments/local/known_hosts",
    ".environments/local/releases/app-1.tar.gz",
    ".environments/our customer's/id_ed25519",
    ".idea/workspace.xml",
    ".ssh/id_rsa",
    ".vault-password",
    ".venv/lib/python3.11/site-packages/roles/lamp/tasks/main.yml",
    ".vscode/settings.json",
    "LICENSE.orig",
    "README.md~",
    "ansible.log",
    "backups/roles/lamp/tasks/main.yml",
    "changelogs/changelog.yaml.bak",
    "core",
    "docs/decisions/9999-passwords.md",
    "docs/private.md",
    "dump.sql",
    "environments/prod/id_ed25519",
    "fact_cache/public-1",
    "groundwork-aws-0.0.9.tar.gz",
    "host_vars/public-1.yml",
    "group_vars/all/vault.yml",
    "inventories/dev/group_vars/all/vault.yml",
    "inventories/dev/host_vars/public-1.yml",
    "inventories/prod/.environments/prod/id_ed25519",
    "inventories/prod/group_vars/vault.yml",
    "inventories/shop/aws_ec2.yml",
    "inventories/shop/group_vars/all.yml",
    "key.pem",
    "keys/prod",
    "meta/credentials.yml",
    "nohup.out",
    "playbooks/.env",
    "playbooks/files/key.pem",
    "playbooks/group_vars/all.yml",
    "playbooks/secrets.yml",
    "playbooks/site.retry",
    "playbooks/site.yml.swp",
    "playbooks/tasks/mine.yml",
    "plugins/action/__pycache__/preflight.cpython-311.pyc",
    "plugins/inventory/mine.py",
    "plugins/module_utils/.converge.py.swp",
    "plugins/module_utils/credentials.py",
    "plugins/modules/ec2_vpc_network.py.orig",
    "plugins/modules/mine.py",
    "requirements.txt.save",
    "roles/lamp/defaults/main.yml~",
    "roles/lamp/files/app/.env",
    "roles/lamp/files/app/public/config.php",
    "roles/lamp/files/id_ed25519",
    "roles/lamp/tasks/#main.yml#",
    "roles/lamp/tasks/mine.yml",
    "roles/lamp/templates/mine.j2",
    "roles/lamp/vars/vault.yml",
    "roles/mine/tasks/main.yml",
    "roles/static_site/files/site/private.html",
    "site.retry",
    "terraform.tfstate",
    "tests/config.yml.bak",
    "tests/integration/cloud-config-aws.ini",
    "tests/output/coverage",
    "vault.yml",
]
# Tracked files that people are asked to edit, and to which the values of their environments go.
EDITED = ["inventories/dev/group_vars/all.yml", "inventories/prod/aws_ec2.yml", "inventories/prod/group_vars/all.yml"]


def galaxy(*argv: str, folder: Path) -> None:
    own = {**os.environ, "ANSIBLE_HOME": str(folder / "ansible"), "ANSIBLE_NOCOLOR": "1"}
    ran = subprocess.run(
        [str(GALAXY), "collection", *argv], cwd=folder, env=own, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as it is after months of use: keys, caches, editors' files, links, edited inventories."""
    checkout = tmp_path_factory.mktemp("used") / "check out"
    copy_tracked(checkout)
    for name in PLANTED:
        path = checkout / name
        assert not path.exists(), f"{name} is tracked: plant another"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"password: {SECRET}\n")
    for name in EDITED:
        with (checkout / name).open("a") as file:
            file.write(f"password: {SECRET}\n")
    (checkout / "roles" / "lamp" / "files" / "linked.php").symlink_to(checkout / ".env")
    (checkout / "roles" / "linked").symlink_to(checkout / ".environments")
    (checkout / "plugins" / ".#lock").symlink_to("nobody@nowhere.1")
    (checkout / "docs" / "loop").symlink_to("..")
    return checkout


@pytest.fixture(scope="module")
def archive(used: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    galaxy("build", str(used), "--output-path", str(folder), folder=folder)
    [built] = folder.glob("*.tar.gz")
    return built


@pytest.fixture(scope="module")
def members(archive: Path) -> Mapping[str, bytes]:
    """The archive's files. Nothing else is in it but folders."""
    with tarfile.open(archive) as opened:
        others = [member for member in opened if not member.isdir()]
        assert [member.name for member in others if not member.isfile()] == []
        return {member.name: opened.extractfile(member).read() for member in others}  # type: ignore[union-attr]


def test_a_used_checkout_packs_what_is_tracked_and_nothing_else(members: Mapping[str, bytes], used: Path) -> None:
    own = {"MANIFEST.json", "FILES.json"}
    assert set(members) - own <= set(tracked())
    assert {name.split("/")[0] for name in set(members) - own} == PACKED
    assert {name: members[name] for name in set(members) - own} == {
        name: (ROOT / name).read_bytes() for name in set(members) - own
    }


def test_no_member_has_a_planted_secret(members: Mapping[str, bytes]) -> None:
    assert [name for name, content in members.items() if SECRET.encode() in content] == []


@pytest.mark.parametrize("folder", ["meta", "playbooks", "plugins", "roles", "docs"])
def test_everything_tracked_of_the_collection_is_packed(members: Mapping[str, bytes], folder: str) -> None:
    missing = [name for name in tracked() if name.startswith(f"{folder}/") and name not in members]
    assert missing == [], "run tools/manifest"


def test_the_list_of_files_is_what_its_tool_writes() -> None:
    ran = subprocess.run(["tools/manifest", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_directive_names_one_file() -> None:
    """A pattern would pack what somebody has put beside the tracked files."""
    manifest = yaml.safe_load((ROOT / "galaxy.yml").read_text())["manifest"]
    assert manifest["omit_default_directives"] is True
    assert [line for line in manifest["directives"] if not set("*?[]{}!\\ ").isdisjoint(line.split(" ", 1)[1])] == []
    assert {line.split(" ")[0] for line in manifest["directives"]} == {"include"}


@pytest.fixture(scope="module")
def installed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed collection."""
    folder = tmp_path_factory.mktemp("installed")
    galaxy("install", "--no-deps", str(archive), "-p", str(folder), folder=folder)
    return folder


def test_its_requirements_can_be_installed_from_anywhere(installed: Path) -> None:
    """Only distributions of the package index: no path that the archive does not have, and no lab."""
    collection = installed / "ansible_collections" / "groundwork" / "aws"
    lines = [line.split("#")[0].strip() for line in (collection / "requirements.txt").read_text().splitlines()]
    names = {line.split(";")[0].split(">")[0] for line in lines if line}
    assert names == {"ansible", "boto3", "brotli", "dnspython"}


@pytest.fixture(scope="module")
def alone(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what must be enough of the installed collection, by the requirements of the Ansible community.

    https://docs.ansible.com/projects/ansible/latest/community/collection_contributors/collection_requirements.html
    """
    folder, path = tmp_path_factory.mktemp("alone"), Path("ansible_collections", "groundwork", "aws")
    for part in ("meta", "playbooks", "plugins", "roles"):
        shutil.copytree(installed / path / part, folder / path / part)
    return folder


def ran_alone(alone: Path, folder: Path, program: str, *words: str) -> str:
    """Return the output of a program that runs in a folder without the checkout's ansible.cfg."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    own |= {"ANSIBLE_COLLECTIONS_PATH": str(alone), "ANSIBLE_HOME": str(folder / "ansible")}
    argv = [str(GALAXY.with_name(program)), *words]
    ran = subprocess.run(argv, cwd=folder, env=own, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_an_installed_collection_has_every_playbook_by_name(alone: Path, tmp_path: Path) -> None:
    names = [f"groundwork.aws.{name}" for name in PLAYBOOKS]
    printed = ran_alone(alone, tmp_path, "ansible-playbook", "-i", "localhost,", "--syntax-check", *names)
    assert printed.count("playbook: ") == len(PLAYBOOKS)


def test_an_installed_collection_documents_everything(alone: Path, tmp_path: Path) -> None:
    """A module or a role without a documentation that can be read is an error of ansible-doc."""
    found = json.loads(ran_alone(alone, tmp_path, "ansible-doc", "--metadata-dump", "groundwork.aws"))["all"]
    folders = {"module": "modules", "filter": "filter", "inventory": "inventory"}
    wanted = {kind: {path.stem for path in (ROOT / "plugins" / name).glob("*.py")} for kind, name in folders.items()}
    wanted["role"] = {path.name for path in (ROOT / "roles").iterdir()}
    assert {kind: {name.rpartition(".")[2] for name in found[kind]} for kind in wanted} == wanted


def test_the_manifest_tells_the_version_of_galaxy_yml(members: Mapping[str, bytes]) -> None:
    info = json.loads(members["MANIFEST.json"])["collection_info"]
    declared = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    assert (info["version"], info["dependencies"]) == (declared["version"], declared["dependencies"])
