"""What a seal says is set against whose seal it should be."""

from collections.abc import Sequence

import numpy as np
import pytest

from seal_imaging import Impression, InkColour, Quality, SealShape
from seal_imaging.errors import ReaderUnavailable
from seal_imaging.form import SealKind
from seal_imaging.names import NameAnswer
from seal_imaging.reader import ReadCharacter, ReadLine, Strip
from seal_imaging.text import SealLine, SealText
from stages import seal_reading
from stages.seal_reading import ExpectedNames, read_seal

COMPANY = "测试建设有限公司"


class NoReader:
    """An engine that is not there."""

    def read(self, strips: Sequence[Strip], *, alphabet: str = "") -> list[ReadLine]:
        raise ReaderUnavailable("no model", zh="没有模型")


def line(text: str, confidence: float = 0.99) -> SealLine:
    characters = tuple(ReadCharacter(one, confidence) for one in text)
    return SealLine(text, confidence, (0, 0, 1, 1), characters)


def seal(shape: SealShape = SealShape.CIRCLE) -> Impression:
    ink = np.zeros((200, 200), np.float32)
    ink[20:180, 20:180] = 1
    return Impression(
        (0, 0, 200, 200), ink, (40, 40), shape, 0.0, InkColour.RED, Quality(1, 1, 1, 1, 0), (100, 100),
        (160, 160), 4.0, (200, 30, 40),
    )  # fmt: skip


def answer(
    monkeypatch: pytest.MonkeyPatch,
    expected: ExpectedNames,
    *,
    name: SealLine | None,
    code: SealLine | None = None,
    lines: tuple[SealLine, ...] = (),
    shape: SealShape = SealShape.CIRCLE,
    row: SealKind | None = None,
) -> NameAnswer | None:
    monkeypatch.setattr(seal_reading, "read_text", lambda *_: SealText(name, lines, code, 0.0))
    reading = read_seal(seal(shape), row, NoReader(), expected)
    assert reading is not None
    return reading.answer


def test_a_company_seal_is_set_against_the_companies_only(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ExpectedNames((COMPANY,), ("张三",))
    assert answer(monkeypatch, ours, name=line(COMPANY)) is NameAnswer.MATCH
    assert answer(monkeypatch, ours, name=line("江南示例园林有限公司")) is NameAnswer.MISMATCH
    assert answer(monkeypatch, ours, name=None) is NameAnswer.UNREADABLE
    assert answer(monkeypatch, ExpectedNames(), name=line(COMPANY)) is None


def test_a_name_seal_is_set_against_the_persons_only(monkeypatch: pytest.MonkeyPatch) -> None:
    square = SealShape.SQUARE
    ours = ExpectedNames((COMPANY,), ("张三",))
    assert answer(monkeypatch, ours, name=line("张三之印"), shape=square) is NameAnswer.MATCH
    assert answer(monkeypatch, ours, name=line("李四之印"), shape=square) is NameAnswer.MISMATCH
    assert answer(monkeypatch, ExpectedNames((COMPANY,)), name=line("张三之印"), shape=square) is None
    row = SealKind.LEGAL_REPRESENTATIVE
    assert answer(monkeypatch, ours, name=line("张三之印"), row=row) is NameAnswer.MATCH


def test_a_registered_engineers_seal_may_bear_the_name_in_any_line(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ExpectedNames((COMPANY,), ("张三",))
    lines = (line("张三"), line("苏132000000001"))
    row = SealKind.PROFESSIONAL
    found = answer(monkeypatch, ours, name=line("中华人民共和国一级注册建造师"), lines=lines, row=row)
    assert found is NameAnswer.MATCH


def test_other_digits_on_the_rim_are_another_seal(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ExpectedNames((COMPANY,), code="3201000000123")
    same, other, doubtful = line("3201000000123"), line("3201000000987"), line("3201000000987", 0.5)
    assert answer(monkeypatch, ours, name=line(COMPANY), code=same) is NameAnswer.MATCH
    assert answer(monkeypatch, ours, name=line(COMPANY), code=other) is NameAnswer.MISMATCH
    assert answer(monkeypatch, ours, name=line(COMPANY), code=doubtful) is NameAnswer.MATCH


def test_handwriting_is_not_read() -> None:
    assert read_seal(seal(SealShape.FREEFORM), None, NoReader(), ExpectedNames()) is None


def test_a_missing_engine_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> SealText:
        raise ReaderUnavailable("no model", zh="没有模型")

    monkeypatch.setattr(seal_reading, "read_text", refuse)
    with pytest.raises(ReaderUnavailable):
        read_seal(seal(), None, NoReader(), ExpectedNames())
