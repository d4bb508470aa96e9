"""The JSON schema of plans (JSON Schema 2020-12), made of the types, with a word on each key."""

from collections.abc import Mapping
from typing import Any

from stages.plan_rules import PlanRules

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PAGE = "-?[1-9][0-9]{0,5}"
_PART = f" *{_PAGE}(-{_PAGE})? *"
PAGES_PATTERN = f"^(all|odd|even|first|last|{_PART}(,{_PART})*)$"
_IS_ANONYMOUS = {
    "anyOf": [{"required": [key], "properties": {key: {"const": True}}} for key in ("anonymous", "暗标")]
}

KINDS: Mapping[str, str] = {
    "PlanRules": "用印方案：哪枚印章盖在哪里 / A stamp plan: which seal goes where",
    "Part": "文件包的一个部分 / A part of the package",
    "KeywordRule": "按关键字盖章 / A seal at each place where a text stands",
    "PositionRule": "按位置盖章 / A seal at a distance from a corner, or from the middle of the page",
    "PagingRule": "骑缝章 / A paging seal: cut into strips, one on each page's edge",
    "FieldRule": "按表单域盖章 / A seal at each widget of a form field",
    "Jitter": "随机偏移与转动 / How far seals may lie from where the plan says",
}
"""What each kind of object is."""

KEYS: Mapping[str, str] = {
    "version": "方案格式版本，固定为 1 / Version of the plan format, always 1",
    "project": "招标项目，供档案检索 / The tender, which the archive is searched by",
    "bidder": "投标人；暗标文件中不得出现 / The bidder; blind files must not name it",
    "document_type": "文件类型，决定是否签名、保管多久 / "
    "Type of the documents: what is done with them, how long they are kept",
    "unmarked_files": "没有盖到章的文件：refuse 报错，allow 放行 / "
    "Files without any mark: an error, or let through",
    "odd_pages": "页面尺寸异常（多为扫描件）时如何处理 / What is done with pages of a size that no paper has",
    "ocr": "扫描页的文字识别：auto 需要时，never 不用，always 所有页 / "
    "OCR of pages for keywords: where the text layer says nothing, never, or always",
    "simplified": "关键字不分繁简 / Traditional and simplified characters count as the same",
    "annotations": "也在批注和表单域的显示内容中查找 / What annotations and form fields show is searched too",
    "after_others": "别人签过的文件：widget 只随签名显示，限一页；annotations 其他页以批注加盖 / "
    "In files others have signed: the seals of one page, by the signature; or more pages, by annotations",
    "seed": "随机偏移的种子；默认取自文件内容 / Decides how seals are shaken; by default the file's bytes do",
    "parts": "文件包的各部分，供规则的 part 引用 / Parts of the package that rules may name",
    "rules": "规则，依次执行 / The rules, carried out in this order",
    "Part.name": "部分名称，如 技术标 / What rules call it",
    "Part.files": "属于此部分的文件名模式或其列表 / Its files: a pattern or a list of them",
    "anonymous": "暗标：不得有印章、签名和名称 / A blind bid: no seal, signature or name may be in it",
    "signature": "暗标是否签名：none 不签，invisible 不可见签名（证书中有名称） / "
    "Whether an anonymous part is signed: not at all, or invisibly (the certificate has a name in it)",
    "names": "暗标中还不得出现的名称，如法定代表人姓名 / More names that a blind file must not hold",
    "seal": "印章名称 / Name of the seal",
    "seals": "多章连盖：并排的几枚印章 / Several seals side by side, in place of seal",
    "gap_mm": "连盖印章之间的间距（毫米） / Space between seals side by side, mm",
    "row": "连盖方向：horizontal 左右，vertical 上下 / Side by side, or one above the other",
    "jitter": "像手工盖章一样略作偏移或转动 / "
    "Set down as a hand would: a little beside the place, a little turned",
    "angle_deg": "最多转动的角度（度），只限圆形章 / Turned by at most this, degrees; round seals only",
    "place_mm": "最多偏移的距离（毫米） / Moved by at most this, mm",
    "files": "文件名模式或其列表，如 商务/*.pdf；* 可跨文件夹 / "
    "A file pattern or a list; * also crosses folders",
    "part": "部分名称或其列表，代替 files / A part of the package, or a list, in place of files",
    "pages": "页：all、odd、even、first、last 或 1-3,5,-1（-1 为末页） / "
    "Pages: a word, or a list; -1 is the last",
    "skip_first": "跳过文件的前几页，如封面 / So many pages at the beginning get nothing",
    "text": "动态输入章的文字 {栏名: 文字}，可含 {today}、{page}、{pages} / "
    "Texts for the seal's slots; placeholders allowed",
    "keyword": "关键字、/正则表达式/，或其列表 / A text, a /regular expression/, or a list",
    "field": "表单域全名或其列表，可用 * 和 ? / A form field's full name, or a list; * and ? are wild",
    "occurrence": "第几处：all、first、last 或从 1 起的序号 / Which of them: all, first, last, or n from 1",
    "per": "按整个文件（file）还是按每一页（page）计数 / Counted over the file, or on each page",
    "anchor": "印章中心对准所找到处的哪一边 / Where on what was found the seal's middle goes",
    "offset_mm": "再移动 [向右, 向下]（毫米） / Then moved [right, down], mm",
    "x_mm": "印章中心到页角的水平距离（毫米） / "
    "From the corner to the seal's middle, mm; from center: to the right",
    "y_mm": "印章中心到页角的垂直距离（毫米） / From the corner to the seal's middle, mm; from center: down",
    "from": "从哪个页角（或页面中心）量起 / The corner, or the middle of the page, that is measured from",
    "paging": "骑缝章所在页边 / The edge of the pages",
    "position": "沿页边的位置，0 为上（左）端，1 为下（右）端 / "
    "Along the edge, 0 at the top or left, 1 at the other end",
    "position_mm": "沿页边的位置（毫米），代替 position / Along the edge in mm, in place of position",
    "edge_mm": "页边留空（毫米） / Left free at the edge, mm",
    "every": "每 N 页一枚；0 为合一枚；auto 按最小条宽 / "
    "One seal for every N pages; 0: one over all; auto: by width",
    "sheets": "装订：single 单面，fronts 双面只盖正面，both 双面都盖 / "
    "Printed on one side or both, and which carry strips",
    "landscape": "装订时横页怎样放：as_displayed 不转，turned_left 向左转（页顶朝左），turned_right 向右转 / "
    "How landscape pages lie in the volume: as displayed, turned left (top to the left), turned right",
    "first_last": "首末条的宽度倍数 / Width of the first and last strip, in parts of another one's",
    "min_strip_mm": "最小条宽（毫米） / Narrower strips are warned of or refused, mm",
    "narrow": "条过窄时 warn 警告或 refuse 报错 / Strips too narrow: a warning, or an error",
}
"""A word on each key, in Chinese and English; `Model.key` where a model's key means something of its own."""


def plan_schema() -> dict[str, Any]:
    """Return the schema; what it lets pass may still be refused for what no schema can say.

    A key without a word on it in KEYS has no description; tests find it.
    """
    made = PlanRules.model_json_schema(by_alias=True)
    models = made.pop("$defs")
    for name, model in models.items():
        _describe(name, model)
    _describe("PlanRules", made)
    for name, model in models.items():
        properties = model["properties"]
        if "pages" in properties:
            said = properties["pages"]
            default = {key: said[key] for key in ("default", "description") if key in said}
            selection = {"type": "string", "maxLength": 2000, "pattern": PAGES_PATTERN}
            properties["pages"] = {"anyOf": [selection, {"type": "integer", "not": {"const": 0}}], **default}
        if "seals" in properties:
            model["oneOf"] = [{"required": ["seal"]}, {"required": ["seals"]}]
        if "part" in properties:
            model["not"] = {"required": ["files", "part"]}
        if name == "Part":
            properties["暗标"] = dict(properties["anonymous"])
            model["not"] = {"required": ["anonymous", "暗标"]}
            model |= {"if": {"required": ["signature"]}, "then": _IS_ANONYMOUS}
        if name == "PositionRule":
            not_below = {"properties": {"x_mm": {"minimum": 0}, "y_mm": {"minimum": 0}}}
            is_middle = {"properties": {"from": {"const": "center"}}, "required": ["from"]}
            model |= {"if": is_middle, "else": not_below}
    # Without rules there must be parts; that one of them is anonymous the program looks at.
    made["anyOf"] = [
        {"required": ["rules"], "properties": {"rules": {"minItems": 1}}},
        {"required": ["parts"]},
    ]
    return {"$schema": DIALECT, **made, "$defs": models}


def _describe(name: str, model: dict[str, Any]) -> None:
    """Give a model and its keys their words; leave out the titles, and null where a key may stay away."""
    model["title"], model["description"] = name, KINDS.get(name, "")
    for key, value in model["properties"].items():
        value.pop("title", None)
        if value.get("default", "") is None:
            del value["default"]
        choices = [choice for choice in value.get("anyOf", ()) if choice != {"type": "null"}]
        if len(choices) == 1:
            del value["anyOf"]
            value |= choices[0]
        elif choices:
            value["anyOf"] = choices
        word = KEYS.get(f"{name}.{key}") or KEYS.get(key)
        if word:
            value["description"] = word
