# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `s3_site_bucket`: a private, encrypted and versioned bucket whose old versions expire.

Since April 2023 new buckets are private, encrypted and without access control lists. Settings that were changed
afterwards are restored.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import KMS_KEY_ARN, check_bucket
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_dict, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import partition_of
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import COMPONENT
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.remedies import NO_BUCKET

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
PRIVATE = dict.fromkeys(BLOCKS, True)
RULE, EXPIRING = "groundwork-old-versions", "groundwork-expiring"
MOST_DAYS = 3650
ELSEWHERE = ("AccessDenied", "403", "PermanentRedirect", "301")

Described = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Bucket:
    """The desired bucket. `kms_key_arn` is "" for encryption with keys that S3 manages.

    Objects are deleted after `expire_days`, 0 for never. Their versions are kept for `keep_versions_days` more.
    """

    name: str
    region: str
    keep_versions_days: int
    kms_key_arn: str = ""
    expire_days: int = 0

    @property
    def encryption(self) -> Described:
        """Return the default encryption in the API's form."""
        if not self.kms_key_arn:
            return {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        by = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self.kms_key_arn}
        return {"ApplyServerSideEncryptionByDefault": by, "BucketKeyEnabled": True}

    @property
    def rules(self) -> list[Described]:
        """Return the lifecycle rules in the API's form. One with days cannot remove expired delete markers."""
        days = {"Filter": {"Prefix": ""}, "Expiration": {"Days": self.expire_days}}
        expiring = [{"ID": EXPIRING, "Status": "Enabled", **days}] if self.expire_days else []
        return [self._old_versions, *expiring]

    @property
    def _old_versions(self) -> Described:
        return {
            "ID": RULE,
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": self.keep_versions_days},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }


@dataclass(frozen=True)
class Observed:
    """The current state. `tags` is None if the bucket does not exist. The defaults are those of a new bucket."""

    tags: t.Mapping[str, str] | None = None
    versioning: str = ""
    encryption: Described = field(
        default_factory=lambda: {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    )
    blocks: Described = field(default_factory=lambda: PRIVATE)
    rules: tuple[Described, ...] = ()
    transition_size: str = ""


def parse_bucket(options: t.Mapping[str, t.Any], problems: Problems) -> Bucket:
    """Return the bucket that the options of `s3_site_bucket` describe."""
    check_bucket(options["bucket"], problems)
    key, days = options["kms_key_arn"] or "", options["keep_versions_days"]
    if not options.get("region"):
        problems.add("region", "is missing", "give the bucket's region")
    if key and not KMS_KEY_ARN.fullmatch(key):
        right = "give one such as arn:aws:kms:<region>:<account>:key/<id>"
        problems.add("kms_key_arn", f"'{key}' is not the ARN of a KMS key", right)
    if not 1 <= days <= MOST_DAYS:
        problems.add("keep_versions_days", f"{days} is out of range", f"give 1 to {MOST_DAYS} days")
    return Bucket(options["bucket"], options.get("region") or "", days, key)


def converge_bucket(run: Run) -> dict[str, t.Any]:
    """Create or update the bucket, and return the module's result. Raise GroundworkError on failure."""
    owner, desired = run.parse(COMPONENT, parse_bucket)
    observed = look(run.clients, desired.name)
    check_owner(owner, desired.name, observed)
    result = run.make(plan(owner, desired, observed), {})
    arn = partition_of(desired.region).arn("s3", desired.name)
    return {**result, "bucket": desired.name, "arn": arn}


def check_owner(owner: Owner, name: str, observed: Observed) -> None:
    """Raise GroundworkError if the bucket exists and does not belong to the environment."""
    if observed.tags is not None and not owner.owns_tags(observed.tags):
        wrong, right = owner.foreign(f"The bucket {name}", observed.tags)
        raise GroundworkError(f"{wrong}; {right}.")


def look(clients: Clients, name: str) -> Observed:
    """Read the current state with five parallel calls."""

    def read(operation: str, result: str, *absent: str) -> Read:
        return Read("s3", operation, result, {"Bucket": name}, absent=(NO_BUCKET, *absent))

    reads = {
        "tags": read("get_bucket_tagging", "TagSet", "NoSuchTagSet"),
        "versioning": read("get_bucket_versioning", ""),
        "encryption": read(
            "get_bucket_encryption",
            "ServerSideEncryptionConfiguration.Rules",
            "ServerSideEncryptionConfigurationNotFoundError",
        ),
        "blocks": read(
            "get_public_access_block", "PublicAccessBlockConfiguration", "NoSuchPublicAccessBlockConfiguration"
        ),
        "lifecycle": read("get_bucket_lifecycle_configuration", "", "NoSuchLifecycleConfiguration"),
    }
    try:
        answers = observe(clients, reads)
    except GroundworkError as error:
        if error.details.get("error_code") in ELSEWHERE:
            raise GroundworkError(
                f"{error} If the bucket {name} belongs to another account or is in another region, use another name: "
                "bucket names are globally unique.",
                **error.details,
            ) from error
        raise
    return _observed(answers)


def _observed(answers: t.Mapping[str, list[t.Any]]) -> Observed:
    if not answers["versioning"]:
        return Observed()
    lifecycle: Described = next(iter(answers["lifecycle"]), {})
    return Observed(
        tags=tag_dict({"Tags": answers["tags"]}),
        versioning=answers["versioning"][0].get("Status", ""),
        encryption=next(iter(answers["encryption"]), {}),
        blocks=next(iter(answers["blocks"]), {}),
        rules=tuple(lifecycle.get("Rules", ())),
        transition_size=lifecycle.get("TransitionDefaultMinimumObjectSize", ""),
    )


def plan(owner: Owner, desired: Bucket, observed: Observed) -> list[Change]:
    """Return the changes: create the bucket with its tags, and update the settings that differ."""
    made = [] if observed.tags is not None else [_creation(owner, desired)]
    return [*made, *_tags(owner, desired, observed), *_settings(desired, observed), *_lifecycle(desired, observed)]


def _creation(owner: Owner, desired: Bucket) -> Change:
    # S3 creates buckets without a LocationConstraint in us-east-1, and rejects us-east-1 as a LocationConstraint.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    where = {} if desired.region == "us-east-1" else {"LocationConstraint": desired.region}
    create = Call(
        "s3",
        "create_bucket",
        {
            "Bucket": desired.name,
            "ObjectOwnership": "BucketOwnerEnforced",
            "CreateBucketConfiguration": {**where, "Tags": tag_list(owner.tags(desired.name))},
        },
        settled=("BucketAlreadyOwnedByYou",),  # by an earlier request whose response was lost
        repeatable=True,
        remedies={"BucketAlreadyExists": "Another AWS account has a bucket with this name. Use another name."},
    )
    return Change("create", "bucket", desired.name, (create,), after={"region": desired.region})


def _tags(owner: Owner, desired: Bucket, observed: Observed) -> t.Iterator[Change]:
    """Yield the change of the tags. The call contains the other existing tags too, because it replaces all tags."""
    actual, wanted = observed.tags, owner.tags(desired.name)
    missing = {key: value for key, value in wanted.items() if (actual or {}).get(key) != value}
    if actual is not None and missing:
        call = _put(desired, "tagging", Tagging={"TagSet": tag_list({**actual, **wanted})})
        before = {key: actual.get(key) for key in missing}
        yield Change("update", "tags", f"bucket {desired.name}", (call,), before, missing)


def _settings(desired: Bucket, observed: Observed) -> t.Iterator[Change]:
    if observed.versioning != "Enabled":
        call = _put(desired, "versioning", VersioningConfiguration={"Status": "Enabled"})
        before = {"versioning": observed.versioning or "never enabled"}
        yield Change("update", "bucket versioning", desired.name, (call,), before, {"versioning": "Enabled"})
    if {name: observed.blocks.get(name) for name in BLOCKS} != PRIVATE:
        call = Call(
            "s3", "put_public_access_block", {"Bucket": desired.name, "PublicAccessBlockConfiguration": PRIVATE}
        )
        yield Change("update", "public access block", desired.name, (call,), observed.blocks, PRIVATE)
    if not _encrypts(observed.encryption, desired.encryption):
        rule = {**observed.encryption, **desired.encryption}
        call = _put(desired, "encryption", ServerSideEncryptionConfiguration={"Rules": [rule]})
        yield Change("update", "bucket encryption", desired.name, (call,), observed.encryption, rule)


def _encrypts(actual: Described, wanted: Described) -> bool:
    by = "ApplyServerSideEncryptionByDefault"
    return {**wanted[by]} == {key: value for key, value in actual.get(by, {}).items() if value}


def _lifecycle(desired: Bucket, observed: Observed) -> t.Iterator[Change]:
    """Yield the change of the lifecycle rules. All other rules are kept."""
    own = (RULE, EXPIRING)
    ours = {rule["ID"]: rule for rule in observed.rules if rule.get("ID") in own}
    wanted = {rule["ID"]: rule for rule in desired.rules}
    if ours == wanted:
        return
    rules = [*(rule for rule in observed.rules if rule.get("ID") not in own), *desired.rules]
    size = {"TransitionDefaultMinimumObjectSize": observed.transition_size} if observed.transition_size else {}
    call = Call(
        "s3",
        "put_bucket_lifecycle_configuration",
        {"Bucket": desired.name, "LifecycleConfiguration": {"Rules": rules}, **size},
    )
    before, after = (_single(found) for found in (ours, wanted))
    yield Change("update", "bucket lifecycle", desired.name, (call,), before, after)


def _single(rules: t.Mapping[str, Described]) -> Described:
    """Return the rule that all buckets have, as it is, or all by their ids if there is another one."""
    return rules.get(RULE, {}) if rules.keys() <= {RULE} else rules


def _put(desired: Bucket, what: str, **arguments: t.Any) -> Call:
    return Call("s3", f"put_bucket_{what}", {"Bucket": desired.name, **arguments})
