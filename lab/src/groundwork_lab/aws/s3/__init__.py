"""S3 with AWS' own rules: moto's buckets and objects with corrections, and the access of unsigned requests.

https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

# The `World` does not contain the content of buckets.
SERVICE = Service(client="s3", protocol="s3", global_endpoint=True, in_world=False)
