"""The JSON that `--json` and the web give; the field names are documented in docs/json.md and stay."""

import hashlib
from typing import Any

from pipeline.dry_runs import DryRun, marks_json, summary_json
from pipeline.failures import error_json
from pipeline.intake import origin_json
from pipeline.plans import PlanPreset
from pipeline.results import FileResult
from pipeline.stampings import StampedFile
from pipeline.thumbnails import thumbnails_json
from pipeline.withdrawals import TakenBack
from stages.compare_seals import ComparedSeals
from storage.rows import SealRecord, VoidRecord

MM_DIGITS = 3


def seal_json(seal: SealRecord, certificate: str | None) -> dict[str, Any]:
    """Return a seal."""
    return {
        "id": seal.id,
        "name": seal.name,
        "kind": seal.kind,
        "owner": seal.owner,
        "owner_code": seal.owner_code,
        "size_mm": [round(seal.width_mm, MM_DIGITS), round(seal.height_mm, MM_DIGITS)],
        "ink_box_mm": [round(value, MM_DIGITS) for value in seal.ink_box_mm],
        "standing": seal.standing,
        "certificate": certificate,
        "valid_from": seal.valid_from_at.isoformat(),
        "valid_until": seal.valid_until_at.isoformat(),
        "image_sha256": seal.image_digest,
        "eseal_sha256": seal.eseal_digest,
        "micro_pattern": seal.micro_pattern,
        "slots": [dict(slot) for slot in seal.text_slots],
    }


def dry_run_json(run: DryRun) -> dict[str, Any]:
    """Return everything a dry run found."""
    document: dict[str, Any] = {
        "marks": [mark for file in run.files for mark in marks_json(run, file)],
        "warnings": [
            {"file": file.source.name, "warning": warning}
            for file in run.files
            if file.planned is not None
            for warning in file.planned.warnings
        ],
        "errors": [
            {"file": file.source.name, "error": error_json(file.error)}
            for file in run.files
            if file.error is not None
        ],
        "summary": summary_json(run),
    }
    if run.thumbnails is not None:
        document["thumbnails"] = thumbnails_json(run.thumbnails)
    return document


def result_json(result: FileResult) -> dict[str, Any]:
    """Return how one file came out."""
    return {
        "file": result.file,
        "state": result.state.value,
        "output": str(result.output) if result.output else None,
        "signatures": result.signatures,
        "seconds": result.seconds,
        "error": dict(result.error) if result.error else None,
        "void": void_json(result.void),
        "derived_from": origin_json(result.made_of),
    }


def void_json(void: VoidRecord | None) -> dict[str, Any] | None:
    """Return when, why and by whom a document was voided; None when it was not."""
    if void is None:
        return None
    return {
        "at": void.voided_at.isoformat(),
        "reason": void.reason,
        "by": void.voided_by,
        "record_sha256": void.record_digest,
        "signature_sha256": void.signature_digest,
    }


def preset_json(preset: PlanPreset) -> dict[str, Any]:
    """Return a preset without its plan."""
    return {
        "name": preset.name,
        "version": preset.version,
        "builtin": preset.is_builtin,
        "seals": list(preset.seals),
        "document_type": preset.document_type,
        "rules": preset.rule_count,
        "sha256": hashlib.sha256(preset.plan).hexdigest(),
        "saved_at": preset.saved_at.isoformat() if preset.saved_at else None,
        "saved_by": preset.saved_by,
    }


def taken_back_json(taken: TakenBack) -> dict[str, Any]:
    """Return how one document was taken back."""
    return {
        "file": taken.file,
        "id": taken.job_id,
        "state": taken.state.value,
        "void": void_json(taken.void),
        "error": error_json(taken.error) if taken.error is not None else None,
    }


def stamped_json(stamped: StampedFile) -> dict[str, Any]:
    """Return how one file was stamped without being signed."""
    return {
        "file": stamped.file,
        "output": str(stamped.output) if stamped.output else None,
        "marks": stamped.marks,
        "sha256": stamped.sha256,
        "signed": False,
        "error": error_json(stamped.error) if stamped.error is not None else None,
    }


def comparison_json(compared: ComparedSeals) -> dict[str, Any]:
    """Return a comparison."""
    found = compared.comparison
    return {
        "answer": found.answer.value,
        "reasons": [reason.value for reason in found.reasons],
        "likeness": round(found.likeness, 4),
        "stretch_percent": [round(value, 3) for value in found.stretch_percent],
        "size_difference_mm": None
        if found.size_difference_mm is None
        else [round(value, 3) for value in found.size_difference_mm],
        "deformation_percent": round(found.deformation_percent, 3),
        "picture": str(compared.picture),
    }
