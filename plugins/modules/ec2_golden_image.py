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
short_description: Bake, test, promote and prune a golden image, stage by stage
description:
  - The AWS side of the role image, which does between the stages what has to be done on the builder and the tester.
  - An image carries a digest of everything that goes into it, the image that it was baked from included. As long as the
    promoted image has the digest of today, there is nothing to bake.
  - Images, snapshots, builder and tester are found by their tags. What a bake that was interrupted left is removed by
    the next one.
  - No module of amazon.aws tests an image or tells whether one is in use.
options:
  stage:
    description:
      - What to do. The stages of a bake are V(build), V(capture), V(test) and V(promote), with the O(stamp) of the
        plan.
      - V(plan) tells everything that the whole bake would do, and whether one is needed at all. It never writes.
      - V(build) removes what an interrupted bake left, and launches the builder, which SSH from O(admin_cidrs) reaches.
      - V(capture) stops the builder and makes an image of it.
      - V(test) starts the image behind a group that lets HTTP from O(admin_cidrs) in and nothing out, without a key
        and without an instance profile.
      - V(promote) names the image in the parameter C(/groundwork/<environment>/image/lamp), and then does as V(clear).
      - V(clear) removes builder, tester, images that were never promoted, and old ones that are more than O(keep).
    type: str
    choices: [plan, build, capture, test, promote, clear]
    default: plan
  stamp:
    description: The time that tells this bake from others, as the plan returned it.
    type: str
    default: ''
  recipe:
    description: What is installed, of which the digest is made. It holds no secret.
    type: dict
    required: true
  base:
    description:
      - The image to begin with. By default the newest Debian 12 for amd64 by Debian's account.
    type: dict
    default: {}
    suboptions:
      owner:
        description: An account id, V(self) or V(amazon).
        type: str
        default: "136693071363"
      name:
        description: A pattern for the image's name with C(*) and C(?), of which the newest counts.
        type: str
        default: debian-12-amd64-*
      id:
        description: One image instead of these.
        type: str
  subnet:
    description: The public subnet, by name, that builder and tester are launched in.
    type: str
    required: true
  instance_type:
    description: The builder's and the tester's.
    type: str
    default: t3.small
  admin_cidrs:
    description: Where the controller's connections to builder and tester come from.
    type: list
    elements: str
    default: []
  keep:
    description: How many old images, once promoted, are kept besides the promoted one.
    type: int
    default: 3
  rebuild:
    description: Whether to bake also when the promoted image is the one that would be baked.
    type: bool
    default: false
  deadline:
    description: How long each step may take, in seconds.
    type: int
    default: 900
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. Eight API calls when there is nothing to do. Two more, and one for each launch template of the account, when
    an image is to be removed.
  - An image that an instance or a version of a launch template of the account uses is never removed.
seealso:
  - module: groundwork.aws.ec2_instance_group
"""

EXAMPLES = r"""
- name: See whether there is something to bake
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
  description: What was changed, or in check mode and by O(stage=plan) would be, in order.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: One of V(create), V(update) and V(delete).
      type: str
      returned: success
    resource:
      description: The kind of resource, in AWS' words.
      type: str
      returned: success
    name:
      description: The name that people use.
      type: str
      returned: success
bake:
  description: Whether the promoted image was not the one that would be baked, or O(rebuild) asked for another.
  returned: success
  type: bool
stamp:
  description: The bake's time, for the stages that follow.
  returned: success
  type: str
  sample: 20260131T120000Z
machine:
  description: The builder after O(stage=build), the tester after O(stage=test), else empty.
  returned: success
  type: dict
  sample: {name: image-builder, id: i-0123456789abcdef0, public_ip: 203.0.113.20}
image:
  description: The image of this bake, its id V((known after apply)) as long as there is none.
  returned: success
  type: dict
  sample: {name: lamp-20260131T120000Z, id: ami-0123456789abcdef0}
promoted:
  description: The image that the parameter names, empty when there is none.
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
  description: The images that would have been removed, and are kept because somebody uses them.
  returned: success
  type: list
  elements: dict
  sample: [{name: lamp-20260101T120000Z, id: ami-0123456789abcdef0, used_by: [instance dev-public-1]}]
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.options import GOLDEN_ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.run import converge_golden


def main() -> None:
    run_module(GOLDEN_ARGUMENTS, converge_golden)


if __name__ == "__main__":
    main()
