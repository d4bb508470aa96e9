"""A seal image with a reason that refuses becomes no seal, unless somebody accepts the reason by name."""

import json
from pathlib import Path

import pytest
import typer

from pipeline.cli.seal import read_reasons, read_widths
from pipeline.seals import SealWish
from pipeline.wiring import App
from seal_imaging import ImpressionUnusable, Reason
from stages.make import SealKind
from stages.seal_notes import read_refusing, write_notes
from tests.pipeline.conftest import write_seal_image

WISH = SealWish(name="缺边章", owner="示例公司", owner_code="", kind=SealKind.OFFICIAL)


def test_a_refusing_reason_stops_the_seal_and_accepting_it_becomes_an_event(app: App, tmp_path: Path) -> None:
    image = write_seal_image(tmp_path / "seal-00.png")
    write_notes(image, [Reason.INCOMPLETE, Reason.FEWER_THAN_THREE], refusing=[Reason.INCOMPLETE])
    with pytest.raises(ImpressionUnusable, match="--accept-reason 不全") as caught:
        app.seals.make(image, WISH, actor=app.actor, key_uri=app.key_uri)
    assert "不全" in caught.value.zh
    assert "少于3枚" not in caught.value.zh
    made = app.seals.make(
        image, WISH, actor=app.actor, key_uri=app.key_uri, accepted_reasons=[Reason.INCOMPLETE]
    )
    (event,) = (event for event in app.records.events() if event.act == "accept_reasons")
    assert json.loads(event.detail) == {"seal": made.id, "reasons": ["不全"]}


def test_a_warning_stops_nothing(app: App, tmp_path: Path) -> None:
    image = write_seal_image(tmp_path / "seal-00.png")
    write_notes(image, [Reason.FEWER_THAN_THREE], refusing=[])
    wish = SealWish(name="提示章", owner="示例公司", owner_code="", kind=SealKind.OFFICIAL)
    assert app.seals.make(image, wish, actor=app.actor, key_uri=app.key_uri).name == "提示章"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"image_sha256": 1}', '{"image_sha256": "", "refusing": 3}', "\0" * 70000],
)
def test_notes_that_are_not_ours_say_nothing(tmp_path: Path, text: str) -> None:
    image = write_seal_image(tmp_path / "seal-00.png")
    assert read_refusing(image) == ()
    (tmp_path / "seal-00.json").write_text(text, "utf-8")
    assert read_refusing(image) == ()


def test_notes_of_another_picture_say_nothing(tmp_path: Path) -> None:
    image = write_seal_image(tmp_path / "seal-00.png")
    write_notes(image, [Reason.INCOMPLETE], refusing=[Reason.INCOMPLETE])
    assert read_refusing(image) == (Reason.INCOMPLETE,)
    notes = json.loads((tmp_path / "seal-00.json").read_text("utf-8"))
    (tmp_path / "seal-00.json").write_text(json.dumps(notes | {"image_sha256": "00"}), "utf-8")
    assert read_refusing(image) == ()


def test_widths_are_plain_or_for_one_seal() -> None:
    assert read_widths([]) == (None, {})
    assert read_widths(["42"]) == (42.0, {})
    assert read_widths(["42", "2=20.5", "3=18"]) == (42.0, {1: 20.5, 2: 18.0})


@pytest.mark.parametrize("texts", ["x", "0=3", "-1=3", "1=2=3", "1=a", "40 41", "2=20 2=21"])
def test_widths_nobody_understands_are_wrong_usage(texts: str) -> None:
    with pytest.raises(typer.BadParameter):
        read_widths(texts.split())


def test_a_reason_nobody_knows_is_wrong_usage() -> None:
    assert read_reasons(["不全"]) == (Reason.INCOMPLETE,)
    with pytest.raises(typer.BadParameter, match="缺墨"):
        read_reasons(["丑"])
