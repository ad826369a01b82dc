"""Build a static site with boto3 and request it on the lab's internet. Print the results as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

import boto3
import requests

BUCKET = "edge-test"
PAGE = b"<h1>one</h1>" + b" word" * 400
CLEAN = b"""
async function handler(event) {
    const request = event.request;
    const last = request.uri.split('/').pop();
    request.uri += last == '' ? 'index.html' : last.indexOf('.') < 0 ? '/index.html' : '';
    return request;
}
"""

s3 = boto3.client("s3")
cloudfront = boto3.client("cloudfront", region_name="us-east-1")


def counted(*values: Any) -> dict[str, Any]:
    return {"Quantity": len(values), "Items": list(values)}


def put(key: str, body: bytes, kind: str = "text/html") -> None:
    s3.put_object(
        Bucket=BUCKET, Key=f"site/{key}", Body=body, ContentType=kind, CacheControl="max-age=0, s-maxage=3600"
    )


def function() -> str:
    made = cloudfront.create_function(
        Name="clean", FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"}, FunctionCode=CLEAN
    )
    published = cloudfront.publish_function(Name="clean", IfMatch=made["ETag"])
    return str(published["FunctionSummary"]["FunctionMetadata"]["FunctionARN"])


def distribution(function_arn: str) -> dict[str, Any]:
    control = cloudfront.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": "site",
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )["OriginAccessControl"]["Id"]
    origin = {
        "Id": "site",
        "DomainName": f"{BUCKET}.s3.eu-central-1.amazonaws.com",
        "OriginPath": "/site",
        "OriginAccessControlId": control,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    config = {
        "CallerReference": "edge-test",
        "Comment": "",
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "Origins": counted(origin),
        "DefaultCacheBehavior": {
            "TargetOriginId": "site",
            "ViewerProtocolPolicy": "redirect-to-https",
            "Compress": True,
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",  # CachingOptimized
            "ResponseHeadersPolicyId": "67f7725c-6f97-4210-82d7-5512b31e9d03",  # SecurityHeadersPolicy
            "FunctionAssociations": counted({"EventType": "viewer-request", "FunctionARN": function_arn}),
        },
        "CustomErrorResponses": counted(
            {"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "404", "ErrorCachingMinTTL": 10}
        ),
    }
    made: dict[str, Any] = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]
    return made


def policy(arn: str) -> str:
    def allow(action: str, resource: str) -> dict[str, Any]:
        return {
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": action,
            "Resource": f"arn:aws:s3:::{BUCKET}{resource}",
            "Condition": {"StringEquals": {"AWS:SourceArn": arn}},
        }

    return json.dumps(
        {"Version": "2012-10-17", "Statement": [allow("s3:GetObject", "/site/*"), allow("s3:ListBucket", "")]}
    )


def visit(url: str, **options: Any) -> dict[str, Any]:
    answer = requests.get(url, allow_redirects=False, timeout=20, **options)
    names = ("X-Cache", "Location", "Content-Encoding", "ETag", "Strict-Transport-Security", "Age")
    found = {name: answer.headers[name] for name in names if name in answer.headers}
    return {"status": answer.status_code, "body": answer.text[:12], **found}


def main() -> None:
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for key, body in (("index.html", PAGE), ("guide/index.html", b"<h1>guide</h1>"), ("404.html", b"not here")):
        put(key, body)
    put("app.css", b"a {}" * 500, "text/css")
    made = distribution(function())
    cloudfront.get_waiter("distribution_deployed").wait(Id=made["Id"], WaiterConfig={"Delay": 1})
    url = f"https://{made['DomainName']}"
    seen = {"without a policy": visit(f"{url}/")}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy(made["ARN"]))
    plain = {"headers": {"Accept-Encoding": "identity"}}
    seen |= {
        "http": visit(url.replace("https", "http") + "/guide?a=b"),
        "first": visit(f"{url}/", **plain),
        "again": visit(f"{url}/", **plain),
        "gzip": visit(f"{url}/", headers={"Accept-Encoding": "gzip"}),
        "guide": visit(f"{url}/guide"),
        "guide/": visit(f"{url}/guide/"),
        "missing": visit(f"{url}/missing.html"),
        "asset": visit(f"{url}/app.css"),
        "direct": visit(f"{s3.meta.endpoint_url}/{BUCKET}/site/index.html"),
    }
    put("index.html", b"<h1>two</h1>")
    seen["before"] = visit(f"{url}/", **plain)
    made_one = cloudfront.create_invalidation(
        DistributionId=made["Id"], InvalidationBatch={"CallerReference": "1", "Paths": counted("/", "/index.html")}
    )["Invalidation"]["Id"]
    waiter = cloudfront.get_waiter("invalidation_completed")
    waiter.wait(DistributionId=made["Id"], Id=made_one, WaiterConfig={"Delay": 1})
    seen |= {"after": visit(f"{url}/", **plain), "asset after": visit(f"{url}/app.css")}
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
