"""An edge between a viewer and an origin: hosts, behaviors, origins, response headers. Run with `-m lab`."""

from __future__ import annotations

import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from distributions import ARN, BUCKET, SITE, behavior, chosen, counted, distribution, s3_origin, server_origin

pytestmark = pytest.mark.lab

PAGE = b"<p>" + b"word " * 400
BOTH = {"Accept-Encoding": "gzip, deflate, br"}


class TestHosts:
    def test_a_name_that_nobody_has_is_refused(self, edge: Any) -> None:
        edge.serve()
        answer = edge.get("/", host="dother.cloudfront.net")
        assert (answer.status, answer.outcome, answer["Server"]) == (403, "Error", "CloudFront")
        assert b"The request could not be satisfied" in answer.body

    def test_a_disabled_distribution_answers_nobody(self, edge: Any) -> None:
        edge.origin.reply("/site/index.html", PAGE)
        edge.serve(distribution(Enabled=False))
        assert edge.get("/").status == 403
        assert edge.origin.asked == []

    def test_distributions_keep_apart(self, edge: Any) -> None:
        edge.origin.reply("/site/a", b"first")
        edge.origin.reply("/other/a", b"second")
        other = distribution(
            identifier="EOTHER", domain="dother.cloudfront.net", origins=[s3_origin(OriginPath="/other")]
        )
        edge.serve(distribution(), other)
        bodies = [edge.get("/a", host=host).body for host in (SITE, "dother.cloudfront.net") * 2]
        assert bodies == [b"first", b"second"] * 2

    def test_aliases_with_their_certificates(self, edge: Any) -> None:
        edge.origin.reply("/site/a", b"first")
        edge.origin.reply("/other/a", b"second")
        edge.serve(
            distribution(
                Aliases=counted("www.example.com", "*.sub.example.com"),
                certificate=edge.certificate("www.example.com", "*.sub.example.com"),
            ),
            distribution(
                identifier="EOTHER",
                domain="dother.cloudfront.net",
                origins=[s3_origin(OriginPath="/other")],
                Aliases=counted("a.sub.example.com"),
                certificate=edge.certificate("a.sub.example.com"),
            ),
        )
        hosts = ("www.example.com", "b.sub.example.com", "a.sub.example.com", SITE, "dother.cloudfront.net")
        bodies = [edge.get("/a", host=host).body for host in hosts]
        assert bodies == [b"first", b"first", b"second", b"first", b"second"]

    def test_the_host_decides_on_a_connection_for_another_name(self, edge: Any) -> None:
        edge.origin.reply("/site/a", b"it")
        alias = "www.example.com"
        edge.serve(distribution(Aliases=counted(alias), certificate=edge.certificate(alias)))
        assert edge.get("/a", host=alias, headers={"Host": SITE}).body == b"it"
        unknown = edge.get("/a", host=alias, headers={"Host": "unknown.example.com"})
        assert (unknown.status, unknown["X-Cache"]) == (403, "Error from cloudfront")

    def test_a_name_without_a_distribution_gets_cloudfronts_certificate(self, edge: Any) -> None:
        edge.serve(distribution(Aliases=counted("www.example.com"), certificate=edge.certificate("www.example.com")))
        with pytest.raises(ssl.SSLCertVerificationError, match=r"not valid for 'unknown.example.com'"):
            edge.connect(host="unknown.example.com")

    def test_a_certificate_is_replaced(self, edge: Any) -> None:
        alias = "www.example.com"
        edge.origin.reply("/site/a", b"it")
        first, second = edge.certificate(alias), edge.certificate(alias)
        edge.serve(distribution(Aliases=counted(alias), certificate=first))
        with closing(edge.connect(host=alias)) as before:
            edge.serve(distribution(Aliases=counted(alias), certificate=second))
            with closing(edge.connect(host=alias)) as after:
                shown = [ssl.DER_cert_to_PEM_cert(each.sock.getpeercert(True)).encode() for each in (before, after)]
        assert shown == [first.chain, second.chain]

    def test_no_request_fails_while_certificates_and_aliases_change(self, edge: Any) -> None:
        alias = "www.example.com"
        edge.origin.reply("/site/a", b"it")
        edge.serve(distribution(Aliases=counted(alias), certificate=edge.certificate(alias)))
        with ThreadPoolExecutor(1) as pool:
            for more in ((), ("static.example.com",), ("static.example.com", "img.example.com"), ()):
                names = (alias, *more)
                changed = distribution(Aliases=counted(*names), certificate=edge.certificate(*names))
                change = pool.submit(edge.serve, changed)
                bodies = [edge.get("/a", host=alias).body]
                while not change.done():
                    bodies.append(edge.get("/a", host=alias).body)
                change.result()
                assert set(bodies) == {b"it"}

    def test_the_viewers_address_is_known(self, edge: Any) -> None:
        edge.origin.reply("/app/a", b"it")
        edge.serve(distribution(origins=[server_origin("http.app.example", "http-only")]))
        edge.get("/a")
        assert edge.origin.last[2]["X-Forwarded-For"] == "127.0.0.1"

    def test_http_2(self, edge: Any) -> None:
        edge.origin.reply("/site/a", b"it")
        edge.serve()
        resolve = f"{SITE}:443:127.0.0.1"
        command = ["curl", "-sS", "--http2", "--cacert", edge.settings.bundle, "--resolve", resolve]
        command += ["-w", " %{http_version}", f"https://{SITE}/a"]
        inside = ["ip", "netns", "exec", edge.namespace, *command]
        assert subprocess.run(inside, capture_output=True, text=True, check=True).stdout == "it 2"


class TestBehaviors:
    @pytest.mark.parametrize(
        ("protocol", "method", "status"),
        [
            ("redirect-to-https", "GET", 301),
            ("redirect-to-https", "POST", 307),
            ("https-only", "GET", 403),
            ("allow-all", "GET", 200),
        ],
    )
    def test_protocols(self, edge: Any, protocol: str, method: str, status: int) -> None:
        edge.origin.reply("/site/a", b"it")
        edge.serve(distribution(default=behavior(ViewerProtocolPolicy=protocol)))
        answer = edge.get("/a?b=c", method, secure=False)
        assert answer.status == status
        if status in (301, 307):
            assert answer["Location"] == f"https://{SITE}/a?b=c"
            assert (answer.outcome, answer["Server"]) == ("Redirect", "CloudFront")

    def test_methods_that_are_not_allowed(self, edge: Any) -> None:
        edge.serve()
        assert edge.get("/a", "DELETE").status == 403
        assert edge.origin.asked == []

    def test_allowed_methods_reach_the_origin_and_are_not_cached(self, edge: Any) -> None:
        methods = {**counted("HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH")}
        edge.origin.reply("/site/a", b"taken")
        edge.serve(distribution(default=behavior(AllowedMethods=methods)))
        for _ in range(2):
            answer = edge.get("/a", "POST", b"body", headers={"Content-Type": "text/plain"})
            assert (answer.status, answer.outcome) == (200, "Miss")
        assert [(each[0], each[3]) for each in edge.origin.asked] == [("POST", b"body")] * 2
        assert edge.origin.last[2]["Content-Type"] == "text/plain"

    def test_the_first_matching_pattern_decides(self, edge: Any) -> None:
        origins = [s3_origin(), s3_origin(Id="a", OriginPath="/a"), s3_origin(Id="b", OriginPath="/b")]
        behaviors = [
            behavior(PathPattern="images/*.jpg", TargetOriginId="a"),
            behavior(PathPattern="/images/*", TargetOriginId="b"),
        ]
        edge.serve(distribution(origins=origins, behaviors=behaviors))
        paths = ["/images/x/y.jpg", "/images/y.JPG", "/other", "/%69mages/z", "/other/../images/w"]
        for path in paths:
            edge.get(path)
        wanted = ["/a/images/x/y.jpg", "/b/images/y.JPG", "/site/other", "/b/%69mages/z", "/b/other/../images/w"]
        assert [each[1] for each in edge.origin.asked] == wanted

    def test_what_the_origin_is_told(self, edge: Any) -> None:
        headers = counted({"HeaderName": "X-Secret", "HeaderValue": 'a "$b" \\c'})
        edge.serve(distribution(origins=[s3_origin(CustomHeaders=headers)]))
        answer = edge.get(
            "/a?b=c",
            headers={
                "X-Groundwork-Source-Arn": "arn:mine",
                "Edge-Site": "EOTHER",
                "Cookie": "a=b",
                "Referer": "x",
                "User-Agent": "me",
                "X-Forwarded-For": "192.0.2.1",
            },
        )
        method, path, told, _ = edge.origin.last
        assert (method, path) == ("GET", "/site/a")
        assert told == {
            "Host": BUCKET,
            "X-Groundwork-Source-Arn": ARN,
            "X-Secret": 'a "$b" \\c',
            "User-Agent": "Amazon CloudFront",
            "Via": "1.1 groundworklab.cloudfront.net (CloudFront)",
            "X-Amz-Cf-Id": answer["X-Amz-Cf-Id"],
            "X-Forwarded-For": "192.0.2.1, 127.0.0.1",
            "Accept-Encoding": "identity",
            "Connection": "Keep-Alive",
        }

    @pytest.mark.parametrize(
        ("signing", "sent", "arn", "authorization"),
        [
            ("always", "mine", ARN, None),
            ("no-override", "mine", None, "mine"),
            ("no-override", None, ARN, None),
            ("never", "mine", None, "mine"),
        ],
    )
    def test_access_control(
        self, edge: Any, signing: str, sent: str | None, arn: str | None, authorization: str | None
    ) -> None:
        policy = {"HeadersConfig": chosen("Header", "whitelist", "Authorization"), **NOTHING_ELSE}
        default = behavior(OriginRequestPolicyId="all")
        edge.serve(distribution(default=default), request={"all": policy}, signing=signing)
        edge.get("/a", headers={"Authorization": sent} if sent else {})
        told = edge.origin.last[2]
        assert (told.get("X-Groundwork-Source-Arn"), told.get("Authorization")) == (arn, authorization)


NOTHING_ELSE = {"CookiesConfig": chosen("Cookie", "none"), "QueryStringsConfig": chosen("QueryString", "none")}


class TestServersAsOrigins:
    @pytest.mark.parametrize(
        ("protocol", "secure", "served"),
        [
            ("http-only", True, "http"),
            ("https-only", False, "https"),
            ("match-viewer", False, "http"),
            ("match-viewer", True, "https"),
        ],
    )
    def test_how_they_are_asked(self, edge: Any, protocol: str, secure: bool, served: str) -> None:
        edge.origin.reply("/app/a", b"it")
        edge.serve(distribution(origins=[server_origin("www.app.example", protocol)]))
        assert edge.get("/a", secure=secure).body == b"it"
        _, _, told, _ = edge.origin.last
        assert (told["Host"], told["X-Served-By"], told.get("X-Groundwork-Source-Arn")) == (
            "www.app.example",
            served,
            None,
        )

    def test_a_certificate_for_another_name_is_not_believed(self, edge: Any) -> None:
        edge.origin.reply("/app/a", b"it")
        edge.serve(distribution(origins=[server_origin("app.elsewhere", "https-only")]))
        assert edge.get("/a").status == 502

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
    @pytest.mark.parametrize(
        ("alias", "name", "status"),
        [
            ("shop.app.example", "app.elsewhere", 200),
            ("www.example.com", "www.app.example", 200),
            ("www.example.com", "app.elsewhere", 502),
        ],
    )
    def test_a_certificate_covers_the_host_or_the_name(
        self, edge: Any, alias: str, name: str, status: int, method: str
    ) -> None:
        """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-cloudfront-to-custom-origin.html"""
        edge.origin.reply("/app/a", b"it")
        edge.serve(
            distribution(
                origins=[server_origin(name, "https-only")],
                default=behavior(
                    OriginRequestPolicyId="all",
                    AllowedMethods=counted("HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"),
                ),
                Aliases=counted(alias),
                certificate=edge.certificate(alias),
            ),
            request={"all": {**NOTHING_ELSE, "HeadersConfig": {"HeaderBehavior": "allViewer"}}},
        )
        body = None if method == "GET" else b"a=b"
        answer = edge.get("/a", method, body, host=alias)
        assert (answer.status, answer.outcome) == (status, "Miss" if status == 200 else "Error")
        asked = [(each[0], each[2]["Host"], each[3]) for each in edge.origin.asked]
        assert asked == [(method, alias, body or b"")] * (status == 200)
        if status == 502:
            assert b"CloudFront wasn't able to connect to the origin." in answer.body

    @pytest.mark.parametrize(("versions", "status"), [(["TLSv1.2"], 200), (["TLSv1.1"], 502)])
    def test_versions_of_tls(self, edge: Any, versions: list[str], status: int) -> None:
        edge.origin.reply("/app/a", b"it")
        origin = server_origin("www.app.example", "https-only")
        origin["CustomOriginConfig"]["OriginSslProtocols"] = counted(*versions)
        edge.serve(distribution(origins=[origin]))
        assert edge.get("/a").status == status

    def test_a_secret_header_replaces_that_of_the_viewer(self, edge: Any) -> None:
        edge.origin.reply("/app/a", b"it")
        secret = counted({"HeaderName": "X-Secret", "HeaderValue": "known"})
        origin = {**server_origin("www.app.example", "https-only"), "CustomHeaders": secret}
        edge.serve(
            distribution(origins=[origin], default=behavior(OriginRequestPolicyId="all")),
            request={
                "all": {**NOTHING_ELSE, "HeadersConfig": {"HeaderBehavior": "allExcept", "Headers": counted("host")}}
            },
        )
        edge.get("/a", headers={"X-Secret": "guessed"})
        assert edge.origin.last[2]["X-Secret"] == "known"

    def test_a_name_that_does_not_exist(self, edge: Any) -> None:
        edge.serve(distribution(origins=[server_origin("gone.nowhere", "http-only")]))
        answer = edge.get("/a")
        assert (answer.status, answer.outcome) == (502, "Error")
        assert b"CloudFront wasn't able to resolve the origin domain name." in answer.body


class TestResponseHeaders:
    def test_a_policy(self, edge: Any) -> None:
        policy = {
            "RemoveHeadersConfig": counted({"Header": "X-Powered-By"}, {"Header": "Server"}),
            "SecurityHeadersConfig": {
                "ContentTypeOptions": {"Override": True},
                "FrameOptions": {"Override": False, "FrameOption": "DENY"},
                "StrictTransportSecurity": {"Override": True, "AccessControlMaxAgeSec": 60, "IncludeSubdomains": True},
            },
            "CustomHeadersConfig": counted(
                {"Header": "X-Mine", "Value": "policy", "Override": True},
                {"Header": "X-Theirs", "Value": "policy", "Override": False},
            ),
            "ServerTimingHeadersConfig": {"Enabled": True, "SamplingRate": 100},
        }
        theirs = {"X_Powered_By": "me", "X_Mine": "origin", "X_Theirs": "origin", "X_Frame_Options": "SAMEORIGIN"}
        edge.origin.reply("/site/a", PAGE, **theirs)
        default = behavior(ResponseHeadersPolicyId="policy")
        edge.serve(distribution(default=default), headers={"policy": policy})
        for word in ("cdn-cache-miss", "cdn-cache-hit"):
            answer = edge.get("/a")
            found = {name: answer[name] for name in ("X-Powered-By", "X-Mine", "X-Theirs", "X-Frame-Options")}
            assert found == {
                "X-Powered-By": None,
                "X-Mine": "policy",
                "X-Theirs": "origin",
                "X-Frame-Options": "SAMEORIGIN",
            }
            assert (answer["X-Content-Type-Options"], answer["Server"]) == ("nosniff", "CloudFront")
            assert answer["Strict-Transport-Security"] == "max-age=60; includeSubDomains"
            assert answer["Server-Timing"].startswith(word)
        assert edge.get("/missing")["X-Mine"] == "policy"

    @pytest.mark.parametrize(
        ("allowed", "origin", "header"),
        [
            (["*"], "https://a.example", "*"),
            (["https://a.example"], "https://a.example", "https://a.example"),
            (["https://*.example"], "https://a.example", "https://a.example"),
            (["https://b.example"], "https://a.example", None),
            (["*"], None, None),
        ],
    )
    def test_sharing(self, edge: Any, allowed: list[str], origin: str | None, header: str | None) -> None:
        cors = {
            "AccessControlAllowOrigins": counted(*allowed),
            "AccessControlAllowHeaders": counted("*"),
            "AccessControlAllowMethods": counted("GET"),
            "AccessControlAllowCredentials": False,
            "OriginOverride": True,
        }
        edge.origin.reply("/site/a", PAGE)
        default = behavior(ResponseHeadersPolicyId="policy")
        edge.serve(distribution(default=default), headers={"policy": {"CorsConfig": cors}})
        answer = edge.get("/a", headers={"Origin": origin} if origin else {})
        assert answer["Access-Control-Allow-Origin"] == header
