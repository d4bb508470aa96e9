"""Forms with files: streamed to a folder, within limits, whatever the names say."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageRefused
from pipeline.failures import failure_of
from pipeline.web import uploads
from pipeline.web.uploads import MAX_NAME_BYTES, MAX_PARTS, ReceivedForm, receive_form, safe_name
from stages.errors import InputRefused

BOUNDARY = "b0undary"


def body_of(*parts: tuple[str, bytes]) -> bytes:
    """Return a multipart body of (what stands in Content-Disposition after form-data, content)."""
    opened = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {said}\r\n\r\n".encode() + content + b"\r\n"
        for said, content in parts
    )
    return opened + f"--{BOUNDARY}--\r\n".encode()


def receive(
    folder: Path | None,
    body: bytes,
    *,
    chunk: int = 7,
    headers: Sequence[tuple[bytes, bytes]] = (),
    kind: str = f"multipart/form-data; boundary={BOUNDARY}",
    **limits: int,
) -> ReceivedForm:
    """Receive a body that arrives in pieces of `chunk` bytes."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), chunk):
            yield body[start : start + chunk]

    async def run() -> ReceivedForm:
        request = Request({"type": "http", "headers": [(b"content-type", kind.encode()), *headers]})
        request.stream = pieces  # type: ignore[method-assign, assignment]
        return await receive_form(request, folder, **limits)

    return asyncio.run(run())


def test_files_and_texts_arrive_whole(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9 + b"\r\n--b0unda"
    body = body_of(
        ('name="scan"; filename="采集表.png"', content),
        ('name="plan"', "规则：一".encode()),
        ('name="plan_file"; filename=""', b""),
        ('name="other_file"; filename=""', b""),
    )
    form = receive(tmp_path, body)
    assert form.file("scan", "").read_bytes() == content
    assert form.file("scan", "").name == "采集表.png"
    assert form.text("plan") == "规则：一"
    assert "plan_file" not in form.files


@given(chunk=st.integers(1, 400))
def test_where_the_pieces_are_cut_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, chunk: int
) -> None:
    body = body_of(('name="f"; filename="a.pdf"', b"\r\n-\r\n--" * 30), ('name="t"', b"text"))
    form = receive(tmp_path_factory.mktemp("form"), body, chunk=chunk)
    assert (form.file("f", "").read_bytes(), form.text("t")) == (b"\r\n-\r\n--" * 30, "text")


def test_an_upload_the_disk_has_no_room_for_is_refused_before_it_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": uploads.MIN_FREE_BYTES + 1000})()
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    body = body_of(('name="f"; filename="a.pdf"', b"x" * 3000))
    with pytest.raises(OSError, match="64 MiB are free, 64 are needed") as caught:
        receive(tmp_path, body, headers=[(b"content-length", b"3200")])
    assert failure_of(caught.value).http_status == 503
    assert list(tmp_path.iterdir()) == []
    assert receive(tmp_path, body, headers=[(b"content-length", b"400")]).files  # its length is a lie
    assert receive(None, body_of(('name="t"', b"x"))).text("t") == "x"


def test_a_disk_that_fills_while_an_upload_arrives_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "FREE_CHECK_BYTES", 1000)
    free = iter([10**9, 10**9, 0])
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": next(free)})())
    with pytest.raises(OSError, match="0 MiB are free"):
        receive(tmp_path, body_of(('name="f"; filename="a.pdf"', b"x" * 3000)))


def test_a_body_over_the_limit_is_refused_while_it_arrives(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="larger than"):
        receive(tmp_path, body_of(('name="f"; filename="a"', b"x" * 5000)), max_bytes=4000)


def test_a_stated_length_over_the_limit_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputRefused):
        receive(tmp_path, b"", headers=[(b"content-length", b"5000")], max_bytes=4000)
    assert not any(tmp_path.iterdir())


def test_a_text_over_its_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_FIELD_BYTES", 100)
    with pytest.raises(InputRefused, match="longer"):
        receive(tmp_path, body_of(('name="plan"', b"x" * 101)))


def test_too_many_parts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageRefused, match="parts"):
        receive(tmp_path, body_of(*[(f'name="n{n}"', b"") for n in range(MAX_PARTS + 1)]))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing of the kind",
        body_of(('name="f"; filename="a"', b"x"))[:-9],
        body_of(("filename=a", b"x")),
        body_of(('name="f"; filename="a"', b"x"), ('name="f"; filename="b"', b"y")),
    ],
)
def test_a_damaged_form_is_refused(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(UsageRefused):
        receive(tmp_path, body)


def test_a_form_of_texts_takes_no_file() -> None:
    assert receive(None, body_of(('name="t"', b"text"))).text("t") == "text"
    with pytest.raises(UsageRefused):
        receive(None, body_of(('name="f"; filename="a"', b"x")))


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", ""])
def test_another_kind_of_body_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UsageRefused, match="multipart"):
        receive(tmp_path, b"{}", kind=kind)


def test_a_form_without_the_file_says_which(tmp_path: Path) -> None:
    with pytest.raises(UsageRefused) as refused:
        receive(tmp_path, body_of(('name="t"', b""))).file("scan", "扫描件")
    assert refused.value.zh == "请先选择扫描件"


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\标书\\商务.pdf", "商务.pdf"),
        ("..", "_.."),
        (".hidden.pdf", "_.hidden.pdf"),
        ("a\x00b\n.pdf", "ab.pdf"),
        ("/", "upload"),
        ("长" * 300 + ".pdf", "长" * (MAX_NAME_BYTES // 3) + ".pdf"),
    ],
)
def test_a_files_name_loses_every_path(given_name: str, kept: str) -> None:
    assert safe_name(given_name) == kept


@given(st.text())
def test_any_name_becomes_one_harmless_file_name(name: str) -> None:
    kept = safe_name(name)
    assert kept not in ("", ".", "..")
    assert "/" not in kept
    assert kept.isprintable()
    assert len(kept.encode()) <= MAX_NAME_BYTES + 33
    assert Path("/folder", kept).parent == Path("/folder")
