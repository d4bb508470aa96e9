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
        self._lock = threading.Lock()

    def signer(self, uri: str) -> Signer:
        """Return the signer at a URI.

        Raises:
            SigningRefused: wrong PIN, or the key cannot be used.
        """
        with self._lock:
            if uri not in self._open:
                self._open[uri] = open_signer(uri, pin=lambda: self._pin(uri))
            return self._open[uri]

    def _pin(self, uri: str) -> str:
        if uri == self._pin_of_key:
            given = self._given_pin if self._given_pin is not None else os.environ.get(PIN_VARIABLE)
            if given is not None:
                return given
        if uri in self._tryout:
            return self._tryout[uri]()
        if self._ask_pin is None:
            raise SigningRefused(
                f"the key needs a PIN; give it by --pin-fd, in {PIN_VARIABLE}, or at the prompt",
                zh=f"该密钥需要 PIN，请通过提示输入、环境变量 {PIN_VARIABLE} 或 --pin-fd 提供",
            )
        return self._ask_pin()

    def __repr__(self) -> str:
        return f"Keyring({len(self._open)} open)"
