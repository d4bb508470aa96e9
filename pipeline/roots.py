"""Trust anchors out of PEM files."""

from pathlib import Path

from asn1crypto import pem, x509

from pipeline.errors import UsageRefused

MAX_ROOTS_BYTES = 8 << 20


def read_roots(path: Path) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a PEM file.

    Raises:
        UsageRefused: there is none in it.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ROOTS_BYTES)
        if not pem.detect(data):
            raise ValueError("no PEM block")
        blocks = [der for kind, _, der in pem.unarmor(data, multiple=True) if kind == "CERTIFICATE"]
        roots = tuple(x509.Certificate.load(der, strict=True) for der in blocks)
        if not roots:
            raise ValueError("no certificate")
        for root in roots:
            _ = root.subject.native
    except (OSError, ValueError) as error:
        raise UsageRefused(
            f"{path}: no trust anchors in it ({error}); give a PEM file of root certificates",
            zh=f"{path} 中没有可用的根证书，请提供 PEM 格式的根证书文件",
        ) from error
    return roots
