"""Roles where they count: what the services refuse, and the exit code the command line gives for it."""

import json
from pathlib import Path

import pytest

from pipeline.cli.main import run
from pipeline.errors import Forbidden
from pipeline.permissions import Actor, Role
from pipeline.seals import SealWish
from pipeline.wiring import App
from stages.make import SealKind
from tests.pipeline.conftest import write_seal_image

WISH = SealWish(name="另一枚", owner="示例公司", owner_code="", kind=SealKind.OFFICIAL)


def _only(role: Role) -> Actor:
    return Actor("li", frozenset({role}))


@pytest.mark.parametrize("role", [Role.SIGNER, Role.ARCHIVIST])
def test_only_a_seal_operator_makes_seals(app: App, tmp_path: Path, role: Role) -> None:
    image = write_seal_image(tmp_path / "another.png")
    with pytest.raises(Forbidden):
        app.seals.make(image, WISH, actor=_only(role), key_uri=app.key_uri)
    assert len(app.seals.list(actor=app.actor)) == 1


@pytest.mark.parametrize("role", [Role.SEAL_OPERATOR, Role.ARCHIVIST])
def test_only_a_signer_has_a_package_signed(app: App, package: Path, plan: Path, role: Role) -> None:
    before = [event.act for event in app.records.events()]
    with pytest.raises(Forbidden):
        app.bids.submit(package, plan, actor=_only(role), key_uri=app.key_uri)
    with pytest.raises(Forbidden):
        app.bids.dry_run(package, plan, actor=_only(role))
    with pytest.raises(Forbidden):
        app.bids.check(package, actor=_only(role))
    assert [event.act for event in app.records.events()] == before


@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_signer_who_makes_a_seal_is_told_so_with_exit_code_50(
    app: App, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if where == "environment":
        monkeypatch.setenv("SEALINE_ROLES", "signer")
    else:
        (app.home / "sealine.toml").write_text('roles = "signer"\n', encoding="utf-8")
    image = write_seal_image(tmp_path / "another.png")
    words = ["--name", "另一枚", "--owner", "示例公司", "--kind", "official", "--home", str(app.home)]
    assert run(["seal", "make", str(image), *words, "--json"]) == 50
    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"]["name"] == "FORBIDDEN"
    assert len(shown.err.strip().splitlines()) == 1
