"""A time-stamping authority that can get each thing wrong, one at a time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from asn1crypto import tsp, x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from pipeline.keys import open_signer
from pipeline.tryout.certificates import PrivateKey, issue, make_root, tryout_name
from pipeline.tryout.tsa import POLICY, answer
from stages.authorities import Signer
from stages.crypto import cms, der
from tests.simulators.keys import pem_of

TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING


@dataclass(frozen=True)
class Authority:
    """A TSA under its own root, honest as it stands.

    Attributes:
        usages, critical: the extended key usage of its certificate.
        lie: what it does to the request before it answers, if anything.
        spoil: what it does to the answer, if anything.
    """

    folder: Path
    now: datetime
    usages: tuple[ObjectIdentifier, ...] = (TIME_STAMPING,)
    critical: bool = True
    lie: Callable[[bytes], bytes] | None = None
    spoil: Callable[[bytes], bytes] | None = None
    clock_error: timedelta = timedelta(0)
    lifetime: timedelta = timedelta(days=1000)
    name: str = "simulated TSA"

    @cached_property
    def _issued(self) -> tuple[Signer, x509.Certificate]:
        root_key, root = make_root(now=self.now, key=_key())
        key = _key()
        certificate = issue(
            tryout_name("simulated TSA", "simulator"),
            key,
            issuer=(root_key, root),
            now=self.now,
            usages=self.usages,
            usages_critical=self.critical,
            lifetime=self.lifetime,
        )
        path = self.folder / f"tsa-{id(self)}.pem"
        path.write_bytes(pem_of(key, certificate))
        loaded = x509.Certificate.load(root.public_bytes(Encoding.DER))
        return open_signer(f"file:{path}", pin=None), loaded

    @property
    def signer(self) -> Signer:
        return self._issued[0]

    @property
    def root(self) -> x509.Certificate:
        return self._issued[1]

    def ask(self, request: bytes) -> bytes:
        """Answer, with the one lie told."""
        asked = self.lie(request) if self.lie else request
        response = answer(asked, signer=self.signer, policy=POLICY, serial=7, now=self.now + self.clock_error)
        return self.spoil(response) if self.spoil else response

    def but(self, **changes: object) -> "Authority":
        """Return another authority that differs in one thing."""
        return replace(self, **changes)  # type: ignore[arg-type]


def other_imprint(request: bytes) -> bytes:
    """Ask for the time of something else."""
    parsed = tsp.TimeStampReq.load(request)
    parsed["message_imprint"]["hashed_message"] = b"\x55" * 32
    return bytes(parsed.dump(force=True))


def other_digest(request: bytes) -> bytes:
    """Ask with SHA-512."""
    parsed = tsp.TimeStampReq.load(request)
    parsed["message_imprint"]["hash_algorithm"] = {"algorithm": "sha512"}
    parsed["message_imprint"]["hashed_message"] = b"\x55" * 64
    return bytes(parsed.dump(force=True))


def other_nonce(request: bytes) -> bytes:
    """Ask with another nonce."""
    parsed = tsp.TimeStampReq.load(request)
    parsed["nonce"] = parsed["nonce"].native + 1
    return bytes(parsed.dump(force=True))


def no_nonce(request: bytes) -> bytes:
    """Ask without a nonce."""
    parsed = tsp.TimeStampReq.load(request)
    del parsed["nonce"]
    return bytes(parsed.dump(force=True))


def no_certificate(request: bytes) -> bytes:
    """Ask for a token without certificates."""
    parsed = tsp.TimeStampReq.load(request)
    parsed["cert_req"] = False
    return bytes(parsed.dump(force=True))


def token_of(response: bytes) -> bytes:
    """Return the DER token inside an answer."""
    return bytes(tsp.TimeStampResp.load(response)["time_stamp_token"].dump())


def info_of(response: bytes) -> bytes:
    """Return the DER TSTInfo inside an answer."""
    signed_data = tsp.TimeStampResp.load(response)["time_stamp_token"]["content"]
    return bytes(signed_data["encap_content_info"]["content"])


def with_status(status: int) -> Callable[[bytes], bytes]:
    """Return what changes the status of an answer and leaves its token."""

    def spoil(response: bytes) -> bytes:
        return der.sequence(der.sequence(der.integer(status)), token_of(response))

    return spoil


def without_token(_: bytes) -> bytes:
    """Say granted, and hand out nothing."""
    return der.sequence(der.sequence(der.integer(0)))


def broken_signature(response: bytes) -> bytes:
    """Turn one bit in the middle of the signature value."""
    value = cms.signature_value(token_of(response))
    at = response.rindex(value) + len(value) // 2
    return response[:at] + bytes((response[at] ^ 1,)) + response[at + 1 :]


def broken_content(response: bytes) -> bytes:
    """Change the serial number in the TSTInfo, which the messageDigest covers."""
    info = info_of(response)
    old = der.integer(7)
    at = info.index(old, info.index(b"\x04\x20") + 34)
    changed = info[:at] + der.integer(8) + info[at + len(old) :]
    return response.replace(info, changed)


def resigned(
    signer: Signer, now: datetime, change: Callable[[tsp.TSTInfo], None]
) -> Callable[[bytes], bytes]:
    """Return what changes the TSTInfo of an answer and signs it anew, as a lying authority can."""

    def spoil(response: bytes) -> bytes:
        info = tsp.TSTInfo.load(info_of(response))
        change(info)
        token = cms.make_signed_content(
            signer,
            cms.OID_TST_INFO,
            info.dump(force=True),
            signed_at=now.astimezone(UTC),
            with_certificates=True,
        )
        return der.sequence(der.sequence(der.integer(0)), token)

    return spoil


def _key() -> PrivateKey:
    return ec.generate_private_key(ec.SECP256R1())
