"""The members of requests that the lab does not carry out, and refuses: nothing is stored without effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundwork_lab.aws.rds.checks import combination

ALWAYS = {
    "AdditionalStorageVolumes": "additional storage volumes",
    "CharacterSetName": "a character set of the DB instance; use the parameter character_set_server",
    "CloudwatchLogsExportConfiguration": "CloudWatch Logs",
    "CustomIamInstanceProfile": "RDS Custom",
    "DBCapacityReservationIdentifier": "capacity reservations",
    "DBClusterIdentifier": "DB clusters",
    "DBClusterSnapshotIdentifier": "DB clusters",
    "DBSecurityGroups": "DB security groups; use VpcSecurityGroupIds",
    "Domain": "Active Directory",
    "DomainAuthSecretArn": "Active Directory",
    "DomainFqdn": "Active Directory",
    "EnableCloudwatchLogsExports": "CloudWatch Logs",
    "MasterUserSecretKmsKeyId": "Secrets Manager",
    "MonitoringInterval": "Enhanced Monitoring",
    "MonitoringRoleArn": "Enhanced Monitoring",
    "NcharCharacterSetName": "a character set of the DB instance",
    "PerformanceInsightsKMSKeyId": "Performance Insights",
    "PerformanceInsightsRetentionPeriod": "Performance Insights",
    "ProcessorFeatures": "processor features",
    "SourceDBInstanceAutomatedBackupsArn": "backups in other regions",
    "TdeCredentialArn": "encryption by the engine",
    "Timezone": "a time zone of the DB instance; use the parameter time_zone",
}
"""Members with any value but an empty one."""

SWITCHES = {
    "DedicatedLogVolume": "dedicated log volumes",
    "DisableDomain": "Active Directory",
    "EnableCustomerOwnedIp": "Outposts",
    "EnableIAMDatabaseAuthentication": "IAM database authentication",
    "EnablePerformanceInsights": "Performance Insights",
    "ManageMasterUserPassword": "Secrets Manager; use MasterUserPassword",
    "MultiTenant": "multi-tenant configurations",
    "PubliclyAccessible": "public addresses of DB instances",
    "RotateMasterUserPassword": "Secrets Manager; use MasterUserPassword",
}
VALUES: Mapping[str, tuple[str, ...]] = {
    "BackupTarget": ("region",),
    "DatabaseInsightsMode": ("standard",),
    "EngineLifecycleSupport": (
        "open-source-rds-extended-support",
        "open-source-rds-extended-support-disabled",
    ),
    "LicenseModel": ("general-public-license",),
    "MasterUserAuthenticationType": ("password",),
    "NetworkType": ("IPV4",),
}


def check(request: Mapping[str, Any]) -> None:
    """Refuse a request with members that the lab does not carry out."""
    for name, what in ALWAYS.items():
        if request.get(name):
            combination(f"{name}: the lab has no {what}.")
    for name, what in SWITCHES.items():
        if request.get(name) is True:
            combination(f"{name}: the lab has no {what}.")
    for name, values in VALUES.items():
        if request.get(name) is not None and request[name] not in values:
            combination(f"{name} is {request[name]}; the lab has {' and '.join(values)} only.")
