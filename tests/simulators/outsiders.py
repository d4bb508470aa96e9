"""Other people's programs, asked what they think of a signed file."""

import re
import subprocess
from pathlib import Path

from asn1crypto import pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from stages.crypto.cms import trim
from stages.documents import SignedDocument


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a program that must succeed; return what it printed."""
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=cwd)
    assert result.returncode == 0, f"{command[0]}: {result.stdout}\n{result.stderr}"
    return result.stdout + result.stderr


def pem_of(path: Path, *certificates: x509.Certificate) -> Path:
    """Write certificates as PEM."""
    path.write_bytes(b"".join(pem.armor("CERTIFICATE", certificate.dump()) for certificate in certificates))
    return path


def contents_of(signed: SignedDocument) -> bytes:
    """Return the CMS in a signature's /Contents."""
    whole = signed.path.read_bytes()
    return trim(bytes.fromhex(whole[signed.contents_start + 1 : signed.contents_end - 1].decode("ascii")))


def signed_bytes_of(signed: SignedDocument) -> bytes:
    """Return what the byte range of a file's last signature covers, read from the file itself."""
    whole = signed.path.read_bytes()
    ranges = re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", whole)
    a, b, c, d = (int(number) for number in ranges[-1])
    return whole[a : a + b] + whole[c : c + d]


def openssl_cms_verify(folder: Path, cms: bytes, content: bytes, root: x509.Certificate) -> str:
    """Ask `openssl cms -verify -cades` whether a detached CMS is good."""
    (folder / "cms.der").write_bytes(cms)
    (folder / "content.bin").write_bytes(content)
    return run(
        *("openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", folder / "cms.der"),
        *("-content", folder / "content.bin", "-CAfile", pem_of(folder / "root.pem", root)),
        *("-purpose", "any", "-out", "/dev/null"),
    )


def openssl_ts_verify(folder: Path, token: bytes, data: bytes, root: x509.Certificate) -> str:
    """Ask `openssl ts -verify` whether a token is good and covers data."""
    (folder / "token.der").write_bytes(token)
    (folder / "data.bin").write_bytes(data)
    return run(
        *("openssl", "ts", "-verify", "-token_in", "-in", folder / "token.der"),
        *("-data", folder / "data.bin", "-CAfile", pem_of(folder / "root.pem", root)),
    )


def pdfsig(folder: Path, path: Path, root: x509.Certificate) -> str:
    """Return what pdfsig says of a file when a root is trusted."""
    database = f"sql:{folder}"
    if not (folder / "cert9.db").exists():
        run("certutil", "-N", "-d", database, "--empty-password")
        certificate = pem_of(folder / "nss-root.pem", root)
        run("certutil", "-A", "-d", database, "-n", "root", "-t", "C,C,C", "-i", certificate)
    return run("pdfsig", "-nssdir", database, path)


def pyhanko(path: Path, root: x509.Certificate) -> list[PdfSignatureStatus]:
    """Return pyHanko's status of every signature, in order, with the network off."""
    with path.open("rb") as file:
        reader = PdfFileReader(file, strict=False)
        return [
            validate_pdf_signature(
                signature,
                signer_validation_context=_context(root),
                ts_validation_context=_context(root),
            )
            for signature in reader.embedded_signatures
        ]


def _context(root: x509.Certificate) -> ValidationContext:
    return ValidationContext(trust_roots=[root], allow_fetching=False)
