"""A name read off a seal against the name an applicant gave: the same, another, or not to be told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_imaging.names import NameAnswer, NameDifference, compare_name
from seal_imaging.reader import ReadCharacter
from seal_imaging.text import SealLine

COMPANY = "江南示例建设工程有限公司"


def line(text: str, confidence: float = 0.99, **doubts: tuple[float, str, float]) -> SealLine:
    """Return a line as read; `_3=(0.5, "浩", 0.4)` says that the fourth character is doubtful."""
    characters = []
    for k, one in enumerate(text):
        sure, other, belief = doubts.get(f"_{k}", (confidence, "", 0.0))
        others = ((other, belief),) if other else ()
        characters.append(ReadCharacter(one, sure, (k + 0.5) / len(text), others))
    return SealLine(text, confidence, (0, 0, 1, 1), tuple(characters))


def test_the_same_name_matches() -> None:
    verdict = compare_name(line(COMPANY), COMPANY)
    assert verdict.answer is NameAnswer.MATCH
    assert verdict.distance == 0
    assert verdict.differences == ()


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("江南示例（集团）有限公司", "江南示例(集团)有限公司"),
        ("江南示例集团有限公司", "江南示例（集团） 有限公司"),
        ("ＡＢＣ示例有限公司", "abc示例有限公司"),
        ("江南示例建設工程有限公司", COMPANY),
        (COMPANY, "江南示例建設工程有限公司"),
        (COMPANY + "合同专用章", COMPANY),
        (COMPANY + "财务专用章", COMPANY),
        (COMPANY + "公章", COMPANY),
        ("张三之印", "张三"),
        ("张三丰印", "张三丰"),
        ("张三", "张三"),
    ],
)
def test_what_makes_no_difference(read: str, expected: str) -> None:
    assert compare_name(line(read), expected).answer is NameAnswer.MATCH


@pytest.mark.parametrize("place", range(len(COMPANY)))
def test_one_character_clearly_another_is_another_company(place: int) -> None:
    read = COMPANY[:place] + "浩" + COMPANY[place + 1 :]
    verdict = compare_name(line(read), COMPANY)
    assert verdict.answer is NameAnswer.MISMATCH
    assert verdict.differences == (NameDifference(COMPANY[place], "浩"),)


def test_one_character_more_is_another_company() -> None:
    assert compare_name(line("江南示例建设工程有限公司厂"), COMPANY).answer is NameAnswer.MISMATCH


def test_one_character_fewer_without_room_for_it_is_another_company() -> None:
    assert compare_name(line("江南示例工程有限公司"), "江南示例机工程有限公司").answer is NameAnswer.MISMATCH


def test_a_character_not_read_where_there_is_room_for_it_is_not_decided() -> None:
    whole = line(COMPANY)
    gone = SealLine("", 0.99, (0, 0, 1, 1), whole.characters[:4] + whole.characters[5:])
    verdict = compare_name(gone, COMPANY)
    assert verdict.answer is NameAnswer.UNREADABLE
    assert verdict.differences == (NameDifference("建", "", is_doubtful=True),)


def test_a_character_the_reader_nearly_took_for_the_expected_one_passes() -> None:
    read = line("江南示洌建设工程有限公司", _3=(0.5, "例", 0.45))
    verdict = compare_name(read, COMPANY)
    assert verdict.answer is NameAnswer.MATCH
    assert verdict.distance == pytest.approx(0.05)
    assert verdict.differences == (NameDifference("例", "洌", is_doubtful=True),)


def test_a_doubtful_character_that_is_hardly_the_expected_one_is_not_decided() -> None:
    assert compare_name(line("江南示洌建设工程有限公司", _3=(0.6, "烈", 0.3)), COMPANY).answer is (
        NameAnswer.UNREADABLE
    )


def test_one_wrong_character_among_doubtful_ones_is_not_decided() -> None:
    read = line("江南示洌建没工程有限公司", _3=(0.5, "例", 0.1), _5=(0.4, "设", 0.1))
    sure = SealLine(read.text, 0.9, read.box, (ReadCharacter("汪", 0.99, 0.04), *read.characters[1:]))
    assert compare_name(sure, COMPANY).answer is NameAnswer.UNREADABLE


def test_a_wholly_different_name_is_another() -> None:
    assert compare_name(line("塞北虚构路桥集团有限公司"), COMPANY).answer is NameAnswer.MISMATCH


def test_rubbish_is_unreadable() -> None:
    assert compare_name(line("一口儿八卜工丨三二门厂了", 0.4), COMPANY).answer is NameAnswer.UNREADABLE


@pytest.mark.parametrize(
    ("read", "expected"), [(None, COMPANY), (line(COMPANY), ""), (line("（）"), COMPANY)]
)
def test_nothing_to_compare_is_unreadable(read: SealLine | None, expected: str) -> None:
    assert compare_name(read, expected).answer is NameAnswer.UNREADABLE


@given(st.text("江南示例建设工程有限公司路桥集团", min_size=4, max_size=16), st.data())
def test_a_clear_reading_never_matches_another_name(name: str, data: st.DataObject) -> None:
    other = data.draw(st.text("江南示例建设工程有限公司路桥集团", min_size=4, max_size=16))
    answer = compare_name(line(name), other).answer
    assert (answer is NameAnswer.MATCH) == (name == other)
