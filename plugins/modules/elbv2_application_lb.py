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
short_description: Put an environment's Application Load Balancers in front of its servers
description:
  - Makes all target groups, load balancers, listeners and rules of an environment in one run, and keeps the servers
    of a tier registered in its target groups.
  - Subnets, security groups and servers are found by their tags, so that nothing has to be passed on.
  - Everything that AWS limits is checked before the first write. Rules are compared by what they mean, so that a
    second run changes nothing.
  - The modules M(community.aws.elb_target_group) and M(amazon.aws.elb_application_lb) take a process and several calls
    for each resource, cannot be planned before the network exists, and know no slow start.
options:
  zones:
    description: The availability zones of the network, as in M(groundwork.aws.ec2_vpc_network). Needed by load
      balancers that give a tier.
    type: list
    elements: str
    default: []
  target_groups:
    description: All target groups. Each can be used by one load balancer.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The target group's name. With the environment's name before it at most 32 characters.
        type: str
        required: true
      tier:
        description: The tier whose servers are the targets.
        type: str
        required: true
      protocol:
        description: The protocol that the targets speak. AWS cannot change it afterwards.
        type: str
        choices:
          - HTTP
          - HTTPS
        default: HTTP
      port:
        description: The port that the targets listen on. AWS cannot change it afterwards.
        type: int
        default: 80
      health_check:
        description: How the balancer finds out whether a target is well. The defaults unless given.
        type: dict
        suboptions:
          path:
            description: The path that is asked for.
            type: str
            default: /healthz
          port:
            description: A port, or V(traffic-port) for the one that gets the requests.
            type: str
            default: traffic-port
          interval:
            description: Seconds between two checks, 5 to 300.
            type: int
            default: 5
          timeout:
            description: Seconds after which an answer comes too late, 2 to 120 and less than the interval.
            type: int
            default: 3
          healthy_threshold:
            description: Passed checks in a row that make an unhealthy target healthy, 2 to 10.
            type: int
            default: 2
          unhealthy_threshold:
            description: Failed checks in a row that make a target unhealthy, 2 to 10.
            type: int
            default: 2
          matcher:
            description: The codes of a good answer, as V(200) or V(200-299,302), within 200 to 499.
            type: str
            default: '200'
      deregistration_delay:
        description: Seconds that a target which is taken out has for the requests it has begun, 0 to 3600.
        type: int
        default: 30
      slow_start:
        description: Seconds in which a new target gets more and more requests, 30 to 900. 0 is at once.
        type: int
        default: 0
      stickiness:
        description: Whether a client stays with its target. It does not unless given.
        type: dict
        suboptions:
          enabled:
            description: Whether it does.
            type: bool
            default: true
          type:
            description: Whether the balancer's cookie decides, or one of the application.
            type: str
            choices:
              - lb_cookie
              - app_cookie
            default: lb_cookie
          duration:
            description: For how many seconds, 1 to 604800.
            type: int
            default: 86400
          cookie_name:
            description: The application's cookie, for V(app_cookie).
            type: str
      algorithm:
        description: How a target is chosen.
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
        description: The load balancer's name. With the environment's name before it at most 32 characters.
        type: str
        required: true
      scheme:
        description: Whether it has public addresses. AWS cannot change it afterwards.
        type: str
        choices:
          - internet-facing
          - internal
        default: internet-facing
      tier:
        description: The network's tier in whose subnets it is, one in each of O(zones). Give either this or subnets.
        type: str
      subnets:
        description: The names of its subnets, in at least two zones, one in each.
        type: list
        elements: str
      security_groups:
        description: The names of its security groups, as in M(groundwork.aws.ec2_security_groups), or ids of others
          (sg-...).
        type: list
        elements: str
        required: true
      listeners:
        description: The ports that it listens on.
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
            description: What is done with a request that no rule matches.
            type: dict
            required: true
            suboptions:
              type:
                description: What is done with a request.
                type: str
                choices:
                  - forward
                  - redirect
                  - fixed_response
                default: forward
              target_groups:
                description: The target groups that V(forward) sends to, by weight.
                type: list
                elements: dict
                suboptions:
                  name:
                    description: The target group's name.
                    type: str
                    required: true
                  weight:
                    description: Its share, 0 to 999; 0 gets nothing.
                    type: int
                    default: 1
              stickiness_duration:
                description: For how many seconds a client stays with the target group that it got. 0 is not at
                  all.
                type: int
                default: 0
              redirect:
                description: Where V(redirect) leads. What is not given stays as it is in the request; V(#{host}),
                  V(#{path}) and so on stand for parts of the request.
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
                    description: Whether it is for good (301) or for now (302).
                    type: int
                    choices:
                      - 301
                      - 302
                    default: 301
              fixed_response:
                description: What V(fixed_response) answers.
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
            description: The rules, asked in order of their priority until one matches.
            type: list
            elements: dict
            default: []
            suboptions:
              priority:
                description: The place in the order, 1 to 50000; the lowest is asked first.
                type: int
                required: true
              conditions:
                description: What must hold, all of it.
                type: list
                elements: dict
                required: true
                suboptions:
                  field:
                    description: What is looked at.
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
                description: What is done with a request that matches.
                type: dict
                required: true
                suboptions:
                  type:
                    description: What is done with a request.
                    type: str
                    choices:
                      - forward
                      - redirect
                      - fixed_response
                    default: forward
                  target_groups:
                    description: The target groups that V(forward) sends to, by weight.
                    type: list
                    elements: dict
                    suboptions:
                      name:
                        description: The target group's name.
                        type: str
                        required: true
                      weight:
                        description: Its share, 0 to 999; 0 gets nothing.
                        type: int
                        default: 1
                  stickiness_duration:
                    description: For how many seconds a client stays with the target group that it got. 0 is not
                      at all.
                    type: int
                    default: 0
                  redirect:
                    description: Where V(redirect) leads. What is not given stays as it is in the request; V(#{host}),
                      V(#{path}) and so on stand for parts of the request.
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
                        description: Whether it is for good (301) or for now (302).
                        type: int
                        choices:
                          - 301
                          - 302
                        default: 301
                  fixed_response:
                    description: What V(fixed_response) answers.
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
        description: The balancer's settings. The defaults unless given. What is not listed here stays as it is
          at AWS.
        type: dict
        suboptions:
          idle_timeout:
            description: Seconds without a byte after which a connection is closed, 1 to 4000.
            type: int
            default: 60
          deletion_protection:
            description: Whether AWS refuses to delete it.
            type: bool
            default: false
          drop_invalid_headers:
            description: Whether headers with invalid names are taken out of requests.
            type: bool
            default: true
          preserve_host_header:
            description: Whether the Host header is passed on exactly as it came.
            type: bool
            default: false
          xff_mode:
            description: What happens to X-Forwarded-For.
            type: str
            choices:
              - append
              - preserve
              - remove
            default: append
          http2:
            description: Whether HTTP/2 is offered.
            type: bool
            default: true
  planned_servers:
    description: Servers that a check mode run of M(groundwork.aws.ec2_instance_group) would launch, each by its
      name with its tier, so that the plan holds their registration.
    type: dict
    default: {}
  purge:
    description: Whether load balancers, listeners, rules and target groups that the module made before and that
      are not declared any more are removed, and targets that are no servers of the environment.
    type: bool
    default: false
  wait:
    description: Whether to wait until new load balancers are active.
    type: bool
    default: true
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. 14 API calls when there is nothing to do for two load balancers with a listener and a target group each,
    whatever the number of servers; 5 for the environment, 4 for each load balancer with a target group, and 1 for
    the tags of every 20 of them. A listener that has rules takes one more, and with O(purge) every listener does.
  - Without O(purge) rules of other people stay, unless they have the priority of a declared one.
  - Listeners speak HTTP only so far.
seealso:
  - module: groundwork.aws.elbv2_target_health
  - module: groundwork.aws.ec2_instance_group
"""

EXAMPLES = r"""
- name: Put a balancer in front of the public servers
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

- name: Send a tenth to the new version, and the old address elsewhere
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
  description: What was changed, or in check mode would be, in order.
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
  sample:
    - action: create
      resource: load balancer
      name: public
load_balancers:
  description: The declared load balancers. V((known after apply)) in check mode for what does not exist yet.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name that people use.
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
