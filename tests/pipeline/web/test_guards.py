"""Only this machine asks, only our own pages send, nothing leaks out."""

import pytest
from fastapi.testclient import TestClient

from pipeline.web.guards import check_host
from pipeline.wiring import App


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "[::1]", "LOCALHOST:1"])
def test_this_machines_own_names_are_answered(quiet: TestClient, host: str) -> None:
    assert quiet.get("/seals", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::2]"],
)
def test_a_rebound_name_is_refused(quiet: TestClient, host: str) -> None:
    refused = quiet.get("/seals", headers={"Host": host})
    assert refused.status_code == 403
    assert "localhost" in refused.text


def test_two_host_headers_are_refused() -> None:
    from starlette.datastructures import Headers

    from pipeline.errors import Forbidden

    with pytest.raises(Forbidden):
        check_host(Headers(raw=[(b"host", b"localhost"), (b"host", b"evil.example")]))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://localhost"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["/seals/scans", "/bids", "/bids/preview"])
def test_what_another_sites_page_sends_is_refused(
    quiet: TestClient, headers: dict[str, str], path: str
) -> None:
    refused = quiet.post(path, headers=headers, files={"scan": b"x", "package": b"x"})
    assert refused.status_code == 403
    assert "其他网站" in refused.text


def test_what_our_own_page_sends_is_taken(quiet: TestClient) -> None:
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert quiet.post("/seals/scans", headers=own, files={"other": b"x"}).status_code == 400


def test_every_answer_forbids_foreign_scripts_and_frames(quiet: TestClient) -> None:
    for path in ("/", "/seals", "/nothing", "/static/sealine.css"):
        headers = quiet.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_a_refused_name_gets_the_same_headers(quiet: TestClient) -> None:
    assert "content-security-policy" in quiet.get("/", headers={"Host": "evil.example"}).headers


def test_a_bug_is_a_page_without_a_traceback(
    quiet: TestClient, quiet_app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(quiet_app.seals, "list", broken)
    answer = quiet.get("/seals")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "程序内部错误" in answer.text
    assert "secret detail" in caplog.text
