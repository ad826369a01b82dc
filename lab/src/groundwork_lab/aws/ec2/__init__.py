"""EC2 with AWS' own rules: moto's backend and responses with corrections.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(client="ec2", protocol="ec2", reach="lab")
