"""ELBv2's responses: pagination, and members that moto omits."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.responses import ELBV2Response

from groundwork_lab.aws.ec2.answering import page
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

    def describe_listeners(self) -> ActionResult:
        result = super().describe_listeners()
        return self._paged("DescribeListeners", "Listeners", list(result.result["Listeners"]))

    def describe_rules(self) -> ActionResult:
        found = self.elbv2_backend.describe_rules(self._get_param("ListenerArn"), self._get_param("RuleArns"))
        return self._paged("DescribeRules", "Rules", list(found))

    def modify_target_group_attributes(self) -> ActionResult:
        super().modify_target_group_attributes()
        group = self.elbv2_backend.target_groups[self._get_param("TargetGroupArn")]
        return ActionResult({"Attributes": group.attributes})
