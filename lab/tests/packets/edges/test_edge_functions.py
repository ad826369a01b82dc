"""CloudFront functions on an edge. Run with `-m lab`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from distributions import SITE, behavior, cache_policy, chosen, distribution

pytestmark = pytest.mark.lab

PAGE = b"<p>" + b"word " * 400
CLEAN = """
function handler(event) {
    var request = event.request;
    if (request.uri.endsWith('/')) {
        request.uri += 'index.html';
    } else if (request.uri.split('/').pop().indexOf('.') < 0) {
        request.uri += '/index.html';
    }
    return request;
}
"""


def serve(edge: Any, code: str, event: str = "viewer-request", **options: Any) -> None:
    default = behavior(functions={event: "it"}, **options.pop("behavior", {}))
    edge.serve(distribution(default=default), functions={"it": code}, **options)


class TestViewerRequest:
    def test_another_uri_is_key_and_request(self, edge: Any) -> None:
        edge.origin.reply("/site/guide/index.html", PAGE)
        serve(edge, CLEAN)
        assert [edge.get(path).outcome for path in ("/guide/", "/guide", "/guide/index.html")] == ["Miss", "Hit", "Hit"]
        assert [each[1] for each in edge.origin.asked] == ["/site/guide/index.html"]

    def test_async(self, edge: Any) -> None:
        code = (
            "async function handler(event) { const other = await Promise.resolve('/b');"
            " event.request.uri = other; return event.request; }"
        )
        edge.origin.reply("/site/b", b"b")
        serve(edge, code)
        assert edge.get("/a").body == b"b"

    def test_what_it_is_given(self, edge: Any) -> None:
        code = "function handler(event) { return {statusCode: 200, body: JSON.stringify(event)}; }"
        serve(edge, code)
        headers = {"Cookie": "a=1; b=2", "X-Mine": "yes", "X-Amz-Cf-Id": "no"}
        answer = edge.get("/x%20y?q=1&q=2&empty", headers=headers)
        event = json.loads(answer.body)
        assert event["context"] == {
            "distributionDomainName": SITE,
            "distributionId": "EDFDVBD6EXAMPLE",
            "eventType": "viewer-request",
            "requestId": answer["X-Amz-Cf-Id"],
        }
        assert (event["version"], event["viewer"]) == ("1.0", {"ip": "127.0.0.1"})
        request = event["request"]
        assert (request["method"], request["uri"]) == ("GET", "/x%20y")
        assert request["querystring"] == {
            "q": {"value": "1", "multiValue": [{"value": "1"}, {"value": "2"}]},
            "empty": {"value": ""},
        }
        assert request["cookies"] == {"a": {"value": "1"}, "b": {"value": "2"}}
        assert request["headers"] == {
            "host": {"value": SITE},
            "accept-encoding": {"value": "identity"},
            "x-mine": {"value": "yes"},
        }

    def test_an_answer_of_its_own(self, edge: Any) -> None:
        code = """function handler(event) { return {
            statusCode: 302,
            statusDescription: 'Found',
            headers: {location: {value: 'https://elsewhere.example/'}, 'x-two': {value: 'a'}},
            cookies: {c: {value: '1', attributes: 'Secure; Path=/'}, d: {value: '2'}},
            body: {encoding: 'text', data: 'moved'},
        }; }"""
        serve(edge, code)
        answer = edge.get("/a")
        assert (answer.status, answer.body, answer.outcome) == (302, b"moved", "FunctionGeneratedResponse")
        assert (answer["Location"], answer["X-Two"]) == ("https://elsewhere.example/", "a")
        assert answer.cookies == ["c=1; Secure; Path=/", "d=2"]
        assert edge.origin.asked == []

    def test_changed_headers_cookies_and_query(self, edge: Any) -> None:
        code = """function handler(event) {
            var request = event.request;
            request.headers['x-new'] = {value: 'n'};
            delete request.headers['x-old'];
            request.cookies.session = {value: 's'};
            request.querystring.added = {value: '1'};
            request.querystring.q.multiValue.push({value: '3'});
            return request;
        }"""
        request = {
            "HeadersConfig": {"HeaderBehavior": "allViewer"},
            "CookiesConfig": chosen("Cookie", "all"),
            "QueryStringsConfig": chosen("QueryString", "all"),
        }
        serve(edge, code, behavior={"OriginRequestPolicyId": "all"}, request={"all": request})
        edge.get("/a?q=1&q=2", headers={"X-Old": "o", "Cookie": "a=1"})
        _, path, told, _ = edge.origin.last
        assert path == "/site/a?q=1&q=2&q=3&added=1"
        assert (told["X-New"], told.get("X-Old"), told["Cookie"]) == ("n", None, "a=1; session=s")

    def test_a_query_string_that_it_leaves_alone_stays_as_it_was(self, edge: Any) -> None:
        policy = cache_policy(queries=chosen("QueryString", "all"))
        serve(edge, CLEAN, cache={"cache": policy})
        edge.get("/a.html?b=2&a=&a&c=%7e")
        assert edge.origin.last[1] == "/site/a.html?b=2&a=&a&c=%7e"

    def test_modules(self, edge: Any) -> None:
        code = """import crypto from 'crypto';
            const querystring = require('querystring');
            let calls = 0;
            function handler(event) {
                calls += 1;
                const hash = crypto.createHash('md5').update('a').digest('hex');
                return {statusCode: 200, body: `${calls} ${hash} ${querystring.stringify({a: 'b c'})}`};
            }"""
        serve(edge, code)
        for _ in range(2):
            assert edge.get("/a").body == b"1 0cc175b9c0f1b6a831c399e269772661 a=b%20c"

    def test_what_it_logs_is_in_the_edges_log(self, edge: Any) -> None:
        serve(edge, "function handler(event) { console.log('at ' + event.request.uri); return event.request; }")
        edge.get("/some/where")
        assert "CloudFront function log: at /some/where" in (edge.folder / "nginx.log").read_text()

    def test_its_behavior_stays(self, edge: Any) -> None:
        """Test that a function cannot change the cache behavior.

        https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html
        """
        code = "function handler(event) { event.request.uri = '/other/x'; return event.request; }"
        other = behavior(PathPattern="/other/*", ViewerProtocolPolicy="https-only")
        edge.origin.reply("/site/other/x", b"x")
        default = behavior(functions={"viewer-request": "it"})
        edge.serve(distribution(default=default, behaviors=[other]), functions={"it": code})
        assert edge.get("/a", secure=False).body == b"x"

    @pytest.mark.parametrize(
        ("code", "status", "outcome"),
        [
            ("function handler(event) { return event.nothing.here; }", 503, "FunctionExecutionError"),
            ("async function handler(event) { throw new Error('no'); }", 503, "FunctionExecutionError"),
            ("function handler(event) { for (const x of [1]) {} }", 503, "FunctionExecutionError"),
            ("function handler(event) { syntax", 503, "FunctionExecutionError"),
            ("function other(event) {}", 503, "FunctionExecutionError"),
            ("throw new Error('at once'); function handler(event) {}", 503, "FunctionExecutionError"),
            ("function handler(event) { return null; }", 502, "FunctionValidationError"),
            ("function handler(event) { return {}; }", 502, "FunctionValidationError"),
            ("function handler(e) { e.request.uri = 'a'; return e.request; }", 502, "FunctionValidationError"),
            ("function handler(e) { e.request.method = 'PUT'; return e.request; }", 502, "FunctionValidationError"),
            ("function handler(e) { e.request.headers['via'] = {value: 'a'}; return e.request; }", 502, None),
            ("function handler(e) { e.request.headers['X-A'] = {value: 'a'}; return e.request; }", 502, None),
            ("function handler(e) { e.request.headers['a'] = {value: 'a\\r\\nb: c'}; return e.request; }", 502, None),
            ("function handler(e) { return {statusCode: 1000}; }", 502, None),
        ],
    )
    def test_failures(self, edge: Any, code: str, status: int, outcome: str | None) -> None:
        serve(edge, code)
        answer = edge.get("/a")
        assert (answer.status, answer.outcome) == (status, outcome or "FunctionValidationError")
        assert edge.origin.asked == []

    def test_a_broken_function_harms_no_other(self, edge: Any) -> None:
        edge.origin.reply("/site/b/index.html", b"b")
        broken = behavior(PathPattern="/a", functions={"viewer-request": "broken"})
        default = behavior(functions={"viewer-request": "good"})
        edge.serve(
            distribution(default=default, behaviors=[broken]),
            functions={"good": CLEAN, "broken": "export default {};"},
        )
        assert (edge.get("/a").status, edge.get("/b").body) == (503, b"b")


class TestViewerResponse:
    def test_headers_and_status(self, edge: Any) -> None:
        code = """function handler(event) {
            var response = event.response;
            response.headers['x-saw'] = {value: event.request.uri + ' ' + response.statusCode};
            delete response.headers['x-theirs'];
            response.cookies.c = {value: '1', attributes: 'Secure'};
            response.statusCode = 203;
            return response;
        }"""
        edge.origin.reply("/site/a", PAGE, X_Theirs="o", Set_Cookie="o=1; Path=/")
        serve(edge, code, "viewer-response", cache={"cache": cache_policy(cookies=chosen("Cookie", "all"))})
        for outcome in ("Miss", "Hit"):
            answer = edge.get("/a")
            assert (answer.status, answer.outcome, answer.body) == (203, outcome, PAGE)
            assert (answer["X-Saw"], answer["X-Theirs"], answer["Content-Type"]) == ("/a 200", None, "text/html")
            assert answer.cookies == ["o=1; Path=/", "c=1; Secure"]

    def test_another_body(self, edge: Any) -> None:
        code = """async function handler(event) {
            const response = event.response;
            response.body = {encoding: 'base64', data: 'aGVsbG8='};
            response.headers['content-type'] = {value: 'text/plain'};
            return response;
        }"""
        edge.origin.reply("/site/a", PAGE * 100)
        serve(edge, code, "viewer-response")
        for _ in range(2):
            answer = edge.get("/a")
            assert (answer.body, answer["Content-Type"], answer["Content-Length"]) == (b"hello", "text/plain", "5")

    def test_the_other_statuses_stay(self, edge: Any) -> None:
        edge.origin.reply("/site/a", PAGE, ETag='"1"')
        serve(edge, "function handler(event) { return event.response; }", "viewer-response")
        assert edge.get("/a").status == 200
        assert edge.get("/a", headers={"Range": "bytes=0-1"}).status == 206
        assert edge.get("/a", headers={"If-None-Match": '"1"'}).status == 304

    def test_it_does_not_run_for_errors(self, edge: Any) -> None:
        serve(edge, "function handler(event) { throw new Error('it ran'); }", "viewer-response")
        assert edge.get("/missing").status == 404

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("function handler(event) { throw new Error('no'); }", 503),
            ("function handler(event) { return null; }", 502),
        ],
    )
    def test_failures(self, edge: Any, code: str, status: int) -> None:
        edge.origin.reply("/site/a", PAGE)
        serve(edge, code, "viewer-response")
        answer = edge.get("/a")
        assert answer.status == status
        assert b"could not be satisfied" in answer.body
