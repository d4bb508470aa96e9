"""What an empty signature field asks of the signature that fills it (seed values, ISO 32000-2 §12.7.5.5)."""

from collections.abc import Iterator

import pikepdf

from stages.authorities import Signer
from stages.documents import SignatureRequest
from stages.errors import SigningRefused

FILTER, SUB_FILTER, PARSER, REASONS = 1, 2, 4, 8
ADD_REVOCATION, DIGEST, LOCK_DOCUMENT, APPEARANCE = 32, 64, 128, 256
"""/Ff of a seed value dictionary: which of its entries bind (Table 237); legal attestations never bind us."""
SUBJECT, ISSUER, POLICY, SUBJECT_NAME, KEY_USAGE = 1, 2, 4, 8, 32
"""/Ff of a certificate seed value dictionary (Table 238)."""
MAX_PARSER = 3
"""The newest kind of seed values there is (PDF 2.0)."""
MAX_ENTRIES = 256

_KEY_USAGES = (
    "digital_signature",
    "non_repudiation",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def check_seed_values(
    seed_values: pikepdf.Object | None, signer: Signer, request: SignatureRequest, *, field_name: str
) -> None:
    """Check that our signature is what a field asks for; what the field only recommends is passed over.

    Raises:
        SigningRefused: it asks for something else, or for what cannot be checked here.
    """
    if seed_values is None:
        return
    for what, zh in (*_unmet(seed_values, request), *_unmet_by_certificate(seed_values.get("/Cert"), signer)):
        raise SigningRefused(
            f"field {field_name} asks for {what}; place the seal elsewhere, or ask the form's author",
            zh=f"签名域 {field_name} 要求{zh}，无法满足；请将印章盖在其他位置，或联系表单作者",
        )


def _unmet(values: pikepdf.Object, request: SignatureRequest) -> Iterator[tuple[str, str]]:
    binding = _flags(values)
    if binding & FILTER and values.get("/Filter") not in (None, pikepdf.Name("/Adobe.PPKLite")):
        yield "another signature handler", "使用其他签名处理程序"
    if binding & SUB_FILTER and "/ETSI.CAdES.detached" not in _names(values.get("/SubFilter")):
        yield "another encoding than ETSI.CAdES.detached", "使用 ETSI.CAdES.detached 以外的编码"
    parser = values.get("/V")
    if binding & PARSER and not (parser is None or (isinstance(parser, int) and parser <= MAX_PARSER)):
        yield "a newer kind of seed values", "支持更新版本的种子值"
    reasons = _strings(values.get("/Reasons"))
    if binding & REASONS and reasons:
        wanted = [reason for reason in reasons if reason != "."]
        if request.reason not in (wanted or [""]):
            shown = "; ".join(wanted[:5]) or "none"
            yield f"one of these reasons: {shown}", f"签署原因为下列之一：{shown}"
    if binding & ADD_REVOCATION and bool(values.get("/AddRevInfo", False)):
        yield "revocation lists inside the signature", "在签名内嵌入吊销信息"
    digests = {name.removeprefix("/").upper() for name in _strings(values.get("/DigestMethod"))}
    if binding & DIGEST and digests and "SHA256" not in digests:
        yield "another digest than SHA-256", "使用 SHA-256 以外的摘要算法"
    if binding & LOCK_DOCUMENT and str(values.get("/LockDocument", "/auto")) in ("/true", "True"):
        yield "locking the document", "签署后锁定文档"
    if binding & APPEARANCE and values.get("/AppearanceFilter") is not None:
        yield "an appearance of a given name", "使用指定名称的外观"
    certifies = values.get("/MDP")
    level = certifies.get("/P", 0) if isinstance(certifies, pikepdf.Dictionary) else 0
    if level != 0:
        yield "a certification by the author", "作者认证签名"


def _unmet_by_certificate(values: object, signer: Signer) -> Iterator[tuple[str, str]]:
    if not isinstance(values, pikepdf.Dictionary):
        return
    binding = _flags(values)
    own = signer.certificate.dump()
    if binding & SUBJECT and own not in _ders(values.get("/Subject")):
        yield "another certificate", "使用指定的证书"
    issuers = _ders(values.get("/Issuer"))
    if binding & ISSUER and not issuers & {own, *(certificate.dump() for certificate in signer.chain)}:
        yield "a certificate of another issuer", "使用指定机构签发的证书"
    if binding & POLICY and values.get("/OID") is not None:
        yield "a certificate policy, which is not checked here", "特定证书策略（本程序不检查）"
    if binding & SUBJECT_NAME and values.get("/SubjectDN") is not None:
        yield "a subject name, which is not checked here", "特定证书主体名称（本程序不检查）"
    usages = _strings(values.get("/KeyUsage"))
    if binding & KEY_USAGE and usages and not any(_has_usages(signer, usage) for usage in usages):
        yield "a certificate with another key usage", "使用其他密钥用途的证书"


def _has_usages(signer: Signer, wanted: str) -> bool:
    """Return whether the key usages are as a string of 1 (must have), 0 (must not) and X says."""
    extension = signer.certificate.key_usage_value
    had = extension.native if extension is not None else set()
    pairs = zip(wanted, _KEY_USAGES, strict=False)
    return all(mark not in "01" or (name in had) == (mark == "1") for mark, name in pairs)


def _flags(values: pikepdf.Object) -> int:
    flags = values.get("/Ff", 0)
    return int(flags) if isinstance(flags, int) else 0


def _entries(value: object) -> list[pikepdf.Object]:
    return list(value)[:MAX_ENTRIES] if isinstance(value, pikepdf.Array) else []


def _names(value: object) -> set[str]:
    return {str(entry) for entry in _entries(value) if isinstance(entry, pikepdf.Name)}


def _strings(value: object) -> list[str]:
    kinds = pikepdf.String | pikepdf.Name
    return [str(entry) for entry in _entries(value) if isinstance(entry, kinds)]


def _ders(value: object) -> set[bytes]:
    return {bytes(entry) for entry in _entries(value) if isinstance(entry, pikepdf.String)}
