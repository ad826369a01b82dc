"""CloudFront with AWS' own rules: distributions, and the functions, policies and access controls that they refer to.

moto keeps a third of a distribution; here each resource is the API's own structure, kept whole and written out by
botocore's model, and moto gives the server, the parser and the registries.
https://docs.aws.amazon.com/cloudfront/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.cloudfront.corrections import install
from groundwork_lab.aws.cloudfront.world import is_deployed, sources

__all__ = ["install", "is_deployed", "sources"]
