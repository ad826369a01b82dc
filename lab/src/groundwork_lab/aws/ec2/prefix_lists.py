"""Managed prefix lists: those of AWS have the lab's addresses, and do not change.

https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import EC2Backend

from groundwork_lab import settings
from groundwork_lab.aws.context import refuse

ORIGIN_FACING = "com.amazonaws.global.cloudfront.origin-facing"
AWS = "AWS"  # the owner of the lists that AWS manages


class PrefixListsBackend(EC2Backend):
    def create_default_pls(self) -> None:
        """Create the lists that AWS manages. The lab has one S3 and one edge, with addresses of their own."""
        super().create_default_pls()
        addresses = {f"com.amazonaws.{self.region_name}.s3": settings.S3, ORIGIN_FACING: settings.ORIGIN_FACING}
        for prefix_list in self.managed_prefix_lists.values():
            prefix_list.prefix_list_arn = prefix_list.prefix_list_arn.replace(f":{AWS}:", ":aws:")
            if own := addresses.get(prefix_list.prefix_list_name):
                prefix_list.entries = {1: [{"Cidr": f"{own}/32", "Description": "default"}]}

    def describe_managed_prefix_lists(self, prefix_list_ids: list[str] | None = None, filters: Any = None) -> list[Any]:
        for each in prefix_list_ids or ():
            self._prefix_list(each)
        return list(super().describe_managed_prefix_lists(prefix_list_ids, filters))

    def get_managed_prefix_list_entries(self, prefix_list_id: str) -> Any:
        return self._prefix_list(prefix_list_id)

    def modify_managed_prefix_list(self, *arguments: Any, **options: Any) -> Any:
        self._check_owner(options["prefix_list_id"])
        return super().modify_managed_prefix_list(*arguments, **options)

    def delete_managed_prefix_list(self, prefix_list_id: str) -> Any:
        self._check_owner(prefix_list_id)
        return super().delete_managed_prefix_list(prefix_list_id)

    def _prefix_list(self, prefix_list_id: str) -> Any:
        if prefix_list_id not in self.managed_prefix_lists:
            refuse("InvalidPrefixListID.NotFound", f"The prefix list ID '{prefix_list_id}' does not exist")
        return self.managed_prefix_lists[prefix_list_id]

    def _check_owner(self, prefix_list_id: str) -> None:
        """Refuse to change a list of AWS: "You cannot create, modify, share, or delete an AWS-managed prefix list"."""
        if self._prefix_list(prefix_list_id).owner_id == AWS:
            refuse("OperationNotPermitted", f"The prefix list '{prefix_list_id}' is managed by AWS.")
