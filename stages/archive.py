"""Make archive packages of verified documents, provable long after; and prove one again."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypedDict

from asn1crypto import x509

from stages.authorities import TimestampAuthority, TrustAnchors
from stages.crypto.evidence import build_evidence, verify_evidence
from stages.crypto.hash_tree import build_tree
from stages.crypto.tsp import request_token
from stages.documents import ArchivePackage
from stages.errors import Indeterminate, InputRefused, Untrusted
from stages.manifests import KNOWN_ROLES, Manifest, ToArchive, build_manifest, instant_json, parse_manifest
from stages.pdf.judge import judge_pdf
from stages.policy import policy_for
from stages.verdict_types import Indication, Lamp
from stages.verdicts import verdict_json

__all__ = ["ArchiveVerdict", "ToArchive", "archive", "verify_archive"]

MAX_VERDICT_BYTES = 4 << 20
CHUNK_BYTES = 1 << 20


class ArchiveVerdict(TypedDict):
    """What is found when an archived document is proved again; plain JSON values.

    Keys:
        indication: TOTAL-PASSED, INDETERMINATE or TOTAL-FAILED, the worst of the three below.
        evidence: lamp: the evidence record covers exactly these files, and its timestamp holds.
        objects: lamp: every file is there, and is the one the manifest names.
        signatures: the verdict on the signed file as of `stamped_at`, in the form of `verify --json`;
            None of a document that is kept without a signature.
        stamped_at: since when the evidence proves all this; None when it does not.
        causes: code, message, message_zh of whatever is wrong.
    """

    indication: str
    evidence: str
    objects: str
    signatures: dict[str, object] | None
    stamped_at: str | None
    causes: list[dict[str, str]]


def archive(
    documents: Sequence[ToArchive],
    authority: TimestampAuthority,
    tsa_roots: Sequence[x509.Certificate],
    *,
    nonce: int,
    now: datetime,
) -> tuple[ArchivePackage, ...]:
    """Return an archive package for each document, all under one timestamp.

    The evidence of a document covers its original, its signed file, its verdict and its manifest; that of
    one kept without a signature its original and its manifest; both also what the original was made of.

    Args:
        nonce: random, never used before.
        now: aware; the authority's time must be close to it.

    Raises:
        Untrusted: a verdict says that something is wrong, or is about another file; the authority
            answered with something that is not a timestamp of this batch.
        Indeterminate: a verdict leaves something open.
        InputRefused: no documents, too many, or a verdict that cannot be read.
        PlanRefused: a document of an unknown type.
        TimestampUnavailable: the authority is silent, or refused.
    """
    for document in documents:
        policy_for(document.document_type)
        check_archivable(document)
    verdicts = [
        None if document.verdict_json is None else hashlib.sha256(document.verdict_json).hexdigest()
        for document in documents
    ]
    manifests = [
        build_manifest(document, verdict_sha256=verdict, archived_at=now)
        for document, verdict in zip(documents, verdicts, strict=True)
    ]
    groups = [
        _group(document, verdict, manifest)
        for document, verdict, manifest in zip(documents, verdicts, manifests, strict=True)
    ]
    tree = build_tree(groups)
    token = request_token(authority, tree.root, nonce=nonce, trust=tsa_roots, now=now).der
    return tuple(
        ArchivePackage(
            name=document.name,
            original_sha256=document.original_sha256,
            signed_sha256=document.signed_sha256,
            verdict_sha256=verdict,
            manifest=manifest,
            evidence=build_evidence(reduced, token),
        )
        for document, verdict, manifest, reduced in zip(
            documents, verdicts, manifests, tree.reduced, strict=True
        )
    )


def check_archivable(document: ToArchive) -> ToArchive:
    """Return a document whose verdict is TOTAL-PASSED and about its signed file, or that has neither.

    Nothing else is archived.

    Raises:
        Untrusted: the verdict says that something is wrong, or is about another file.
        Indeterminate: it leaves something open, or does not say which file it is about.
        InputRefused: it cannot be read.
    """
    if document.is_unsigned:
        return document
    name = document.name
    verdict = _parse_verdict(document)
    indication = verdict.get("indication")
    if indication == Indication.TOTAL_FAILED:
        raise Untrusted(
            f"{name}: its signatures are wrong, so it is not archived; see its verdict",
            zh=f"{name}：签名验证未通过，不予归档，请查看验签结论",
        )
    if indication != Indication.TOTAL_PASSED or not verdict.get("signatures"):
        raise Indeterminate(
            f"{name}: its signatures were not fully verified, so it is not archived; see its verdict",
            zh=f"{name}：签名未能完全验证，不予归档，请查看验签结论",
        )
    signed = verdict.get("signed")
    about = signed.get("sha256") if isinstance(signed, dict) else None
    if about is None:
        raise Indeterminate(
            f"{name}: its verdict does not say which file it is about (signed.sha256); verify it again",
            zh=f"{name}：验签结论未注明所验文件的摘要，请重新验签",
        )
    if about != document.signed_sha256:
        raise Untrusted(
            f"{name}: its verdict is about another file; verify it again",
            zh=f"{name}：验签结论与文件不符，请重新验签",
        )
    return document


def verify_archive(
    manifest: bytes, evidence: bytes, objects: Mapping[str, Path], trust: TrustAnchors, now: datetime
) -> ArchiveVerdict:
    """Prove an archived document again, from its bytes: whatever is wrong is in the verdict, not raised.

    The signatures are judged as of the evidence's time: it proves that they existed then, so what
    expired since does no harm (RFC 4998 §1.2; ETSI EN 319 102-1 §5.6).

    Args:
        objects: path by role: original, signed, verdict, and source where the original was made of one.
    """
    causes: list[dict[str, str]] = []
    digests = {role: _digest(objects[role]) for role in KNOWN_ROLES & set(objects) if objects[role].is_file()}
    objects_lamp = Lamp.PASSED
    is_unsigned = False
    try:
        parsed = parse_manifest(manifest)
        is_unsigned = parsed.is_unsigned
        check_objects(parsed, objects, digests)
    except Untrusted as error:
        objects_lamp = Lamp.FAILED
        _note(causes, "objects", error)
    stamped_at: datetime | None = None
    evidence_lamp = Lamp.UNKNOWN
    try:
        group = [*digests.values(), hashlib.sha256(manifest).digest()]
        stamped_at = verify_evidence(evidence, group, trust.time_roots, now)
        evidence_lamp = Lamp.PASSED
    except (Untrusted, Indeterminate) as error:
        evidence_lamp = Lamp.FAILED if isinstance(error, Untrusted) else Lamp.UNKNOWN
        _note(causes, "evidence", error)
    signatures: dict[str, object] | None = None
    signatures_indication = Indication.TOTAL_PASSED  # there is none that could be wrong
    if not is_unsigned:
        signatures, signatures_indication = _judge(objects, trust, stamped_at or now, causes)
    indication = Indication.INDETERMINATE
    if Lamp.FAILED in (objects_lamp, evidence_lamp) or signatures_indication is Indication.TOTAL_FAILED:
        indication = Indication.TOTAL_FAILED
    elif (
        objects_lamp is Lamp.PASSED
        and evidence_lamp is Lamp.PASSED
        and signatures_indication is Indication.TOTAL_PASSED
    ):
        indication = Indication.TOTAL_PASSED
    return {
        "indication": str(indication),
        "evidence": str(evidence_lamp),
        "objects": str(objects_lamp),
        "signatures": signatures,
        "stamped_at": instant_json(stamped_at),
        "causes": causes,
    }


def check_objects(manifest: Manifest, objects: Mapping[str, Path], digests: Mapping[str, bytes]) -> None:
    """Check that every file the manifest names is there with that size and digest.

    Args:
        digests: SHA-256 by role, of the files that are there.

    Raises:
        Untrusted: one is missing or another.
    """
    for item in manifest.objects:
        digest = digests.get(item.role)
        if digest is None:
            raise Untrusted(f"the archived {item.role} file is missing", zh=f"缺少归档文件（{item.role}）")
        if digest.hex() != item.sha256 or objects[item.role].stat().st_size != item.size_bytes:
            raise Untrusted(
                f"the archived {item.role} file is not the one the manifest names",
                zh=f"归档文件（{item.role}）与清单不符",
            )


def _judge(
    objects: Mapping[str, Path], trust: TrustAnchors, at: datetime, causes: list[dict[str, str]]
) -> tuple[dict[str, object], Indication]:
    path = objects.get("signed")
    try:
        if path is None:
            raise InputRefused("the signed file is missing", zh="缺少签名文件")
        verdict = judge_pdf(path, trust, at)
    except InputRefused as error:
        _note(causes, "signatures", error)
        return {"indication": str(Indication.INDETERMINATE)}, Indication.INDETERMINATE
    return verdict_json(Path(path.name), verdict), verdict.indication


def _parse_verdict(document: ToArchive) -> dict[str, object]:
    text = document.verdict_json or b""
    if len(text) > MAX_VERDICT_BYTES:
        raise InputRefused(f"{document.name}: its verdict is too large", zh=f"{document.name}：验签结论过大")
    try:
        verdict = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable_verdict(document) from error
    if not isinstance(verdict, dict):
        raise _unreadable_verdict(document)
    return verdict


def _unreadable_verdict(document: ToArchive) -> InputRefused:
    return InputRefused(
        f"{document.name}: its verdict is not readable JSON; verify it again",
        zh=f"{document.name}：验签结论不是可读的 JSON，请重新验签",
    )


def _group(document: ToArchive, verdict: str | None, manifest: bytes) -> list[bytes]:
    source = document.source.sha256 if document.source is not None else None
    digests = (source, document.original_sha256, document.signed_sha256, verdict)
    return [
        *(bytes.fromhex(digest) for digest in digests if digest is not None),
        hashlib.sha256(manifest).digest(),
    ]


def _digest(path: Path) -> bytes:
    running = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            running.update(chunk)
    return running.digest()


def _note(causes: list[dict[str, str]], code: str, error: Untrusted | Indeterminate | InputRefused) -> None:
    causes.append({"code": getattr(error, "code", code), "message": str(error), "message_zh": error.zh})
