"""What things are called on the screens, in Chinese."""

from collections.abc import Sequence
from datetime import datetime
from types import MappingProxyType

from storage.schema import JobState

STEPS = ("待检", "盖章", "签名", "时间戳", "验签", "归档", "完成")
_AT = MappingProxyType(
    {
        JobState.RECEIVED: 0,
        JobState.INSPECTED: 1,
        JobState.PLANNED: 1,
        JobState.STAMPED: 2,
        JobState.SIGNING: 2,
        JobState.SIGNED: 3,
        JobState.AWAITING_TIMESTAMP: 3,
        JobState.TIMESTAMPED: 4,
        JobState.VERIFIED: 5,
        JobState.ARCHIVED: 6,
    }
)
_STOPPED = MappingProxyType(
    {
        JobState.REFUSED: "失败",
        JobState.CANCELLED: "已撤回",
        JobState.UNSIGNED: "不签章，待归档",
        JobState.KEPT_UNSIGNED: "原样保留（未签章）",
        JobState.AWAITING_TIMESTAMP: "等待时间戳",
    }
)
SHAPES = MappingProxyType(
    {"circle": "圆形", "ellipse": "椭圆形", "square": "正方形", "rectangle": "长方形", "freeform": "异形"}
)
COLOURS = MappingProxyType({"red": "红", "blue": "蓝", "purple": "紫", "black": "黑"})
LAMPS = (
    ("integrity", "完整性", "签名之后文件未被改动"),
    ("identity", "身份", "签名确由证书中的密钥作出"),
    ("trust", "可信", "证书可追溯到所信任的根"),
    ("time", "时间", "由时间戳服务机构证明的时间"),
)
LAMP_ANSWERS = MappingProxyType({"passed": "通过", "failed": "不通过", "unknown": "不确定"})
INDICATIONS = MappingProxyType({"TOTAL-PASSED": "可信", "TOTAL-FAILED": "不可信", "INDETERMINATE": "不确定"})
SEVERITIES = MappingProxyType({"info": "提示", "warning": "注意", "error": "错误"})
KINDS_OF_RULES = MappingProxyType(
    {"keyword": "关键字", "position": "位置", "paging": "骑缝", "field": "表单域"}
)
QUALITIES = (
    ("score", "综合"),
    ("outline", "边框完整"),
    ("coverage", "着墨"),
    ("sharpness", "清晰"),
    ("foreign_ink", "杂墨"),
    ("smear", "洇墨"),
    ("double", "重影"),
    ("glare", "反光"),
)
LESS_IS_BETTER = frozenset({"foreign_ink", "smear", "double", "glare"})
ROWS = MappingProxyType(
    {
        "official": "公章",
        "legal_representative": "法人章",
        "professional": "执业印章",
        "signature": "手写签字",
    }
)
KINDS_OF_ROWS = MappingProxyType(
    {
        "official": "official",
        "legal_representative": "legal_representative",
        "professional": "practice",
        "signature": "signature",
    }
)
"""The kind of seal that a row of our form collects."""
PAGES = MappingProxyType(
    {
        "form": "印模采集表",
        "example": "填写样例",
        "foreign_form": "其他表格",
        "blank_sheet": "白纸盖章",
        "supporting": "附件",
        "empty": "空白页",
    }
)
SCALES = MappingProxyType(
    {
        "marks": "定位标记",
        "dpi": "文件分辨率",
        "pdf": "PDF 页面尺寸",
        "sheet_edges": "A4 纸边",
        "stated": "人工填写",
        "unknown": "未知",
    }
)

COMPARED = MappingProxyType(
    {
        "same": ("是同一枚印章", "good"),
        "different": ("不是同一枚印章", "bad"),
        "uncertain": ("无法判断，请提供更清晰的印模", "warn"),
    }
)
"""What a comparison answers, and how the note looks that says so."""


def step_of(state: JobState) -> int:
    """Return how many of STEPS lie behind a document; -1 when it has left the line."""
    return _AT.get(state, -1)


def state_zh(state: JobState) -> str:
    """Return a state's name."""
    return _STOPPED.get(state) or STEPS[_AT[state]]


def time_zh(value: datetime | str | None) -> str:
    """Return an instant in this machine's own time, to the second."""
    if not value:
        return "—"
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{instant.astimezone():%Y-%m-%d %H:%M:%S}"


def megabytes(size_bytes: int) -> str:
    """Return a size for people."""
    return f"{size_bytes / 1024**2:.1f} MB" if size_bytes >= 1024**2 else f"{size_bytes / 1024:.0f} KB"


def percent(share: float) -> str:
    """Return 0..1 as a percentage."""
    return f"{share:.0%}"


def size_mm(size: Sequence[float] | None) -> str:
    """Return width × height in mm."""
    return "尺寸未知" if size is None else f"{size[0]:.1f} × {size[1]:.1f} mm"
