"""The private key is in Parameter Store and in the file of each controller, and every message leads to that state."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import typing as t
from pathlib import Path

import pytest
from cloud import Cloud, Survives, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers import private_key
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.private_key import converge_private_key
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import public_half

NAME = "/groundwork/dev/servers/key"
FIRST = [f"create parameter {NAME}", "create file id_ed25519", "create file id_ed25519.pub"]
FETCHED = FIRST[1:]


class Controller:
    """A controller with a folder of its own, which runs the module."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self.path = folder / "dev" / "id_ed25519"
        self.shown: list[t.Any] = []

    def run(self, *, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
        options = {
            "environment_name": "dev",
            "tags": {},
            "path": str(self.path),
            "kms_key": "",
            "renew": False,
            **given,
        }
        result: dict[str, t.Any] = self.cloud.run(converge_private_key, options, check_mode=check_mode)
        self.shown.append(result)
        return result

    def refused(self, **given: t.Any) -> str:
        """Return the message of a run that fails, and that changes nothing."""
        before = self.files, stored(self.cloud)
        with pytest.raises(GroundworkError) as caught:
            self.run(**given)
        assert (self.files, stored(self.cloud)) == before
        self.shown.append((str(caught.value), caught.value.details))
        return str(caught.value)

    @property
    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.path.parent.glob("*")}

    @property
    def key(self) -> str:
        return str(public_half(self.path.read_text()))

    def move_away(self) -> None:
        for path in self.path.parent.glob("*"):
            path.rename(f"{path}.away")

    def has(self, key: str) -> None:
        """Put a private key and its public key into the folder."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.write_text(key)
        self.path.with_name("id_ed25519.pub").write_text(f"{public_half(key)}\n")


def stored(cloud: Cloud) -> str | None:
    found = cloud.of("ssm").get_parameters(Names=[NAME], WithDecryption=True)["Parameters"]
    return str(found[0]["Value"]) if found else None


def import_pair(cloud: Cloud, key: str) -> None:
    """Give EC2's key pair the public half of a private key."""
    tags = [{"Key": "groundwork:environment", "Value": "dev"}]
    cloud.ec2.delete_key_pair(KeyName="dev-servers")
    cloud.ec2.import_key_pair(
        KeyName="dev-servers",
        PublicKeyMaterial=str(public_half(key)).encode(),
        TagSpecifications=[{"ResourceType": "key-pair", "Tags": tags}],
    )


@pytest.fixture(scope="module")
def keys() -> list[str]:
    return [private_key.generate("dev") for __ in range(3)]


@pytest.fixture
def one(cloud: Cloud, tmp_path: Path) -> Controller:
    return Controller(cloud, tmp_path / "one")


@pytest.fixture
def two(cloud: Cloud, tmp_path: Path) -> Controller:
    return Controller(cloud, tmp_path / "two")


@pytest.fixture(autouse=True)
def _no_secret_is_shown(one: Controller, two: Controller) -> t.Iterator[None]:
    """No result and no error of a test contains a line of a private key."""
    yield
    texts = [text for controller in (one, two) for text in controller.files.values() if "PRIVATE KEY" in text]
    lines = {line for text in texts for line in text.splitlines() if len(line) > 20 and not line.startswith("-----")}
    assert not any(line in str([one.shown, two.shown]) for line in lines)


def test_a_new_environment_gets_a_key_once(one: Controller) -> None:
    assert told(one.run(check_mode=True)) == FIRST
    assert (one.cloud.writes, one.path.parent.exists()) == ([], False)
    assert told(one.run()) == FIRST
    assert stored(one.cloud) == one.path.read_text()
    assert one.key == one.path.with_name("id_ed25519.pub").read_text().strip()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (one.path.parent, one.path)]
    assert modes == [0o700, 0o600]
    argv = ["ssh-keygen", "-y", "-f", str(one.path)]
    assert subprocess.run(argv, check=True, capture_output=True, text=True).stdout.startswith(one.key)
    assert told(one.run()) == []
    assert one.cloud.calls == ["GetParameters"]


def test_the_parameter_is_a_secret_of_the_environment(one: Controller) -> None:
    one.run(kms_key="alias/groundwork")
    ssm = one.cloud.of("ssm")
    own = [{"Key": "Name", "Values": [NAME]}]
    [described] = ssm.describe_parameters(ParameterFilters=own)["Parameters"]
    assert (described["Name"], described["Type"], described["KeyId"]) == (NAME, "SecureString", "alias/groundwork")
    tags = {
        tag["Key"]: tag["Value"]
        for tag in ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)["TagList"]
    }
    assert tags == {"Name": "dev-servers-key", "groundwork:environment": "dev", "groundwork:component": "servers"}
    assert len(stored(one.cloud) or "") < private_key.LARGEST_VALUE


@pytest.mark.parametrize("check_mode", [False, True])
def test_another_controller_fetches_it_in_check_mode_too(one: Controller, two: Controller, check_mode: bool) -> None:
    one.run()
    assert told(two.run(check_mode=check_mode)) == FETCHED
    assert two.cloud.writes == []
    assert two.files == one.files
    assert told(two.run()) == []


def test_a_controller_of_before_stores_what_it_has(one: Controller, two: Controller, keys: list[str]) -> None:
    one.has(keys[0])
    import_pair(one.cloud, keys[0])
    assert told(one.run(check_mode=True)) == FIRST[:1] == told(one.run())
    two.run()
    assert two.key == one.key


def test_a_missing_public_key_is_written(one: Controller) -> None:
    one.run()
    one.path.with_name("id_ed25519.pub").unlink()
    assert told(one.run()) == ["create file id_ed25519.pub"]
    assert told(one.run()) == []


def test_killed_after_any_write_it_is_complete_after_the_next(survives: Survives, tmp_path: Path) -> None:
    folder = iter(range(1000))
    options = {"environment_name": "dev", "tags": {}, "kms_key": "", "renew": False, "path": ""}

    def prepare(_cloud: Cloud) -> None:
        options["path"] = str(tmp_path / str(next(folder)) / "id_ed25519")

    def look(cloud: Cloud) -> bool:
        return stored(cloud) == Path(str(options["path"])).read_text()

    assert survives(converge_private_key, options, look, prepare) == 1


def test_of_two_first_controllers_both_have_the_key_of_the_first(
    one: Controller, two: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate = private_key.generate

    def overtaken(environment: str) -> str:
        monkeypatch.setattr(private_key, "generate", generate)
        two.run()
        return generate(environment)

    monkeypatch.setattr(private_key, "generate", overtaken)
    one.run()
    assert one.files == two.files


# Every remedy ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", [None, 0, 1, 2], ids=["no pair", "the parameter's", "the file's", "another"])
@pytest.mark.parametrize("newer", [True, False])
def test_a_file_that_differs_is_told_and_the_remedy_works(
    one: Controller, two: Controller, keys: list[str], pair: int | None, newer: bool
) -> None:
    one.has(keys[0])
    one.run()
    two.has(keys[1])
    os.utime(two.path, (1, 1) if newer else (4e9, 4e9))
    if pair is not None:
        import_pair(one.cloud, keys[pair])
    message = two.refused()
    assert f"is {'newer' if newer else 'older'} than the file" in message
    if "aws ssm delete-parameter" in message:
        assert pair == 1
        name = re.search(r"--name (\S+)'", message)
        assert name
        one.cloud.of("ssm").delete_parameter(Name=name[1])
        assert told(two.run()) == FIRST[:1]
        assert stored(two.cloud) == keys[1]
        return
    assert f"Move {two.path} and id_ed25519.pub elsewhere" in message
    assert ("groundwork.aws.recover" in message) == (pair == 2)
    two.move_away()
    assert told(two.run(renew=pair == 2)) == FETCHED
    assert two.path.read_text() == keys[0]


def test_a_lost_key_is_told_and_another_controller_stores_it(one: Controller, two: Controller, keys: list[str]) -> None:
    import_pair(one.cloud, keys[0])
    message = two.refused()
    assert "neither" in message and "run groundwork.aws.site there once" in message
    one.has(keys[0])
    one.run()
    assert told(two.run()) == FETCHED


def test_a_lost_key_is_told_and_recover_creates_one(two: Controller, keys: list[str]) -> None:
    import_pair(two.cloud, keys[0])
    assert "groundwork.aws.recover with servers_recover=all, which installs a new key" in two.refused()
    assert told(two.run(renew=True)) == FIRST
    assert stored(two.cloud) == two.path.read_text() != keys[0]


def test_a_key_that_is_not_the_pairs_is_told_and_recover_takes_it(two: Controller, keys: list[str]) -> None:
    import_pair(two.cloud, keys[0])
    two.has(keys[1])
    assert "which installs the key of" in two.refused()
    assert told(two.run(renew=True)) == FIRST[:1]
    assert stored(two.cloud) == keys[1]


def test_a_key_that_is_not_the_pairs_is_moved_away_when_another_controller_has_it(
    one: Controller, two: Controller, keys: list[str]
) -> None:
    import_pair(two.cloud, keys[0])
    two.has(keys[1])
    assert (
        f"run groundwork.aws.site there once, which stores it, move {two.path} elsewhere and run again" in two.refused()
    )
    one.has(keys[0])
    one.run()
    two.move_away()
    assert told(two.run()) == FETCHED


def test_a_file_that_is_not_a_key_is_told(one: Controller, two: Controller) -> None:
    one.run()
    two.path.parent.mkdir(parents=True)
    two.path.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
    assert "Move the file elsewhere and run again" in two.refused()
    two.move_away()
    assert told(two.run()) == FETCHED


def test_a_wrong_public_key_is_told(one: Controller, keys: list[str]) -> None:
    one.run()
    public = one.path.with_name("id_ed25519.pub")
    public.write_text(f"{public_half(keys[0])}\n")
    assert f"{public} is not the public key" in one.refused()
    public.unlink()
    assert told(one.run()) == ["create file id_ed25519.pub"]


@pytest.mark.parametrize(("kind", "value"), [("String", ""), ("SecureString", "no key")])
def test_a_parameter_that_is_not_a_key_is_told(one: Controller, keys: list[str], kind: str, value: str) -> None:
    one.has(keys[0])
    one.cloud.of("ssm").put_parameter(Name=NAME, Value=value or keys[0], Type=kind)
    assert f"aws ssm delete-parameter --name {NAME}" in one.refused()
    one.cloud.of("ssm").delete_parameter(Name=NAME)
    assert told(one.run()) == FIRST[:1]


def test_what_aws_repeats_of_a_refused_value_is_hidden(one: Controller, keys: list[str]) -> None:
    one.has(keys[0])

    def refuse(params: dict[str, t.Any], **_event: t.Any) -> t.Any:
        raise one.cloud.of("ssm").exceptions.ClientError(
            {
                "Error": {
                    "Code": "ValidationException",
                    "Message": f"Value '{params['body'].decode()}' is wrong: {keys[0]}",
                }
            },
            "PutParameter",
        )

    client = one.cloud._watched.client("ssm", watched=True, writing=True)
    client.meta.events.register("before-call.ssm.PutParameter", refuse)
    try:
        message = one.refused()
    finally:
        client.meta.events.unregister("before-call.ssm.PutParameter", refuse)
    assert "ValidationException" in message
    assert keys[0].splitlines()[2] not in message


def test_a_kms_key_has_to_be_one(one: Controller) -> None:
    assert "kms_key: 'my key' is not a KMS key" in one.refused(kms_key="my key")
