"""S3 with AWS' own rules: moto's buckets and objects with corrections, and the access of unsigned requests.

https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.s3.corrections import bucket_of, install

__all__ = ["bucket_of", "install"]
