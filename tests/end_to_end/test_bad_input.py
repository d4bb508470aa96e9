"""Bad input: each one clear line and the right exit code; nothing half-done is shown as done."""

import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from tests.end_to_end.conftest import Ran, Sealine

PLAN = """
version: 1
rules:
  - seal: 公章
    pages: last
    x_mm: 100
    y_mm: 100
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def _good(demo: dict[str, Any]) -> bytes:
    return next(Path(demo["package"]).glob("02*.pdf")).read_bytes()


def _encrypted(demo: dict[str, Any], path: Path) -> None:
    with pikepdf.open(next(Path(demo["package"]).glob("02*.pdf"))) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(owner="o", user="u"))


BAD_FILES: dict[str, Callable[[dict[str, Any], Path], object]] = {
    "not a PDF": lambda demo, path: path.write_bytes(b"PK\x03\x04 this is something else" * 50),
    "truncated": lambda demo, path: path.write_bytes(_good(demo)[:-3000]),
    "encrypted": _encrypted,
    "0 bytes": lambda demo, path: path.write_bytes(b""),
}


def _is_one_clear_line(ran: Ran, *words: str) -> None:
    lines = [line for line in ran.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    assert any(word in lines[0] for word in words) or not words, lines[0]


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_bad_file_alone_is_refused(
    what: str, demo: dict[str, Any], home: Path, plan: Path, tmp_path: Path, sealine: Sealine
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    BAD_FILES[what](demo, package / "坏文件.pdf")
    ran = sealine("--home", home, "bid", "sign", package, "--plan", plan, "-o", tmp_path / "out", "--json")
    assert ran.code == 10
    (file,) = ran.json["files"]
    assert file["state"] == "refused"
    assert file["error"]["name"] == "INPUT_REFUSED"
    assert "坏文件.pdf" in file["error"]["message_zh"]
    assert "\n" not in file["error"]["message"]
    assert not list((tmp_path / "out").glob("*"))
    checked = sealine("--home", home, "bid", "check", package, "--json")
    assert checked.code == 10


def test_one_bad_file_among_good_ones_does_not_stop_them(
    demo: dict[str, Any], home: Path, plan: Path, tmp_path: Path, sealine: Sealine
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "good.pdf").write_bytes(_good(demo))
    (package / "bad.pdf").write_bytes(b"nothing")
    ran = sealine("--home", home, "bid", "sign", package, "--plan", plan, "-o", tmp_path / "out", "--json")
    assert ran.code == 100
    states = {file["file"]: file["state"] for file in ran.json["files"]}
    assert states == {"good.pdf": "archived", "bad.pdf": "refused"}
    assert (tmp_path / "out" / "good.pdf").is_file()


def test_a_zip_that_climbs_out_is_refused(
    demo: dict[str, Any], home: Path, plan: Path, tmp_path: Path, sealine: Sealine
) -> None:
    package = tmp_path / "climbing.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("../../escaped.pdf", _good(demo))
    ran = sealine("--home", home, "bid", "sign", package, "--plan", plan, "-o", tmp_path / "out")
    assert ran.code == 10
    _is_one_clear_line(ran, "..")
    assert not list(tmp_path.rglob("escaped.pdf"))


def test_a_zip_bomb_is_refused(home: Path, tmp_path: Path, sealine: Sealine) -> None:
    package = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("bomb.pdf", "w", force_zip64=True) as entry,
    ):
        for _ in range(400):
            entry.write(bytes(1 << 20))
    ran = sealine("--home", home, "bid", "check", package)
    assert ran.code == 10
    _is_one_clear_line(ran)


def test_a_picture_of_60000_pixels_a_side_is_refused(home: Path, tmp_path: Path, sealine: Sealine) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1 << 20))
    scan = tmp_path / "huge.png"
    scan.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )
    ran = sealine("--home", home, "seal", "extract", scan, "-o", tmp_path / "out", "--json")
    assert ran.code == 10
    _is_one_clear_line(ran)
    assert ran.json["error"]["name"] == "INPUT_REFUSED"


def test_a_keyword_found_nowhere_is_refused(
    demo: dict[str, Any], home: Path, tmp_path: Path, sealine: Sealine
) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("version: 1\nrules:\n  - {seal: 公章, keyword: 天方夜谭之章}\n", encoding="utf-8")
    ran = sealine("--home", home, "bid", "sign", demo["package"], "--plan", plan, "-o", tmp_path / "out")
    assert ran.code == 12
    _is_one_clear_line(ran, "天方夜谭之章")


def test_a_plan_with_an_unknown_key_is_refused(
    demo: dict[str, Any], home: Path, tmp_path: Path, sealine: Sealine
) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("version: 1\nrules:\n  - {seal: 公章, keywrod: 盖章}\n", encoding="utf-8")
    ran = sealine("--home", home, "bid", "plan", demo["package"], "--plan", plan, "--dry-run", "--json")
    assert ran.code == 2
    _is_one_clear_line(ran, "keywrod")
    assert ran.json["error"]["name"] == "USAGE"


def test_a_seal_nobody_made_is_refused(
    demo: dict[str, Any], home: Path, tmp_path: Path, sealine: Sealine
) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN.replace("公章", "无名章"), encoding="utf-8")
    ran = sealine("--home", home, "bid", "plan", demo["package"], "--plan", plan)
    assert ran.code == 31
    _is_one_clear_line(ran, "无名章")


def test_a_wrong_pin_is_refused_and_the_right_one_goes_on(
    demo: dict[str, Any], home: Path, plan: Path, tmp_path: Path, sealine: Sealine
) -> None:
    arguments = ("--home", home, "bid", "sign", demo["package"], "--plan", plan, "-o", tmp_path / "out")
    wrong = sealine(*arguments, SEALINE_PIN="not-the-pin-8642")
    assert wrong.code == 22
    _is_one_clear_line(wrong, "PIN")
    assert "8642" not in wrong.stdout + wrong.stderr
    right = sealine(*arguments, "--json", SEALINE_PIN=(home / "pki" / "signer.pin").read_text().strip())
    assert right.code == 0, right.stderr


def test_the_pin_may_come_by_a_file_descriptor(home: Path, demo: dict[str, Any], tmp_path: Path) -> None:
    import subprocess

    from tests.end_to_end.conftest import command, environment

    reader, writer = os.pipe()
    os.write(writer, b"surely-wrong\n")
    os.close(writer)
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN, encoding="utf-8")
    arguments = ("--home", home, "bid", "sign", demo["package"], "--plan", plan, "-o", tmp_path / "out")
    done = subprocess.run(
        command(*arguments, "--pin-fd", str(reader)),
        env=environment(),
        pass_fds=(reader,),
        capture_output=True,
        check=False,
    )
    os.close(reader)
    assert done.returncode == 22


def test_an_output_folder_inside_the_package_is_refused(
    demo: dict[str, Any], home: Path, plan: Path, sealine: Sealine
) -> None:
    out = Path(demo["package"]) / "out"
    ran = sealine("--home", home, "bid", "sign", demo["package"], "--plan", plan, "-o", out)
    assert ran.code == 2
    assert not out.exists()


def test_an_unknown_setting_is_refused(home: Path, sealine: Sealine) -> None:
    (home / "sealine.toml").write_text("tsa_url = 'http://127.0.0.1'\n", encoding="utf-8")
    ran = sealine("--home", home, "seal", "list")
    assert ran.code == 2
    _is_one_clear_line(ran, "tsa_url")
    unknown = sealine("--home", home, "seal", "list", SEALINE_TSAURL="x")
    assert unknown.code == 2
