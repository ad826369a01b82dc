"""The removal of servers: what has to outlive them."""

from __future__ import annotations

from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Sight, Thing, Whose
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.order import levels
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.removal import REMOVAL

SERVER, KEY, PASSWORD = (
    "i-0123456789abcdef0",
    "/groundwork/dev/servers/key",
    "/groundwork/dev/lamp/app/database-password",
)


def test_an_interrupted_teardown_keeps_the_private_key_for_as_long_as_there_are_servers() -> None:
    instance = {
        "InstanceId": SERVER,
        "InstanceType": "t3.small",
        "State": {"Name": "running"},
        "Tags": [{"Key": "groundwork:environment", "Value": "dev"}],
    }
    sight = Sight(Whose("dev"), {"instances": [{"Instances": [instance]}], "volumes": [], "key pairs": []})
    parameters = [Thing("parameter", name, name) for name in (KEY, PASSWORD)]
    assert levels([*parameters, *REMOVAL.things(sight)]) == {KEY: 1, PASSWORD: 0, SERVER: 0}
