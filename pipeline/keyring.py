"""The keys this process has opened: each by its URI, once, and kept open."""

import os
import threading
from collections.abc import Callable, Mapping

from pipeline.keys import open_signer
from stages.authorities import Signer
from stages.errors import SigningRefused

PIN_VARIABLE = "SEALINE_PIN"


class Keyring:
    """Opens signers on demand; a PIN is asked for once a key, used, and not kept.

    Args:
        tryout: URIs of the try-out keys, and what tells each one's PIN.
        ask_pin: asks a person; None where nobody is there.
        pin_of_key: URI of the key that the PIN in the environment is for.
    """

    def __init__(
        self,
        *,
        tryout: Mapping[str, Callable[[], str]],
        pin_of_key: str,
        ask_pin: Callable[[], str] | None = None,
        given_pin: str | None = None,
    ) -> None:
        self._tryout = dict(tryout)
        self._pin_of_key = pin_of_key
        self._ask_pin = ask_pin
        self._given_pin = given_pin
        self._open: dict[str, Signer] = {}
        self._refused: dict[str, SigningRefused] = {}
        self._lock = threading.Lock()

    def signer(self, uri: str) -> Signer:
        """Return the signer at a URI; one whose token was pulled out is opened again.

        Raises:
            SigningRefused: wrong PIN, or the key cannot be used. A wrong PIN is not tried again.
            KeyUnavailable: its token is not plugged in, or does not answer.
        """
        with self._lock:
            if uri in self._refused:
                raise self._refused[uri]
            known = self._open.get(uri)
            if known is None or getattr(known, "is_lost", False):
                self._open[uri] = self._opened(uri)
            return self._open[uri]

    def _opened(self, uri: str) -> Signer:
        pin = self._given(uri)
        try:
            return open_signer(uri, pin=self._asked(uri) if pin is None else pin)
        except SigningRefused as error:
            if pin is not None:
                self._refused[uri] = error
            raise

    def _given(self, uri: str) -> str | None:
        """Return the PIN that stands ready for a key, which nobody can correct while a batch runs."""
        if uri != self._pin_of_key:
            return None
        return self._given_pin if self._given_pin is not None else os.environ.get(PIN_VARIABLE)

    def _asked(self, uri: str) -> Callable[[], str]:
        if uri in self._tryout:
            return self._tryout[uri]
        return self._ask_pin or _nobody_to_ask

    def __repr__(self) -> str:
        return f"Keyring({len(self._open)} open)"


def _nobody_to_ask() -> str:
    raise SigningRefused(
        f"the key needs a PIN; give it by --pin-fd, in {PIN_VARIABLE}, or at the prompt",
        zh=f"该密钥需要 PIN，请通过提示输入、环境变量 {PIN_VARIABLE} 或 --pin-fd 提供",
    )
