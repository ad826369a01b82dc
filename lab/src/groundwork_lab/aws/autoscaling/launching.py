"""An EC2 client for Auto Scaling that calls the API in this process, without the network.

The instances of a group are therefore launched by the same rules as all others, and a refused launch has AWS' error
message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from io import BytesIO
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from werkzeug.test import EnvironBuilder

from groundwork_lab.aws import ec2
from groundwork_lab.aws.applications import make_application
from groundwork_lab.aws.autoscaling.state import TemplateUse
from groundwork_lab.aws.context import AwsError, Context

NO_ONE = "auto-scaling"  # a fixed key: the calls are not authenticated


class LaunchError(Exception):
    """EC2 refused the launch: `code` and the message of its error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Raw(BytesIO):
    def stream(self, **_options: Any) -> Any:
        yield self.read()


class Launcher:
    def __init__(self, context: Context) -> None:
        self._context = context

    @cached_property
    def _application(self) -> Any:
        return make_application(ec2.SERVICE, None)

    @cached_property
    def _client(self) -> Any:
        client = boto3.session.Session().client(
            "ec2",
            region_name=self._context.region,
            endpoint_url="http://ec2.internal",
            aws_access_key_id=NO_ONE,
            aws_secret_access_key=NO_ONE,
            config=Config(retries={"total_max_attempts": 1}),
        )
        client.meta.events.register("before-send.ec2", self._answer)
        return client

    def _answer(self, request: AWSPreparedRequest, **_event: Any) -> AWSResponse:
        headers = {name: _text(value) for name, value in request.headers.items()}
        body = _text(request.body).encode()
        environ = EnvironBuilder(
            method=request.method, path="/", headers=headers, input_stream=BytesIO(body), content_length=len(body)
        ).get_environ()
        answer = self._application(environ)
        return AWSResponse(request.url, answer.status, dict(answer.headers), _Raw(answer.body))

    def check(self, template: TemplateUse, subnet_id: str) -> None:
        """Make a dry run of a launch. Raise LaunchError if it would be refused."""
        try:
            self._client.run_instances(**self._request(template, subnet_id, {}), DryRun=True)
        except (AwsError, ClientError) as error:
            refused = _launch_error(error)
            if refused.code != "DryRunOperation":
                raise refused from error

    def launch(self, template: TemplateUse, subnet_id: str, tags: Mapping[str, str]) -> str:
        """Launch an instance and return its id. Raise LaunchError if EC2 refuses."""
        try:
            made = self._client.run_instances(**self._request(template, subnet_id, tags))
        except (AwsError, ClientError) as error:
            raise _launch_error(error) from error
        return str(made["Instances"][0]["InstanceId"])

    def _request(self, template: TemplateUse, subnet_id: str, tags: Mapping[str, str]) -> dict[str, Any]:
        _, version = self._context.ec2.version_of(template.specification)
        request: dict[str, Any] = {
            "MinCount": 1,
            "MaxCount": 1,
            "LaunchTemplate": {"LaunchTemplateId": template.id, "Version": str(version.number)},
        }
        interfaces: Sequence[Mapping[str, Any]] = version.data.get("NetworkInterfaces") or ()
        if interfaces:
            request["NetworkInterfaces"] = [{"DeviceIndex": 0, "SubnetId": subnet_id}]
        else:
            request["SubnetId"] = subnet_id
        if tags:
            listed = [{"Key": key, "Value": value} for key, value in tags.items()]
            request["TagSpecifications"] = [{"ResourceType": "instance", "Tags": listed}]
        return request


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _launch_error(error: AwsError | ClientError) -> LaunchError:
    if isinstance(error, AwsError):
        return LaunchError(str(error.code), str(error.message))
    told = error.response["Error"]
    return LaunchError(told["Code"], told["Message"])
