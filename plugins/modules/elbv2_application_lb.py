#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: elbv2_application_lb
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Manage the Application Load Balancers of an environment
description:
  - Creates all target groups, load balancers, listeners and rules of an environment, and registers the servers of a
    tier with its target groups.
  - Subnets, security groups and servers are found by their tags.
  - AWS' limits are checked before the first write. Rules are compared in a canonical form, so that a second run changes
    nothing.
  - The modules M(community.aws.elb_target_group) and M(amazon.aws.elb_application_lb) need a process and several calls
    for each resource, cannot run in check mode before the network exists, and do not support slow start.
options:
  zones:
    description: The Availability Zones of the network, as in M(groundwork.aws.ec2_vpc_network). Required for load
      balancers with a tier.
    type: list
    elements: str
    default: []
  target_groups:
    description: All target groups. A target group can be used by one load balancer only.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The target group's name. At most 32 characters, including the environment's name before it.
        type: str
        required: true
      tier:
        description: The tier whose servers are the targets.
        type: str
        required: true
      protocol:
        description: The protocol of the targets. AWS cannot change it later.
        type: str
        choices:
          - HTTP
          - HTTPS
        default: HTTP
      port:
        description: The port of the targets. AWS cannot change it later.
        type: int
        default: 80
      health_check:
        description: The health check of the targets.
        type: dict
        suboptions:
          path:
            description: The path to request.
            type: str
            default: /healthz
          port:
            description: A port, or V(traffic-port) for the port of the target.
            type: str
            default: traffic-port
          interval:
            description: The seconds between two checks, 5 to 300.
            type: int
            default: 5
          timeout:
            description: The seconds to wait for a response, 2 to 120 and less than the interval.
            type: int
            default: 3
          healthy_threshold:
            description: The consecutive successful checks after which an unhealthy target is healthy, 2 to 10.
            type: int
            default: 2
          unhealthy_threshold:
            description: The consecutive failed checks after which a target is unhealthy, 2 to 10.
            type: int
            default: 2
          matcher:
            description: The status codes of a successful check, as V(200) or V(200-299,302), within 200 to 499.
            type: str
            default: '200'
      deregistration_delay:
        description: The seconds that a deregistered target has to complete its requests, 0 to 3600.
        type: int
        default: 30
      slow_start:
        description: The seconds in which a new target's share of requests increases, 30 to 900. 0 disables slow start.
        type: int
        default: 0
      stickiness:
        description: Whether a client stays with its target. Disabled by default.
        type: dict
        suboptions:
          enabled:
            description: Whether stickiness is enabled.
            type: bool
            default: true
          type:
            description: Whether to use the load balancer's cookie, or one of the application.
            type: str
            choices:
              - lb_cookie
              - app_cookie
            default: lb_cookie
          duration:
            description: The duration in seconds, 1 to 604800.
            type: int
            default: 86400
          cookie_name:
            description: The name of the application's cookie, for V(app_cookie).
            type: str
      algorithm:
        description: The algorithm that chooses a target.
        type: str
        choices:
          - round_robin
          - least_outstanding_requests
          - weighted_random
        default: round_robin
  load_balancers:
    description: All load balancers.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The load balancer's name. At most 32 characters, including the environment's name before it.
        type: str
        required: true
      scheme:
        description: Whether the load balancer has public IP addresses. AWS cannot change it later.
        type: str
        choices:
          - internet-facing
          - internal
        default: internet-facing
      tier:
        description: The tier of its subnets, one in each of O(zones). Give either this or subnets.
        type: str
      subnets:
        description: The names of its subnets, one per zone, in at least two zones.
        type: list
        elements: str
      security_groups:
        description: The names of its security groups, as in M(groundwork.aws.ec2_security_groups), or ids of others
          (sg-...).
        type: list
        elements: str
        required: true
      listeners:
        description: The listeners.
        type: list
        elements: dict
        required: true
        suboptions:
          port:
            description: The port.
            type: int
            default: 80
          protocol:
            description: The protocol.
            type: str
            choices:
              - HTTP
            default: HTTP
          default_action:
            description: The action for requests that match no rule.
            type: dict
            required: true
            suboptions:
              type:
                description: The type of the action.
                type: str
                choices:
                  - forward
                  - redirect
                  - fixed_response
                default: forward
              target_groups:
                description: The target groups of V(forward), with weights.
                type: list
                elements: dict
                suboptions:
                  name:
                    description: The target group's name.
                    type: str
                    required: true
                  weight:
                    description: The weight, 0 to 999. A target group with 0 gets no requests.
                    type: int
                    default: 1
              stickiness_duration:
                description: The seconds for which a client stays with its target group. 0 disables stickiness.
                type: int
                default: 0
              redirect:
                description: The target of V(redirect). Parts that are not given are taken from the request; V(#{host}),
                  V(#{path}) and so on are replaced by parts of the request.
                type: dict
                suboptions:
                  protocol:
                    description: V(HTTP) or V(HTTPS).
                    type: str
                  host:
                    description: The host name.
                    type: str
                  port:
                    description: The port.
                    type: str
                  path:
                    description: The path, beginning with a slash.
                    type: str
                  query:
                    description: The query without the question mark. Empty for none.
                    type: str
                  status_code:
                    description: Whether the redirect is permanent (301) or temporary (302).
                    type: int
                    choices:
                      - 301
                      - 302
                    default: 301
              fixed_response:
                description: The response of V(fixed_response).
                type: dict
                suboptions:
                  status_code:
                    description: The status, 200 to 299 or 400 to 599.
                    type: int
                    required: true
                  content_type:
                    description: The body's type.
                    type: str
                    choices:
                      - text/plain
                      - text/css
                      - text/html
                      - application/javascript
                      - application/json
                    default: text/plain
                  body:
                    description: The body, at most 1024 characters.
                    type: str
          rules:
            description: The rules. The first one that matches, in the order of priority, is used.
            type: list
            elements: dict
            default: []
            suboptions:
              priority:
                description: The priority, 1 to 50000. The lowest comes first.
                type: int
                required: true
              conditions:
                description: The conditions, which must all be met.
                type: list
                elements: dict
                required: true
                suboptions:
                  field:
                    description: The part of the request to match.
                    type: str
                    choices:
                      - host-header
                      - http-header
                      - http-request-method
                      - path-pattern
                      - query-string
                      - source-ip
                    required: true
                  name:
                    description: The header's name, for V(http-header).
                    type: str
                  values:
                    description: The values, one of which must match; * and ? are wildcards. For V(query-string)
                      key=value, or a value alone.
                    type: list
                    elements: str
                    required: true
              action:
                description: The action for requests that match.
                type: dict
                required: true
                suboptions:
                  type:
                    description: The type of the action.
                    type: str
                    choices:
                      - forward
                      - redirect
                      - fixed_response
                    default: forward
                  target_groups:
                    description: The target groups of V(forward), with weights.
                    type: list
                    elements: dict
                    suboptions:
                      name:
                        description: The target group's name.
                        type: str
                        required: true
                      weight:
                        description: The weight, 0 to 999. A target group with 0 gets no requests.
                        type: int
                        default: 1
                  stickiness_duration:
                    description: The seconds for which a client stays with its target group. 0 disables stickiness.
                    type: int
                    default: 0
                  redirect:
                    description: The target of V(redirect). Parts that are not given are taken from the request;
                      V(#{host}), V(#{path}) and so on are replaced by parts of the request.
                    type: dict
                    suboptions:
                      protocol:
                        description: V(HTTP) or V(HTTPS).
                        type: str
                      host:
                        description: The host name.
                        type: str
                      port:
                        description: The port.
                        type: str
                      path:
                        description: The path, beginning with a slash.
                        type: str
                      query:
                        description: The query without the question mark. Empty for none.
                        type: str
                      status_code:
                        description: Whether the redirect is permanent (301) or temporary (302).
                        type: int
                        choices:
                          - 301
                          - 302
                        default: 301
                  fixed_response:
                    description: The response of V(fixed_response).
                    type: dict
                    suboptions:
                      status_code:
                        description: The status, 200 to 299 or 400 to 599.
                        type: int
                        required: true
                      content_type:
                        description: The body's type.
                        type: str
                        choices:
                          - text/plain
                          - text/css
                          - text/html
                          - application/javascript
                          - application/json
                        default: text/plain
                      body:
                        description: The body, at most 1024 characters.
                        type: str
      attributes:
        description: The load balancer's attributes. Attributes that are not listed here are not changed.
        type: dict
        suboptions:
          idle_timeout:
            description: The seconds without data after which a connection is closed, 1 to 4000.
            type: int
            default: 60
          deletion_protection:
            description: Whether AWS refuses to delete the load balancer.
            type: bool
            default: false
          drop_invalid_headers:
            description: Whether headers with invalid names are removed from requests.
            type: bool
            default: true
          preserve_host_header:
            description: Whether the Host header is passed on unchanged.
            type: bool
            default: false
          xff_mode:
            description: The processing of the header X-Forwarded-For.
            type: str
            choices:
              - append
              - preserve
              - remove
            default: append
          http2:
            description: Whether HTTP/2 is enabled.
            type: bool
            default: true
  planned_servers:
    description: The servers that M(groundwork.aws.ec2_instance_group) would launch, from a run in check mode, as tiers
      by name. So the plan contains their registration.
    type: dict
    default: {}
  purge:
    description: Whether to delete load balancers, listeners, rules and target groups that the module created and that
      are no longer declared, and to deregister targets that are not servers of the environment.
    type: bool
    default: false
  wait:
    description: Whether to wait for new load balancers to be active.
    type: bool
    default: true
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. 16 API calls if nothing changes for two load balancers with a listener and a target group each, for any
    number of servers. These are 5 for the environment, 4 for each load balancer with a target group, and 1 for the tags
    of every 20 of them. A listener with rules needs 1 more, and with O(purge) every listener does.
  - Without O(purge) rules that were created by hand stay, unless they have the priority of a declared one.
  - Listeners support only HTTP.
seealso:
  - module: groundwork.aws.elbv2_target_health
  - module: groundwork.aws.ec2_instance_group
"""

EXAMPLES = r"""
- name: Create a load balancer for the public servers
  groundwork.aws.elbv2_application_lb:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    target_groups:
      - name: public
        tier: public
    load_balancers:
      - name: public
        tier: public
        security_groups: [public-alb]
        listeners:
          - default_action:
              target_groups:
                - name: public

- name: Send a tenth of the requests to the new version, and redirect the old host name
  groundwork.aws.elbv2_application_lb:
    environment_name: dev
    region: eu-central-1
    target_groups:
      - {name: old, tier: old}
      - {name: new, tier: new, slow_start: 60}
    load_balancers:
      - name: web
        subnets: [public-a, public-b]
        security_groups: [public-alb]
        listeners:
          - port: 80
            default_action:
              target_groups:
                - {name: old, weight: 9}
                - {name: new, weight: 1}
              stickiness_duration: 3600
            rules:
              - priority: 10
                conditions:
                  - {field: host-header, values: [old.example.com]}
                action:
                  type: redirect
                  redirect: {host: www.example.com, status_code: 301}
    purge: true
"""

RETURN = r"""
changes:
  description: The changes in order. In check mode they are only planned.
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
  sample:
    - action: create
      resource: load balancer
      name: public
load_balancers:
  description: The declared load balancers, with V((known after apply)) in check mode if they do not exist yet.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the resource, without the environment.
      type: str
      returned: success
    arn:
      description: The ARN.
      type: str
      returned: success
    dns_name:
      description: The DNS name.
      type: str
      returned: success
    url:
      description: The URL of the first listener.
      type: str
      returned: success
  sample:
    - name: public
      arn: arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/dev-public/50dc6c495c0c9188
      dns_name: dev-public-1234567890.eu-central-1.elb.amazonaws.com
      url: http://dev-public-1234567890.eu-central-1.elb.amazonaws.com/
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.options import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.run import converge_load_balancers


def main() -> None:
    run_module(ARGUMENTS, converge_load_balancers)


if __name__ == "__main__":
    main()
