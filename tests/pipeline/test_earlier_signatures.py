"""Files that somebody has signed before: judged before our key is used."""

from collections import Counter
from pathlib import Path

import pytest
from pyhanko.sign.fields import SigFieldSpec

from pipeline.clock import utc_now
from pipeline.seals import SealWish
from pipeline.settings import Settings
from pipeline.tryout.pki import create_pki
from pipeline.wiring import App
from stages.make import SealKind
from storage.schema import JobState
from tests.pipeline.conftest import run_all, submit, write_seal_image
from tests.simulators.signed_pdfs import blank_pdf, with_empty_fields

PLAN = "version: 1\nrules:\n  - {seal: 公章, pages: last, x_mm: 60, y_mm: 60}\n"


@pytest.fixture
def signed_elsewhere(app: App, package: Path, plan: Path, tmp_path: Path) -> Path:
    """A folder with one file that the app has signed, B-T."""
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    folder = tmp_path / "signed"
    for result in app.bids.results(package_id, folder, actor=app.actor):
        if result.file != "a.pdf" and result.output is not None:
            result.output.unlink()
    return folder


def _second(tmp_path: Path, **settings: object) -> App:
    """Return another party's App: another authority, the same seal name."""
    home = tmp_path / "second"
    home.mkdir(exist_ok=True)
    if not (home / "pki").exists():
        create_pki(home / "pki", now=utc_now())
    app = App(Settings(home=home, **settings))  # type: ignore[arg-type]
    wish = SealWish(name="公章", owner="第二公司", owner_code="", kind=SealKind.OFFICIAL)
    app.seals.make(write_seal_image(tmp_path / "second.png"), wish, actor=app.actor, key_uri=app.key_uri)
    return app


def _plan(tmp_path: Path) -> Path:
    path = tmp_path / "second.yaml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def test_an_unknown_earlier_signer_is_refused_before_we_sign_and_accepted_once_trusted(
    app: App, signed_elsewhere: Path, tmp_path: Path
) -> None:
    plan = _plan(tmp_path)
    with _second(tmp_path) as second:
        package_id = submit(second, signed_elsewhere, plan)
        run_all(second, package_id)
        (job,) = second.records.jobs(package_id)
        assert job.state is JobState.REFUSED
        assert job.error is not None
        assert job.error.code == "INDETERMINATE"
        assert "a.pdf" in job.error.message
        assert "--trust" in job.error.message_zh
        assert JobState.SIGNED not in second.records.outputs(job.id)
        assert second.records.claim_of(job.id) is None
    with _second(tmp_path, trust=app.pki.ca_path) as trusting:
        assert submit(trusting, signed_elsewhere, plan) == package_id
        run_all(trusting, package_id)
        (job,) = trusting.records.jobs(package_id)
        assert job.state is JobState.ARCHIVED, job.error
        acts = Counter(event.act for event in trusting.records.events(job.id))
        assert acts["signed"] == 1


def test_a_forged_earlier_signature_is_refused_before_we_sign(
    app: App, signed_elsewhere: Path, tmp_path: Path
) -> None:
    path = signed_elsewhere / "a.pdf"
    data = bytearray(path.read_bytes())
    position = data.index(b"/MediaBox") - 1
    data[position : position + 1] = b" " if data[position : position + 1] != b" " else b"\t"
    path.write_bytes(data)
    with _second(tmp_path, trust=app.pki.ca_path) as second:
        package_id = submit(second, signed_elsewhere, _plan(tmp_path))
        run_all(second, package_id)
        (job,) = second.records.jobs(package_id)
        assert job.error is not None
        assert job.error.code == "UNTRUSTED"
        assert JobState.SIGNED not in second.records.outputs(job.id)


def test_a_seal_placed_by_a_field_signs_in_it_and_the_next_party_beside_it(app: App, tmp_path: Path) -> None:
    folder = tmp_path / "form"
    folder.mkdir()
    plain = blank_pdf(tmp_path / "plain.pdf")
    with_empty_fields(plain, folder / "a.pdf", SigFieldSpec("投标人.盖章", box=(60, 60, 260, 260)))
    plan = tmp_path / "plan.yaml"
    plan.write_text("version: 1\nrules:\n  - {seal: 公章, field: 投标人.盖章}\n", encoding="utf-8")
    package_id = submit(app, folder, plan)
    run_all(app, package_id)
    (job,) = app.records.jobs(package_id)
    assert job.state is JobState.ARCHIVED, job.error
    claim = app.records.claim_of(job.id)
    assert claim is not None
    assert claim.field_name == "投标人.盖章"
    signed = tmp_path / "signed"
    list(app.bids.results(package_id, signed, actor=app.actor))
    with _second(tmp_path, trust=app.pki.ca_path) as second:
        package_id = submit(second, signed, _plan(tmp_path))
        run_all(second, package_id)
        (job,) = second.records.jobs(package_id)
        assert job.state is JobState.ARCHIVED, job.error
        claim = second.records.claim_of(job.id)
        assert claim is not None
        assert claim.field_name == "Signature1"
