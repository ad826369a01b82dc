"""The checks of a request against botocore's model: required members, enum values and quantities. Pure functions.

https://docs.aws.amazon.com/cloudfront/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from typing import Any

from groundwork_lab.aws.context import refuse


def check(shape: Any, value: Any) -> None:
    """Refuse a structure with a missing required member, an unknown enum value or a wrong `Quantity`."""
    if shape.type_name == "structure" and isinstance(value, dict):
        _check_structure(shape, value)
    elif shape.type_name == "list":
        for item in value or ():
            check(shape.member, item)
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        refuse(
            "InvalidArgument",
            f"1 validation error detected: Value '{value}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(shape.enum)}]",
        )


def _check_structure(shape: Any, value: dict[str, Any]) -> None:
    for name in shape.required_members:
        if value.get(name) is None and not _may_be_absent(shape, name, value):
            refuse("InvalidArgument", f"The parameter {name} is required.")
    if "Quantity" in shape.members and "Items" in shape.members:
        items = value.get("Items") or []
        if value.get("Quantity") != len(items):
            refuse("InconsistentQuantities", "The value of Quantity and the size of Items don't match.")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            check(member, value[name])


def _may_be_absent(shape: Any, name: str, value: dict[str, Any]) -> bool:
    """Return whether the member may be absent.

    An empty element stands for an empty string or list. A missing If-Match has its own error.
    """
    empty_items = name == "Items" and value.get("Quantity") == 0
    return empty_items or name == "IfMatch" or (name in value and shape.members[name].type_name in ("string", "list"))


def tidy(shape: Any, value: Any) -> Any:
    """Return the value as the API returns it: without empty `Items`, and with "" for an empty element."""
    if shape.type_name == "list":
        return [tidy(shape.member, item) for item in value or ()]
    if shape.type_name == "string":
        return "" if value is None else value
    if shape.type_name != "structure" or not isinstance(value, dict):
        return value
    members = {name: tidy(shape.members[name], each) for name, each in value.items() if name in shape.members}
    counted = "Quantity" in shape.members
    return {name: each for name, each in members.items() if not (counted and name == "Items" and not each)}
