"""What a seal operator may ask: lift seals off a scan, make an electronic seal, look at seals."""

import re
import tempfile
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.clock import Clock
from pipeline.errors import WrongState
from pipeline.exports import export_object, sha256_of
from pipeline.folders import make_folder
from pipeline.fresh_results import fresh_results
from pipeline.key_certificates import check_usable
from pipeline.marking import MarkingKeys
from pipeline.permissions import Actor, Permission, check_may
from pipeline.slots import slots_from_record, slots_to_record
from pipeline.steps import Signers
from seal_imaging import Reason, TextReader
from stages.authorities import Signer, fingerprint_of
from stages.compare_seals import ComparedSeals, compare_seals
from stages.documents import TextSlot
from stages.extract import ExtractedSeals, ExtractOptions, extract
from stages.ingest import read_scan
from stages.make import SealKind, SealOrder, make
from stages.pdf.slot_text import check_slots
from stages.seal_images import write_marked
from stages.seal_notes import check_reasons
from storage.objects import ObjectStore
from storage.records import Records
from storage.rows import CertificateRecord, SealRecord

SEAL_TERM = timedelta(days=365)
"""印章授权期限：一年."""
RESULT_NAMES = re.compile(r"(impression-\d{3,}|seal-\d{2,}(-sources)?)\.png|seal-\d{2,}\.json")
"""What extraction calls its files."""
INTERNAL_USE = "internal use only"
"""《电子印章管理办法》: a seal not made by a designated maker is for internal business only."""


@dataclass(frozen=True)
class SealWish:
    """What a person says about the seal to be made.

    Attributes:
        owner: full name of the organisation or person.
        owner_code: 统一社会信用代码; may be empty.
        micro_pattern: whether its image gets a pattern that a scan can be checked for (防伪图样).
        slots: where text is set when it is stamped (动态输入章).
    """

    name: str
    owner: str
    owner_code: str
    kind: SealKind
    micro_pattern: bool = False
    slots: tuple[TextSlot, ...] = ()


class Seals:
    """The seal line's service."""

    def __init__(
        self,
        *,
        records: Records,
        store: ObjectStore,
        signers: Signers,
        maker_uri: str,
        scratch: Path,
        clock: Clock,
        marking: MarkingKeys,
        reader: TextReader,
    ) -> None:
        self._records = records
        self._store = store
        self._signers = signers
        self._maker_uri = maker_uri
        self._scratch = scratch
        self._clock = clock
        self._marking = marking
        self._reader = reader

    def extract(
        self,
        scan: Path,
        out: Path,
        *,
        actor: Actor,
        options: ExtractOptions | None = None,
        read: bool = True,
    ) -> ExtractedSeals:
        """Lift every impression off a scan and make one clean seal image of each seal's.

        Args:
            out: gets the images once all are made, in place of an earlier extraction's.

        Raises:
            UsageRefused: the folder cannot be written to, or the scan lies there under a result's name.
            InputRefused: the scan cannot be read, or what is stated of it cannot be.
            ImpressionUnusable: there is no impression on it.
            ReaderUnavailable: seals are to be read, and the engine is not installed.
        """
        by = check_may(actor, Permission.MAKE_SEALS)
        reader = self._reader if read else None
        with fresh_results(out, names=RESULT_NAMES, given=scan) as folder:
            extracted = extract(read_scan(scan), folder, options=options or ExtractOptions(), reader=reader)
        self._records.append_event(
            "extract",
            {"impressions": len(extracted.impressions), "seals": len(extracted.seals)},
            actor=by,
            at=self._clock(),
        )
        return extracted.moved_to(out)

    def make(
        self,
        image: Path,
        wish: SealWish,
        *,
        actor: Actor,
        key_uri: str,
        accepted_reasons: Collection[Reason] = (),
    ) -> SealRecord:
        """Make an electronic seal of an approved image, bound to the certificate of the key at key_uri.

        The same image under the same name again is the seal that is there already. Whoever accepts a
        reason that speaks against the image answers for it: that becomes an event.

        Raises:
            InputRefused: the image is not a true-to-size seal image, or a text slot makes no sense.
            ImpressionUnusable: extraction said of this image that it must not become a seal, and nobody
                accepts the reason.
            SigningRefused: the maker's or the signer's key cannot be used, or its certificate may not sign.
            WrongState: the name is taken by another seal.
        """
        by = check_may(actor, Permission.MAKE_SEALS)
        signer = self._signers.signer(key_uri)
        now = self._clock()
        check_usable(signer, now)
        check_slots(wish.slots)
        known = self._known(wish, image)
        if known is not None:
            return known
        accepted = check_reasons(image, accepted_reasons)
        order = SealOrder(
            seal_id=f"{uuid.uuid4()}-openseal",
            name=wish.name,
            owner=wish.owner,
            owner_code=wish.owner_code,
            kind=wish.kind,
            valid_from=now,
            valid_until=now + SEAL_TERM,
        )
        maker = self._signers.signer(self._maker_uri)
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix="seal-") as folder:
            picture = self._picture(image, wish, order.seal_id, Path(folder))
            made = make(
                picture,
                order,
                maker,
                made_at=now,
                certificates=[signer.certificate],
                scratch=Path(folder),
            )
            kept_image = self._store.put_file(picture)
            kept_seal = self._store.put_file(made.path)
        record = SealRecord(
            id=order.seal_id,
            name=wish.name,
            kind=wish.kind.value,
            owner=wish.owner,
            owner_code=wish.owner_code,
            shape="",
            width_mm=made.size_mm[0],
            height_mm=made.size_mm[1],
            ink_box_mm=made.ink_box_mm,
            image_digest=kept_image.digest,
            eseal_digest=kept_seal.digest,
            standing=INTERNAL_USE,
            status="active",
            created_at=now,
            valid_from_at=order.valid_from,
            valid_until_at=order.valid_until,
            micro_pattern=wish.micro_pattern,
            text_slots=slots_to_record(wish.slots),
            source_digest=sha256_of(image),
        )
        self._records.add_certificate(certificate_record(signer))
        self._records.add_seal(record, actor=by, at=now)
        self._records.bind_seal(record.id, fingerprint_of(signer.certificate), actor=by, at=now)
        if accepted:
            details = {"seal": record.id, "reasons": [reason.value for reason in accepted]}
            self._records.append_event("accept_reasons", details, actor=by, at=now)
        return record

    def _picture(self, image: Path, wish: SealWish, seal_id: str, folder: Path) -> Path:
        """Return the picture the seal is made of: the one handed in, with its pattern where wished for."""
        if not wish.micro_pattern:
            return image
        return write_marked(image, self._marking.key_of(seal_id), folder / "marked.png")

    def _known(self, wish: SealWish, image: Path) -> SealRecord | None:
        """Return the seal that this very wish already made; None when nothing bears the name.

        What was handed in is compared, not what became of it: another zlib packs the same pixels otherwise.

        Raises:
            WrongState: the name is taken by another seal.
        """
        seal = next((seal for seal in self._records.seals() if seal.name == wish.name), None)
        if seal is None:
            return None
        digest = sha256_of(image) if image.is_file() else ""
        made_of = SealWish(
            seal.name,
            seal.owner,
            seal.owner_code,
            SealKind(seal.kind),
            micro_pattern=seal.micro_pattern,
            slots=slots_from_record(seal),
        )
        if made_of != wish or (seal.source_digest or seal.image_digest) != digest:
            raise WrongState(
                f"there is another seal named {wish.name}; choose another name",
                zh=f"已有另一枚名为“{wish.name}”的印章，请换一个名称",
            )
        return seal

    def compare(self, first: Path, second: Path, picture: Path, *, actor: Actor) -> ComparedSeals:
        """Compare two seals, each a scan, a seal image, or the name of a seal that was made here.

        Raises:
            InputRefused: a file cannot be read.
            ImpressionUnusable: a file shows no seal, or several.
            NotFound: neither a file nor a seal has this name.
        """
        by = check_may(actor, Permission.LIST_SEALS)
        with tempfile.TemporaryDirectory(dir=make_folder(self._scratch), prefix="compare-") as folder:
            files = [
                given if given.is_file() else self._image_of(str(given), Path(folder) / f"{number}.png")
                for number, given in enumerate((first, second))
            ]
            compared = compare_seals(files[0], files[1], picture)
        details = {"first": first.name, "second": second.name, "answer": compared.comparison.answer.value}
        self._records.append_event("compare_seals", details, actor=by, at=self._clock())
        return compared

    def _image_of(self, name: str, path: Path) -> Path:
        export_object(self._store, self._records.seal(name).image_digest, path)
        return path

    def list(self, *, actor: Actor) -> Sequence[SealRecord]:
        """Return every seal, oldest first."""
        check_may(actor, Permission.LIST_SEALS)
        return self._records.seals()

    def show(self, name: str, *, actor: Actor) -> tuple[SealRecord, str | None]:
        """Return a seal by name or id, and the fingerprint of its certificate.

        Raises:
            NotFound: there is none.
        """
        check_may(actor, Permission.LIST_SEALS)
        seal = self._records.seal(name)
        return seal, self._records.bound_certificate(seal.id)

    def save(self, name: str, out: Path, *, actor: Actor) -> tuple[Path, Path]:
        """Write a seal's image and its electronic seal to a folder; return their paths."""
        seal, _ = self.show(name, actor=actor)
        make_folder(out)
        image, eseal = out / f"{seal.name}.png", out / f"{seal.name}.esl"
        for digest, path in ((seal.image_digest, image), (seal.eseal_digest or "", eseal)):
            export_object(self._store, digest, path)
        return image, eseal


def certificate_record(signer: Signer) -> CertificateRecord:
    """Return what the records keep of a signer's certificate."""
    certificate = signer.certificate
    validity = certificate["tbs_certificate"]["validity"]
    not_before: datetime = validity["not_before"].native
    not_after: datetime = validity["not_after"].native
    return CertificateRecord(
        fingerprint=fingerprint_of(certificate),
        subject=certificate.subject.human_friendly,
        issuer=certificate.issuer.human_friendly,
        not_before_at=not_before,
        not_after_at=not_after,
    )
