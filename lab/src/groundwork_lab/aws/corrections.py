"""moto with the corrections in: those of all services, put into moto's own registries.

Each service's room has what takes the place of moto's, and puts it in.
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
    """Forget moto's state and put the corrected classes in; done again for every control plane.

    Returns what looks after Auto Scaling's groups.
    """
    for backends in list(BackendDict._instances):
        backends.clear()
        getattr(backends, "bucket_accounts", {}).clear()  # S3's names, which are global
    BackendDict._instances.clear()
    # moto keeps all that it has made for its dashboard, and its backends for their regions.
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
