"""Settings of the account in the region: VPC Block Public Access, and the default key of EBS.

The lab keeps the options of Block Public Access, and its routers do not follow them.

https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html and
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetEbsDefaultKmsKeyId.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.responses import EC2Response

from groundwork_lab.aws.context import refuse

MODES = ("off", "block-bidirectional", "block-ingress")


class SettingsBackend(EC2Backend):
    block_public_access: dict[str, str]  # empty until the options are changed

    def block_options(self) -> dict[str, Any]:
        mode = self.block_public_access.get("mode", "off")
        told = {
            "AwsAccountId": self.account_id,
            "AwsRegion": self.region_name,
            "State": "update-complete" if self.block_public_access else "default-state",
            "InternetGatewayBlockMode": mode,
            "ManagedBy": "account",
            "ExclusionsAllowed": "allowed",
        }
        if self.block_public_access:
            told["LastUpdateTimestamp"] = self.block_public_access["updated"]
        return told


class SettingsResponses(EC2Response):
    def describe_vpc_block_public_access_options(self) -> ActionResult:
        self.error_on_dryrun()
        return ActionResult({"VpcBlockPublicAccessOptions": self.ec2_backend.block_options()})

    def modify_vpc_block_public_access_options(self) -> ActionResult:
        mode = self.params["InternetGatewayBlockMode"]
        if mode not in MODES:
            refuse("InvalidParameterValue", f"Value ({mode}) for parameter InternetGatewayBlockMode is invalid.")
        self.error_on_dryrun()
        backend = self.ec2_backend
        backend.block_public_access.update(mode=mode, updated=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}")
        return ActionResult({"VpcBlockPublicAccessOptions": backend.block_options()})

    def describe_vpc_block_public_access_exclusions(self) -> ActionResult:
        return ActionResult({"VpcBlockPublicAccessExclusions": []})

    def describe_volume_status(self) -> ActionResult:
        """Return the status of the volumes, which never fail.

        https://docs.aws.amazon.com/ebs/latest/userguide/monitoring-volume-checks.html
        """
        self.error_on_dryrun()
        details = [{"Name": "io-enabled", "Status": "passed"}, {"Name": "io-performance", "Status": "not-applicable"}]
        found = self.ec2_backend.describe_volumes(self.params.get("VolumeIds"))
        told = [
            {
                "VolumeId": volume.id,
                "AvailabilityZone": volume.zone.name,
                "VolumeStatus": {"Status": "ok", "Details": details},
                "Actions": [],
                "Events": [],
                "AttachmentStatuses": [],
            }
            for volume in found
        ]
        return ActionResult({"VolumeStatuses": told})

    def get_ebs_default_kms_key_id(self) -> ActionResult:
        self.error_on_dryrun()
        key = getattr(self.ec2_backend, "default_kms_key_id", None) or "alias/aws/ebs"
        return ActionResult({"KmsKeyId": key})

    def reset_ebs_default_kms_key_id(self) -> ActionResult:
        self.error_on_dryrun()
        self.ec2_backend.default_kms_key_id = None
        return ActionResult({"KmsKeyId": "alias/aws/ebs"})
