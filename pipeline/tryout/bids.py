"""A small bid package to try the line on: Chinese text, a landscape page, a scanned part."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pymupdf

from seal_imaging.units import A4_MM, pt_from_mm

_MARGIN_MM = 25.0
_BODY_PT = 12.0
_LINE_MM = 8.0
_SCAN_DPI = 150

BIDDER = "江南示例建设有限公司"
PROJECT = "示例市滨河路改造工程施工招标"
REPRESENTATIVE = "王建国"

PLAN = f"""\
# 用印方案：什么章盖在什么地方。尺寸单位为毫米，以显示的页面为准。
version: 1
project: {PROJECT}
bidder: {BIDDER}
document_type: 投标文件
rules:
  - seal: 公章                      # 每一处“（盖单位章）”
    keyword: （盖单位章）
    files: ["01*.pdf", "03*.pdf"]
  - seal: 法人章                    # 每一处“（签字或盖章）”，章心再右移 12 毫米
    keyword: （签字或盖章）
    offset_mm: [12, 0]
    files: "01*.pdf"
  - seal: 公章                      # 技术文件首页右下角
    pages: first
    x_mm: 50
    y_mm: 60
    from: bottom_right
    files: "02*.pdf"
  - seal: 公章                      # 扫描件每页
    pages: all
    x_mm: 45
    y_mm: 45
    from: bottom_right
    files: "03*.pdf"
  - seal: 公章                      # 每个文件右侧骑缝
    paging: right
"""

_LETTER = (
    "致：示例市交通投资集团（招标人名称）",
    f"1. 我方已仔细研究了{PROJECT}招标文件的全部内容，愿意以人民币",
    "（大写）叁仟捌佰贰拾万元整（¥38,200,000.00）的投标总报价，工期 360 日历天，",
    "按合同约定实施和完成承包工程，修补工程中的任何缺陷，工程质量达到合格。",
    "2. 我方承诺在投标有效期内不修改、撤销投标文件。",
    "3. 随同本投标函提交投标保证金一份，金额为人民币伍拾万元整。",
    "4. 如我方中标：",
    "（1）我方承诺在收到中标通知书后，在中标通知书规定的期限内与你方签订合同。",
    "（2）随同本投标函递交的投标函附录属于合同文件的组成部分。",
    "（3）我方承诺按照招标文件规定向你方递交履约担保。",
    "（4）我方承诺在合同约定的期限内完成并移交全部合同工程。",
)
_SIGNING = (
    f"投 标 人：{BIDDER}（盖单位章）",
    "法定代表人或其委托代理人：　　　　　　（签字或盖章）",
    "地址：江南省示例市滨河路 1 号",
    "二〇二六年十一月二十一日",
)
_METHOD = (
    "本工程路基填筑采用分层碾压，每层松铺厚度不大于 30 厘米，压实度不低于 96%。",
    "沥青面层施工前，应对下承层进行检查验收，透层油洒布均匀，不得有花白。",
    "雨季施工时，路基两侧设置临时排水沟，坡度不小于 0.5%，并备足覆盖材料。",
    "安全生产责任制落实到班组，每日班前进行安全技术交底，并保存签字记录。",
    "测量控制网按四等导线布设，平面闭合差不大于 1/35000，高程闭合差不大于 20√L 毫米。",
)


def write_package(folder: Path) -> list[Path]:
    """Write the demo's bid documents where they are not there yet, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings: Sequence[tuple[str, Callable[[pymupdf.Document, pymupdf.Font], None]]] = (
        ("01-商务文件.pdf", _draw_commercial),
        ("02-技术文件.pdf", _draw_technical),
        ("03-资格证明（含扫描件）.pdf", _draw_qualification),
    )
    paths = []
    for name, draw in drawings:
        path = folder / name
        if not path.exists():
            document = pymupdf.open()
            draw(document, pymupdf.Font("cjk"))
            document.subset_fonts()
            document.set_metadata({"title": path.stem})
            fresh = path.with_suffix(".part")
            document.save(fresh, garbage=3, deflate=True, no_new_id=True)
            document.close()
            fresh.replace(path)
        paths.append(path)
    return paths


def _page(document: pymupdf.Document, *, landscape: bool = False) -> pymupdf.Page:
    width_mm, height_mm = A4_MM[::-1] if landscape else A4_MM
    return document.new_page(width=pt_from_mm(width_mm), height=pt_from_mm(height_mm))


def _write(
    page: pymupdf.Page,
    font: pymupdf.Font,
    lines: Sequence[str],
    *,
    top_mm: float,
    size_pt: float = _BODY_PT,
    line_mm: float = _LINE_MM,
    centred: bool = False,
) -> float:
    """Write lines from top_mm down and return where the next one would stand."""
    writer = pymupdf.TextWriter(page.rect)
    for line in lines:
        x_pt = pt_from_mm(_MARGIN_MM)
        if centred:
            x_pt = (page.rect.width - font.text_length(line, size_pt)) / 2
        writer.append((x_pt, pt_from_mm(top_mm)), line, font=font, fontsize=size_pt)
        top_mm += line_mm
    writer.write_text(page)
    return top_mm


def _draw_commercial(document: pymupdf.Document, font: pymupdf.Font) -> None:
    cover = _page(document)
    _write(cover, font, [PROJECT], top_mm=70, size_pt=20, centred=True)
    _write(cover, font, ["投 标 文 件", "（商务部分）"], top_mm=105, size_pt=28, line_mm=18, centred=True)
    _write(cover, font, [f"投标人：{BIDDER}（盖单位章）"], top_mm=220, size_pt=14, centred=True)
    for title in ("一、投标函", "二、法定代表人身份证明", "三、授权委托书"):
        page = _page(document)
        top_mm = _write(page, font, [title], top_mm=40, size_pt=18, line_mm=16, centred=True)
        top_mm = _write(page, font, _LETTER, top_mm=top_mm)
        _write(page, font, _SIGNING, top_mm=top_mm + 30, line_mm=16)


def _draw_technical(document: pymupdf.Document, font: pymupdf.Font) -> None:
    for number in range(1, 7):
        landscape = number == 4
        page = _page(document, landscape=landscape)
        title = "施工总平面布置图" if landscape else f"第{number}章　施工组织设计"
        top_mm = _write(page, font, [title], top_mm=30, size_pt=18, line_mm=14, centred=True)
        if landscape:
            _draw_site_plan(page, font)
        else:
            _write(page, font, (*_METHOD, *_METHOD, *_METHOD), top_mm=top_mm)


def _draw_site_plan(page: pymupdf.Page, font: pymupdf.Font) -> None:
    shape = page.new_shape()
    rooms = (("项目部", 40, 50, 60, 35), ("钢筋加工场", 120, 50, 90, 35), ("拌和站", 40, 110, 60, 55))
    for _, x_mm, y_mm, w_mm, h_mm in rooms:
        x_pt, y_pt, w_pt, h_pt = (pt_from_mm(value) for value in (x_mm, y_mm, w_mm, h_mm))
        shape.draw_rect(pymupdf.Rect(x_pt, y_pt, x_pt + w_pt, y_pt + h_pt))
    shape.draw_line((pt_from_mm(30), pt_from_mm(180)), (pt_from_mm(265), pt_from_mm(180)))
    shape.finish(width=1.0)
    shape.commit()
    writer = pymupdf.TextWriter(page.rect)
    for label, x_mm, y_mm, w_mm, h_mm in rooms:
        writer.append(
            (pt_from_mm(x_mm + w_mm / 3), pt_from_mm(y_mm + h_mm / 2)), label, font=font, fontsize=12
        )
    writer.append((pt_from_mm(120), pt_from_mm(188)), "滨河路（施工便道）", font=font, fontsize=12)
    writer.write_text(page)


def _draw_qualification(document: pymupdf.Document, font: pymupdf.Font) -> None:
    page = _page(document)
    _write(page, font, ["资格证明文件"], top_mm=40, size_pt=20, centred=True)
    _write(
        page, font, ["营业执照、资质证书、安全生产许可证扫描件附后。", *_SIGNING[:1]], top_mm=70, line_mm=20
    )
    for title in ("营 业 执 照", "建筑业企业资质证书"):
        scan = _page(document)
        scan.insert_image(scan.rect, stream=_scanned(title, font).tobytes("jpeg", jpg_quality=85))


def _scanned(title: str, font: pymupdf.Font) -> pymupdf.Pixmap:
    """Return a page as a scanner would see it: grey paper, a little noise, no text layer."""
    drawing = pymupdf.open()
    page = _page(drawing)
    page.draw_rect(pymupdf.Rect(40, 40, page.rect.width - 40, page.rect.height - 40), width=3)
    _write(page, font, [title], top_mm=60, size_pt=28, centred=True)
    facts = (
        "统一社会信用代码　91320000MA00000000",
        f"名　称　{BIDDER}",
        f"法定代表人　{REPRESENTATIVE}",
        "注册资本　伍仟万元整",
    )
    _write(page, font, facts, top_mm=110, size_pt=15, line_mm=15)
    pixels = page.get_pixmap(dpi=_SCAN_DPI)
    grey = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width, 3).astype(np.float32)
    noise = np.random.default_rng(20261121).normal(0.0, 3.0, grey.shape[:2])[..., None]
    scanned = np.clip(grey * 0.94 + noise, 0, 255).astype(np.uint8)
    return pymupdf.Pixmap(pymupdf.csRGB, pixels.width, pixels.height, scanned.tobytes(), False)
