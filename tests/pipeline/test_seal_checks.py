"""A seal made with a micro-pattern is told from a copy without one, and each answer has its exit code."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image

from benchmarks.imaging.micro_pattern import image_of
from pipeline.cli.main import run
from pipeline.errors import UsageRefused, WrongState
from pipeline.marking import FILE_NAME, MarkingKeys
from pipeline.orders import FrozenSeal, SigningOrder, order_from_record
from pipeline.seals import SealWish
from pipeline.slots import read_slot, slots_from_record
from pipeline.tryout.artwork import draw_round_seal, draw_square_seal
from pipeline.wiring import App
from stages.documents import SlotAlign, TextSlot
from stages.errors import Indeterminate, InputRefused
from stages.make import SealKind
from stages.pdf.slot_text import MAX_SLOT_CHARS
from stages.seal_check import PatternVerdict
from stages.seal_images import write_marked
from storage.errors import NotFound
from tests.simulators.print_and_scan import Machines, print_and_scan

WISH = SealWish("甲章", "示例公司", "", SealKind.OFFICIAL, micro_pattern=True)


@pytest.fixture(scope="module")
def font() -> bytes:
    return bytes(pymupdf.Font("cjk").buffer)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, font: bytes) -> Path:
    path = tmp_path_factory.mktemp("image") / "seal.png"
    Image.fromarray(image_of(draw_round_seal("江南示例建设工程有限公司", font))).save(path, dpi=(508, 508))
    return path


def make(app: App, image: Path, wish: SealWish = WISH) -> Path:
    """Make a seal and return its image as kept."""
    app.seals.make(image, wish, actor=app.actor, key_uri=app.key_uri)
    folder = app.home / "out"
    return app.seals.save(wish.name, folder, actor=app.actor)[0]


def scanned(image: Path, path: Path, font: bytes, dpi: float = 300) -> Path:
    """Print a seal image, scan it, and return the scan."""
    seal = np.asarray(Image.open(image))
    scan = print_and_scan(seal, Machines(dpi=dpi, turn_deg=1), font=font, rng=np.random.default_rng(2))
    Image.fromarray(scan).save(path, dpi=(dpi, dpi))
    return path


def test_a_print_of_the_seal_is_known_and_a_copy_without_it_is_not(
    app: App, image: Path, tmp_path: Path, font: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = make(app, image)
    home = ["--home", str(app.home)]
    true = scanned(kept, tmp_path / "true.png", font)
    assert run(["seal", "check", str(true), "--seal", "甲章", "--json", *home]) == 0
    (found,) = json.loads(capsys.readouterr().out)["impressions"]
    assert (found["verdict"], found["seal"]) == ("found", "甲章")
    assert found["score"] > 6
    false = scanned(image, tmp_path / "false.png", font)
    assert run(["seal", "check", str(false), "--json", *home]) == 20
    assert json.loads(capsys.readouterr().out)["verdict"] == "absent"
    assert run(["seal", "check", str(false), *home]) == 20
    assert "没有防伪图样" in capsys.readouterr().out
    assert "seal_checked" in [event.act for event in app.records.events()]


def test_another_seal_s_pattern_is_named(app: App, image: Path, tmp_path: Path, font: bytes) -> None:
    make(app, image)
    other = make(app, image, replace(WISH, name="乙章"))
    scan = scanned(other, tmp_path / "scan.png", font)
    checked = app.seal_checks.check(scan, actor=app.actor, seal="甲章")
    assert checked.verdict is PatternVerdict.OTHER_SEAL
    assert checked.impressions[0].seal == "乙章"
    assert app.seal_checks.check(scan, actor=app.actor).verdict is PatternVerdict.FOUND


def test_a_coarse_scan_and_a_stranger_s_seal_tell_nothing(
    app: App, image: Path, tmp_path: Path, font: bytes
) -> None:
    kept = make(app, image)
    coarse = scanned(kept, tmp_path / "coarse.png", font, dpi=150)
    assert app.seal_checks.check(coarse, actor=app.actor).verdict is PatternVerdict.UNCLEAR
    strange = tmp_path / "strange-seal.png"
    Image.fromarray(image_of(draw_square_seal("张三之印", font))).save(strange)
    scan = scanned(strange, tmp_path / "strange.png", font)
    assert app.seal_checks.check(scan, actor=app.actor).verdict is PatternVerdict.UNKNOWN
    assert run(["seal", "check", str(scan), "--home", str(app.home)]) == 21


def test_an_impression_beyond_the_limit_is_refused_and_not_passed_over(
    app: App, image: Path, tmp_path: Path, font: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(app, image)
    scan = scanned(made, tmp_path / "scan.png", font)
    monkeypatch.setattr("stages.seal_check.MAX_CHECKED", 0)
    with pytest.raises(InputRefused, match="more than 0 impressions") as refused:
        app.seal_checks.check(scan, actor=app.actor)
    assert refused.value.zh


def test_what_cannot_be_checked_says_why(app: App, image: Path, tmp_path: Path) -> None:
    with pytest.raises(Indeterminate, match="no seal with a micro-pattern"):
        app.seal_checks.check(image, actor=app.actor)
    with pytest.raises(Indeterminate, match="without a micro-pattern"):
        app.seal_checks.check(image, actor=app.actor, seal="公章")
    make(app, image)
    blank = tmp_path / "blank.png"
    Image.new("RGB", (900, 900), "white").save(blank)
    with pytest.raises(Indeterminate, match="no seal impression"):
        app.seal_checks.check(blank, actor=app.actor)
    with pytest.raises(NotFound):
        app.seal_checks.check(blank, actor=app.actor, seal="没有")
    with pytest.raises(InputRefused):
        app.seal_checks.check(tmp_path / "nothing.png", actor=app.actor)


def test_the_same_wish_again_is_the_same_seal(app: App, image: Path) -> None:
    wish = replace(WISH, slots=(read_slot("日期=20,44,30,4"),))
    first = app.seals.make(image, wish, actor=app.actor, key_uri=app.key_uri)
    assert app.seals.make(image, wish, actor=app.actor, key_uri=app.key_uri) == first
    assert first.micro_pattern
    assert slots_from_record(first) == wish.slots
    assert app.records.seal("甲章") == first
    code = "91420100MA4KXQ7X8G"
    for other in (
        replace(wish, slots=()),
        replace(wish, micro_pattern=False),
        replace(wish, owner_code=code),
    ):
        with pytest.raises(WrongState):
            app.seals.make(image, other, actor=app.actor, key_uri=app.key_uri)


def test_a_seal_stays_the_same_when_its_marked_image_would_be_packed_otherwise(
    app: App, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = app.seals.make(image, WISH, actor=app.actor, key_uri=app.key_uri)

    def packed_otherwise(image: Path, key: bytes, out: Path) -> Path:
        Image.open(write_marked(image, key, out)).save(out, dpi=(508, 508), compress_level=1)
        return out

    monkeypatch.setattr("pipeline.seals.write_marked", packed_otherwise)
    assert app.seals.make(image, WISH, actor=app.actor, key_uri=app.key_uri) == first


def test_another_image_under_a_taken_name_is_refused(app: App, image: Path, tmp_path: Path) -> None:
    app.seals.make(image, WISH, actor=app.actor, key_uri=app.key_uri)
    other = tmp_path / "other.png"
    Image.open(image).rotate(90).save(other, dpi=(508, 508))
    with pytest.raises(WrongState, match="another seal named"):
        app.seals.make(other, WISH, actor=app.actor, key_uri=app.key_uri)


def test_a_slot_off_the_canvas_makes_no_seal(app: App, image: Path) -> None:
    wish = replace(WISH, slots=(read_slot("日期=60,44,30,4"),))
    with pytest.raises(InputRefused, match="canvas"):
        app.seals.make(image, wish, actor=app.actor, key_uri=app.key_uri)


@pytest.mark.parametrize(
    "text", ["日期", "日期=1,2,3", "日期=1,2,3,x", "日=1,2,3,4,5,6", "日=1,2,3,4,1e9", "日=1,2,3,4,top"]
)
def test_a_slot_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UsageRefused, match="NAME=x,y,w,h") as refused:
        read_slot(text)
    assert refused.value.zh


@pytest.mark.parametrize(
    ("text", "chars", "align"),
    [
        ("日期=20,44,30,4", MAX_SLOT_CHARS, SlotAlign.CENTER),
        ("日期=20,44,30,4,12", 12, SlotAlign.CENTER),
        ("日期=20,44,30,4,left", MAX_SLOT_CHARS, SlotAlign.LEFT),
        (" 日期 = 20, 44, 30, 4, 12, right", 12, SlotAlign.RIGHT),
    ],
)
def test_a_slot_states_its_place_and_may_state_characters_and_alignment(
    text: str, chars: int, align: SlotAlign
) -> None:
    assert read_slot(text) == TextSlot("日期", 20, 44, 30, 4, chars, align)


def test_each_seal_has_a_key_of_its_own_that_stays(tmp_path: Path) -> None:
    keys = MarkingKeys(tmp_path)
    assert not keys.exists
    key = keys.key_of("a-openseal")
    assert keys.exists
    assert len(key) == 32
    assert MarkingKeys(tmp_path).key_of("a-openseal") == key
    assert keys.key_of("b-openseal") != key
    path = tmp_path / FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [child.name for child in tmp_path.iterdir()] == [FILE_NAME]
    assert path.read_bytes().hex() not in repr(keys)


def test_a_secret_others_may_read_or_that_is_damaged_is_not_used(tmp_path: Path) -> None:
    keys = MarkingKeys(tmp_path)
    keys.key_of("a")
    path = tmp_path / FILE_NAME
    path.chmod(0o644)
    with pytest.raises(UsageRefused, match="chmod 600") as refused:
        keys.key_of("a")
    assert refused.value.zh
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(UsageRefused, match="damaged"):
        keys.key_of("a")
    with pytest.raises(UsageRefused, match="cannot be used"):
        MarkingKeys(tmp_path / "missing").key_of("a")


def test_an_order_for_seals_without_slots_is_recorded_as_before_there_were_any() -> None:
    """What is recorded decides whether a package is known: it must not change for those that are."""
    frozen = FrozenSeal("id", "公章", "0" * 64, (14.0, 14.0, 42.0, 42.0))
    order = SigningOrder((frozen,), "c" * 64, "", "")
    (recorded,) = order.to_record()["seals"]  # type: ignore[misc, attr-defined]
    assert sorted(recorded) == ["image_sha256", "ink_box_mm", "name", "seal_id"]
    slotted = replace(order, seals=(replace(frozen, slots=(read_slot("日期=20,44,30,4"),)),))
    assert order_from_record(slotted.to_record()) == slotted
    assert order_from_record(order.to_record()) == order
