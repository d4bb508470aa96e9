"""Several readings of one strip make one line."""

from hypothesis import given
from hypothesis import strategies as st

from seal_imaging.reader import ReadCharacter, ReadLine
from seal_imaging.voting import vote
from tests.seal_imaging.readers import line_of


def test_no_reading_is_an_empty_line() -> None:
    assert vote([]) == ReadLine()
    assert vote([ReadLine(), ReadLine()]) == ReadLine()


@given(st.text("江南示例建设", min_size=1, max_size=12), st.integers(1, 4))
def test_readings_that_agree_give_their_line(text: str, count: int) -> None:
    assert vote([line_of(text, 0.9)] * count).text == text


def test_the_character_most_believed_in_wins() -> None:
    voted = vote([line_of("江南", 0.6), line_of("江男", 0.9), line_of("江南", 0.6)])
    assert voted.text == "江南"
    assert dict(voted.characters[1].others)["男"] == 0.3


def test_what_one_reading_of_three_sees_is_left_out() -> None:
    seen = ReadLine((*line_of("江南").characters, ReadCharacter("丨", 0.5, 0.98)))
    assert vote([seen, line_of("江南"), line_of("江南")]).text == "江南"


def test_what_one_reading_of_three_leaves_out_is_kept() -> None:
    whole = line_of("江南示例")
    gone = ReadLine(whole.characters[:2] + whole.characters[3:])
    assert vote([gone, whole, whole]).text == "江南示例"
