"""What a field asks of its signature is met, refused, or passed over where it is only a wish."""

from datetime import UTC, datetime

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from stages.authorities import Signer
from stages.documents import SignatureRequest
from stages.errors import SigningRefused
from stages.pdf.seed_values import check_seed_values

REQUEST = SignatureRequest("盖章", datetime(2026, 3, 2, tzinfo=UTC), reason="投标")


def check(values: pikepdf.Object | None, signer: Signer, request: SignatureRequest = REQUEST) -> None:
    check_seed_values(values, signer, request, field_name="盖章")


def names(*texts: str) -> Array:
    return Array([Name(text) for text in texts])


def strings(*texts: str) -> Array:
    return Array([String(text) for text in texts])


@pytest.mark.parametrize(
    ("entries", "flag", "refused"),
    [
        ({"Filter": Name("/Adobe.PPKLite")}, 1, ""),
        ({"Filter": Name("/Entrust.PPKEF")}, 1, "another signature handler"),
        ({"SubFilter": names("/adbe.pkcs7.detached", "/ETSI.CAdES.detached")}, 2, ""),
        ({"SubFilter": names("/adbe.pkcs7.detached")}, 2, "another encoding"),
        ({"V": 2}, 4, ""),
        ({"V": 9}, 4, "a newer kind"),
        ({"Reasons": strings("投标", "其他")}, 8, ""),
        ({"Reasons": strings("其他")}, 8, "one of these reasons: 其他"),
        ({"Reasons": strings(".")}, 8, "one of these reasons: none"),
        ({"AddRevInfo": False}, 32, ""),
        ({"AddRevInfo": True}, 32, "revocation lists"),
        ({"DigestMethod": strings("SHA256", "SHA512")}, 64, ""),
        ({"DigestMethod": strings("SHA512")}, 64, "another digest"),
        ({"LockDocument": Name("/auto")}, 128, ""),
        ({"LockDocument": Name("/true")}, 128, "locking the document"),
        ({"AppearanceFilter": String("ours")}, 256, "an appearance of a given name"),
    ],
)
def test_what_binds_is_met_or_refused_and_a_wish_is_passed_over(
    tryout_signer: Signer, entries: dict[str, object], flag: int, refused: str
) -> None:
    check(Dictionary(Ff=0, **entries), tryout_signer)
    values = Dictionary(Ff=flag, **entries)
    if not refused:
        check(values, tryout_signer)
        return
    with pytest.raises(SigningRefused, match=refused) as caught:
        check(values, tryout_signer)
    assert "field 盖章 asks for" in str(caught.value)
    assert caught.value.zh.startswith("签名域 盖章 要求")


def test_a_field_for_the_author_s_certification_is_not_ours(tryout_signer: Signer) -> None:
    check(Dictionary(MDP=Dictionary(P=0)), tryout_signer)
    with pytest.raises(SigningRefused, match="a certification by the author"):
        check(Dictionary(MDP=Dictionary(P=2)), tryout_signer)


def test_nothing_asked_is_nothing_refused(tryout_signer: Signer) -> None:
    check(None, tryout_signer)
    check(Dictionary(Cert=String("odd"), Reasons=3, Ff=8), tryout_signer)


def test_the_certificate_asked_for_is_ours_or_another_s(tryout_signer: Signer) -> None:
    own = String(tryout_signer.certificate.dump())
    chain = Array([String(certificate.dump()) for certificate in tryout_signer.chain] or [own])
    check(Dictionary(Cert=Dictionary(Ff=1, Subject=Array([own]))), tryout_signer)
    check(Dictionary(Cert=Dictionary(Ff=2, Issuer=chain)), tryout_signer)
    check(Dictionary(Cert=Dictionary(Ff=32, KeyUsage=strings("X1", "1XXXXXXX0"))), tryout_signer)
    other = Array([String(b"\x30\x00")])
    for constraints, refused in (
        (Dictionary(Ff=1, Subject=other), "another certificate"),
        (Dictionary(Ff=2, Issuer=other), "another issuer"),
        (Dictionary(Ff=4, OID=strings("1.2.3")), "a certificate policy"),
        (Dictionary(Ff=8, SubjectDN=Array([Dictionary()])), "a subject name"),
        (Dictionary(Ff=32, KeyUsage=strings("XXXXX1XXX")), "another key usage"),
    ):
        with pytest.raises(SigningRefused, match=refused):
            check(Dictionary(Cert=constraints), tryout_signer)
