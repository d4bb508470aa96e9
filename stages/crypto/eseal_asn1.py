"""The ASN.1 of electronic seals: GB/T 38540-2020 (V4), GM/T 0031-2025 (V5) and GM/T 0031-2014 (V1..V3).

Only for reading fields and for writing new seals: what was signed is always taken from the original
bytes, because vendors encode `critical FALSE` and other things DER would leave out.
"""

from asn1crypto import core

SEAL_HEADER_ID = "ES"
CERTIFICATES = 1
CERTIFICATE_DIGESTS = 2


class Header(core.Sequence):  # type: ignore[misc]
    """SES_Header."""

    _fields = [("ID", core.IA5String), ("version", core.Integer), ("Vid", core.IA5String)]  # noqa: RUF012


class Certificates(core.SequenceOf):  # type: ignore[misc]
    """CertInfoList: DER certificates."""

    _child_spec = core.OctetString


class CertificateDigest(core.Sequence):  # type: ignore[misc]
    """CertDigestObj."""

    _fields = [("type", core.PrintableString), ("value", core.OctetString)]  # noqa: RUF012


class CertificateDigests(core.SequenceOf):  # type: ignore[misc]
    """CertDigestList."""

    _child_spec = CertificateDigest


class Picture(core.Sequence):  # type: ignore[misc]
    """SES_ESPictureInfo; width and height in mm."""

    _fields = [  # noqa: RUF012
        ("type", core.IA5String),
        ("data", core.OctetString),
        ("width", core.Integer),
        ("height", core.Integer),
    ]


class Extension(core.Sequence):  # type: ignore[misc]
    """ExtData."""

    _fields = [  # noqa: RUF012
        ("extnID", core.ObjectIdentifier),
        ("critical", core.Boolean, {"default": False}),
        ("extnValue", core.OctetString),
    ]


class Extensions(core.SequenceOf):  # type: ignore[misc]
    """ExtensionDatas."""

    _child_spec = Extension


class Property(core.Sequence):  # type: ignore[misc]
    """SES_ESPropertyInfo of V4 and V5; certList is an untagged CHOICE that certListType decides."""

    _fields = [  # noqa: RUF012
        ("type", core.Integer),
        ("name", core.UTF8String),
        ("certListType", core.Integer),
        ("certList", core.Any),
        ("createDate", core.GeneralizedTime),
        ("validStart", core.GeneralizedTime),
        ("validEnd", core.GeneralizedTime),
    ]

    def _cert_list_spec(self) -> type[core.SequenceOf]:
        return Certificates if self["certListType"].native == CERTIFICATES else CertificateDigests

    _spec_callbacks = {"certList": _cert_list_spec}  # noqa: RUF012


class PropertyV1(core.Sequence):  # type: ignore[misc]
    """SES_ESPropertyInfo of V1 to V3."""

    _fields = [  # noqa: RUF012
        ("type", core.Integer),
        ("name", core.UTF8String),
        ("certList", Certificates),
        ("createDate", core.UTCTime),
        ("validStart", core.UTCTime),
        ("validEnd", core.UTCTime),
    ]


class SealInfo(core.Sequence):  # type: ignore[misc]
    """SES_SealInfo of V4 and V5: extDatas untagged, as the standard and four vendors have it."""

    _fields = [  # noqa: RUF012
        ("header", Header),
        ("esID", core.IA5String),
        ("property", Property),
        ("picture", Picture),
        ("extDatas", Extensions, {"optional": True}),
    ]


class SealInfoTagged(core.Sequence):  # type: ignore[misc]
    """SES_SealInfo as some vendors write it: extDatas inside an explicit [0]."""

    _fields = [*SealInfo._fields[:4], ("extDatas", Extensions, {"explicit": 0, "optional": True})]  # noqa: RUF012


class SealInfoV1(core.Sequence):  # type: ignore[misc]
    """SES_SealInfo of V1 to V3."""

    _fields = [  # noqa: RUF012
        ("header", Header),
        ("esID", core.IA5String),
        ("property", PropertyV1),
        ("picture", Picture),
        ("extDatas", core.Any, {"optional": True}),
    ]


class Seal(core.Sequence):  # type: ignore[misc]
    """SESeal of V4; with timeStamp, of V5."""

    _fields = [  # noqa: RUF012
        ("eSealInfo", core.Any),
        ("cert", core.OctetString),
        ("signAlgID", core.ObjectIdentifier),
        ("signedValue", core.OctetBitString),
        ("timeStamp", core.Any, {"optional": True}),
    ]


class SignInfoV1(core.Sequence):  # type: ignore[misc]
    """SES_SignInfo of V1 to V3."""

    _fields = [  # noqa: RUF012
        ("cert", core.OctetString),
        ("signatureAlgorithm", core.ObjectIdentifier),
        ("signData", core.OctetBitString),
    ]


class SealV1(core.Sequence):  # type: ignore[misc]
    """SESeal of V1 to V3."""

    _fields = [("esealInfo", core.Any), ("signInfo", SignInfoV1)]  # noqa: RUF012
