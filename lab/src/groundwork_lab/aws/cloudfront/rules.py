"""The checks of a distribution's configuration, with AWS' error codes. Pure functions.

https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateDistribution.html#API_CreateDistribution_Errors and
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from groundwork_lab.aws.certificates import covers
from groundwork_lab.aws.cloudfront.state import behaviors_of
from groundwork_lab.aws.context import refuse

ORIGINS_LIMIT = 100
BEHAVIORS_LIMIT = 75
CUSTOM_HEADERS_LIMIT = 30
LONGEST_HEADERS = (256, 1783, 10240)  # a name, a value, and all of them together
ALIASES_LIMIT = 100
LONGEST_TIMEOUT = 120  # seconds
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-web-distributions
S3_DOMAIN = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com")
METHODS = ({"GET", "HEAD"}, {"GET", "HEAD", "OPTIONS"}, {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"})
ERROR_CODES = frozenset({400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504})
NOT_ADDED = re.compile(  # the headers that a distribution cannot add to the requests to an origin
    "cache-control|connection|content-length|cookie|host|if-(match|modified-since|none-match|range|unmodified-since)|"
    "max-forwards|pragma|proxy-(authenticate|authorization|connection)|range|request-range|te|trailer|transfer-encoding|"
    "upgrade|via|x-amz-.*|x-edge-.*|x-real-ip",
    re.IGNORECASE,
)
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html
RESPONSE_CODES = frozenset({"200", *map(str, ERROR_CODES)})
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-response-code.html
Config = Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """The resources that a configuration may refer to: their ids, and the ARNs of published functions.

    `certified` returns the names that the certificate with an ARN covers, or None if CloudFront cannot use it. `taken`
    are the aliases of other distributions.
    """

    access_controls: Mapping[str, Config]
    cache_policies: Collection[str]
    origin_request_policies: Collection[str]
    response_headers_policies: Collection[str]
    live_functions: Collection[str]
    certified: Callable[[str], tuple[str, ...] | None]
    taken: Collection[str]


def check(config: Config, known: Known) -> None:
    """Refuse a complete configuration that AWS would refuse."""
    _check_certificate(config["ViewerCertificate"], config["Aliases"].get("Items", ()), known)
    _check_aliases(config["Aliases"].get("Items", ()), known)
    root = config["DefaultRootObject"]
    if root.startswith("/") or len(root) > 255:
        message = "The default root object file name is too big or contains an invalid character."
        refuse("InvalidDefaultRootObject", message)
    if len(config["Comment"]) > 128:
        _invalid("Comment")
    if config["WebACLId"]:
        refuse("InvalidWebACLId", "A web ACL ID specified is not valid: this account has no web ACLs.")
    _check_origins(config["Origins"]["Items"], known)
    _check_behaviors(config, known)
    for response in config["CustomErrorResponses"].get("Items", ()):
        _check_error_response(response)
    _unique([each["ErrorCode"] for each in config["CustomErrorResponses"].get("Items", ())], "ErrorCode")


def _invalid(name: str) -> NoReturn:
    refuse("InvalidArgument", f"The parameter {name} is not valid.")


def _unique(values: list[Any], name: str) -> None:
    if len(set(values)) < len(values):
        refuse("InvalidArgument", f"The parameter {name} contains a duplicate value.")


def _check_certificate(certificate: Config, aliases: Collection[str], known: Known) -> None:
    """Refuse a certificate that CloudFront cannot use, and aliases that it does not cover.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html#alternate-domain-names-requirements
    """
    if certificate["CloudFrontDefaultCertificate"]:
        if aliases:
            _refuse_certificate(
                "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted "
                f"certificate that validates your authorization to use the domain name. {_DETAILS}"
            )
        return
    if certificate.get("SSLSupportMethod") is None:
        refuse("InvalidArgument", "The parameter SSLSupportMethod is required.")
    certified = known.certified(certificate.get("ACMCertificateArn") or "")
    if certified is None:
        _refuse_certificate(
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include "
            "a valid certificate chain."
        )
    if certificate["MinimumProtocolVersion"] == "SSLv3":
        message = "The minimum protocol version must be TLSv1 or later if SSLSupportMethod is sni-only."
        refuse("InvalidMinimumProtocolVersion", message)
    if not all(covers(certified, alias) for alias in aliases):
        _refuse_certificate(
            "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) "
            f"that you're trying to add. {_DETAILS}"
        )


_DETAILS = (
    "For more details, see: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html"
    "#alternate-domain-names-requirements"
)


def _refuse_certificate(message: str) -> NoReturn:
    refuse("InvalidViewerCertificate", message)


def _check_aliases(aliases: Collection[str], known: Known) -> None:
    if len(aliases) > ALIASES_LIMIT:
        refuse("TooManyDistributionCNAMEs", "Your request contains more CNAMEs than are allowed per distribution.")
    for alias in aliases:
        if not re.fullmatch(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", alias, re.IGNORECASE):
            refuse(
                "InvalidArgument", f"The parameter CNAME contains one or more parameters that are not valid: {alias}"
            )
    _unique([alias.lower() for alias in aliases], "CNAME")
    if {alias.lower() for alias in aliases} & set(known.taken):
        message = "One or more of the CNAMEs you provided are already associated with a different resource."
        refuse("CNAMEAlreadyExists", message)


def _check_origins(origins: list[Config], known: Known) -> None:
    if len(origins) > ORIGINS_LIMIT:
        refuse("TooManyOrigins", "You cannot create more origins for the distribution.")
    _unique([each["Id"] for each in origins], "Origin Id")
    for origin in origins:
        _check_path(origin["OriginPath"], empty=True)
        if not 1 <= int(origin["ConnectionAttempts"]) <= 3:
            _invalid("ConnectionAttempts")
        if not 1 <= int(origin["ConnectionTimeout"]) <= 10:
            _invalid("ConnectionTimeout")
        _check_custom_headers(origin["CustomHeaders"].get("Items", ()))
        _check_access(origin, known)


def _check_custom_headers(headers: Sequence[Config]) -> None:
    """Check the headers that a distribution adds to the requests to an origin.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html and
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-custom-headers
    """
    if len(headers) > CUSTOM_HEADERS_LIMIT:
        refuse("TooManyOriginCustomHeaders", "Your request contains too many origin custom headers.")
    name, value, whole = LONGEST_HEADERS
    for header in headers:
        if not re.fullmatch(rf"[!#$%&'*+\-.^_`|~0-9A-Za-z]{{1,{name}}}", header["HeaderName"]):
            _invalid("HeaderName")
        if NOT_ADDED.fullmatch(header["HeaderName"]):
            message = f"The parameter HeaderName contains a header that is not allowed: {header['HeaderName']}"
            refuse("InvalidArgument", message)
        if not re.fullmatch(rf"[\t -~]{{1,{value}}}", header["HeaderValue"]):
            _invalid("HeaderValue")
    if sum(len(text) for header in headers for text in header.values()) > whole:
        _invalid("CustomHeaders")
    _unique([header["HeaderName"].lower() for header in headers], "HeaderName")


def _check_access(origin: Config, known: Known) -> None:
    """Check that an origin is either a bucket or a custom origin."""
    if ("S3OriginConfig" in origin) == ("CustomOriginConfig" in origin):
        message = f"The origin '{origin['Id']}' must have either S3OriginConfig or CustomOriginConfig."
        refuse("InvalidOrigin", message)
    if "CustomOriginConfig" in origin:
        _check_server(origin)
    else:
        _check_bucket(origin, known)


def _check_server(origin: Config) -> None:
    """Check a custom origin.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html
    """
    if origin["OriginAccessControlId"] and not S3_DOMAIN.fullmatch(origin["DomainName"]):
        message = "An origin access control is associated with an origin whose domain name is not supported."
        refuse("InvalidDomainNameForOriginAccessControl", message)
    if not re.fullmatch(r"(?!\d+(\.\d+){3}$)[a-z0-9-]+(\.[a-z0-9-]+)+", origin["DomainName"], re.IGNORECASE):
        refuse("InvalidOrigin", "The parameter origin name must be a domain name.")
    server = origin["CustomOriginConfig"]
    for name in ("HTTPPort", "HTTPSPort"):
        if server[name] not in (80, 443) and not 1024 <= server[name] <= 65535:
            _invalid(name)
    for name in ("OriginReadTimeout", "OriginKeepaliveTimeout"):
        if not 1 <= server[name] <= LONGEST_TIMEOUT:
            refuse(f"Invalid{name}", f"The {name} must be between 1 and {LONGEST_TIMEOUT} seconds.")


def _check_bucket(origin: Config, known: Known) -> None:
    access_control, identity = origin["OriginAccessControlId"], origin["S3OriginConfig"]["OriginAccessIdentity"]
    if access_control and identity:
        message = "You can't use both an origin access control and an origin access identity."
        refuse("IllegalOriginAccessConfiguration", message)
    if identity:
        refuse("InvalidOriginAccessIdentity", "The origin access identity is not valid or doesn't exist.")
    if access_control and access_control not in known.access_controls:
        refuse("InvalidOriginAccessControl", "The origin access control is not valid or doesn't exist.")
    if not S3_DOMAIN.fullmatch(origin["DomainName"]):
        if access_control:
            message = "An origin access control is associated with an origin whose domain name is not supported."
            refuse("InvalidDomainNameForOriginAccessControl", message)
        message = "The Amazon S3 origin server specified does not refer to a valid Amazon S3 bucket."
        refuse("InvalidOrigin", message)


def _check_path(path: str, *, empty: bool) -> None:
    if empty and not path:
        return
    if not path.startswith("/") or len(path) > 255 or (empty and path.endswith("/")) or not path.isascii():
        message = "The relative path is too big, is not URL-encoded, or does not begin with a slash (/)."
        refuse("InvalidRelativePath", message)


def _check_behaviors(config: Config, known: Known) -> None:
    behaviors = behaviors_of(dict(config))
    if len(behaviors) - 1 > BEHAVIORS_LIMIT:
        refuse("TooManyCacheBehaviors", "You cannot create more cache behaviors for the distribution.")
    patterns = [each["PathPattern"] for each in behaviors[1:]]
    _unique(patterns, "PathPattern")
    if not all(re.fullmatch(r"[A-Za-z0-9_.*$/~\"'@:+&?!=\-]{1,255}", each) for each in patterns):
        _invalid("PathPattern")
    origins = {each["Id"] for each in config["Origins"]["Items"]}
    for behavior in behaviors:
        if behavior["TargetOriginId"] not in origins:
            refuse("NoSuchOrigin", "One or more of your origins or origin groups do not exist.")
        _check_methods(behavior["AllowedMethods"])
        _check_policies(behavior, known)
        _check_functions(behavior, known)


def _check_methods(methods: Config) -> None:
    if set(methods["Items"]) not in METHODS or len(set(methods["Items"])) < len(methods["Items"]):
        _invalid("AllowedMethods")
    cached = set(methods["CachedMethods"]["Items"])
    if cached not in METHODS[:2] or not cached <= set(methods["Items"]):
        _invalid("CachedMethods")


def _check_policies(behavior: Config, known: Known) -> None:
    cache, forwarded = behavior.get("CachePolicyId"), behavior.get("ForwardedValues")
    if not cache and not forwarded:
        refuse("InvalidArgument", "The parameter ForwardedValues is required.")
    if cache:
        for name in ("ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL"):
            if behavior.get(name) is not None:
                reason = "cannot be used when a cache policy is associated to the cache behavior."
                refuse("InvalidArgument", f"The parameter {name} {reason}")
    elif behavior.get("OriginRequestPolicyId"):
        refuse("InvalidArgument", "An origin request policy can be used only with a cache policy.")
    elif not 0 <= behavior["MinTTL"] <= behavior["DefaultTTL"] <= behavior["MaxTTL"]:
        refuse("InvalidTTLOrder", "The order of the TTLs must be MinTTL <= DefaultTTL <= MaxTTL.")
    for member, ids, code in (
        ("CachePolicyId", known.cache_policies, "NoSuchCachePolicy"),
        ("OriginRequestPolicyId", known.origin_request_policies, "NoSuchOriginRequestPolicy"),
        ("ResponseHeadersPolicyId", known.response_headers_policies, "NoSuchResponseHeadersPolicy"),
    ):
        if behavior.get(member) and behavior[member] not in ids:
            refuse(code, f"The {member.removesuffix('Id')} '{behavior[member]}' does not exist.")


def _check_functions(behavior: Config, known: Known) -> None:
    associations = behavior["FunctionAssociations"].get("Items", ())
    events = [each["EventType"] for each in associations]
    if len(set(events)) < len(events):
        refuse("InvalidFunctionAssociation", "A cache behavior can have only one function per event type.")
    for association in associations:
        if association["EventType"] not in ("viewer-request", "viewer-response"):
            message = f"A CloudFront function cannot have the event type '{association['EventType']}'."
            refuse("InvalidFunctionAssociation", message)
        if association["FunctionARN"] not in known.live_functions:
            message = f"The function '{association['FunctionARN']}' does not exist or has not been published (LIVE)."
            refuse("InvalidFunctionAssociation", message)


def _check_error_response(response: Config) -> None:
    page, code = response["ResponsePagePath"], response["ResponseCode"]
    if response["ErrorCode"] not in ERROR_CODES:
        refuse("InvalidErrorCode", f"An invalid error code was specified: {response['ErrorCode']}.")
    if code and code not in RESPONSE_CODES:
        refuse("InvalidResponseCode", f"A response code is not valid: {code}.")
    if bool(page) != bool(code):
        message = "ResponsePagePath and ResponseCode must be given both, or neither of them."
        refuse("InvalidArgument", message)
    _check_path(page or "/", empty=False)
    if int(response["ErrorCachingMinTTL"]) < 0:
        _invalid("ErrorCachingMinTTL")
