"""Revocation lists that a PDF brings along: in its security store, and in a signature's attributes."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import pikepdf
from asn1crypto import core, crl

from stages.crypto.algorithms import ASN1_ERRORS
from stages.crypto.checks import CheckFailed
from stages.crypto.signed_data import CmsSignature, attribute_values

MAX_LISTS = 64
MAX_LIST_BYTES = 8 << 20
ADOBE_ARCHIVAL = "1.2.840.113583.1.1.8"


class _Lists(core.SequenceOf):  # type: ignore[misc]  # asn1crypto has no types
    _child_spec = crl.CertificateList


class _Archival(core.Sequence):  # type: ignore[misc]
    """RevocationInfoArchival (ISO 32000-2 §12.8.3.3.2)."""

    _fields = [  # noqa: RUF012  # read by asn1crypto's metaclass
        ("crls", _Lists, {"explicit": 0, "optional": True}),
        ("ocsps", core.Any, {"explicit": 1, "optional": True}),
        ("other", core.Any, {"explicit": 2, "optional": True}),
    ]


def lists_of_document(path: Path) -> tuple[crl.CertificateList, ...]:
    """Return the lists in a file's /DSS (ISO 32000-2 §12.8.4.3), unchecked, without the unreadable ones."""
    try:
        with pikepdf.open(path, inherit_page_attributes=False, suppress_warnings=True) as pdf:
            store = pdf.Root.get("/DSS")
            streams = store.get("/CRLs") if isinstance(store, pikepdf.Dictionary) else None
            if not isinstance(streams, pikepdf.Array):
                return ()
            ders = [_bytes_of(stream) for stream in list(streams)[:MAX_LISTS]]
    except (pikepdf.PdfError, OSError, RuntimeError, ValueError, TypeError, AttributeError, KeyError):
        return ()
    return tuple(_loaded(ders))


def lists_of_signature(signature: CmsSignature) -> tuple[crl.CertificateList, ...]:
    """Return the lists in a CMS signature and in its signed attributes, unchecked."""
    found = list(signature.lists)
    try:
        for value in attribute_values(signature.info["signed_attrs"], ADOBE_ARCHIVAL):
            archived = _Archival.load(value.dump())["crls"]
            if not isinstance(archived, core.Void):
                found.extend(archived)
    except (CheckFailed, *ASN1_ERRORS):
        return signature.lists[:MAX_LISTS]
    return tuple(found[:MAX_LISTS])


def _bytes_of(stream: pikepdf.Object) -> bytes:
    """Return a stream's bytes; none for a filter other than Flate, or more than MAX_LIST_BYTES."""
    if not isinstance(stream, pikepdf.Stream):
        return b""
    raw = stream.read_raw_bytes()
    name = stream.get("/Filter")
    if name is None:
        return raw if len(raw) <= MAX_LIST_BYTES else b""
    filters = [str(one) for one in name] if isinstance(name, pikepdf.Array) else [str(name)]
    if filters != ["/FlateDecode"] or "/DecodeParms" in stream:
        return b""
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(raw, MAX_LIST_BYTES)
    except zlib.error:
        return b""
    return data if inflater.eof else b""


def _loaded(ders: list[bytes]) -> Iterator[crl.CertificateList]:
    for der in ders:
        try:
            yield crl.CertificateList.load(der, strict=True)
        except ASN1_ERRORS:
            continue
