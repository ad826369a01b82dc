"""The corrections of all services, installed in moto's registries.

Each service's package contains its corrections and installs them.
"""

from __future__ import annotations

import moto.resourcegroupstaggingapi.models
import moto.ssm.models
import moto.sts.models
from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.core.model_instances import reset_model_data

from groundwork_lab.aws import autoscaling, cloudfront, ec2, elbv2, s3
from groundwork_lab.aws.autoscaling.controller import Controller
from groundwork_lab.aws.context import Context
from groundwork_lab.aws.resourcegroupstaggingapi.grouping import GroupingBackend
from groundwork_lab.aws.ssm.parameters import ParametersBackend
from groundwork_lab.aws.sts.identity import IdentityBackend


def install(context: Context) -> Controller:
    """Clear moto's state and install the corrected classes. Call it for each control plane.

    Return the controller of the Auto Scaling groups.
    """
    for backends in list(BackendDict._instances):
        backends.clear()
        getattr(backends, "bucket_accounts", {}).clear()  # names of S3 buckets, which are global
    BackendDict._instances.clear()
    # moto's dashboard keeps a list of all resources, and its backends cache their regions
    reset_model_data()
    AccountSpecificBackend._generate_regions.cache_clear()
    moto.ssm.models.ssm_backends.backend = ParametersBackend
    IdentityBackend.context = context
    moto.sts.models.sts_backends.backend = IdentityBackend
    moto.resourcegroupstaggingapi.models.resourcegroupstaggingapi_backends.backend = GroupingBackend
    ec2.install(context)
    elbv2.install(context)
    cloudfront.install(context)
    s3.install(context)
    return autoscaling.install(context)
