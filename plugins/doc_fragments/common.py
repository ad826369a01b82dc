# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shared documentation of the modules. It needs no other collection, so that every tool can read it."""

from __future__ import annotations


class ModuleDocFragment:
    """The fragments `groundwork.aws.common` and `groundwork.aws.common.<name of a constant>`."""

    # The options of `engine.arguments.COMMON_ARGUMENTS`.

    DOCUMENTATION = r"""
options:
  environment_name:
    description:
      - The environment that the resources belong to.
      - Lower case letters, digits and hyphens, at most 16 characters, beginning with a letter, so that
        C(<environment>-<name>) is a valid name for every resource.
      - The resources are found and owned by their tags C(groundwork:environment) and C(groundwork:component).
        The module changes no other resources.
    type: str
    required: true
  tags:
    description:
      - Tags for all resources that the module creates, besides C(Name) and the tags that begin with C(groundwork:).
      - Tags are added and updated, but never removed. Other tags of a resource stay.
    type: dict
    default: {}
notes:
  - Check mode shows exactly the changes that a run makes, also on an empty account. Values that are not known yet are
    shown as C((known after apply)).
  - All problems of the input are reported at once, before the first change.
  - To complete an interrupted run, run the module again.
"""

    ATTRIBUTES = r"""
options: {}
attributes:
  check_mode:
    description: Reports the planned changes without making them.
    support: full
  diff_mode:
    description: Shows each change with the state before and after it.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  action_group:
    description: The options of the connection can be set for all modules at once, with C(module_defaults).
    support: full
    membership: [groundwork.aws.aws]
"""

    # What Ansible finds on Debian 12, the oldest system that the collection supports.
    PYTHON = r"""
options: {}
requirements:
  - python >= 3.11
"""

    # The options that AnsibleAWSModule of amazon.aws gives to every module.
    CONNECTION = r"""
options:
  region:
    description:
      - The region of the environment. IAM, Route 53 and CloudFront have their resources once for all regions.
      - If it is not set, the value of the environment variable E(AWS_REGION) or E(AWS_DEFAULT_REGION), or that of
        the profile.
    type: str
    aliases: [aws_region]
  profile:
    description:
      - The profile of the AWS configuration files with the credentials.
      - It cannot be combined with O(access_key), O(secret_key) and O(session_token).
      - If it is not set, the value of the environment variable E(AWS_PROFILE) or E(AWS_DEFAULT_PROFILE).
    type: str
    aliases: [aws_profile]
  access_key:
    description:
      - The ID of an access key. Without it and without O(profile), boto3 looks for credentials where the
        L(AWS SDKs, https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html) do.
      - If it is not set, the value of the environment variable E(AWS_ACCESS_KEY_ID) or E(AWS_ACCESS_KEY).
    type: str
    aliases: [aws_access_key_id, aws_access_key]
  secret_key:
    description:
      - The secret of O(access_key).
      - If it is not set, the value of the environment variable E(AWS_SECRET_ACCESS_KEY) or E(AWS_SECRET_KEY).
    type: str
    aliases: [aws_secret_access_key, aws_secret_key]
  session_token:
    description:
      - The session token of temporary credentials.
      - If it is not set, the value of the environment variable E(AWS_SESSION_TOKEN).
    type: str
    aliases: [aws_session_token]
  endpoint_url:
    description:
      - The URL of the AWS API for all services, for example of a lab.
      - If it is not set, the value of the environment variable E(AWS_URL), then of E(AWS_ENDPOINT_URL).
    type: str
    aliases: [aws_endpoint_url]
  validate_certs:
    description:
      - Whether to verify the certificates of the AWS API. For an API with a certificate of another authority, set
        O(aws_ca_bundle) instead.
    type: bool
    default: true
  aws_ca_bundle:
    description:
      - The file with the certificates of the authorities that may sign the certificate of the AWS API.
      - If it is not set, the value of the environment variable E(AWS_CA_BUNDLE).
    type: path
  aws_config:
    description:
      - Settings of botocore, for example C(retries). All are described in the
        L(reference of botocore, https://botocore.amazonaws.com/v1/documentation/api/latest/reference/config.html).
    type: dict
  debug_botocore_endpoint_logs:
    description:
      - Whether to return the names of all API calls in RV(ignore:resource_actions).
      - If it is not set, the value of the environment variable E(ANSIBLE_DEBUG_BOTOCORE_LOGS).
    type: bool
    default: false
requirements:
  - python >= 3.11
  - boto3 >= 1.40.0
  - botocore >= 1.40.0
"""
