"""What verification believes, out of the files a user names: trust anchors, revocation lists."""

from collections.abc import Sequence
from pathlib import Path

from asn1crypto import crl, pem, x509

from pipeline.errors import UsageRefused

MAX_ROOTS_BYTES = 8 << 20
MAX_CRL_BYTES = 32 << 20
MAX_CRLS = 64


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


def read_crls(paths: Sequence[Path]) -> tuple[crl.CertificateList, ...]:
    """Return the revocation lists of files, each DER or PEM.

    Raises:
        UsageRefused: a file has none in it, or there are more than MAX_CRLS.
    """
    found = tuple(one for path in paths for one in _crls_of(path))
    if len(found) > MAX_CRLS:
        raise UsageRefused(
            f"{len(found)} revocation lists; at most {MAX_CRLS} can be looked at, give those that are needed",
            zh=f"吊销列表共 {len(found)} 个，最多 {MAX_CRLS} 个，请只给出需要的",
        )
    return found


def _crls_of(path: Path) -> list[crl.CertificateList]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CRL_BYTES + 1)
        if len(data) > MAX_CRL_BYTES:
            raise ValueError(f"more than {MAX_CRL_BYTES} bytes")
        ders = [data]
        if pem.detect(data):
            ders = [der for kind, _, der in pem.unarmor(data, multiple=True) if kind == "X509 CRL"]
        lists = [crl.CertificateList.load(der, strict=True) for der in ders]
        if not lists:
            raise ValueError("no X509 CRL block")
        for one in lists:
            _ = one.issuer.native, one["tbs_cert_list"]["this_update"].native
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageRefused(
            f"{path}: no revocation list in it ({error}); give the CRL file of a certification authority",
            zh=f"{path} 中没有可用的吊销列表，请提供 CA 发布的 CRL 文件（PEM 或 DER）",
        ) from error
    return lists
