"""The try-out authority: a root and three certificates made on the spot, trusted by nobody else."""

import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import asn1crypto.x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from pipeline.tryout.certificates import issue, make_root, tryout_name
from stages.crypto.tryout import TRYOUT_MARKER
from stages.errors import SigningRefused

LEAF_KEY_BITS = 2048
PIN_BYTES = 18
MAX_PIN_FILE_BYTES = 1024
MAX_CA_FILE_BYTES = 64 * 1024
MAX_ORGANISATION_CHARACTERS = 64
"""X.520 ub-organization-name and ub-common-name."""

ORGANISATION = "试用企业"
CREDIT_CODE = "000000000000000000"
"""A unified social credit code (GB 32100-2015) nobody has."""

ROLES = ("signer", "tsa", "maker")


@dataclass(frozen=True)
class TryoutPki:
    """The folder of a try-out authority: `ca.pem`, and a PKCS#12 with its PIN for each role.

    Attributes:
        root: the certificate in `ca.pem`, the only thing that makes the others believed.
    """

    folder: Path
    root: asn1crypto.x509.Certificate = field(repr=False)

    @property
    def ca_path(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def signer_uri(self) -> str:
        return self.uri("signer")

    @property
    def tsa_uri(self) -> str:
        return self.uri("tsa")

    @property
    def maker_uri(self) -> str:
        return self.uri("maker")

    def uri(self, role: str) -> str:
        """Return what `open_signer` takes for a role: signer, tsa or maker."""
        return f"file:{self.folder / f'{role}.p12'}"

    def pin(self, role: str) -> str:
        """Return the PIN of a role's PKCS#12.

        Raises:
            SigningRefused: the PIN file is missing or unreadable.
        """
        path = self.folder / f"{role}.pin"
        try:
            with path.open("rb") as file:
                return file.read(MAX_PIN_FILE_BYTES).decode("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SigningRefused(
                f"{path}: the PIN cannot be read; make the try-out authority anew",
                zh=f"{path}：无法读取 PIN，请重新创建试用 CA",
            ) from error


def create_pki(folder: Path, *, now: datetime, organisation: str = ORGANISATION) -> TryoutPki:
    """Make a try-out authority in a folder that does not exist yet, all of it or nothing.

    The root's private key is thrown away once it has signed the three certificates: nothing else
    can ever be issued under it.

    Args:
        now: when the certificates begin (less BACKDATE); aware.
        organisation: whose name the signer's certificate carries.

    Raises:
        SigningRefused: the folder exists and is not empty, cannot be written, or the name is too long.
    """
    if not 0 < len(organisation) <= MAX_ORGANISATION_CHARACTERS:
        raise SigningRefused(
            f"organisation name of {len(organisation)} characters; give 1 to {MAX_ORGANISATION_CHARACTERS}",
            zh=f"单位名称有 {len(organisation)} 个字符，应为 1 至 {MAX_ORGANISATION_CHARACTERS} 个",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise _folder_taken(folder)
    files = _make_files(now, organisation)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))  # 0700
        try:
            for name, content in files.items():
                _write_private(building / name, content)
            _sync_folder(building)
            building.rename(folder)  # onto nothing or an empty folder; refuses any other
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        _sync_folder(folder.parent)
    except OSError as error:
        if folder.is_dir() and any(folder.iterdir()):
            raise _folder_taken(folder) from error
        raise SigningRefused(
            f"{folder}: the try-out authority cannot be written ({error.strerror}); choose another folder",
            zh=f"{folder}：无法写入试用 CA（{error.strerror}），请换一个文件夹",
        ) from error
    return open_pki(folder)


def open_pki(folder: Path) -> TryoutPki:
    """Return the try-out authority in a folder.

    Raises:
        SigningRefused: there is none, or its files are incomplete or unreadable.
    """
    path = folder / "ca.pem"
    missing = [
        name
        for name in ("ca.pem", *(f"{role}{end}" for role in ROLES for end in (".p12", ".pin")))
        if not (folder / name).is_file()
    ]
    if missing:
        raise SigningRefused(
            f"{folder}: no try-out authority here (missing: {', '.join(missing)}); make one first",
            zh=f"{folder}：此处没有试用 CA（缺少 {', '.join(missing)}），请先创建",
        )
    try:
        with path.open("rb") as file:
            root = x509.load_pem_x509_certificate(file.read(MAX_CA_FILE_BYTES))
    except (OSError, ValueError) as error:
        raise SigningRefused(
            f"{path}: not a readable PEM certificate; make the try-out authority anew",
            zh=f"{path}：不是可读的 PEM 证书，请重新创建试用 CA",
        ) from error
    return TryoutPki(folder, asn1crypto.x509.Certificate.load(root.public_bytes(Encoding.DER)))


def _make_files(now: datetime, organisation: str) -> dict[str, bytes]:
    root_key, root = make_root(now=now)
    documents = [ExtendedKeyUsageOID.EMAIL_PROTECTION, ObjectIdentifier("1.3.6.1.5.5.7.3.36")]
    leaves = (
        ("signer", tryout_name(organisation, organisation, CREDIT_CODE), documents, False),
        # RFC 3161 §2.3: timeStamping, alone and critical.
        ("tsa", tryout_name(f"{TRYOUT_MARKER} - TSA", "Sealine"), [ExtendedKeyUsageOID.TIME_STAMPING], True),
        ("maker", tryout_name(f"{TRYOUT_MARKER} - seal maker", "Sealine"), documents, False),
    )
    files = {"ca.pem": root.public_bytes(Encoding.PEM)}
    for role, name, usages, critical in leaves:
        key = rsa.generate_private_key(public_exponent=65537, key_size=LEAF_KEY_BITS)
        certificate = issue(
            name, key, issuer=(root_key, root), now=now, usages=usages, usages_critical=critical
        )
        pin = secrets.token_urlsafe(PIN_BYTES)
        files[f"{role}.p12"] = pkcs12.serialize_key_and_certificates(
            role.encode(), key, certificate, [root], BestAvailableEncryption(pin.encode())
        )
        files[f"{role}.pin"] = pin.encode() + b"\n"
    return files


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folder_taken(folder: Path) -> SigningRefused:
    return SigningRefused(
        f"{folder}: not empty, nothing was changed; open the authority there or choose another folder",
        zh=f"{folder}：不是空文件夹，未作任何改动。请使用已有的试用 CA，或换一个文件夹",
    )
