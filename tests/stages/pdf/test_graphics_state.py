"""What a page's content leaves open is closed, and what it closes too often is opened."""

import zlib

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.pdf.graphics_state import MAX_DEPTH, Balance, content_balance


def balance_of(*parts: bytes) -> Balance:
    with pikepdf.new() as pdf:
        return content_balance([pdf.make_stream(part) for part in parts])


@pytest.mark.parametrize(
    ("content", "before", "after"),
    [
        (b"", 1, 1),
        (b"q 1 0 0 1 0 0 cm Q", 1, 1),
        (b"q q 1 0 0 1 0 0 cm", 1, 3),
        (b"Q Q 1 0 0 1 0 0 cm", 3, 1),
        (b"Q q", 2, 2),
        (b"BT (q q \\) q (q) q) Tj ET", 1, 1),
        (b"BT [(q)-20(q)] TJ <71> Tj ET % q q\nq", 1, 2),
        (b"BI /W 1 /H 1 ID q q q EI\nQ", 2, 1),
        (b"/q gs /Q Do q", 1, 2),
        (b"q\nQ\rq[1]0 d", 1, 2),
        (b"q BI /W 1 /H 1 ID \xaa\r\nEI \0Q \0\nq", 1, 2),
    ],
)
def test_saves_and_restores_are_counted(content: bytes, before: int, after: int) -> None:
    assert balance_of(content) == Balance(before, after)


@pytest.mark.parametrize(
    ("content", "closing"),
    [
        (b"BT /F1 9 Tf (a) Tj", b"ET"),
        (b"q BT ET BT (BT)", b"ET Q Q"),
        (b"/P BMC /A <</MCID 1>> BDC EMC q", b"EMC Q Q"),
        (b"EMC EMC /P BMC", b"EMC Q"),
        (b"BT (breaks off (here", b")) ET Q"),
        (b"(a (b (c (d (e) f) g) h) i) Tj q", b"Q Q"),
        (b"(\\) breaks off", b") Q"),
        (b"BT <41", b"> ET Q"),
        (b"<</A <41>>> BDC", b"EMC Q"),
        (b"q BI /W 9 /H 9 ID q q \x00 BT", b"EI Q Q"),
        (b"/BT gs (BT) <</BMC 1>> pop", b"Q"),
        (b"BT [(a) -20 (b) ET q", b"] Q Q"),
        (b"BT [(a) -20 (b [", b") ] ET Q"),
        (b"[(]) -20 <41", b"> ] Q"),
        (b"/P <</MCID 1 /K [1 <</A 2", b">> ] >> Q"),
        (b"[[1] 2] ([) pop % [\n] << >>", b"Q"),
        (b"q [ BI /W 9 /H 9 ID q q", b"EI ] Q Q"),
    ],
)
def test_what_breaks_off_is_ended(content: bytes, closing: bytes) -> None:
    ends = closing.split()
    written = balance_of(content).closing.split()
    assert written == (ends if ends[-1] == b"Q" else [*ends, b"Q"])


def test_a_damaged_stream_counts_up_to_the_damage() -> None:
    packed = zlib.compress(b"q " * 3 + bytes(range(256)) * 40, 0)
    with pikepdf.new() as pdf:
        stream = pdf.make_stream(b"")
        stream.write(packed[:3000] + b"\xff" * 400, filter=pikepdf.Name.FlateDecode)
        assert content_balance([stream]).after == 4
        stream.write(zlib.compress(b"q " * 3000)[:-4] + b"\xff" * 4000, filter=pikepdf.Name.FlateDecode)
        assert content_balance([stream]).after == MAX_DEPTH  # all of them are seen


def test_a_wrong_checksum_alone_is_no_damage() -> None:
    packed = zlib.compress(b"q q 1 0 0 1 5 5 cm Q")
    with pikepdf.new() as pdf:
        stream = pdf.make_stream(b"")
        stream.write(packed[:-4] + b"\0\0\0\0", filter=pikepdf.Name.FlateDecode)
        assert content_balance([stream]) == Balance(1, 2)


def test_streams_are_read_as_one() -> None:
    assert balance_of(b"q", b"Q") == Balance()
    assert balance_of(b"q", b"cm") == Balance(1, 2)


def test_content_that_cannot_be_decoded_counts_as_balanced() -> None:
    with pikepdf.new() as pdf:
        stream = pdf.make_stream(b"")
        stream.write(b"no deflate", filter=pikepdf.Name.FlateDecode)
        assert content_balance([stream]) == Balance(is_damaged=True)


@given(st.lists(st.sampled_from([b"q", b"Q", b"1 0 0 1 5 5 cm"]), max_size=40))
def test_after_it_the_first_state_is_back(operators: list[bytes]) -> None:
    balance = balance_of(b" ".join(operators))
    stack, lowest = 0, 0
    for operator in [b"q"] * balance.before + operators:
        stack += {b"q": 1, b"Q": -1}.get(operator, 0)
        lowest = min(lowest, stack - 1)
    assert lowest >= 0  # our own save is never undone by the page
    assert stack == balance.after
