"""What is added to a file betrays no tool and no server: two bidders' increments have only PDF in common.

Competing bids whose files share an author, a producer or a machine's trace count as collusion (串标). So
two files are stamped, signed and timestamped as two bidders on one server would have it, with different
seals and keys and the same plan, and whatever 12 bytes occur in both increments must be words of the PDF
and CMS standards, numbers, or what the time-stamping authority sent.
"""

import getpass
import hashlib
import re
import socket
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import pikepdf
import pytest
from cryptography import x509 as cx509
from PIL import Image, ImageDraw

from pipeline.keys import open_signer
from pipeline.settings import Settings
from stages.authorities import Signer
from stages.crypto import der
from stages.crypto.cms import timestamp_token, trim
from stages.derive import Choices, derive
from stages.documents import SealFace, SignatureRequest
from stages.inspect import inspect
from stages.pdf.carriers import signature_field_name
from stages.pdf.mending import repair
from stages.plan import plan
from stages.plan_rules import parse_plan
from stages.sign import sign
from stages.stamp import stamp
from stages.timestamp import timestamp
from tests.simulators import pdfs
from tests.simulators.issuers import Issuer
from tests.simulators.keys import pem_of
from tests.simulators.lying_tsa import Authority
from tests.simulators.pdfs import PageKind, source_file
from tests.simulators.signed_pdfs import Pki, sign_pdf

ONE_MARK = parse_plan("version: 1\nrules: [{seal: 公章, pages: first, x_mm: 60, y_mm: 60}]".encode())
RULES = parse_plan(
    "version: 1\nrules:\n"
    "  - {seal: 公章, pages: all, x_mm: 60, y_mm: 60}\n"
    "  - {seal: 公章, paging: right}\n".encode()
)
NOW = datetime.now(UTC).replace(microsecond=0)
COMMON_BYTES = 12
TOOLS = ("sealine", "印链", "pikepdf", "qpdf", "mupdf", "pyhanko", "python", "libreoffice", "asn1crypto")

STANDARD = frozenset(
    re.findall(
        r"\S+",
        "Type Subtype XObject Image Width Height BitsPerComponent Filter FlateDecode ColorSpace "
        "DeviceGray DeviceRGB SMask ExtGState BM Multiply ca None Length Artifact Contents Resources "
        "Parent MediaBox Page Pages Kids Count Font Annots Annot Widget FT Sig T F P V AP N Rect Form "
        "BBox Matrix Adobe.PPKLite SubFilter ETSI.CAdES.detached M ByteRange AcroForm Fields SigFlags "
        "Root Info ID Prev Size XRef W Index Catalog Metadata CropBox Rotate UserUnit DecodeParms CA AIS "
        "ProcSet ObjStm First ",
    )
)
"""Names of ISO 32000-2 that increments are made of."""
NEUTRAL = re.compile(r"(Im|GS)\d+|F\d+|DA|Helv")
"""Resource names as everybody's programs give them, and those that stood in the page before."""
KEYWORDS = frozenset(
    re.findall(
        r"\S+",
        "obj endobj stream endstream xref trailer startxref EOF R n f true false null q Q cm Do gs re W n "
        "BMC EMC rg D ",
    )
)
FIELDS = re.compile(r"Signature\d+")
"""The name every program gives a signature field."""
OIDS = tuple(
    der.oid(dotted)
    for dotted in (
        "1.2.840.113549.1.7.1",  # data
        "1.2.840.113549.1.7.2",  # signedData
        "1.2.840.113549.1.9.3",  # contentType
        "1.2.840.113549.1.9.4",  # messageDigest
        "1.2.840.113549.1.9.16.2.47",  # signing-certificate-v2
        "1.2.840.113549.1.9.16.2.14",  # signature timestamp
        "2.16.840.1.101.3.4.2.1",  # SHA-256
        "1.2.840.10045.4.3.2",  # ECDSA with SHA-256
        "2.5.4.3",  # common name
    )
)


@dataclass(frozen=True)
class Bidder:
    """One bidder's file, before and after."""

    before: bytes
    after: bytes
    own_certificates: tuple[bytes, ...]

    @property
    def added(self) -> bytes:
        return self.after[len(self.before) :]

    @cached_property
    def cms(self) -> bytes:
        (hexadecimal,) = re.findall(rb"/Contents <([0-9a-f]+)>", self.added)
        return trim(bytes.fromhex(hexadecimal.decode()))

    @property
    def cms_of_ours(self) -> bytes:
        """The CMS without the bidder's certificates and without the authority's token."""
        rest = self.cms.replace(timestamp_token(self.cms) or b"\0", b"")
        for certificate in self.own_certificates:
            assert certificate in rest
            rest = rest.replace(certificate, b"")
        return rest

    @property
    def text(self) -> bytes:
        """Everything of the increments but the seal's pixels and the CMS; streams inflated."""
        return b"\n".join(self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        at = 0
        data = re.sub(rb"/Contents <[0-9a-f]+>", b"/Contents <>", self.added)
        for match in re.finditer(rb"(<<(?:(?!endobj).)*?/Length (\d+) >>)\nstream\n", data, re.DOTALL):
            if match.start() < at:
                continue
            yield data[at : match.end()]
            at = match.end() + int(match.group(2))
            raw = data[match.end() : at]
            if b"/Image" in match.group(1) or b"/XRef" in match.group(1):
                continue  # the bidder's own seal; offsets
            yield zlib.decompress(raw) if b"/FlateDecode" in match.group(1) else raw
        yield data[at:]


def _seal(folder: Path, colour: tuple[int, int, int], text_at: int) -> SealFace:
    image = Image.new("RGBA", (1400, 1400), (*colour, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse([280, 280, 1119, 1119], outline=(*colour, 255), width=20 + text_at // 10)
    draw.rectangle([500 + text_at, 600, 700 + text_at, 660 + text_at], fill=(*colour, 255))
    path = folder / "seal.png"
    image.save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return SealFace("公章", path, digest, (14.0, 14.0, 42.0, 42.0))


def _signer(folder: Path, authority: str, company: str) -> tuple[Signer, tuple[bytes, ...]]:
    issuer = Issuer(authority, names_list=False)
    identity = issuer.issue(company)
    chain = (identity.certificate.dump(), issuer.certificate.dump())
    own, above = (
        cx509.load_der_x509_certificate(one.dump()) for one in (identity.certificate, issuer.certificate)
    )
    path = folder / "key.pem"
    path.write_bytes(pem_of(identity.key, own, above))
    return open_signer(f"file:{path}", pin=None), chain


def _bid(folder: Path, tsa: Authority, number: int, *, kind: str) -> Bidder:
    """Take one bidder's file through stamping, signing and timestamping."""
    folder.mkdir()
    kinds = [PageKind(content=b"BT /F1 %d Tf (bidder %d) Tj ET" % (9 + number, number))] * (2 + number)
    path = pdfs.build(folder / "bid.pdf", kinds, object_streams=kind == "stream")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.docinfo["/Author"] = f"author {number}"
        with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
            metadata["dc:title"] = f"title {number}"
        pdf.save(path, object_stream_mode=pikepdf.ObjectStreamMode.preserve)
    if kind == "signed before":
        path = sign_pdf(path, folder / "signed.pdf", Pki(), field=f"Author{number}")
    source = source_file(path)
    face = _seal(folder, (200, 20 + 40 * number, 30), 70 * number)
    signer, chain = _signer(folder, f"CA of {number * 'x'}", f"company {number}")
    faces = {face.name: face}
    planned = plan(source, inspect(source), ONE_MARK if kind == "signed before" else RULES, faces)
    stamped = stamp(source, planned, faces, folder / "out.pdf")
    moment = NOW - timedelta(minutes=17 * number)
    settings = Settings(home=folder)
    request = SignatureRequest("Signature1", moment, settings.reason, settings.location)
    request = replace(request, field_name=signature_field_name(source.name, planned))
    signed = sign(stamped, signer, request)
    timestamp(signed, tsa, [tsa.root], nonce=number, now=NOW)
    return Bidder(path.read_bytes(), signed.path.read_bytes(), chain)


@pytest.fixture(scope="module", params=["table", "stream", "signed before"])
def bidders(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Bidder, Bidder]:
    """Two bidders on one server."""
    folder = tmp_path_factory.mktemp("server")
    tsa = Authority(folder, NOW)
    return tuple(_bid(folder / str(n), tsa, n, kind=request.param) for n in (1, 2))  # type: ignore[return-value]


def common_runs(one: bytes, other: bytes) -> set[bytes]:
    """Return the longest runs of COMMON_BYTES and more that occur in both."""
    known = {one[at : at + COMMON_BYTES] for at in range(len(one) - COMMON_BYTES + 1)}
    runs, start = set(), None
    for at in range(len(other) - COMMON_BYTES + 2):
        is_known = at <= len(other) - COMMON_BYTES and other[at : at + COMMON_BYTES] in known
        if is_known and start is None:
            start = at
        if not is_known and start is not None:
            runs.add(other[start : at - 1 + COMMON_BYTES])
            start = None
    return runs


def _words(run: bytes) -> list[str]:
    return re.findall(r"[A-Za-z\u0080-\uffff][\w.\u0080-\uffff]*", run.decode("utf-8", "replace"))


def test_every_name_and_word_two_bidders_share_is_of_the_standard(bidders: tuple[Bidder, Bidder]) -> None:
    one, other = (bidder.text for bidder in bidders)
    shared = set(re.findall(rb"/([^\s/<>\[\]()%]+)", one)) & set(re.findall(rb"/([^\s/<>\[\]()%]+)", other))
    foreign = {name.decode() for name in shared} - STANDARD
    assert {name for name in foreign if not NEUTRAL.fullmatch(name)} == set()
    strings = set(re.findall(rb"\(([^()]*)\)", one)) & set(re.findall(rb"\(([^()]*)\)", other))
    assert {text for text in strings if not FIELDS.fullmatch(text.decode("latin-1"))} == set()


def test_no_twelve_bytes_two_bidders_share_say_anything(bidders: tuple[Bidder, Bidder]) -> None:
    one, other = (bidder.text for bidder in bidders)
    runs = common_runs(one, other)
    assert runs  # both are PDF
    allowed = STANDARD | KEYWORDS
    long = {
        word
        for run in runs
        for word in _words(run)[1:-1]  # the first and the last may be cut
        if word not in allowed and not NEUTRAL.fullmatch(word) and not FIELDS.fullmatch(word)
    }
    assert long == set()
    ends = {word for run in runs for word in (*_words(run)[:1], *_words(run)[-1:])}
    whole = " ".join(sorted(allowed)) + " Signature1 Im0 GS0 F1"
    assert {word for word in ends if word not in whole} == set()


def test_the_signatures_share_only_identifiers_of_the_standard(bidders: tuple[Bidder, Bidder]) -> None:
    one, other = (bidder.cms_of_ours for bidder in bidders)
    left = set()
    for run in common_runs(one, other):
        rest = re.sub(rb"[\x04\x30\x31\xa0\xa1\xa4]\x82[\x00-\xff]{2}", b"|" * 4, run)  # tag and length
        for oid in OIDS:
            rest = rest.replace(oid, b"|" * 4)
        left |= {piece for piece in rest.split(b"||||") if len(piece) >= COMMON_BYTES}
    assert left == set()


def test_the_token_is_the_authoritys_to_the_byte(tmp_path: Path) -> None:
    answers = []

    class Listening(Authority):
        def ask(self, request: bytes) -> bytes:
            answers.append(super().ask(request))
            return answers[-1]

    bidder = _bid(tmp_path / "1", Listening(tmp_path, NOW), 1, kind="table")
    assert (timestamp_token(bidder.cms) or b"?") in answers[0]


def test_nothing_names_a_machine_a_user_a_path_or_a_tool(
    bidders: tuple[Bidder, Bidder], tmp_path: Path
) -> None:
    machine = (socket.gethostname(), getpass.getuser(), str(tmp_path.parents[1]), "/tmp", "/home")
    for bidder in bidders:
        for data in (bidder.text, bidder.cms_of_ours):
            lower = data.lower().replace(b"/root", b"")  # the trailer's key, and the tests' user
            said = [word for word in (*machine, *TOOLS) if len(word) > 3 and word.lower().encode() in lower]
            assert said == []
        for key in (
            b"/Producer",
            b"/Creator",
            b"/ModDate",
            b"/Prop_Build",
            b"/Author",
            b"/Reason",
            b"/Location",
        ):
            assert key not in bidder.added


def test_the_files_own_metadata_stays_as_it_was(bidders: tuple[Bidder, Bidder], tmp_path: Path) -> None:
    for number, bidder in enumerate(bidders):
        assert bidder.after.startswith(bidder.before)
        paths = [tmp_path / f"{number}-{when}.pdf" for when in ("before", "after")]
        for path, data in zip(paths, (bidder.before, bidder.after), strict=True):
            path.write_bytes(data)
        with pikepdf.open(paths[0]) as before, pikepdf.open(paths[1]) as after:
            assert before.trailer.Info.objgen == after.trailer.Info.objgen
            assert dict(before.docinfo) == dict(after.docinfo)
            assert before.Root.Metadata.read_raw_bytes() == after.Root.Metadata.read_raw_bytes()
            assert bytes(before.trailer.ID[0]) == bytes(after.trailer.ID[0])
            info, metadata = before.trailer.Info.objgen[0], before.Root.Metadata.objgen[0]
        for number_of_object in (info, metadata):
            assert not re.search(rb"(?<!\d)%d 0 obj" % number_of_object, bidder.added)


def test_a_trace_would_be_seen() -> None:
    """The test of the test: a word of our own in both increments is found."""
    assert common_runs(b"xx/MadeHereByUs yy", b"zz/MadeHereByUs w") == {b"/MadeHereByUs "}
    assert _words(b"/Type /MadeHereByUs /Rect [") == ["Type", "MadeHereByUs", "Rect"]


def _made_of_a_picture(folder: Path, number: int) -> Path:
    Image.effect_noise((120 + number, 90), 40 + number).save(folder / f"{number}.png", dpi=(150, 150))
    return derive(source_file(folder / f"{number}.png"), folder / f"made-{number}", Choices()).path


def _repaired(folder: Path, number: int) -> Path:
    path = pdfs.build(folder / f"{number}.pdf", [PageKind(content=b"BT (bidder %d) Tj ET" % number)])
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"xref")])  # cut off where its table begins
    return repair(source_file(path), folder / f"made-{number}").path


@pytest.mark.parametrize("make", [_made_of_a_picture, _repaired], ids=["picture", "repaired"])
def test_a_pdf_made_here_of_what_came_in_names_no_tool(tmp_path: Path, make: Callable[..., Path]) -> None:
    for number in (1, 2):
        (tmp_path / f"made-{number}").mkdir(exist_ok=True)
    made = [make(tmp_path, number) for number in (1, 2)]
    for path in made:
        data = path.read_bytes()
        assert [word for word in TOOLS if word.encode() in data.lower()] == []
        assert data[:64].splitlines()[1] != b"%\xbf\xf7\xa2\xfe"  # qpdf's own comment
        for key in (b"/Producer", b"/Creator", b"/CreationDate", b"/ModDate", b"/Metadata"):
            assert key not in data
    with pikepdf.open(made[0]) as one, pikepdf.open(made[1]) as other:
        assert bytes(one.trailer.ID[0]) != bytes(other.trailer.ID[0])
