"""Tokens of SoftHSM2: a real PKCS#11 library, its tokens in a folder of the test run."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pkcs11
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import Certificate
from pkcs11 import Attribute

from pipeline.tryout.certificates import PrivateKey

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "battery-staple"
CONF_VARIABLE = "SOFTHSM2_CONF"


def write_configuration(folder: Path) -> Path:
    """Write what SOFTHSM2_CONF must name before the library is loaded."""
    (folder / "tokens").mkdir()
    path = folder / "softhsm2.conf"
    path.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    return path


def initialise_token(label: str) -> None:
    """Make a new, empty token; the library sees it when it is loaded next."""
    _run("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "officer-staple")


@dataclass(frozen=True)
class SoftToken:
    """A token with a PIN."""

    label: str

    def uri(self, rest: str = "") -> str:
        """Return the address of a key in this token."""
        return f"pkcs11:token={self.label}{rest}?module-path={MODULE}"

    def add(self, key_id: int, key: PrivateKey, *certificates: Certificate, folder: Path) -> None:
        """Put a key into the token with its certificate, then its issuers."""
        path = folder / f"{self.label}-{key_id}.pem"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        own_id = f"{key_id:02x}"
        _run("--import", str(path), "--token", self.label, "--label", own_id, "--id", own_id, "--pin", PIN)
        path.unlink()
        with pkcs11.lib(str(MODULE)).get_token(token_label=self.label).open(rw=True, user_pin=PIN) as session:
            for order, one in enumerate(certificates):
                session.create_object(
                    {
                        Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                        Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                        Attribute.TOKEN: True,
                        Attribute.ID: b"" if order else bytes((key_id,)),
                        Attribute.SUBJECT: one.subject.public_bytes(),
                        Attribute.VALUE: one.public_bytes(Encoding.DER),
                    }
                )


def _run(*arguments: str) -> None:
    subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True, timeout=60)
