"""Auto Scaling: groups that launch, replace and terminate instances.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(client="autoscaling", protocol="query", reach="lab")
