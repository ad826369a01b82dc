"""Amazon EFS: file systems, their mount targets and access points. The state and its rules are the lab's own.

https://docs.aws.amazon.com/efs/latest/ug/api-reference.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(client="efs", protocol="rest-json", signs_as="elasticfilesystem", reach="lab")
