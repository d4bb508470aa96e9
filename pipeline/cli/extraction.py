"""Shows people what was found in a scan."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pipeline.cli.show import write_line, write_table

_PAGES: Mapping[str, str] = MappingProxyType(
    {
        "form": "采集表",
        "example": "填写样例",
        "foreign_form": "其他表格",
        "blank_sheet": "白纸",
        "supporting": "附件",
        "empty": "空白",
    }
)
_SCALES: Mapping[str, str] = MappingProxyType(
    {
        "marks": "定位标记",
        "dpi": "文件分辨率",
        "pdf": "PDF 页面",
        "sheet_edges": "纸边",
        "stated": "人工填写",
        "unknown": "未知 / unknown",
    }
)
_ROWS: Mapping[str | None, str] = MappingProxyType(
    {
        "official": "公章",
        "legal_representative": "法人章",
        "professional": "执业印章",
        "signature": "手写签字",
        None: "",
    }
)


def show_extraction(document: Mapping[str, Any]) -> None:
    """Print pages, impressions, seals, and what to do about them."""
    write_table(
        "页 / pages",
        ("页", "类型", "比例来源", "订单号", "印模"),
        [
            (
                page["page"],
                _PAGES[page["kind"]],
                _SCALES[page["scale_source"]],
                page["order"] or "",
                len(page["impressions"]),
            )
            for page in document["pages"]
        ],
    )
    write_table(
        "印模 / impressions",
        ("#", "栏目", "形状", "颜色", "尺寸 mm", "角度", "得分", "意见", "图像"),
        [
            (
                found["index"],
                f"{_ROWS[found['row']]}{found['column'] or ''}",
                found["shape"],
                found["colour"],
                _size(found["size_mm"]),
                f"{found['angle_deg']:.1f}°",
                f"{found['quality']['score']:.2f}",
                "、".join(found["quality"]["reasons"]),
                found["image"],
            )
            for found in document["impressions"]
        ],
    )
    write_table(
        "印章 / seals",
        ("#", "栏目", "印模", "形状", "尺寸 mm", "印文", "图像", "意见"),
        [
            (
                number,
                _ROWS[made["row"]],
                ",".join(str(member) for member in made["members"]),
                made["shape"],
                _size(made["size_mm"]),
                _text(made["text"]),
                made["image"],
                "、".join(made["reasons"]),
            )
            for number, made in enumerate(document["seals"], start=1)
        ],
    )
    for page in document["pages"]:
        for note in page["notes"]:
            write_line(f"第 {page['page']} 页：{note['message_zh']} / {note['message']}")
    for number, made in enumerate(document["seals"], start=1):
        for advice in made["advice"]:
            stop = "不能直接制章 / not to be made into a seal" if advice["refuses"] else "提示 / note"
            write_line(
                f"印章 {number} [{advice['reason']}，{stop}] {advice['message_zh']} / {advice['message']}"
            )


def _text(text: Mapping[str, Any] | None) -> str:
    if text is None:
        return ""
    return " ".join(part for part in (text["name"], *text["lines"], text["code"]) if part)


def _size(size_mm: list[float] | None) -> str:
    return "未知" if size_mm is None else f"{size_mm[0]:.2f}×{size_mm[1]:.2f}"
