"""Turns an approved seal image into an electronic seal (GB/T 38540-2020) signed by the seal maker."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from asn1crypto import core, x509

from seal_imaging.units import CANVAS_MM
from stages.authorities import Signer
from stages.crypto import eseal
from stages.crypto import eseal_asn1 as asn1
from stages.errors import InputRefused, SigningRefused, Untrusted
from stages.seal_images import read_seal_image

SEAL_VERSION = 4
VENDOR_ID = "Sealine"

MAX_NAME_CHARS = 200
MAX_NAME_BYTES = 240
"""A file system takes 255 bytes of UTF-8 for a name, and the seal's files add an extension to it."""
MAX_BOUND_CERTIFICATES = 16

_ARC = "2.25.296354971546749452950190071991298674248"
"""UUID def3e431-f017-4cc9-b9b1-607fefb3ce48, made for this project (ITU-T X.667)."""
INK_BOX_OID = f"{_ARC}.1"
"""SEQUENCE { x, y, w, h INTEGER }: the ink on the canvas, in µm from its top left; w, h are the true size."""
OWNER_OID = f"{_ARC}.2"
"""SEQUENCE { owner, ownerCode, kind UTF8String }."""
STANDING_OID = f"{_ARC}.3"
"""UTF8String: what the seal may be used for."""
INTERNAL_USE_ONLY = (
    "internal use only: made without a designated seal maker / 仅限内部使用：非指定制章单位制作"
)
"""《电子印章管理办法》国办发〔2025〕33号: self-made seals are for internal business only, and say so."""

_NOT_IN_NAMES = "/\\"
"""A seal's name becomes a file's name when the seal is saved."""
_SEAL_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-openseal")
_OWNER_CODE = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{18}")
"""GB 32100-2015 §4: 18 characters without I, O, S, V, Z."""

_SIGNATURE_OIDS = MappingProxyType(
    {"sha256_rsa": eseal.SHA256_RSA_OID, "sha256_ecdsa": eseal.SHA256_ECDSA_OID}
)


class SealKind(StrEnum):
    """What a seal is for."""

    OFFICIAL = "official"
    LEGAL_REPRESENTATIVE = "legal_representative"
    CONTRACT = "contract"
    FINANCE = "finance"
    PRACTICE = "practice"
    SIGNATURE = "signature"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The kind's Chinese name."""
        return _LABELS[self]

    @property
    def type_code(self) -> int:
        """What SES_ESPropertyInfo.type says: 1 of a unit, 2 of a person (GM/T 0031-2014), 3 neither."""
        return _TYPE_CODES[self]


_LABELS = MappingProxyType(
    {
        SealKind.OFFICIAL: "公章",
        SealKind.LEGAL_REPRESENTATIVE: "法定代表人名章",
        SealKind.CONTRACT: "合同专用章",
        SealKind.FINANCE: "财务专用章",
        SealKind.PRACTICE: "执业印章",
        SealKind.SIGNATURE: "手写签名",
        SealKind.OTHER: "其他印章",
    }
)
_TYPE_CODES = MappingProxyType(
    {
        SealKind.OFFICIAL: 1,
        SealKind.CONTRACT: 1,
        SealKind.FINANCE: 1,
        SealKind.LEGAL_REPRESENTATIVE: 2,
        SealKind.PRACTICE: 2,
        SealKind.SIGNATURE: 2,
        SealKind.OTHER: 3,
    }
)


@dataclass(frozen=True)
class SealOrder:
    """What the seal to be made says of itself.

    Attributes:
        name: the seal's full name, e.g. company and kind.
        owner_code: 统一社会信用代码 (GB 32100-2015), may be empty.
        seal_id: a lower-case UUID followed by "-openseal".
        valid_from, valid_until: aware instants.
    """

    name: str
    owner: str
    owner_code: str
    kind: SealKind
    seal_id: str
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True)
class ElectronicSealFile:
    """An electronic seal in scratch, and what was measured while making it.

    Attributes:
        path: the `.esl` file, DER.
        ink_box_mm: x, y, w, h of the ink on the 70 mm canvas.
        size_mm: w, h of the ink: the seal's true size.
    """

    path: Path
    sha256: str
    image_sha256: str
    ink_box_mm: tuple[float, float, float, float]
    size_mm: tuple[float, float]


def make(
    image: Path,
    order: SealOrder,
    maker: Signer,
    *,
    made_at: datetime,
    certificates: Sequence[x509.Certificate],
    scratch: Path,
) -> ElectronicSealFile:
    """Make the electronic seal and check it as a stranger would.

    Args:
        image: the finished seal image: PNG, RGBA, 1400 × 1400 px, pHYs 20000 per metre.
        made_at: an aware instant; becomes createDate.
        certificates: the signers' certificates the seal is bound to, at least one.
        scratch: gets `<seal_id>.esl`.

    Raises:
        InputRefused: the image is not true to size, empty or over the canvas's edge; or the order is wrong.
        SigningRefused: the maker's certificate is not valid at `made_at`, its algorithm is not known,
            or its key made a signature that does not verify.
    """
    check_order(order, made_at=made_at)
    if not 0 < len(certificates) <= MAX_BOUND_CERTIFICATES:
        raise InputRefused(
            f"seal {order.name!r}: bound to {len(certificates)} certificates; "
            f"give the signer's certificate (1 to {MAX_BOUND_CERTIFICATES})",
            zh=f"印章“{order.name}”：绑定了 {len(certificates)} 张证书，"
            f"请提供 1 至 {MAX_BOUND_CERTIFICATES} 张。",
        )
    algorithm_oid = _usable_algorithm(maker, made_at)
    picture, ink_box_mm = read_seal_image(image)
    info_der = _seal_info(order, picture, ink_box_mm, made_at=made_at, certificates=certificates).dump()
    seal = asn1.Seal(
        {
            "eSealInfo": core.Any.load(info_der),
            "cert": maker.certificate.dump(),
            "signAlgID": algorithm_oid,
            "signedValue": maker.sign(info_der),
        }
    )
    data: bytes = seal.dump()
    try:
        eseal.check_seal(eseal.parse_seal(data))
    except Untrusted as error:
        raise SigningRefused(
            "the maker's key made a signature that does not fit its certificate; check the key device",
            zh="制章密钥的签名与制章者证书不符，请检查密钥设备。",
        ) from error
    path = scratch / f"{order.seal_id}.esl"
    path.write_bytes(data)
    return ElectronicSealFile(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        image_sha256=hashlib.sha256(picture).hexdigest(),
        ink_box_mm=ink_box_mm,
        size_mm=ink_box_mm[2:],
    )


def check_order(order: SealOrder, *, made_at: datetime) -> None:
    """Check what the seal is to say.

    Raises:
        InputRefused: a name is missing, too long or no file name, the code or id is malformed, a time
            is naive, or the seal would have expired before it is made.
    """
    for what, what_zh, text in (("name", "名称", order.name), ("owner", "持有者", order.owner)):
        if not text.strip() or len(text) > MAX_NAME_CHARS or not text.isprintable():
            raise InputRefused(
                f"seal order: {what} must be 1 to {MAX_NAME_CHARS} printable characters",
                zh=f"制章申请：印章{what_zh}应为 1 至 {MAX_NAME_CHARS} 个可见字符。",
            )
    if any(character in order.name for character in _NOT_IN_NAMES) or order.name.startswith("."):
        raise InputRefused(
            f"seal order: the name {order.name!r} cannot name a file; leave out slashes and a leading dot",
            zh=f"制章申请：印章名称“{order.name}”不能含斜杠，也不能以点开头。",
        )
    if len(order.name.encode()) > MAX_NAME_BYTES:
        raise InputRefused(
            f"seal order: the name is longer than {MAX_NAME_BYTES} bytes and cannot name a file; shorten it",
            zh=f"制章申请：印章名称不能超过 {MAX_NAME_BYTES // 3} 个汉字，请缩短。",
        )
    if order.owner_code and not _OWNER_CODE.fullmatch(order.owner_code):
        raise InputRefused(
            f"seal order: owner_code {order.owner_code!r} is no unified social credit code (18 characters)",
            zh="制章申请：统一社会信用代码应为 18 位数字或大写字母（不含 I、O、S、V、Z）。",
        )
    if not _SEAL_ID.fullmatch(order.seal_id):
        raise InputRefused(
            f"seal order: seal_id {order.seal_id!r} must be a lower-case UUID followed by -openseal",
            zh="制章申请：印章编号应为小写 UUID 加 -openseal。",
        )
    if any(instant.tzinfo is None for instant in (order.valid_from, order.valid_until, made_at)):
        raise InputRefused(
            "seal order: times must say their time zone",
            zh="制章申请：时间必须带时区。",
        )
    if not order.valid_from < order.valid_until or order.valid_until <= made_at:
        raise InputRefused(
            f"seal order: valid from {order.valid_from:%Y-%m-%d} to {order.valid_until:%Y-%m-%d}; "
            "it must end after it begins, and in the future",
            zh="制章申请：有效期的截止时间必须晚于起始时间，且尚未过期。",
        )


def _usable_algorithm(maker: Signer, made_at: datetime) -> str:
    """Return the OID of the maker's algorithm, after checking that the maker may sign now."""
    certificate = maker.certificate
    if not certificate.not_valid_before <= made_at <= certificate.not_valid_after:
        raise SigningRefused(
            f"the seal maker's certificate is valid from {certificate.not_valid_before:%Y-%m-%d} to "
            f"{certificate.not_valid_after:%Y-%m-%d}, not at {made_at:%Y-%m-%d}; renew it",
            zh=f"制章者证书有效期为 {certificate.not_valid_before:%Y-%m-%d} 至 "
            f"{certificate.not_valid_after:%Y-%m-%d}，当前不在有效期内，请更新证书。",
        )
    oid = _SIGNATURE_OIDS.get(maker.signature_algorithm)
    if oid is None:
        raise SigningRefused(
            f"seals cannot be signed with {maker.signature_algorithm} yet; use an RSA or ECDSA key",
            zh=f"暂不支持用 {maker.signature_algorithm} 制作电子印章，请使用 RSA 或 ECDSA 密钥。",
        )
    return oid


def _seal_info(
    order: SealOrder,
    picture: bytes,
    ink_box_mm: tuple[float, float, float, float],
    *,
    made_at: datetime,
    certificates: Sequence[x509.Certificate],
) -> asn1.SealInfo:
    ink_box_um = _Integers([round(value * 1000) for value in ink_box_mm])
    owner = _Texts([order.owner, order.owner_code, order.kind.value])
    side_mm = round(CANVAS_MM)
    return asn1.SealInfo(
        {
            "header": {"ID": asn1.SEAL_HEADER_ID, "version": SEAL_VERSION, "Vid": VENDOR_ID},
            "esID": order.seal_id,
            "property": {
                "type": order.kind.type_code,
                "name": order.name,
                "certListType": asn1.CERTIFICATES,
                "certList": asn1.Certificates([certificate.dump() for certificate in certificates]),
                "createDate": _whole_second(made_at),
                "validStart": _whole_second(order.valid_from),
                "validEnd": _whole_second(order.valid_until),
            },
            "picture": {"type": "PNG", "data": picture, "width": side_mm, "height": side_mm},
            "extDatas": [
                {"extnID": INK_BOX_OID, "extnValue": ink_box_um.dump()},
                {"extnID": OWNER_OID, "extnValue": owner.dump()},
                {"extnID": STANDING_OID, "extnValue": core.UTF8String(INTERNAL_USE_ONLY).dump()},
            ],
        }
    )


class _Integers(core.SequenceOf):  # type: ignore[misc]
    _child_spec = core.Integer


class _Texts(core.SequenceOf):  # type: ignore[misc]
    _child_spec = core.UTF8String


def _whole_second(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=0)
