# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CloudFront functions. They are created or updated in the stage DEVELOPMENT and then published to the stage LIVE.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/manage-functions.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import (
    Call,
    Change,
    Ids,
    Lookup,
    Ref,
    shown,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import check_name
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    COMPONENT,
    check_comment,
    comment_of,
)

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-functions
LARGEST = 10240
ABSENT = ("NoSuchFunctionExists",)
RESOURCE = "function"


def function_ref(name: str) -> Ref:
    """Return the reference to the ARN of the function `name`."""
    return Ref(RESOURCE, name, "arn")


@dataclass(frozen=True)
class Function:
    """The desired function."""

    name: str
    runtime: str
    source: str

    @property
    def code(self) -> bytes:
        """Return the code to upload. Its first line has the runtime, so that reading the code shows changes of both."""
        return f"// groundwork.aws, {self.runtime}\n{self.source}".encode()


@dataclass(frozen=True)
class Stage:
    """A function's stage DEVELOPMENT."""

    code: bytes
    config: t.Mapping[str, t.Any]
    etag: str


def parse_function(options: t.Mapping[str, t.Any], problems: Problems) -> Function:
    """Return the function that the options of `cloudfront_function` describe."""
    function = Function(options["name"], options["runtime"], options["code"].rstrip() + "\n")
    check_name(function.name, problems)
    if "function handler" not in function.source:
        right = "define 'function handler(event)', which CloudFront calls"
        problems.add("code", "does not define the function 'handler'", right)
    if len(function.code) > LARGEST:
        right = f"use at most {LARGEST} bytes, including the line that the module adds"
        problems.add("code", f"has {len(function.code)} bytes", right)
    return function


def converge_function(run: Run) -> dict[str, t.Any]:
    """Create, update and publish the function, and return the result of the module `cloudfront_function`."""
    owner, desired = run.parse(COMPONENT, parse_function)
    name = owner.name(desired.name)
    live = _code(run.clients, name, "LIVE")
    stage = None if live == desired.code else _development(run.clients, name)
    if stage:
        check_comment(owner, RESOURCE, name, stage.config.get("Comment", ""))
    ids: Ids = {}
    result = run.make(plan(owner, desired, live, stage), ids)
    return {**result, "name": name, "etag": shown(_etag(desired.name), ids) if result["changed"] else ""}


def plan(owner: Owner, desired: Function, live: bytes | None, stage: Stage | None) -> list[Change]:
    """Return the change that creates or updates the function and publishes it.

    If an interrupted run has updated the stage DEVELOPMENT already, the change only publishes it.
    """
    if live == desired.code:
        return []
    name = owner.name(desired.name)
    config = {**(stage.config if stage else {}), "Comment": comment_of(owner), "Runtime": desired.runtime}
    before = _shown(stage)
    version: Ref | str = _etag(desired.name)
    if stage and (stage.code, stage.config) == (desired.code, config):
        version, calls = stage.etag, []
    elif stage:
        update = _write("update_function", name, config, desired, IfMatch=stage.etag)
        calls = [update.found_by(_written(name, desired))]
    else:
        calls = [_write("create_function", name, config, desired).found_by(_created(name))]
    publish = Call("cloudfront", "publish_function", {"Name": name, "IfMatch": version})
    after = {"runtime": desired.runtime, "code": desired.code.decode()}
    action: t.Literal["create", "update"] = "update" if stage else "create"
    return [Change(action, RESOURCE, desired.name, (*calls, publish), before, after)]


def _write(operation: str, name: str, config: t.Mapping[str, t.Any], desired: Function, **more: t.Any) -> Call:
    arguments = {"Name": name, "FunctionConfig": config, "FunctionCode": desired.code, **more}
    return Call("cloudfront", operation, arguments).yielding(_etag(desired.name), "ETag")


def _created(name: str) -> Lookup:
    return Lookup("describe_function", "", {"Name": name, "Stage": "DEVELOPMENT"}, absent=ABSENT)


def _written(name: str, desired: Function) -> Lookup:
    """Return how to find that an update was accepted, when its response was lost. See canonical.updated."""
    arguments = {"Name": name, "Stage": "DEVELOPMENT"}
    return Lookup("get_function", "", arguments, lambda answer: answer["FunctionCode"].read() == desired.code)


def _etag(name: str) -> Ref:
    return Ref(RESOURCE, name, "etag")


def _shown(stage: Stage | None) -> dict[str, str]:
    return {"runtime": stage.config["Runtime"], "code": stage.code.decode("utf-8", "replace")} if stage else {}


def _code(clients: Clients, name: str, stage: str) -> bytes | None:
    read = Read("cloudfront", "get_function", "FunctionCode", {"Name": name, "Stage": stage}, ABSENT)
    found = observe(clients, {"code": read})["code"]
    return bytes(found[0].read()) if found else None


def _development(clients: Clients, name: str) -> Stage | None:
    """Read the stage DEVELOPMENT: first the ETag, so that an update fails if the code is changed afterwards."""
    arguments = {"Name": name, "Stage": "DEVELOPMENT"}
    found = observe(clients, {"all": Read("cloudfront", "describe_function", "", arguments, ABSENT)})["all"]
    if not found:
        return None
    code = _code(clients, name, "DEVELOPMENT") or b""
    return Stage(code, found[0]["FunctionSummary"]["FunctionConfig"], found[0]["ETag"])
