"""What RDS offers: engine versions, DB instance classes, certificates, and what waits for maintenance.

The lab has one version of MariaDB: that of the machine's Debian package.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from groundwork_lab.aws.context import Context, refuse
from groundwork_lab.aws.rds import checks
from groundwork_lab.aws.rds.checks import Members, Request, combination, invalid
from groundwork_lab.aws.rds.state import Backend

ENGINE = "mariadb"
ENGINES = frozenset(
    {
        "aurora-mysql",
        "aurora-postgresql",
        "custom-oracle-ee",
        "custom-sqlserver-ee",
        "custom-sqlserver-se",
        "custom-sqlserver-web",
        "db2-ae",
        "db2-se",
        "mysql",
        "oracle-ee",
        "oracle-ee-cdb",
        "oracle-se2",
        "oracle-se2-cdb",
        "postgres",
        "sqlserver-ee",
        "sqlserver-ex",
        "sqlserver-se",
        "sqlserver-web",
    }
)
"""The engines of RDS that the lab does not have."""

LICENSE = "general-public-license"
CERTIFICATE = "rds-ca-rsa2048-g1"  # the default of the account
CERTIFICATES = (CERTIFICATE, "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1")
_BURSTABLE = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32}
_GENERAL = {"large": 8, "xlarge": 16, "2xlarge": 32, "4xlarge": 64, "8xlarge": 128, "12xlarge": 192, "16xlarge": 256}
SIZES: Mapping[str, Mapping[str, int]] = {
    **{f"db.{kind}": _BURSTABLE for kind in ("t3", "t4g")},
    **{f"db.{kind}": _GENERAL for kind in ("m5", "m6g", "m6i", "m7g", "m7i")},
    **{f"db.{kind}": {size: 2 * gib for size, gib in _GENERAL.items()} for kind in ("r5", "r6g", "r6i", "r7g", "r7i")},
}
"""The memory in GiB of each size, by family of DB instance classes."""


def classes() -> dict[str, int]:
    """Return the memory in GiB of each DB instance class."""
    return {f"{kind}.{size}": gib for kind, sizes in SIZES.items() for size, gib in sizes.items()}


def memory_of(name: str) -> int:
    """Return the memory of a DB instance class in bytes."""
    return classes()[name] * 2**30


def check_class(name: str) -> str:
    if name not in classes():
        invalid(f"Invalid DB Instance class: {name}")
    return name


def check_engine(name: str) -> None:
    """Refuse engines other than MariaDB: those that RDS has, and those that it does not have."""
    if name.lower() in ENGINES:
        invalid(f"Invalid DB engine: {name}. The lab has the engine mariadb only.")
    if name.lower() != ENGINE:
        invalid(f"Invalid DB engine: {name}")


def major(version: str) -> str:
    return ".".join(version.split(".")[:2])


def family(version: str) -> str:
    return f"{ENGINE}{major(version)}"


def families(context: Context) -> tuple[str, ...]:
    return (family(context.mariadb),)


def option_group(version: str) -> str:
    return f"default:{ENGINE}-{major(version).replace('.', '-')}"


def version_of(context: Context, wanted: str | None) -> str:
    """Return the engine version that a request means: a major version means its newest minor version."""
    if wanted and wanted not in (context.mariadb, major(context.mariadb)):
        combination(f"Cannot find version {wanted} for mariadb")
    return context.mariadb


def describe_db_engine_versions(backend: Backend, request: Request) -> Members:
    version = backend.context.mariadb
    wanted = request.get("EngineVersion")
    engine, of = request.get("Engine"), request.get("DBParameterGroupFamily")
    if engine and engine.lower() not in {ENGINE, *ENGINES}:
        return checks.page(request, "DBEngineVersions", [])
    fits = engine in (None, ENGINE) and wanted in (None, version, major(version)) and of in (None, family(version))
    told = {
        "Engine": ENGINE,
        "MajorEngineVersion": major(version),
        "EngineVersion": version,
        "DBParameterGroupFamily": family(version),
        "DBEngineDescription": "MariaDB Community Edition",
        "DBEngineVersionDescription": f"MariaDB {version}",
        "ValidUpgradeTarget": [],
        "ExportableLogTypes": ["audit", "error", "general", "slowquery"],
        "SupportsLogExportsToCloudwatchLogs": False,
        "SupportsReadReplica": False,
        "SupportedFeatureNames": [],
        "Status": "available",
        "SupportsParallelQuery": False,
        "SupportsGlobalDatabases": False,
        "SupportsBabelfish": False,
        "SupportsCertificateRotationWithoutRestart": False,
        "SupportedCACertificateIdentifiers": list(CERTIFICATES),
        "TagList": [],
    }
    return checks.page(request, "DBEngineVersions", [told] if fits else [])


def describe_orderable_db_instance_options(backend: Backend, request: Request) -> Members:
    check_engine(request["Engine"])
    version = version_of(backend.context, request.get("EngineVersion"))
    zones = [{"Name": each.name} for each in backend.context.ec2.describe_availability_zones()]
    wanted = request.get("DBInstanceClass")
    if wanted and not wanted.startswith("db."):
        check_class(wanted)
    told = [
        {
            "Engine": ENGINE,
            "EngineVersion": version,
            "DBInstanceClass": name,
            "LicenseModel": LICENSE,
            "AvailabilityZones": zones,
            "MultiAZCapable": True,
            "ReadReplicaCapable": False,
            "Vpc": True,
            "SupportsStorageEncryption": True,
            "StorageType": kind,
            "SupportsIops": kind not in ("gp2", "standard"),
            "SupportsStorageThroughput": kind == "gp3",
            "SupportsEnhancedMonitoring": False,
            "SupportsIAMDatabaseAuthentication": False,
            "SupportsPerformanceInsights": False,
            "MinStorageSize": least,
            "MaxStorageSize": most,
            "SupportsStorageAutoscaling": True,
            "SupportsKerberosAuthentication": False,
            "OutpostCapable": False,
            "SupportedNetworkTypes": ["IPV4"],
            "SupportsClusters": False,
            "SupportsDedicatedLogVolume": False,
        }
        for name in classes()
        if wanted in (None, name)
        for kind, (least, most) in checks.STORAGE.items()
    ]
    fits = request.get("LicenseModel") in (None, LICENSE) and request.get("Vpc") is not False
    return checks.page(request, "OrderableDBInstanceOptions", told if fits else [])


def describe_certificates(backend: Backend, request: Request) -> Members:
    """Return the authorities. All of them are the lab's authority.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
    """
    wanted = request.get("CertificateIdentifier")
    if wanted and wanted not in CERTIFICATES:
        refuse("CertificateNotFound", f"Certificate not found: {wanted}")
    told = [_told_certificate(backend, name) for name in CERTIFICATES if wanted in (None, name)]
    return {"DefaultCertificateForNewLaunches": CERTIFICATE, **checks.page(request, "Certificates", told)}


def _told_certificate(backend: Backend, name: str) -> Members:
    told: Members = {
        "CertificateIdentifier": name,
        "CertificateType": "CA",
        "CertificateArn": f"arn:aws:rds:{backend.region_name}::cert:{name}",
        "CustomerOverride": False,
    }
    authority = authority_of(backend.context)
    if authority is not None:
        told["Thumbprint"] = authority.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - as the API tells it
        told["ValidFrom"], told["ValidTill"] = authority.not_valid_before_utc, authority.not_valid_after_utc
    return told


def authority_of(context: Context) -> x509.Certificate | None:
    """Return the certificate of the lab's authority, or None without one."""
    return x509.load_pem_x509_certificate(context.authority.certificate) if context.authority else None


def certificate_ends(context: Context) -> datetime | None:
    authority = authority_of(context)
    return authority.not_valid_after_utc if authority else None


def describe_pending_maintenance_actions(_backend: Backend, request: Request) -> Members:
    return checks.page(request, "PendingMaintenanceActions", [])


def describe_account_attributes(backend: Backend, _request: Request) -> Members:
    gib = sum(each.settings["AllocatedStorage"] for each in backend.instances.values())
    manual = sum(each.type == "manual" for each in backend.snapshots.values())
    quotas = (
        ("DBInstances", len(backend.instances), 40),
        ("AllocatedStorage", gib, 100_000),
        ("DBParameterGroups", len(backend.parameter_groups), 50),
        ("ManualSnapshots", manual, 100),
        ("DBSubnetGroups", len(backend.subnet_groups), 50),
        ("SubnetsPerDBSubnetGroup", max((len(each.subnets) for each in backend.subnet_groups.values()), default=0), 20),
    )
    return {"AccountQuotas": [{"AccountQuotaName": name, "Used": used, "Max": most} for name, used, most in quotas]}


OPERATIONS: Mapping[str, Callable[[Backend, Request], Members]] = {
    "DescribeAccountAttributes": describe_account_attributes,
    "DescribeCertificates": describe_certificates,
    "DescribeDBEngineVersions": describe_db_engine_versions,
    "DescribeOrderableDBInstanceOptions": describe_orderable_db_instance_options,
    "DescribePendingMaintenanceActions": describe_pending_maintenance_actions,
}
