"""The whole line in one run: a scanned form becomes two seals, a bid package comes out archived."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
from PIL import Image

from pipeline.clock import utc_now
from pipeline.progress import Progress
from pipeline.seals import SealWish
from pipeline.tryout import bids
from pipeline.tryout.artwork import draw_round_seal, draw_square_seal
from pipeline.tryout.specimens import SCAN_PX_PER_MM, PageLook, draw_filled_form
from pipeline.verifying import verify_files
from pipeline.wiring import App
from pipeline.workers import wait_for_package, working
from seal_imaging import SealShape
from seal_imaging.units import px_per_metre
from stages.errors import Indeterminate, Untrusted
from stages.extract import ExtractedSeals
from stages.make import SealKind
from stages.verdict_types import Indication
from storage.schema import JobState

ORDER = "AC2026112101"
CREDIT_CODE = "91320000MA00000000"
_SEED = 20261121
_LOOK = PageLook(turn_deg=9.0, density=(0.7, 0.95), missing=0.08)
_SHAPES: Mapping[str, tuple[SealShape, SealKind, str]] = {
    "公章": (SealShape.CIRCLE, SealKind.OFFICIAL, bids.BIDDER),
    "法人章": (SealShape.SQUARE, SealKind.LEGAL_REPRESENTATIVE, bids.REPRESENTATIVE),
}


def run_demo(app: App, out: Path, *, progress: Progress) -> dict[str, Any]:
    """Run the whole line in `out`, and return every file it made; the same folder again makes nothing twice.

    Raises:
        Any error of the line: the demo hides none.
    """
    out.mkdir(parents=True, exist_ok=True)
    document: dict[str, Any] = {}
    document["form"] = str(_draw_scan(out / "1-印模采集表-扫描件.png"))
    extracted = app.seals.extract(Path(document["form"]), out / "2-印章提取", actor=app.actor)
    document["impressions"] = len(extracted.impressions)
    document["seals"] = [_make_seal(app, extracted, name, out / "3-电子印章") for name in _SHAPES]
    package = out / "4-投标文件"
    bids.write_package(package)
    plan = out / "4-用印方案.yaml"
    plan.write_text(bids.PLAN, encoding="utf-8")
    document["package"], document["plan"] = str(package), str(plan)
    signed = _sign(app, package, plan, out / "5-已签章", progress)
    document["ca"] = str(app.pki.ca_path)
    document["signed"] = _verified(signed, app.pki.ca_path)
    document["archived"] = _retrieve(app, out / "6-归档证据")
    document["evidence"] = document["archived"]["evidence"]
    return document


def _draw_scan(path: Path) -> Path:
    """Draw the specimen form as it comes off a scanner at 300 dpi, where it is not there yet."""
    if not path.exists():
        font = bytes(pymupdf.Font("cjk").buffer)
        seals = [draw_round_seal(bids.BIDDER, font), draw_square_seal(bids.REPRESENTATIVE + "印", font)]
        form = draw_filled_form(ORDER, seals, np.random.default_rng(_SEED), font, look=_LOOK)
        _write_png(path, form.page, SCAN_PX_PER_MM)
    return path


def _write_png(path: Path, page: np.ndarray[Any, np.dtype[np.uint8]], px_per_mm: float) -> None:
    dots_per_inch = px_per_metre(px_per_mm) * 0.0254
    fresh = path.with_suffix(".part")
    Image.fromarray(page).save(fresh, format="PNG", dpi=(dots_per_inch, dots_per_inch))
    fresh.replace(path)


def _make_seal(app: App, extracted: ExtractedSeals, name: str, out: Path) -> dict[str, Any]:
    shape, kind, owner = _SHAPES[name]
    found = next((seal for seal in extracted.seals if seal.shape is shape), None)
    if found is None:
        raise Indeterminate(f"the demo's form gave no {shape} seal", zh=f"演示采集表中没有提取到{name}")
    wish = SealWish(
        name=name, owner=owner, owner_code=CREDIT_CODE if kind is SealKind.OFFICIAL else "", kind=kind
    )
    record = app.seals.make(found.image, wish, actor=app.actor, key_uri=app.key_uri)
    image, eseal = app.seals.save(record.id, out, actor=app.actor)
    return {
        "name": name,
        "id": record.id,
        "image": str(image),
        "eseal": str(eseal),
        "size_mm": [round(record.width_mm, 2), round(record.height_mm, 2)],
        "members": list(found.members),
    }


def _sign(app: App, package: Path, plan: Path, out: Path, progress: Progress) -> list[dict[str, Any]]:
    since = utc_now()
    record = app.bids.submit(package, plan, actor=app.actor, key_uri=app.key_uri, progress=progress)
    with working(app.broker, threads=app.settings.workers):
        wait_for_package(app.records, record.id, since=since, progress=progress, doorbells=app.doorbells)
    signed = []
    for result in app.bids.results(record.id, out, actor=app.actor):
        if result.state is not JobState.ARCHIVED or result.output is None:
            raise Indeterminate(
                f"{result.file} is {result.state}: {result.error}", zh=f"{result.file} 未完成：{result.state}"
            )
        signed.append({"file": result.file, "path": str(result.output), "seconds": result.seconds})
    return signed


def _verified(signed: list[dict[str, Any]], ca: Path) -> list[dict[str, Any]]:
    verdicts = verify_files([Path(file["path"]) for file in signed], ca)["files"]
    for verdict in verdicts:
        _check_passed(verdict["file"], verdict)
    return [
        file | {"indication": verdict["indication"], "signatures": verdict["signatures"]}
        for file, verdict in zip(signed, verdicts, strict=True)
    ]


def _check_passed(what: str, verdict: Mapping[str, Any]) -> None:
    """Check that the line made something an outsider believes (given the try-out root).

    Raises:
        Untrusted: it did not; the causes are named.
    """
    if verdict["indication"] != Indication.TOTAL_PASSED:
        causes = "; ".join(cause["code"] for cause in verdict["causes"]) or str(verdict.get("error"))
        raise Untrusted(
            f"{what}: {verdict['indication']} ({causes}); please report this demo as broken",
            zh=f"{what}：{verdict['indication']}（{causes}），演示结果有误，请报告",
        )


def _retrieve(app: App, out: Path) -> dict[str, Any]:
    """Find the first document in the archive, take its evidence out again, and verify it."""
    found = app.archive.find(actor=app.actor, bidder=bids.BIDDER)
    wanted = min(found, key=lambda hit: str(hit["file"]))
    paths = app.archive.get(str(wanted["id"]), out, actor=app.actor)
    verdict = app.archive.verify(str(wanted["id"]), actor=app.actor)
    _check_passed(paths["evidence"], verdict)
    return {"id": wanted["id"], "file": wanted["file"], **paths, "verdict": verdict}
