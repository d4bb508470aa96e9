"""An approved seal image made into an electronic seal, and everything that must not become one."""

import hashlib
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asn1crypto import core
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from stages import seal_images
from stages.crypto.eseal import check_seal, parse_seal
from stages.errors import InputRefused, SigningRefused
from stages.make import (
    INK_BOX_OID,
    INTERNAL_USE_ONLY,
    MAX_NAME_CHARS,
    OWNER_OID,
    STANDING_OID,
    ElectronicSealFile,
    SealKind,
    SealOrder,
    make,
)
from tests.stages.makers import UnsafeFaultyMaker, UnsafeMaker

MADE_AT = datetime(2026, 3, 4, 5, 6, 7, 890, tzinfo=UTC)
YEAR = timedelta(days=365)
ORDER = SealOrder(
    name="测试建设有限公司-公章",
    owner="测试建设有限公司",
    owner_code="91420100MA4KXQ7X8G",
    kind=SealKind.OFFICIAL,
    seal_id="72870a24-2b53-4add-8769-00cb14b4b2ec-openseal",
    valid_from=MADE_AT,
    valid_until=MADE_AT + YEAR,
)


def maker_of(kind: str = "rsa") -> UnsafeMaker:
    return UnsafeMaker(kind, MADE_AT - YEAR, MADE_AT + YEAR)


def seal_picture(box_px: tuple[int, int, int, int] = (280, 280, 1120, 1120)) -> Image.Image:
    image = Image.new("RGBA", (1400, 1400), (255, 255, 255, 0))
    ImageDraw.Draw(image).ellipse(
        (box_px[0], box_px[1], box_px[2] - 1, box_px[3] - 1), outline=(200, 0, 0), width=24
    )
    return image


def saved(path: Path, image: Image.Image, *, dpi: float | tuple[float, float] | None = 508) -> Path:
    if dpi is None:
        image.save(path, "PNG")
    else:
        image.save(path, "PNG", dpi=dpi if isinstance(dpi, tuple) else (dpi, dpi))
    return path


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return saved(tmp_path / "seal.png", seal_picture())


def made(
    image: Path, scratch: Path, *, order: SealOrder = ORDER, maker: UnsafeMaker | None = None
) -> ElectronicSealFile:
    maker = maker or maker_of()
    return make(image, order, maker, made_at=MADE_AT, certificates=[maker.certificate], scratch=scratch)


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_a_made_seal_reads_back_and_verifies(tmp_path: Path, image: Path, kind: str) -> None:
    maker = maker_of(kind)
    result = made(image, tmp_path, maker=maker)
    data = result.path.read_bytes()
    seal = check_seal(parse_seal(data)).seal
    assert result.path == tmp_path / f"{ORDER.seal_id}.esl"
    assert result.sha256 == hashlib.sha256(data).hexdigest()
    assert result.ink_box_mm == (14.0, 14.0, 42.0, 42.0)
    assert result.size_mm == (42.0, 42.0)
    assert result.image_sha256 == hashlib.sha256(image.read_bytes()).hexdigest()
    assert (seal.version, seal.seal_id, seal.name, seal.type_code) == (4, ORDER.seal_id, ORDER.name, 1)
    assert (seal.width_mm, seal.height_mm, seal.picture_type) == (70, 70, "PNG")
    assert seal.picture == image.read_bytes()
    assert seal.certificates == (maker.certificate.dump(),)
    assert seal.maker_certificate == maker.certificate.dump()
    assert seal.created_at == MADE_AT.replace(microsecond=0)
    assert seal.valid_until == (MADE_AT + YEAR).replace(microsecond=0)
    assert seal.timestamp == b""


def test_a_seal_says_its_size_its_owner_and_that_it_is_for_internal_use_only(
    tmp_path: Path, image: Path
) -> None:
    seal = parse_seal(made(image, tmp_path).path.read_bytes())
    values = {extension.oid: extension.value for extension in seal.extensions}
    assert core.SequenceOf.load(values[INK_BOX_OID], spec=core.Integer).native == [14000, 14000, 42000, 42000]
    owner = core.SequenceOf.load(values[OWNER_OID], spec=core.UTF8String).native
    assert owner == [ORDER.owner, ORDER.owner_code, "official"]
    assert core.UTF8String.load(values[STANDING_OID]).native == INTERNAL_USE_ONLY
    assert not any(extension.critical for extension in seal.extensions)


def test_the_same_order_makes_the_same_bytes(tmp_path: Path, image: Path) -> None:
    first = made(image, tmp_path).path.read_bytes()
    assert made(image, tmp_path).path.read_bytes() == first


@pytest.mark.parametrize("kind", list(SealKind))
def test_every_kind_has_a_chinese_name_and_a_type(kind: SealKind) -> None:
    assert kind.label
    assert kind.type_code in (1, 2, 3)


def test_the_ink_box_of_an_oblong_seal_is_its_own(tmp_path: Path) -> None:
    image = saved(tmp_path / "oval.png", seal_picture((200, 340, 1200, 1060)))
    assert made(image, tmp_path).ink_box_mm == (10.0, 17.0, 50.0, 36.0)


@pytest.mark.parametrize(
    ("picture", "dpi", "words"),
    [
        (seal_picture(), None, "pHYs"),
        (seal_picture(), 300, "pHYs"),
        (seal_picture(), (508, 500), "pHYs"),
        (seal_picture().resize((1390, 1390)), 508, "1390 x 1390"),
        (seal_picture().convert("RGB"), 508, "RGB,"),
        (Image.new("RGBA", (1400, 1400)), 508, "no ink"),
        (seal_picture((0, 280, 1120, 1120)), 508, "edge"),
        (seal_picture((280, 280, 1120, 1400)), 508, "edge"),
        (seal_picture((700, 700, 740, 740)), 508, "smaller than"),
    ],
)
def test_an_image_that_is_not_true_to_size_or_not_whole_is_refused(
    tmp_path: Path, picture: Image.Image, dpi: float | None, words: str
) -> None:
    path = saved(tmp_path / "bad.png", picture, dpi=dpi)
    with pytest.raises(InputRefused, match=words) as caught:
        made(path, tmp_path)
    assert caught.value.zh


def test_an_image_of_another_kind_or_cut_short_or_absent_is_refused(tmp_path: Path, image: Path) -> None:
    jpeg = tmp_path / "seal.jpg"
    seal_picture().convert("RGB").save(jpeg)
    cut = tmp_path / "cut.png"
    cut.write_bytes(image.read_bytes()[:3000])
    for path in (jpeg, cut, tmp_path / "nowhere.png"):
        with pytest.raises(InputRefused):
            made(path, tmp_path)


def test_an_image_over_the_byte_limit_is_refused(
    tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal_images, "MAX_IMAGE_BYTES", 100)
    with pytest.raises(InputRefused, match="limit is 100"):
        made(image, tmp_path)


def test_phys_is_found_behind_other_chunks(tmp_path: Path) -> None:
    text = PngInfo()
    text.add_text("Title", "seal")
    path = tmp_path / "text.png"
    seal_picture().save(path, "PNG", dpi=(508, 508), pnginfo=text)
    assert made(path, tmp_path).size_mm == (42.0, 42.0)


def test_written_png_files_say_their_scale_exactly(tmp_path: Path) -> None:
    pixels = np.zeros((4, 5, 4), dtype=np.uint8)
    for px_per_mm, per_metre in ((20.0, 20000), (300 / 25.4, 11811), (600 / 25.4, 23622)):
        seal_images.write_png(tmp_path / "a.png", pixels, px_per_mm=px_per_mm)
        assert seal_images.png_px_per_metre((tmp_path / "a.png").read_bytes()) == (per_metre, per_metre)
    seal_images.write_png(tmp_path / "a.png", pixels, px_per_mm=None)
    assert seal_images.png_px_per_metre((tmp_path / "a.png").read_bytes()) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "印" * (MAX_NAME_CHARS + 1)},
        {"name": "two\nlines"},
        {"name": "../evil"},
        {"name": "a\\b"},
        {"name": ".hidden"},
        {"owner": "  "},
        {"owner_code": "91420100"},
        {"owner_code": "91420100MA4KXQ7X8I"},
        {"seal_id": "72870a24-2b53-4add-8769-00cb14b4b2ec"},
        {"seal_id": "../../evil-openseal"},
        {"valid_until": MADE_AT - YEAR},
        {"valid_from": MADE_AT - 2 * YEAR, "valid_until": MADE_AT - YEAR},
        {"valid_from": MADE_AT.replace(tzinfo=None)},
    ],
    ids=lambda wrong: "+".join(wrong),
)
def test_a_malformed_order_is_refused(tmp_path: Path, image: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputRefused) as caught:
        made(image, tmp_path, order=replace(ORDER, **wrong))
    assert caught.value.zh
    assert not list(tmp_path.glob("*.esl"))


def test_an_owner_without_a_code_is_fine(tmp_path: Path, image: Path) -> None:
    order = replace(ORDER, owner_code="", kind=SealKind.LEGAL_REPRESENTATIVE)
    assert parse_seal(made(image, tmp_path, order=order).path.read_bytes()).type_code == 2


def test_a_seal_bound_to_no_certificate_is_refused(tmp_path: Path, image: Path) -> None:
    with pytest.raises(InputRefused, match="0 certificates"):
        make(image, ORDER, maker_of(), made_at=MADE_AT, certificates=[], scratch=tmp_path)


@pytest.mark.parametrize("shift", [-2 * YEAR, 2 * YEAR])
def test_a_maker_whose_certificate_is_not_valid_now_makes_no_seal(
    tmp_path: Path, image: Path, shift: timedelta
) -> None:
    maker = UnsafeMaker("rsa", MADE_AT - YEAR + shift, MADE_AT + YEAR + shift)
    with pytest.raises(SigningRefused, match="renew it"):
        made(image, tmp_path, maker=maker)


def test_a_makers_unknown_algorithm_is_refused(tmp_path: Path, image: Path) -> None:
    maker = maker_of()
    maker.signature_algorithm = "sm2_sm3"
    with pytest.raises(SigningRefused, match="sm2_sm3"):
        made(image, tmp_path, maker=maker)


def test_a_key_that_signs_wrongly_makes_no_seal(tmp_path: Path, image: Path) -> None:
    maker = UnsafeFaultyMaker("rsa", MADE_AT - YEAR, MADE_AT + YEAR)
    with pytest.raises(SigningRefused, match="does not fit its certificate"):
        made(image, tmp_path, maker=maker)
    assert not list(tmp_path.glob("*.esl"))


@pytest.mark.needs_openssl
@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_openssl_accepts_the_makers_signature_over_the_seals_own_bytes(
    tmp_path: Path, image: Path, kind: str
) -> None:
    seal = parse_seal(made(image, tmp_path, maker=maker_of(kind)).path.read_bytes())
    for name, body in (
        ("maker.der", seal.maker_certificate),
        ("info.der", seal.signed_bytes),
        ("signature", seal.signature),
    ):
        (tmp_path / name).write_bytes(body)
    key = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-in", "maker.der", "-noout", "-pubkey"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    ).stdout
    (tmp_path / "maker.pem").write_bytes(key)
    verify = ["openssl", "dgst", "-sha256", "-verify", "maker.pem", "-signature", "signature", "info.der"]
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True).stdout == b"Verified OK\n"
    (tmp_path / "info.der").write_bytes(seal.signed_bytes[:-1] + b"?")
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True).returncode != 0
