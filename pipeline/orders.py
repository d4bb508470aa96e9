"""What a package was submitted with, frozen: the plan's rules and the seals' faces as they were then."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter

from stages.derive import USUAL_CHOICES, Choices
from stages.documents import BidPackage, SealFace, TextSlot
from stages.manifests import canonical_json


@dataclass(frozen=True)
class FrozenSeal:
    """A seal as it was when the package came in: a later change of the seal changes no package.

    Attributes:
        ink_box_mm: x, y, w, h of the ink on the 70 mm canvas.
        slots: where text is set when it is stamped.
        owner, owner_code: kept only when the plan has an anonymous part, which must not name them.
    """

    seal_id: str
    name: str
    image_sha256: str
    ink_box_mm: tuple[float, float, float, float]
    slots: tuple[TextSlot, ...] = ()
    owner: str = ""
    owner_code: str = ""

    def face(self, image_path: Path) -> SealFace:
        """Return what planning and stamping need, its picture at image_path."""
        return SealFace(
            name=self.name,
            image_path=image_path,
            image_sha256=self.image_sha256,
            ink_box_mm=self.ink_box_mm,
            slots=self.slots,
            owner=self.owner,
            owner_code=self.owner_code,
        )


@dataclass(frozen=True)
class SigningOrder:
    """Everything besides the files that decides how a package comes out.

    Attributes:
        certificate: SHA-256 fingerprint of the signing certificate, hex.
        stamped_on: the day that texts of the plan say, where one does: that of the first submission.
        choices: what may be done to a file so that it can be stamped.
    """

    seals: tuple[FrozenSeal, ...]
    certificate: str
    reason: str
    location: str
    stamped_on: date | None = None
    choices: Choices = USUAL_CHOICES

    def to_record(self) -> Mapping[str, object]:
        """Return it as the plain JSON the records keep.

        It decides whether two submissions are the same, so what is not set is left out: seals without
        slots make the record they made before there were slots.
        """
        plain: Mapping[str, object] = json.loads(_ORDER.dump_json(self, exclude_defaults=True))
        return plain


_ORDER = TypeAdapter(SigningOrder)


def order_from_record(settings: Mapping[str, object]) -> SigningOrder:
    """Return the order that a package record keeps."""
    return _ORDER.validate_json(json.dumps(settings))


def identity_of(package: BidPackage, plan_bytes: bytes, order: SigningOrder) -> str:
    """Return what makes two submissions the same: files as they came, plan, seals, key; whatever the day."""
    return hashlib.sha256(
        canonical_json(
            {
                "files": [[file.name, file.sha256] for file in package.files],
                "plan": hashlib.sha256(plan_bytes).hexdigest(),
                "order": replace(order, stamped_on=None).to_record(),
            }
        )
    ).hexdigest()
