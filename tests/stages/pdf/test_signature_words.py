"""A file's signatures are told as people would: who, when, and what they forbid."""

from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest

from stages.documents import DocMDP, ExistingSignature, Severity
from stages.inspect import inspect
from stages.pdf import signature_words
from stages.pdf.field_lock import FieldLock, LockAction
from stages.pdf.signature_words import signature_findings, signer_of
from tests.simulators.pdfs import source_file
from tests.simulators.signed_pdfs import Pki, blank_pdf, sign_pdf

AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def test_a_file_nobody_signed_has_nothing_said_of_it() -> None:
    assert list(signature_findings([])) == []


def test_who_signed_when_is_said(tmp_path: Path) -> None:
    signed = sign_pdf(blank_pdf(tmp_path / "a.pdf"), tmp_path / "b.pdf", Pki())
    document = inspect(source_file(signed))
    (signature,) = document.signatures
    assert signature.signer == "测试投标有限公司"
    assert signature.signed_at is not None
    (finding,) = [finding for finding in document.findings if finding.code == "existing-signatures"]
    assert f"Signature1, by {signature.signer}, {signature.signed_at:%Y-%m-%d %H:%M} UTC" in finding.message
    assert signature.signer in finding.message_zh


@pytest.mark.parametrize(
    ("signature", "says", "says_zh"),
    [
        (ExistingSignature("甲", None, AT), "甲, 2026-03-01 08:30 UTC.", "甲，2026-03-01 08:30 UTC。"),
        (ExistingSignature("甲", None, is_timestamp=True), "document timestamp", "文档时间戳"),
        (ExistingSignature("甲", DocMDP.FILL_AND_SIGN), "allows filling in and signing", "允许填表和签名"),
        (
            ExistingSignature("甲", None, locks=(FieldLock(LockAction.INCLUDE, ("报价",)),)),
            "locks the fields 报价",
            "锁定表单域 报价",
        ),
        (
            ExistingSignature("甲", None, locks=(FieldLock(LockAction.EXCLUDE, ("乙",)),)),
            "locks every field but 乙",
            "锁定除 乙 外的全部表单域",
        ),
    ],
)
def test_what_a_signature_allows_is_said(signature: ExistingSignature, says: str, says_zh: str) -> None:
    (finding,) = signature_findings([signature])
    assert says in finding.message
    assert says_zh in finding.message_zh


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        (ExistingSignature("甲", DocMDP.NO_CHANGES), "certified-no-changes"),
        (ExistingSignature("甲", None, locks=(FieldLock(LockAction.ALL),)), "form-locked"),
    ],
)
def test_what_forbids_any_signing_is_an_error(signature: ExistingSignature, code: str) -> None:
    errors = [finding for finding in signature_findings([signature]) if finding.severity is Severity.ERROR]
    assert [finding.code for finding in errors] == [code]


def test_a_name_that_cannot_be_read_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert signer_of(pikepdf.Dictionary()) == ""
    assert signer_of(pikepdf.Dictionary(Contents=pikepdf.String(b"\0\1"))) == ""
    monkeypatch.setattr(signature_words, "MAX_CONTENTS_BYTES", 1)
    assert signer_of(pikepdf.Dictionary(Contents=pikepdf.String(b"\0\1"))) == ""
