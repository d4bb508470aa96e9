"""What a seal operator is told: a seal that nobody could ever sign with is not made."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.clock import utc_now
from pipeline.seals import SealWish
from pipeline.wiring import App
from stages.errors import InputRefused, SigningRefused
from stages.make import SealKind
from storage.errors import NotFound
from tests.pipeline.conftest import write_seal_image
from tests.simulators.keys import write_pem_signer


def test_no_seal_is_bound_to_an_expired_certificate(app: App, tmp_path: Path) -> None:
    uri, _ = write_pem_signer(tmp_path / "key.pem", utc_now() - timedelta(days=9000), kind="p256")
    wish = SealWish(name="旧章", owner="示例公司", owner_code="", kind=SealKind.OFFICIAL)
    with pytest.raises(SigningRefused, match="expired"):
        app.seals.make(write_seal_image(tmp_path / "old.png"), wish, actor=app.actor, key_uri=uri)
    assert [seal.name for seal in app.seals.list(actor=app.actor)] == ["公章"]


@pytest.mark.parametrize(("letters", "fits"), [(80, True), (81, False)])
def test_a_seal_s_name_fits_into_a_file_name(letters: int, fits: bool, app: App, tmp_path: Path) -> None:
    wish = SealWish(name="章" * letters, owner="示例公司", owner_code="", kind=SealKind.OFFICIAL)
    image = write_seal_image(tmp_path / "long.png")
    if not fits:
        with pytest.raises(InputRefused, match="cannot name a file") as refused:
            app.seals.make(image, wish, actor=app.actor, key_uri=app.key_uri)
        assert "80 个汉字" in refused.value.zh
        return
    made = app.seals.make(image, wish, actor=app.actor, key_uri=app.key_uri)
    assert all(path.is_file() for path in app.seals.save(made.name, tmp_path / "out", actor=app.actor))


def test_a_seal_made_here_is_compared_by_its_name(app: App, tmp_path: Path) -> None:
    image = write_seal_image(tmp_path / "same.png")
    compared = app.seals.compare(Path("公章"), image, tmp_path / "difference.png", actor=app.actor)
    assert compared.comparison.likeness > 0.9
    assert compared.picture.is_file()
    with pytest.raises(NotFound):
        app.seals.compare(Path("没有的章"), image, tmp_path / "difference.png", actor=app.actor)
