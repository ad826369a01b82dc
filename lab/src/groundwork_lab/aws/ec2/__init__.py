"""EC2 with AWS' own rules: moto's backend and responses with corrections.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.ec2.corrections import install
from groundwork_lab.aws.ec2.world import sources

__all__ = ["install", "sources"]
