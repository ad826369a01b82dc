"""CloudFront with AWS' own rules: distributions, and their functions, policies and origin access controls.

moto keeps only some members of a distribution. Here each resource is the complete structure of the API, serialized with
botocore's model. moto provides the server, the parser and the registries.
https://docs.aws.amazon.com/cloudfront/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.cloudfront.corrections import install
from groundwork_lab.aws.cloudfront.world import is_deployed, sources

__all__ = ["install", "is_deployed", "sources"]
