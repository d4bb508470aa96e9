"""The keyring: each key opened once, its PIN asked for once and shown nowhere."""

import pytest

from pipeline.keyring import PIN_VARIABLE, Keyring
from pipeline.wiring import App
from stages.errors import SigningRefused


@pytest.fixture(autouse=True)
def _no_pin_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PIN_VARIABLE, raising=False)


def test_a_person_is_asked_for_a_pin_once(app: App) -> None:
    asked: list[str] = []

    def ask() -> str:
        asked.append("asked")
        return app.pki.pin("signer")

    keyring = Keyring(tryout={}, pin_of_key=app.key_uri, ask_pin=ask)
    assert keyring.signer(app.key_uri) is keyring.signer(app.key_uri)
    assert asked == ["asked"]


def test_a_wrong_pin_opens_nothing_and_the_next_one_is_asked_for(app: App) -> None:
    answers = iter(["wrong-8642", app.pki.pin("signer")])
    keyring = Keyring(tryout={}, pin_of_key=app.key_uri, ask_pin=lambda: next(answers))
    with pytest.raises(SigningRefused):
        keyring.signer(app.key_uri)
    assert keyring.signer(app.key_uri)


def test_a_pin_a_person_gave_is_shown_nowhere(app: App) -> None:
    pin = app.pki.pin("signer")
    keyring = Keyring(tryout={}, pin_of_key=app.key_uri, ask_pin=lambda: pin)
    keyring.signer(app.key_uri)
    assert pin not in repr(keyring)
    assert pin not in map(str, vars(keyring).values())


def test_a_pin_given_goes_before_the_environment(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PIN_VARIABLE, "wrong-8642")
    keyring = Keyring(tryout={}, pin_of_key=app.key_uri, given_pin=app.pki.pin("signer"))
    assert keyring.signer(app.key_uri)
    with pytest.raises(SigningRefused):
        Keyring(tryout={}, pin_of_key=app.key_uri).signer(app.key_uri)


def test_the_pin_of_one_key_is_not_tried_on_another(app: App) -> None:
    keyring = Keyring(tryout={}, pin_of_key=app.key_uri, given_pin=app.pki.pin("maker"))
    with pytest.raises(SigningRefused, match="needs a PIN"):
        keyring.signer(app.pki.maker_uri)


def test_where_nobody_can_be_asked_the_key_stays_shut(app: App) -> None:
    with pytest.raises(SigningRefused, match="needs a PIN") as refused:
        Keyring(tryout={}, pin_of_key=app.key_uri).signer(app.key_uri)
    assert "PIN" in refused.value.zh
