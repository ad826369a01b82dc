"""The tags of certificates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from groundwork_lab.aws.context import refuse

LIMIT = 50


def checked(tags: Iterable[Mapping[str, str]], before: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the tags `before` with those of a request. Refuse keys of AWS, duplicates, and too many tags.

    https://docs.aws.amazon.com/acm/latest/APIReference/API_AddTagsToCertificate.html
    """
    given = [(tag["Key"], tag.get("Value") or "") for tag in tags]
    for key, _ in given:
        if key.lower().startswith("aws:"):
            refuse(
                "ValidationException", f'Invalid Tag Key: "{key}". AWS internal tags cannot be changed with this API'
            )
    if len(dict(given)) < len(given):
        refuse("InvalidTagException", "A tag key was specified more than once.")
    merged = {**(before or {}), **dict(given)}
    if len(merged) > LIMIT:
        told = ", ".join(f"{key}={value}" for key, value in merged.items())
        refuse("TooManyTagsException", f"the TagSet: '{{{told}}}' contains too many Tags")
    return merged
