"""CloudFront with AWS' own rules: distributions, and their functions, policies and origin access controls.

moto keeps only some members of a distribution. Here each resource is the complete structure of the API, serialized with
botocore's model. moto provides the server, the parser and the registries.
https://docs.aws.amazon.com/cloudfront/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(client="cloudfront", protocol="rest-xml", reach="global", global_endpoint=True)
