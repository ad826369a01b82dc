"""CloudFront functions: a DEVELOPMENT stage that is updated, and a LIVE stage that is published from it.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/manage-functions.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.core.utils import utcnow

from groundwork_lab.aws.cloudfront import pages, tags
from groundwork_lab.aws.cloudfront.state import Backend, Function, Stage, StageOfFunction
from groundwork_lab.aws.cloudfront.versions import check_version
from groundwork_lab.aws.context import refuse

LARGEST = 10 * 1024  # bytes
LIMIT = 100
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-functions
CONTENT_TYPE = "application/octet-stream"
Request = Mapping[str, Any]


def create_function(backend: Backend, request: Request) -> dict[str, Any]:
    name = request["Name"]
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
        refuse("InvalidArgument", f"The function name '{name}' is not valid.")
    if name in backend.functions:
        refuse("FunctionAlreadyExists", f"A function with the name '{name}' already exists in this account.")
    if len(backend.functions) >= LIMIT:
        refuse("TooManyFunctions", "You have reached the maximum number of CloudFront functions for this account.")
    wanted = tags.items(request.get("Tags"))
    tags.check(wanted)
    stage = StageOfFunction(_checked(request["FunctionConfig"]), _code(request))
    function = Function(name, backend.arn("function", name), {"DEVELOPMENT": stage})
    backend.functions[name] = function
    backend.tagger.tag_resource(function.arn, wanted)
    location = f"https://cloudfront.amazonaws.com/2020-05-31/{function.arn}"
    return {"FunctionSummary": _summary(backend, function, "DEVELOPMENT"), "ETag": stage.etag, "Location": location}


def update_function(backend: Backend, request: Request) -> dict[str, Any]:
    function = _existing(backend, request)
    stage = _checked_version(function, request)
    config, code = _checked(request["FunctionConfig"]), _code(request)
    function.stages["DEVELOPMENT"] = StageOfFunction(config, code, created=stage.created)
    etag = function.stages["DEVELOPMENT"].etag
    return {"FunctionSummary": _summary(backend, function, "DEVELOPMENT"), "ETag": etag}


def publish_function(backend: Backend, request: Request) -> dict[str, Any]:
    """Copy the DEVELOPMENT stage to the LIVE stage, which gets its own ETag. The ETag of DEVELOPMENT stays the same."""
    function = _existing(backend, request)
    stage = _checked_version(function, request)
    before = function.stages.get("LIVE")
    created = before.created if before else utcnow()
    function.stages["LIVE"] = StageOfFunction(stage.config, stage.code, created=created)
    return {"FunctionSummary": _summary(backend, function, "LIVE")}


def describe_function(backend: Backend, request: Request) -> dict[str, Any]:
    function = _existing(backend, request)
    stage = _stage(request)
    return {"FunctionSummary": _summary(backend, function, stage), "ETag": _at(function, stage).etag}


def get_function(backend: Backend, request: Request) -> dict[str, Any]:
    at = _at(_existing(backend, request), _stage(request))
    return {"FunctionCode": at.code, "ETag": at.etag, "ContentType": CONTENT_TYPE}


def list_functions(backend: Backend, request: Request) -> dict[str, Any]:
    """List the functions of a stage, by default of DEVELOPMENT."""
    stage = _stage(request)
    found = {each.name: _summary(backend, each, stage) for each in backend.functions.values() if stage in each.stages}
    return {"FunctionList": pages.listed(request, pages.by_id(found))}


def delete_function(backend: Backend, request: Request) -> dict[str, Any]:
    function = _existing(backend, request)
    _checked_version(function, request)
    if is_associated(backend, function):
        refuse(
            "FunctionInUse",
            "Cannot delete the function because it's attached to one or more cache behaviors. "
            "Remove the function from all cache behaviors and try again.",
        )
    del backend.functions[function.name]
    backend.tagger.delete_all_tags_for_resource(function.arn)
    return {}


def is_associated(backend: Backend, function: Function) -> bool:
    """Return whether a distribution refers to the function."""
    return any(
        association["FunctionARN"] == function.arn
        for distribution in backend.distributions.values()
        for behavior in distribution.behaviors
        for association in behavior["FunctionAssociations"].get("Items", ())
    )


def _existing(backend: Backend, request: Request) -> Function:
    if request["Name"] not in backend.functions:
        refuse("NoSuchFunctionExists", "The specified function does not exist.")
    return backend.functions[request["Name"]]


def _checked_version(function: Function, request: Request) -> StageOfFunction:
    stage = function.stages["DEVELOPMENT"]
    check_version(stage.etag, request.get("IfMatch"))
    return stage


def _stage(request: Request) -> Stage:
    return "LIVE" if request.get("Stage") == "LIVE" else "DEVELOPMENT"


def _at(function: Function, stage: Stage) -> StageOfFunction:
    if stage not in function.stages:
        refuse("NoSuchFunctionExists", f"The function '{function.name}' has no {stage} stage.")
    return function.stages[stage]


def _code(request: Request) -> bytes:
    code = request["FunctionCode"]
    data = code.encode() if isinstance(code, str) else bytes(code)
    if not data:
        refuse("InvalidArgument", "The function code cannot be empty.")
    if len(data) > LARGEST:
        refuse("FunctionSizeLimitExceeded", f"The function size exceeds the limit of {LARGEST} bytes.")
    return data


def _checked(config: dict[str, Any]) -> dict[str, Any]:
    if (config.get("KeyValueStoreAssociations") or {}).get("Quantity"):
        refuse("UnsupportedOperation", "The lab has no key value stores; it refuses KeyValueStoreAssociations.")
    if len(config["Comment"]) > 128:
        refuse("InvalidArgument", "The parameter Comment is longer than 128 characters.")
    return config


def _summary(backend: Backend, function: Function, stage: Stage) -> dict[str, Any]:
    at = _at(function, stage)
    if stage == "DEVELOPMENT" and not function.published:
        status = "UNPUBLISHED"
    else:
        status = "ASSOCIATED" if is_associated(backend, function) else "UNASSOCIATED"
    return {
        "Name": function.name,
        "Status": status,
        "FunctionConfig": at.config,
        "FunctionMetadata": {
            "FunctionARN": function.arn,
            "Stage": stage,
            "CreatedTime": at.created,
            "LastModifiedTime": at.modified,
        },
    }


OPERATIONS = {
    "CreateFunction": create_function,
    "UpdateFunction": update_function,
    "PublishFunction": publish_function,
    "DescribeFunction": describe_function,
    "GetFunction": get_function,
    "ListFunctions": list_functions,
    "DeleteFunction": delete_function,
}
