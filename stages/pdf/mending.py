"""Makes a sound, open copy of a PDF that is damaged or encrypted, before anybody has signed it."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pikepdf

from stages.documents import Finding, HowDerived, Origin, SourceFile
from stages.errors import Damaged, Encrypted, InputRefused
from stages.pdf import rewriter
from stages.pdf.base import open_base
from stages.pdf.header import hide_library
from stages.pdf.permissions import forbidden_words
from stages.pdf.sayings import say
from stages.pdf.structure import walk_pages

REWRITE_TIMEOUT_S = 300.0
MAX_ANSWER_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class MendChoices:
    """What the user allows to be done to files that cannot be signed as they are.

    Attributes:
        repair: a damaged file may be written anew.
        decrypt: a file that opens without a password may be written without encryption, whatever the
            permissions say that its author set; the user answers for that.
    """

    repair: bool = False
    decrypt: bool = False


def check_appendable(source: SourceFile) -> None:
    """Check that a file can be appended to as it stands.

    Raises:
        Damaged, Encrypted: a copy may be mended.
        InputRefused: nothing can be done here.
    """
    with open_base(source.path, name=source.name) as base:
        for _ in walk_pages(base.pdf):
            pass
        base.check_unrepaired()


def mended(source: SourceFile, folder: Path, choices: MendChoices) -> SourceFile:
    """Return the file itself when it can be appended to, else a copy that can, as far as choices allow.

    Args:
        folder: where the copy goes, under a name made of the digest.

    Raises:
        Damaged, Encrypted: the choices do not allow what the file needs.
        InputRefused: see repair and decrypt.
    """
    try:
        check_appendable(source)
    except Encrypted:
        if not choices.decrypt:
            raise
        return decrypt(source, folder)
    except Damaged:
        if not choices.repair:
            raise
        return repair(source, folder, decrypt_too=choices.decrypt)
    return source


def repair(source: SourceFile, folder: Path, *, decrypt_too: bool = False) -> SourceFile:
    """Return a sound copy of a damaged PDF: same pages, same objects, nothing of ours in it.

    Args:
        decrypt_too: it may be encrypted besides.

    Raises:
        Encrypted: it is encrypted besides, and decrypt_too is not set.
        InputRefused: somebody has signed it; it needs a password; no reader could follow it; pages of it
            are lost, or would be empty; the tool took longer than REWRITE_TIMEOUT_S or more memory than
            `rewriter.MAX_MEMORY_BYTES`.
    """
    answer, out = _rewritten(source, folder)
    findings = [say("repaired", pages=answer["pages"])]
    if answer["encryption"] is not None:
        if not decrypt_too:
            out.unlink()
            raise Encrypted(
                f"{source.name}: the PDF is damaged and encrypted besides; allow decrypting (--decrypt) too, "
                "or hand in a sound copy",
                zh=f"{source.name}：PDF 既损坏又加密；请同时允许解密（--decrypt），或提交完好的文件",
            )
        findings.append(_decrypted(answer))
    return _derived(source, out, HowDerived.REPAIRED, [*findings, *_losses(answer)])


def decrypt(source: SourceFile, folder: Path) -> SourceFile:
    """Return a copy without encryption of a sound PDF that opens without a password.

    Raises:
        InputRefused: see repair.
    """
    answer, out = _rewritten(source, folder)
    findings = [_decrypted(answer)] if answer["encryption"] is not None else []
    return _derived(source, out, HowDerived.DECRYPTED, [*findings, *_losses(answer)])


def remedy(source: SourceFile, folder: Path) -> Finding:
    """Try out whether a file that cannot be appended to could be mended, and say so; nothing is kept."""
    try:
        copy = mended(source, folder, MendChoices(repair=True, decrypt=True))
    except InputRefused as refused:
        return say("not-mendable", why=str(refused), why_zh=refused.zh)
    with open_base(copy.path, name=source.name) as base:
        pages = sum(1 for _ in walk_pages(base.pdf))
    copy.path.unlink()
    findings = copy.origin.findings if copy.origin is not None else ()
    options = {"repaired": "--repair", "decrypted": "--decrypt"}
    needed = " ".join(options[finding.code] for finding in findings if finding.code in options)
    lost = [finding for finding in findings if finding.code not in options]
    return say(
        "mendable",
        pages=pages,
        options=needed,
        losses="".join("; " + finding.message for finding in lost),
        losses_zh="".join("；" + finding.message_zh for finding in lost),
    )


def _decrypted(answer: dict[str, Any]) -> Finding:
    said, said_zh = forbidden_words(answer["encryption"])
    return say("decrypted", permissions=said, permissions_zh=said_zh)


def _losses(answer: dict[str, Any]) -> list[Finding]:
    """Return what of the damaged file did not come over, or may not have."""
    findings: list[Finding] = []
    if answer["missing_objects"]:
        findings.append(say("objects-missing", count=answer["missing_objects"]))
    if answer["other_pages"] is None:
        findings.append(say("repair-not-compared"))
    elif answer["different"]:
        pages = ", ".join(str(number) for number in answer["different"][:8])
        more = " …" if len(answer["different"]) > 8 else ""
        findings.append(say("repair-looks-different", pages=pages + more))
    return findings


def _rewritten(source: SourceFile, folder: Path) -> tuple[dict[str, Any], Path]:
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"mended-{source.sha256[:32]}.pdf"
    out.unlink(missing_ok=True)
    answer = _run(source, out)
    error = answer.get("error")
    if error is None and not out.exists():
        error = "unreadable"
    if error is not None:
        out.unlink(missing_ok=True)
        raise _refusal(source.name, error)
    pages, lost = answer["pages"], answer["lost_pages"]
    lost = max(lost, (answer["other_pages"] or 0) - pages)
    empty = answer["empty_pages"] if answer["missing_objects"] else 0
    if empty and not lost:
        out.unlink(missing_ok=True)
        missing = answer["missing_objects"]
        raise InputRefused(
            f"{source.name}: the PDF is cut off: {missing} objects are missing, and {empty} of {pages} pages "
            "would be empty; download or export it again",
            zh=f"{source.name}：PDF 不完整：缺失 {missing} 个对象，{pages} 页中有 {empty} 页会变成空白，"
            "请重新下载或重新导出",
        )
    if lost > 0 or not pages:
        out.unlink(missing_ok=True)
        raise InputRefused(
            f"{source.name}: the PDF is cut off: {lost} pages are lost and {pages} are left; "
            "download or export it again",
            zh=f"{source.name}：PDF 不完整：丢失 {lost} 页，仅存 {pages} 页，请重新下载或重新导出",
        )
    hide_library(out)
    return answer, out


def _run(source: SourceFile, out: Path) -> dict[str, Any]:
    """Return the program's answer; it runs in a process group of its own, which ends with it."""
    command = [sys.executable, "-I", rewriter.__file__, str(source.path.absolute()), str(out.absolute())]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", "")},
    )
    try:
        data, _ = process.communicate(timeout=REWRITE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return {"error": "time"}
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode == -signal.SIGXCPU:
        return {"error": "time"}
    if process.returncode != 0 or len(data) > MAX_ANSWER_BYTES:
        return {"error": "crashed"}
    answer: dict[str, Any] = json.loads(data)
    return answer


_REFUSALS = {
    "signed": (
        "somebody has signed it, and a new copy would lose that; ask its author for a sound, open one",
        "文件已有签名，重新写出会使签名失效，请向作者索取完好、未加密的文件",
    ),
    "password": (
        "the PDF is encrypted and needs a password; remove the password, then hand it in again",
        "PDF 需要密码才能打开，请去除密码后重新提交",
    ),
    "memory": (
        "it cannot be repaired within the memory allowed; export it again",
        "修复所需内存超过上限，请重新导出",
    ),
    "time": (
        "it cannot be repaired within the time allowed; export it again",
        "修复超时，请重新导出",
    ),
    "crashed": (
        "it is damaged so that the repair itself failed; export or download it again",
        "文件损坏严重，修复失败，请重新导出或重新下载",
    ),
    "unreadable": (
        "it is damaged beyond repair; export or download it again",
        "文件损坏严重，无法修复，请重新导出或重新下载",
    ),
}


def _refusal(name: str, error: str) -> InputRefused:
    english, chinese = _REFUSALS[error]
    return InputRefused(f"{name}: {english}", zh=f"{name}：{chinese}")


def _derived(source: SourceFile, out: Path, how: HowDerived, findings: list[Finding]) -> SourceFile:
    """Return the copy as a file of the package, checked to be one that can be appended to."""
    digest = hashlib.sha256()
    with out.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    tool = f"qpdf {pikepdf.__libqpdf_version__}"
    origin = Origin(source.path, source.name, source.size_bytes, source.sha256, how, tool, tuple(findings))
    copy = replace(source, path=out, size_bytes=out.stat().st_size, sha256=digest.hexdigest(), origin=origin)
    try:
        check_appendable(copy)
    except (Damaged, Encrypted) as error:
        out.unlink(missing_ok=True)
        raise _refusal(source.name, "unreadable") from error
    return copy
