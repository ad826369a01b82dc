#!/usr/bin/python

# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_golden_image
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Create, test, promote and prune golden images, stage by stage
description:
  - Makes the API calls of the role C(image), which configures the builder and tests the tester between the stages.
  - A tag of an image has a digest of everything that goes into it, including its base image. A bake is needed only if
    the promoted image has another digest.
  - Images, snapshots, builder and tester are found by their tags. A bake deletes the leftovers of an interrupted one.
  - The modules of amazon.aws do not test images, and do not report whether an image is in use.
options:
  stage:
    description:
      - The stage to run. The stages of a bake are V(build), V(capture), V(test) and V(promote), with the O(stamp) that
        V(plan) returned.
      - V(plan) returns all changes of a bake, and whether a bake is needed. It never writes.
      - V(build) deletes the leftovers of an interrupted bake, and launches the builder, with SSH from O(admin_cidrs).
      - V(capture) stops the builder and creates an image of it.
      - V(test) launches the tester from the image. Its security group allows only HTTP from O(admin_cidrs) and no
        outbound traffic. It has no key pair and no instance profile.
      - V(promote) writes the image's id to the parameter C(/groundwork/<environment>/image/lamp), and then does the
        same as V(clear).
      - V(clear) deletes the builder, the tester, images that were never promoted, and the oldest promoted images
        beyond O(keep).
    type: str
    choices: [plan, build, capture, test, promote, clear]
    default: plan
  stamp:
    description: The time of this bake, which V(plan) returned. It is part of the image's name.
    type: str
    default: ''
  recipe:
    description: The installed configuration, which is part of the digest. It must not contain a secret.
    type: dict
    required: true
  base:
    description:
      - The base image. By default the newest image of Debian 12 for amd64 of Debian's account.
    type: dict
    default: {}
    suboptions:
      owner:
        description: An account id in quotes, V(self) or V(amazon).
        type: str
        default: "136693071363"
      name:
        description: A pattern of the image's name with C(*) and C(?). The newest match is used.
        type: str
        default: debian-12-amd64-*
      id:
        description: The id of an image, instead of the owner and the name.
        type: str
  subnet:
    description: The name of the public subnet of builder and tester.
    type: str
    required: true
  instance_type:
    description: The instance type of builder and tester.
    type: str
    default: t3.small
  admin_cidrs:
    description: The CIDR blocks from which the controller connects to builder and tester.
    type: list
    elements: str
    default: []
  keep:
    description: The number of formerly promoted images to keep besides the promoted one. Images in use are always kept.
    type: int
    default: 3
  rebuild:
    description: Whether to bake also if the promoted image is up to date.
    type: bool
    default: false
  deadline:
    description: The time limit of each wait, in seconds. A snapshot takes some minutes.
    type: int
    default: 900
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 8 API calls if nothing changes. 2 more, and 1 for each launch template of the account, if an image is to be
    removed.
  - An image that an instance or a launch template version of the account uses is never deregistered.
seealso:
  - module: groundwork.aws.ec2_instance_group
"""

EXAMPLES = r"""
- name: Check whether a bake is needed
  groundwork.aws.ec2_golden_image:
    environment_name: dev
    region: eu-central-1
    subnet: public-a
    admin_cidrs: [203.0.113.7/32]
    recipe: {packages: [apache2]}
  register: image

- name: Launch the builder
  groundwork.aws.ec2_golden_image:
    stage: build
    stamp: "{{ image.stamp }}"
    environment_name: dev
    region: eu-central-1
    subnet: public-a
    admin_cidrs: [203.0.113.7/32]
    recipe: {packages: [apache2]}
  when: image.bake
"""

RETURN = r"""
changes:
  description: The changes in order. In check mode and with O(stage=plan) they are only planned.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: One of V(create), V(update) and V(delete).
      type: str
      returned: success
    resource:
      description: The kind of resource, as AWS names it.
      type: str
      returned: success
    name:
      description: The name of the resource, without the environment.
      type: str
      returned: success
bake:
  description: Whether a bake is needed, because the promoted image is out of date or O(rebuild=true).
  returned: success
  type: bool
stamp:
  description: The time of the bake, for the next stages.
  returned: success
  type: str
  sample: 20260131T120000Z
machine:
  description: The builder after O(stage=build), the tester after O(stage=test), else empty.
  returned: success
  type: dict
  sample: {name: image-builder, id: i-0123456789abcdef0, public_ip: 203.0.113.20}
image:
  description: The image of this bake. Its id is V((known after apply)) until it exists.
  returned: success
  type: dict
  sample: {name: lamp-20260131T120000Z, id: ami-0123456789abcdef0}
promoted:
  description: The image whose id is in the parameter, or an empty dictionary.
  returned: success
  type: dict
  sample: {name: lamp-20260131T120000Z, id: ami-0123456789abcdef0}
images:
  description: All images of the environment, the oldest first.
  returned: success
  type: list
  elements: dict
  sample: [{name: lamp-20260131T120000Z, id: ami-0123456789abcdef0}]
in_use:
  description: The images that are kept only because they are in use.
  returned: success
  type: list
  elements: dict
  sample: [{name: lamp-20260101T120000Z, id: ami-0123456789abcdef0, used_by: [instance dev-public-1]}]
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ec2_golden_image import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.run import converge_golden


def main() -> None:
    run_module(ARGUMENTS, converge_golden)


if __name__ == "__main__":
    main()
