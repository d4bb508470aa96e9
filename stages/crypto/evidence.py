"""Evidence records (RFC 4998): proof, long after, that a document existed when a timestamp was made."""

from collections.abc import Sequence
from datetime import datetime

from asn1crypto import algos, cms, core, x509

from stages.crypto import der
from stages.crypto.algorithms import ASN1_ERRORS
from stages.crypto.hash_tree import DIGEST_BYTES, MAX_GROUP, ReducedHashtree, root_of
from stages.crypto.tokens import check_token
from stages.errors import Indeterminate, Untrusted

MAX_EVIDENCE_BYTES = 1 << 20
MAX_TREE_DEPTH = 64
SHA256 = "2.16.840.1.101.3.4.2.1"


class PartialHashtrees(core.SequenceOf):  # type: ignore[misc]
    """SEQUENCE OF PartialHashtree, each a SEQUENCE OF OCTET STRING."""

    class Partial(core.SequenceOf):  # type: ignore[misc]
        _child_spec = core.OctetString

    _child_spec = Partial


class Attributes(core.SetOf):  # type: ignore[misc]
    _child_spec = core.Any


class ArchiveTimeStamp(core.Sequence):  # type: ignore[misc]
    """RFC 4998 §4.1."""

    _fields = [  # noqa: RUF012
        ("digest_algorithm", algos.DigestAlgorithm, {"implicit": 0, "optional": True}),
        ("attributes", Attributes, {"implicit": 1, "optional": True}),
        ("reduced_hashtree", PartialHashtrees, {"implicit": 2, "optional": True}),
        ("time_stamp", cms.ContentInfo),
    ]


class ArchiveTimeStampSequence(core.SequenceOf):  # type: ignore[misc]
    """SEQUENCE OF ArchiveTimeStampChain, each a SEQUENCE OF ArchiveTimeStamp (RFC 4998 §5.1)."""

    class Chain(core.SequenceOf):  # type: ignore[misc]
        _child_spec = ArchiveTimeStamp

    _child_spec = Chain


class DigestAlgorithms(core.SequenceOf):  # type: ignore[misc]
    _child_spec = algos.DigestAlgorithm


class Anything(core.SequenceOf):  # type: ignore[misc]
    _child_spec = core.Any


class EvidenceRecord(core.Sequence):  # type: ignore[misc]
    """RFC 4998 §3.1."""

    _fields = [  # noqa: RUF012
        ("version", core.Integer),
        ("digest_algorithms", DigestAlgorithms),
        ("crypto_infos", Anything, {"implicit": 0, "optional": True}),
        ("encryption_info", Anything, {"implicit": 1, "optional": True}),
        ("archive_time_stamp_sequence", ArchiveTimeStampSequence),
    ]


def build_evidence(reduced: ReducedHashtree, token: bytes) -> bytes:
    """Return the DER EvidenceRecord of one document of a tree (RFC 4998 §3.1).

    Args:
        reduced: what leads from the document's digests to the tree's root.
        token: the DER timestamp token over that root.
    """
    algorithm = der.oid(SHA256)  # without parameters (RFC 5754 §2)
    lists = [der.sequence(*(der.octet_string(digest) for digest in hashes)) for hashes in reduced]
    stamp = der.sequence(der.tlv(0xA0, algorithm), der.tlv(0xA2, *lists) if lists else b"", token)
    return der.sequence(
        der.integer(1), der.sequence(der.sequence(algorithm)), der.sequence(der.sequence(stamp))
    )


def verify_evidence(
    record: bytes, digests: Sequence[bytes], roots: Sequence[x509.Certificate], now: datetime
) -> datetime:
    """Return the instant at which the document provably existed as it is.

    Args:
        record: the DER EvidenceRecord.
        digests: SHA-256 of every data object of the document, computed from its bytes just now.
        roots: root certificates of time-stamping authorities.

    Raises:
        Untrusted: the record is malformed, is not about these digests, or its timestamp is wrong.
        Indeterminate: a renewed record, or one under other algorithms; no chain to the roots, or the
            authority's certificate has expired (the record should have been renewed before).

    Source: RFC 4998 §3.3 and §4.3.
    """
    # 1. The record is one this program can read.
    reduced, token = _read(record)
    # 2. The digests lead to a root (§4.3 steps 1-4).
    root = root_of(reduced, digests)
    if root is None:
        raise Untrusted(
            "the evidence record is not about this document: a file is missing, added or changed",
            zh="证据记录与本文件不符：有文件缺失、多出或被改动",
        )
    # 3. The timestamp covers that root, and is trusted (§4.3 step 5).
    return check_token(token, lambda name: _imprint(name, root), roots=roots, now=now).stamped_at


def evidence_token(record: bytes) -> bytes:
    """Return the timestamp token of a record, unchecked, for other programs to look at.

    Raises:
        Untrusted, Indeterminate: as `verify_evidence` for the record's form.
    """
    return _read(record)[1]


def _imprint(name: str, root: bytes) -> bytes:
    # The root is itself the digest that was stamped; under any other algorithm it cannot match.
    return root if name == "sha256" else b""


def _read(encoded: bytes) -> tuple[ReducedHashtree, bytes]:
    if len(encoded) > MAX_EVIDENCE_BYTES:
        raise _malformed()
    try:
        record = EvidenceRecord.load(encoded, strict=True)
        version = record["version"].native
        chains = record["archive_time_stamp_sequence"]
        counts = [len(chain) for chain in chains]
        if version != 1 or counts != [1] or not _is_plain(record):
            raise Indeterminate(
                "the evidence record was renewed, encrypted or made to another version; this program reads"
                " records with one SHA-256 timestamp",
                zh="该证据记录经过续期、加密或版本不同，本程序只读取单个 SHA-256 时间戳的记录",
            )
        stamp = chains[0][0]
        reduced = _reduced(stamp["reduced_hashtree"])
        token = bytes(stamp["time_stamp"].dump())
        if build_evidence(reduced, token) != encoded:
            raise _malformed()  # DER has one way to say a thing; what differs is hidden content
    except ASN1_ERRORS as error:
        raise _malformed() from error
    return reduced, token


def _is_plain(record: EvidenceRecord) -> bool:
    stamp = record["archive_time_stamp_sequence"][0][0]
    named = [algorithm["algorithm"].dotted for algorithm in record["digest_algorithms"]]
    return (
        named == [SHA256]
        and not isinstance(stamp["digest_algorithm"], core.Void)
        and stamp["digest_algorithm"]["algorithm"].dotted == SHA256
        and isinstance(stamp["attributes"], core.Void)
        and isinstance(record["crypto_infos"], core.Void)
        and isinstance(record["encryption_info"], core.Void)
    )


def _reduced(value: core.Asn1Value) -> ReducedHashtree:
    if isinstance(value, core.Void):
        return ()
    if not 0 < len(value) <= MAX_TREE_DEPTH or any(not 0 < len(hashes) <= MAX_GROUP for hashes in value):
        raise _malformed()
    reduced = tuple(tuple(one.native for one in hashes) for hashes in value)
    if any(len(digest) != DIGEST_BYTES for hashes in reduced for digest in hashes):
        raise _malformed()
    return reduced


def _malformed() -> Untrusted:
    return Untrusted(
        "the evidence record is not a readable EvidenceRecord (RFC 4998); take it from the archive again",
        zh="证据记录不是可读的 RFC 4998 格式，请重新从档案中获取",
    )
