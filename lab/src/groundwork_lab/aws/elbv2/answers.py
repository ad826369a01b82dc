"""ELBv2's responses: pagination, and members that moto omits."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.responses import ELBV2Response

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.ec2.answering import page
from groundwork_lab.aws.elbv2 import security
from groundwork_lab.aws.validating import Checked

LARGEST_PAGE = 400


class Responses(Checked, ELBV2Response):
    def _paged(self, operation: str, key: str, items: list[Any]) -> ActionResult:
        """Return one page of the items.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html
        """
        size = min(self._get_int_param("PageSize", LARGEST_PAGE), LARGEST_PAGE)
        found, following = page(items, size, self._get_param("Marker"), operation)
        return ActionResult({key: found, "NextMarker": following})

    def describe_load_balancers(self) -> ActionResult:
        found = self.elbv2_backend.describe_load_balancers(
            self._get_param("LoadBalancerArns", []), self._get_param("Names", [])
        )
        return self._paged("DescribeLoadBalancers", "LoadBalancers", list(found))

    def describe_target_groups(self) -> ActionResult:
        found = self.elbv2_backend.describe_target_groups(
            self._get_param("LoadBalancerArn"), self._get_param("TargetGroupArns", []), self._get_param("Names", [])
        )
        return self._paged("DescribeTargetGroups", "TargetGroups", list(found))

    def create_listener(self) -> ActionResult:
        """Create a listener from all of the request: moto's responses read only the first certificate."""
        params = self._get_params()
        listener = self.elbv2_backend.create_listener(
            params.get("LoadBalancerArn"),
            params.get("Protocol"),
            params.get("Port"),
            params.get("SslPolicy"),
            params.get("Certificates", []),
            params.get("DefaultActions", []),
            params.get("AlpnPolicy", []),
            params.get("Tags"),
        )
        return ActionResult({"Listeners": [listener]})

    def describe_ssl_policies(self) -> ActionResult:
        """Return the security policies.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeSSLPolicies.html
        """
        wanted = list(dict.fromkeys(self._get_param("Names", [])))
        missing = [each for each in wanted if each not in security.POLICIES]
        if missing:
            refuse("SSLPolicyNotFound", f"One or more SSL policies not found: '{missing[0]}'")
        shown = [security.described(each) for each in wanted or security.POLICIES]
        kind = self._get_param("LoadBalancerType")
        shown = [each for each in shown if kind in (None, "application", "network")]
        size = self._get_int_param("PageSize", LARGEST_PAGE)
        found, following = page(shown, size, self._get_param("Marker"), "DescribeSSLPolicies")
        return ActionResult({"SslPolicies": found, "NextMarker": following})

    def add_listener_certificates(self) -> ActionResult:
        """Add a certificate, and return it as DescribeListenerCertificates does."""
        arn = self._get_param("ListenerArn")
        added = self.elbv2_backend.add_listener_certificates(arn, self._get_param("Certificates", []))
        return ActionResult({"Certificates": [{"CertificateArn": each, "IsDefault": False} for each in added]})

    def describe_listener_certificates(self) -> ActionResult:
        shown = self.elbv2_backend.described_certificates(self._get_param("ListenerArn"))
        return self._paged("DescribeListenerCertificates", "Certificates", shown)

    def describe_listeners(self) -> ActionResult:
        result = super().describe_listeners()
        return self._paged("DescribeListeners", "Listeners", list(result.result["Listeners"]))

    def describe_rules(self) -> ActionResult:
        found = self.elbv2_backend.describe_rules(self._get_param("ListenerArn"), self._get_param("RuleArns"))
        return self._paged("DescribeRules", "Rules", list(found))

    def create_rule(self) -> ActionResult:
        self._check_transforms()
        return super().create_rule()

    def modify_rule(self) -> ActionResult:
        self._check_transforms()
        return super().modify_rule()

    def _check_transforms(self) -> None:
        """Refuse transforms of requests.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-transforms.html
        """
        if self._get_param("Transforms"):
            refuse("InvalidConfigurationRequest", "The lab's load balancers do not transform requests.")

    def modify_target_group_attributes(self) -> ActionResult:
        super().modify_target_group_attributes()
        group = self.elbv2_backend.target_groups[self._get_param("TargetGroupArn")]
        return ActionResult({"Attributes": group.attributes})
