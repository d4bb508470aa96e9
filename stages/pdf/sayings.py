"""What pre-flight can say of a file: for each code how much it matters, what it is, what to do, twice."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from stages.documents import Finding, Severity
from stages.page_selection import page_list

MAX_SHOWN = 8
"""Names or runs of pages in one message."""
MAX_SHOWN_CHARACTERS = 60

_INFO, _WARNING, _ERROR = Severity.INFO, Severity.WARNING, Severity.ERROR

SAYINGS: Mapping[str, tuple[Severity, str, str]] = MappingProxyType(
    {
        # -- what was done to it before
        "office-converted": (
            _INFO,
            "an office file ({kind}), made into a PDF of {pages} pages; look at them before signing, the "
            "original is kept",
            "Office 文件（{kind}），已转为 {pages} 页 PDF，签章前请核对版面，原件一并保存",
        ),
        "picture-converted": (
            _INFO,
            "a picture, laid on {pages} pages as it is; the original is kept",
            "图像，已原样放入 {pages} 页 PDF，原件一并保存",
        ),
        "picture-without-size": (
            _WARNING,
            "{pages} pages have no true size: their pictures state no resolution and were laid on A4",
            "有 {pages} 页图像没有分辨率信息，已按 A4 放置，尺寸未必真实",
        ),
        "fonts-replaced": (
            _WARNING,
            "fonts that are not installed here were replaced, lines and pages may break elsewhere: {fonts}; "
            "install them, or export the file as PDF where it was written",
            "缺少字体，已用其他字体代替，换行和分页可能不同：{fonts}；请安装字体，或在原电脑上导出为 PDF",
        ),
        "macros-not-run": (
            _WARNING,
            "the file brings macros along; they were not run, check what they would have filled in",
            "文件含有宏，转换时未运行，请核对由宏填写的内容",
        ),
        "tracked-changes": (
            _WARNING,
            "the file holds tracked changes, printed as they stand; accept or reject them first",
            "文件含有未处理的修订，已按现状打印，请先接受或拒绝修订",
        ),
        "many-printed-pages": (
            _WARNING,
            "the spreadsheet prints on {pages} pages; set up its print area and fit it to the width",
            "表格打印为 {pages} 页，请检查打印区域并设为“调整为一页宽”",
        ),
        "repaired": (
            _WARNING,
            "the file was damaged; this is a copy written anew ({pages} pages), the original is kept",
            "原文件损坏，此为重新写出的副本（{pages} 页），原件一并保存",
        ),
        "decrypted": (
            _WARNING,
            "the file was encrypted ({permissions}); this is a copy without encryption, made because it was "
            "asked for, the original is kept beside it",
            "原文件已加密（{permissions_zh}）；此为按要求生成的未加密副本，原件一并保存",
        ),
        "objects-missing": (
            _WARNING,
            "{count} objects that others point at are not in the file: pictures or fonts may be gone; "
            "look at every page",
            "有 {count} 个被引用的对象缺失，图片或字体可能丢失，请逐页核对",
        ),
        "repair-looks-different": (
            _WARNING,
            "another reader makes something else of the damaged file on pages {pages}; look at these pages",
            "另一阅读器对损坏原件第 {pages} 页的解读不同，请核对这些页",
        ),
        "repair-not-compared": (
            _WARNING,
            "no other reader could open the damaged file to compare; look at every page",
            "没有其他阅读器能打开损坏原件进行比对，请逐页核对",
        ),
        "mendable": (
            _ERROR,
            "as it is the file cannot be signed; a sound copy of {pages} pages can be made of it with "
            "{options}{losses}",
            "文件现状无法签章；可用 {options} 生成完好副本（{pages} 页）{losses_zh}",
        ),
        "not-mendable": (
            _ERROR,
            "no sound copy can be made of the file: {why}",
            "无法修复：{why_zh}",
        ),
        # -- in a part without names (暗标)
        "anonymous-part": (
            _WARNING,
            "the file belongs to a part in which nobody may be named, and has what can name the bidder: "
            "{codes}; remove it",
            "文件属于暗标部分，但含有可能暴露投标人的内容：{codes}，请清除",
        ),
        "anonymous-name": (
            _ERROR,
            "the file belongs to a part in which nobody may be named, and this stands in it: "
            "{places}; remove it",
            "文件属于暗标部分，但出现下列名称：{places_zh}，请清除",
        ),
        "anonymous-unread": (
            _WARNING,
            "no text can be read on pages {pages}, so no name was looked for; a dry run reads them by OCR",
            "第 {pages} 页没有可识别的文字，未在其中查找名称；预演时会用 OCR 识别",
        ),
        # -- the file
        "hybrid-xref": (
            _INFO,
            "hybrid cross-reference, as Office writes it; the file is appended to in the classic form",
            "PDF 使用混合交叉引用（Office 导出常见），将以传统形式追加",
        ),
        "slips": (
            _INFO,
            "{count} slips in the file's structure, which readers forgive ({first}); print it to a new PDF "
            "if a platform refuses it",
            "文件结构有 {count} 处小错（{first}），一般阅读器可容忍；如平台拒收，请重新打印为 PDF",
        ),
        "earlier-revisions": (
            _WARNING,
            "the file was changed {count} times by appending: what stood there before can be recovered from "
            "it; print it to a new PDF if nobody should",
            "文件以追加方式修改过 {count} 次，旧内容仍可从文件中恢复；如不应被看到，请重新打印为 PDF",
        ),
        "signed-revisions": (
            _INFO,
            "the file grew in {count} steps after it was first written, as signing does",
            "文件在首次写出后追加过 {count} 次（签名所致）",
        ),
        "pdf-a1": (
            _WARNING,
            "the PDF claims PDF/A-{part}, which allows no transparency: the seal breaks that claim; ask for "
            "PDF/A-2, or do not rely on it",
            "PDF 声明符合 PDF/A-{part}，该标准不允许透明效果，盖章后声明不再成立；请改用 PDF/A-2",
        ),
        "pdf-a": (_INFO, "the PDF claims PDF/A-{part}", "PDF 声明符合 PDF/A-{part}"),
        "tagged": (
            _INFO,
            "the PDF is tagged; seals are drawn as artifacts outside of its structure",
            "PDF 带有结构标签；印章作为页面装饰绘制，不进入结构",
        ),
        "metadata": (
            _INFO,
            "the file's properties say: {what}; check that nothing there betrays the bidder or its office",
            "文件属性：{what_zh}；暗标或需保密的文件请核对",
        ),
        "usage-rights": (
            _WARNING,
            "the PDF has usage rights that any change voids; save it without them",
            "PDF 带有使用权限签名，任何改动都会使其失效，请另存为普通 PDF",
        ),
        # -- pages
        "page-box-odd": (
            _WARNING,
            "pages {pages}: a size no paper has ({size}), as of a scan with a wrong page box: printed to A4, "
            "seals would not be true to size; set `odd_pages: as_a4` in the plan, or scan it again",
            "第 {pages} 页：页面尺寸异常（{size}），疑似扫描件按像素计页面，打印到 A4 时印章大小不对；"
            "请在方案中设置 odd_pages: as_a4，或重新扫描",
        ),
        "page-box-disputed": (
            _WARNING,
            "pages {pages}: the CropBox reaches out of the MediaBox, or /Rotate is no whole multiple of 90; "
            "readers disagree on what is shown, so also on where seals are; export the PDF again",
            "第 {pages} 页：裁剪框（CropBox）超出页面框，或旋转角（/Rotate）不是 90 的整数倍，"
            "各阅读器显示不同，印章位置也会不同，请重新导出 PDF",
        ),
        "page-box-missing": (
            _WARNING,
            "pages {pages} state no valid size; readers take Letter (216 × 279 mm) for them, check "
            "the places of the seals there",
            "第 {pages} 页没有有效的页面尺寸，阅读器按 Letter（216 × 279 毫米）显示，请核对盖章位置",
        ),
        "page-shared": (
            _WARNING,
            "{count} pages are one and the same object and can only carry the same seals; "
            "print the file to a new PDF",
            "有 {count} 页共用同一页面对象，只能加盖相同的印章，请重新打印为 PDF",
        ),
        "page-count-wrong": (
            _WARNING,
            "the file says it has {declared} pages and has {count}; check that none is missing",
            "文件声明有 {declared} 页，实际 {count} 页，请核对是否缺页",
        ),
        "pages-rotated": (
            _INFO,
            "pages {pages} are turned by /Rotate; places count on the page as displayed",
            "第 {pages} 页带旋转标记；位置按显示后的页面计算",
        ),
        "user-unit": (
            _INFO,
            "pages {pages} state a unit of their own (UserUnit), which some readers ignore: their size "
            "differs there",
            "第 {pages} 页使用自定义单位（UserUnit），部分阅读器不支持，显示尺寸会不同",
        ),
        "pages-without-fonts": (
            _INFO,
            "pages {pages} have pictures only and no text layer, as scans do: keywords are not found there "
            "without OCR",
            "第 {pages} 页只有图像、没有文字层（扫描件），不识别文字就无法按关键字定位",
        ),
        "pages-blank": (_INFO, "pages {pages} are empty", "第 {pages} 页为空白页"),
        "page-labels": (
            _INFO,
            "readers show page numbers of the file's own; plans count from the first page",
            "阅读器会显示文件自带页码；用印方案从首页起计数",
        ),
        "page-thumbnails": (
            _INFO,
            "pages {pages} carry small pictures of themselves, which may show an earlier state",
            "第 {pages} 页内嵌缩略图，可能仍是旧内容",
        ),
        "image-codecs": (
            _INFO,
            "pictures are packed as {codecs}; JBIG2 may have put one character for another "
            "when it was scanned",
            "图像采用 {codecs} 压缩；JBIG2 有损压缩可能在扫描时替换字符，请抽查",
        ),
        # -- what is outside, or runs
        "fonts-not-embedded": (
            _WARNING,
            "{count} fonts are not in the file ({names}; first on page {page}); embed them, or it looks "
            "different elsewhere",
            "{count} 种字体未嵌入（{names}，最早在第 {page} 页）；请嵌入字体，否则在别处显示可能不同",
        ),
        "fonts-standard": (
            _INFO,
            "{count} standard fonts are not in the file ({names}); every reader has likenesses of them",
            "{count} 种标准字体未嵌入（{names}），各阅读器均有替代字体",
        ),
        "external-content": (
            _WARNING,
            "{count} pictures or streams lie outside of the file and are not signed; put them into it",
            "有 {count} 处内容引用外部文件，不受签名保护，请将其嵌入",
        ),
        "alternate-images": (
            _WARNING,
            "{count} pictures have another version that is printed instead; remove it",
            "有 {count} 幅图像带打印用替代图，打印与显示可能不同，请去除",
        ),
        "javascript": (
            _WARNING,
            "the PDF contains JavaScript ({where}); print it to a new PDF if it is not needed",
            "PDF 含有 JavaScript 脚本（{where_zh}）；如不需要，请重新打印为 PDF",
        ),
        "launch-action": (
            _WARNING,
            "the PDF can start programs ({where}); remove these actions",
            "PDF 含有启动程序的动作（{where_zh}），请删除",
        ),
        "submit-action": (
            _WARNING,
            "the PDF can send or load form data ({where}); remove these actions",
            "PDF 含有提交或导入表单数据的动作（{where_zh}），请删除",
        ),
        "show-hide-action": (
            _WARNING,
            "buttons can show or hide what is on the pages ({where}); remove them",
            "PDF 含有可显示或隐藏内容的动作（{where_zh}），请删除",
        ),
        "multimedia": (
            _WARNING,
            "the PDF plays sound, film or 3D ({where}); take a still picture instead",
            "PDF 含有音视频或三维内容（{where_zh}），请改为静态图片",
        ),
        "uri-action": (
            _INFO,
            "the PDF has links to outside; check that they do not name the bidder where that is forbidden",
            "PDF 含有外部链接；暗标文件请确认链接不暴露投标人",
        ),
        "attachments": (
            _WARNING,
            "files are attached to the PDF ({names}); hand them in as files of the package",
            "PDF 内嵌附件（{names}），请作为文件包中的单独文件提交",
        ),
        "portfolio": (
            _WARNING,
            "the PDF is a portfolio: its pages are only the cover of the files in it; hand these in "
            "one by one",
            "PDF 是文件夹式合集，页面仅为封面；请逐个提交其中的文件",
        ),
        # -- what changes what is seen
        "optional-content": (
            _INFO,
            "the PDF has layers that readers may show or hide; what is signed holds for all of them",
            "PDF 含有可显示或隐藏的图层；签名对全部图层有效",
        ),
        "layers-hidden": (
            _WARNING,
            "{count} layers are hidden when the file is opened ({names}); flatten the file, so that all see "
            "the same",
            "有 {count} 个图层默认隐藏（{names}）；请合并图层，避免各方所见不同",
        ),
        "layers-print-differ": (
            _WARNING,
            "{count} layers are printed otherwise than they are shown ({names}); flatten the file",
            "有 {count} 个图层打印与显示不同（{names}）；请合并图层",
        ),
        "annotations-hidden": (
            _WARNING,
            "{count} annotations are hidden and may be shown again (pages {pages}); remove them",
            "有 {count} 个批注或域被隐藏（第 {pages} 页），可能被重新显示，请删除",
        ),
        "annotations-not-printed": (
            _WARNING,
            "{count} annotations are shown and not printed (pages {pages}); flatten them into the page",
            "有 {count} 个批注或域只显示不打印（第 {pages} 页），请并入页面",
        ),
        "comments": (
            _WARNING,
            "{count} comments of readers are in the file (pages {pages}); remove them before signing",
            "文件中有 {count} 条审阅批注（第 {pages} 页），请在签名前删除",
        ),
        "redactions-not-applied": (
            _WARNING,
            "{count} places are marked to be blacked out, and the text is still there (pages {pages}); apply "
            "the redaction",
            "有 {count} 处标记为涂黑但尚未执行（第 {pages} 页），原文仍在，请应用密文",
        ),
        # -- forms
        "form-fields": (
            _INFO,
            "the form has {count} fields that can be filled in; after signing that may be refused",
            "表单有 {count} 个可填写的域；签名后可能无法再填写",
        ),
        "form-calculates": (
            _WARNING,
            "fields of the form compute their values ({count}), so that what is seen may change; flatten the "
            "form",
            "表单有 {count} 个自动计算的域，所见内容可能变化，请扁平化表单",
        ),
        "form-redrawn": (
            _WARNING,
            "readers draw the form's fields anew (NeedAppearances), each in its own way; flatten the form",
            "表单域由阅读器重新绘制（NeedAppearances），显示可能不同，请扁平化表单",
        ),
        "xfa-form": (
            _WARNING,
            "the PDF is an XFA form, which may look different elsewhere; print it to a plain PDF",
            "PDF 是 XFA 表单，不同阅读器显示可能不同，请打印为普通 PDF",
        ),
        "empty-signature-fields": (
            _INFO,
            "{count} signature fields are empty ({names})",
            "有 {count} 个空白签名域（{names}）",
        ),
        # -- signatures
        "existing-signatures": (
            _WARNING,
            "the PDF has {count} signatures: {who}. {allowed}",
            "PDF 已有 {count} 个签名：{who_zh}。{allowed_zh}",
        ),
        "certified-no-changes": (
            _ERROR,
            "the PDF is certified so that nothing may be added; ask its author for another copy",
            "PDF 已认证且不允许任何更改，请向作者索取未锁定的版本",
        ),
        "form-locked": (
            _ERROR,
            "a signature locks the form, and one more would break it; ask its author for a copy without that "
            "signature",
            "已有签名锁定了表单，再签名会使其失效，请向作者索取未锁定的版本",
        ),
    }
)


def say(code: str, **values: object) -> Finding:
    """Return a finding with its values filled in."""
    severity, english, chinese = SAYINGS[code]
    return Finding(severity, code, english.format(**values), chinese.format(**values))


def page_numbers(page_indices: Sequence[int]) -> str:
    """Return ascending page indices as page numbers for people, the first MAX_SHOWN runs: 1-3, 7."""
    return page_list(page_indices, most=MAX_SHOWN)


def some_names(names: Sequence[str]) -> str:
    """Return the first names for people, each cut short and without characters that cannot be shown."""
    shown = ", ".join(printable(name) for name in names[:MAX_SHOWN])
    return shown + (" …" if len(names) > MAX_SHOWN else "")


def printable(text: str) -> str:
    """Return a text of the file's on one line, without control characters, at most MAX_SHOWN_CHARACTERS."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    clean = " ".join(clean.split())
    return clean if len(clean) <= MAX_SHOWN_CHARACTERS else clean[:MAX_SHOWN_CHARACTERS] + "…"
