"""Output folders: what cannot be written to, or would lose an original, is refused at once."""

from pathlib import Path

import pytest

from pipeline.cli.main import run
from pipeline.errors import UsageRefused
from pipeline.folders import check_can_write, check_out_file, check_out_folder, make_folder
from pipeline.wiring import App


def test_missing_folders_are_made(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "甲" / "乙 丙").is_dir()
    assert make_folder(tmp_path / "甲" / "乙 丙").is_dir()


def test_checking_makes_nothing(tmp_path: Path) -> None:
    check_can_write(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["file", "file/below", "file/below/that", "x" * 300])
def test_a_folder_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageRefused, match="cannot be written to") as refused:
        make_folder(tmp_path / name)
    assert "无法写入" in refused.value.zh


def test_a_folder_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "os.access", lambda *_, **__: False
    )  # the tests may run as root, who may write anywhere
    with pytest.raises(UsageRefused, match="no permission"):
        check_can_write(tmp_path)


def test_results_never_replace_a_single_original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = tmp_path / "投标.pdf"
    original.write_bytes(b"%PDF-")
    monkeypatch.chdir(tmp_path)
    for out in (tmp_path, Path("."), tmp_path / "x" / ".."):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(UsageRefused, match="replace the original"):
            check_out_folder(Path("投标.pdf"), out)
    assert check_out_folder(original, tmp_path / "out")
    (tmp_path / "包.zip").write_bytes(b"PK\x03\x04")
    assert check_out_folder(tmp_path / "包.zip", tmp_path)


def test_results_never_replace_a_file_of_a_folder(tmp_path: Path) -> None:
    package = tmp_path / "p"
    (package / "p").mkdir(parents=True)
    with pytest.raises(UsageRefused, match="replace the original"):
        check_out_folder(package, tmp_path)
    (package / "p").rmdir()
    assert check_out_folder(package, tmp_path) == tmp_path
    with pytest.raises(UsageRefused, match="inside the package"):
        check_out_folder(package, package / "out")


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(UsageRefused, match="is a folder"):
        check_out_file(tmp_path)
    assert check_out_file(tmp_path / "new" / "form.pdf").parent.is_dir()


@pytest.mark.parametrize(
    "command",
    [
        ["seal", "extract", "SCAN", "-o", "FILE"],
        ["seal", "show", "公章", "-o", "FILE"],
        ["bid", "sign", "PDF", "--plan", "PLAN", "-o", "FILE"],
        ["form", "draw", "-o", "FILE/form.pdf"],
        ["form", "draw", "-o", "FOLDER"],
        ["--home", "FILE", "seal", "list"],
    ],
)
def test_an_output_that_cannot_be_is_one_clear_line(
    command: list[str], app: App, plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    (tmp_path / "文件.pdf").write_bytes(b"%PDF-")
    paths = {
        "SCAN": tmp_path / "seal.png",
        "FILE": tmp_path / "taken",
        "FOLDER": tmp_path,
        "PDF": tmp_path / "文件.pdf",
        "PLAN": plan,
        "FILE/form.pdf": tmp_path / "taken" / "form.pdf",
    }
    home = app.settings.home
    assert run(["--home", str(home), *(str(paths.get(word, word)) for word in command)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("用法或设置错误 USAGE: ")
