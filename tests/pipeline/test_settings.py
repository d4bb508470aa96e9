"""Settings: flags over environment over file, and nothing unknown."""

import os
from pathlib import Path

import pytest

from pipeline.errors import UsageRefused
from pipeline.permissions import Role
from pipeline.settings import read_settings


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SEALINE_")]:
        monkeypatch.delenv(name)


def test_flags_go_over_environment_over_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sealine.toml").write_text('location = "file"\nreason = "file"\nuser = "file"\n')
    monkeypatch.setenv("SEALINE_HOME", str(tmp_path))
    monkeypatch.setenv("SEALINE_REASON", "environment")
    monkeypatch.setenv("SEALINE_USER", "environment")
    settings = read_settings({"user": "flag", "location": None})
    assert (settings.location, settings.reason, settings.user) == ("file", "environment", "flag")
    assert settings.home == tmp_path


def test_lists_are_separated_by_commas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALINE_TSA_URLS", "http://a/, http://b/")
    monkeypatch.setenv("SEALINE_ROLES", "archivist")
    settings = read_settings({"home": tmp_path})
    assert settings.tsa_urls == ("http://a/", "http://b/")
    assert settings.roles == {Role.ARCHIVIST}


@pytest.mark.parametrize("text", ['tsa_url = "x"', "workers = 0", "not toml", 'roles = "emperor"'])
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "sealine.toml").write_text(text)
    with pytest.raises(UsageRefused):
        read_settings({"home": tmp_path})


def test_an_unknown_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALINE_WORKER", "2")
    with pytest.raises(UsageRefused, match="SEALINE_WORKER"):
        read_settings({"home": tmp_path})


def test_the_pin_is_no_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALINE_PIN", "8642-secret")
    settings = read_settings({"home": tmp_path})
    assert "8642" not in repr(settings)


def test_the_s3_secret_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALINE_S3_SECRET_KEY", "hush-hush")
    settings = read_settings({"home": tmp_path})
    assert "hush" not in repr(settings)
    assert settings.s3_secret_key.get_secret_value() == "hush-hush"


@pytest.mark.parametrize("url", ["not-a-url", "ftp://a/", "http://", "/path"])
def test_a_time_stamping_authority_is_a_web_address(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageRefused, match="tsa_urls"):
        read_settings({"home": tmp_path, "tsa_urls": (url,)})
