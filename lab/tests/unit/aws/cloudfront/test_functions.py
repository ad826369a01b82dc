"""Functions: created, updated, published, associated."""

from __future__ import annotations

from typing import Any

import pytest

CODE = b"function handler(event) {\n  return event.request; // \xc3\xbc\n}\n"
OTHER = b"function handler(event) { return {statusCode: 404} }"
CONFIG = {"Comment": "clean URLs", "Runtime": "cloudfront-js-2.0"}


def test_stages(cdn: Any) -> None:
    made = cdn.api.create_function(Name="rewrite", FunctionConfig=CONFIG, FunctionCode=CODE)
    summary = made["FunctionSummary"]
    arn = "arn:aws:cloudfront::123456789012:function/rewrite"
    assert summary["FunctionMetadata"]["FunctionARN"] == arn
    assert (summary["Status"], summary["FunctionMetadata"]["Stage"]) == ("UNPUBLISHED", "DEVELOPMENT")
    cdn.lab.refused("NoSuchFunctionExists", cdn.api.get_function, Name="rewrite", Stage="LIVE")
    assert cdn.lab.plane.snapshot().edge_functions == {}

    published = cdn.api.publish_function(Name="rewrite", IfMatch=made["ETag"])["FunctionSummary"]
    assert (published["Status"], published["FunctionMetadata"]["Stage"]) == ("UNASSOCIATED", "LIVE")

    updated = cdn.api.update_function(
        Name="rewrite", IfMatch=made["ETag"], FunctionConfig={**CONFIG, "Comment": "other"}, FunctionCode=OTHER
    )
    assert updated["ETag"] != made["ETag"]
    live = cdn.api.get_function(Name="rewrite", Stage="LIVE")
    assert (live["FunctionCode"].read(), live["ContentType"]) == (CODE, "application/octet-stream")
    assert cdn.api.get_function(Name="rewrite")["FunctionCode"].read() == OTHER
    assert cdn.api.describe_function(Name="rewrite")["FunctionSummary"]["Status"] == "UNPUBLISHED"
    function = cdn.lab.plane.snapshot().edge_functions[arn]
    assert (function.code, function.name, function.runtime) == (CODE, "rewrite", "cloudfront-js-2.0")

    cdn.api.publish_function(Name="rewrite", IfMatch=updated["ETag"])
    assert cdn.api.describe_function(Name="rewrite")["ETag"] == updated["ETag"]
    assert cdn.lab.plane.snapshot().edge_functions[arn].code == OTHER


@pytest.mark.parametrize("verb", ["update", "publish", "delete"])
def test_a_change_needs_the_newest_version(cdn: Any, verb: str) -> None:
    cdn.function()
    rest = {"FunctionConfig": CONFIG, "FunctionCode": CODE} if verb == "update" else {}
    call = getattr(cdn.api, f"{verb}_function")
    cdn.lab.refused("PreconditionFailed", call, Name="rewrite", IfMatch="E2QWRUHAPOMQZL", **rest)
    cdn.lab.refused("NoSuchFunctionExists", call, Name="other", IfMatch="E2QWRUHAPOMQZL", **rest)


def test_what_is_associated_stays(cdn: Any) -> None:
    arn = cdn.live_function()
    distribution = cdn.distribution(DefaultCacheBehavior=cdn.behavior(FunctionAssociations=cdn.associations(arn)))
    described = cdn.api.describe_function(Name="rewrite")
    assert described["FunctionSummary"]["Status"] == "ASSOCIATED"
    cdn.lab.refused("FunctionInUse", cdn.api.delete_function, Name="rewrite", IfMatch=described["ETag"])

    behavior = distribution["Distribution"]["DistributionConfig"]["DefaultCacheBehavior"]
    free = {**behavior, "FunctionAssociations": {"Quantity": 0}}
    cdn.update(distribution["Distribution"]["Id"], DefaultCacheBehavior=free)
    cdn.api.delete_function(Name="rewrite", IfMatch=described["ETag"])
    cdn.lab.refused("NoSuchFunctionExists", cdn.api.describe_function, Name="rewrite")


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("FunctionAlreadyExists", {}),
        ("FunctionSizeLimitExceeded", {"Name": "big", "FunctionCode": b"x" * 10241}),
        ("InvalidArgument", {"Name": "with space"}),
        ("InvalidArgument", {"Name": "old", "FunctionConfig": {"Comment": "", "Runtime": "nodejs"}}),
        (
            "UnsupportedOperation",
            {
                "Name": "store",
                "FunctionConfig": {
                    **CONFIG,
                    "KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": "arn:aws:x"}]},
                },
            },
        ),
    ],
)
def test_functions_that_aws_refuses(cdn: Any, code: str, changes: dict[str, Any]) -> None:
    cdn.function("rewrite")
    wanted = {"Name": "rewrite", "FunctionConfig": CONFIG, "FunctionCode": CODE, **changes}
    cdn.lab.refused(code, cdn.api.create_function, **wanted)


def test_the_largest_function(cdn: Any) -> None:
    cdn.function("big", b"x" * 10240)


def test_lists_tell_one_stage(cdn: Any) -> None:
    cdn.live_function("one")
    cdn.function("two")

    def names(**options: Any) -> list[str]:
        listed = cdn.api.list_functions(**options)["FunctionList"]
        return [each["Name"] for each in listed.get("Items", [])]

    assert names() == ["one", "two"]
    assert names(Stage="LIVE") == ["one"]
    assert names(MaxItems="1") == ["one"]
    assert names(MaxItems="1", Marker="one") == ["two"]


def test_tags(cdn: Any) -> None:
    made = cdn.api.create_function(
        Name="rewrite", FunctionConfig=CONFIG, FunctionCode=CODE, Tags={"Items": [{"Key": "a", "Value": "b"}]}
    )
    arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    assert cdn.api.list_tags_for_resource(Resource=arn)["Tags"]["Items"] == [{"Key": "a", "Value": "b"}]
