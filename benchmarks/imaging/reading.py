"""Names on seals nobody saw before, and how many of their characters are read wrongly.

.venv/bin/python benchmarks/imaging/reading.py [--seed N] [--count N] [--only LOOK]… [--copies N]
"""

import argparse
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pymupdf

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


from pipeline.tryout.artwork import RED, Artwork, draw_round_seal
from pipeline.tryout.specimens import CLEAN, FAINT, PRINTED_OVER, PageLook, draw_specimen_page
from seal_imaging import (
    Impression,
    ImpressionUnusable,
    RapidReader,
    SealShape,
    fuse,
    group_impressions,
    read_impressions,
)
from seal_imaging.reader import TextReader
from seal_imaging.text import read_text

WEAK = PageLook(density=(0.3, 0.8), least_missing=0.22, missing=0.40, turn_deg=10.0)
LOOKS: dict[str, PageLook] = {"clean": CLEAN, "printed over": PRINTED_OVER, "faint": FAINT, "weak": WEAK}

NOTO = Path("/usr/share/fonts/opentype/noto")
SIMPLIFIED = 2
"""Which font of a Noto CJK collection has the characters as the mainland writes them."""


def _words(text: str) -> list[str]:
    return text.split()


_PLACES = _words(
    "北京市 上海 天津 重庆 南京 苏州市 无锡 常州 南通 扬州 镇江 泰州 盐城 淮安 宿迁 徐州 连云港 "
    "杭州 宁波 温州 嘉兴 湖州 绍兴 金华 台州 合肥 芜湖 蚌埠 滁州 福州 厦门 泉州 漳州 莆田 南昌 "
    "赣州 九江 济南 青岛 烟台 潍坊 临沂 郑州 洛阳 武汉 襄阳 宜昌 荆州 长沙 株洲 岳阳 广州 深圳市 "
    "珠海 佛山 东莞 惠州 中山 南宁 柳州 桂林 海口 成都 绵阳 泸州 贵阳 遵义 昆明 曲靖 西安 咸阳 "
    "宝鸡 兰州 西宁 银川 乌鲁木齐 沈阳 大连 鞍山 长春 吉林 哈尔滨 大庆 石家庄 唐山 保定 太原 大同 "
    "呼和浩特"
)
_MARKS = (
    "安邦博昌成创达德东鼎方飞丰福富冠光广国海汉航浩恒宏鸿华欢辉汇惠吉佳嘉健江金锦京景敬久凯康科坤兰乐立利联良林隆"
    "龙茂美民明宁诺鹏平齐启强勤青庆融瑞润森善尚盛圣石顺思泰腾天通同万威维伟文希祥翔新信兴星旭雅阳业怡亿益永优友宇裕"
    "元远源悦云展正志智中众卓子紫宗尊翰骏麒麟璟煜晟澜泓沣皓曜霖睿颐臻毅铭钧锐钰骐屹岚峰巍衡衍彦翊翼蓝蔚蕴荣莱"
)
_TRADES = _words(
    "建设工程 建筑装饰 建筑安装 路桥工程 市政工程 水利水电 园林绿化 机电设备 机械制造 电子科技 "
    "信息技术 网络科技 软件开发 电力设备 新能源科技 环保科技 消防工程 医疗器械 生物医药 化工 "
    "精细化工 钢结构 混凝土 建材 商贸 国际贸易 进出口贸易 物流 供应链管理 物业管理 工程咨询 "
    "工程监理 造价咨询 招标代理 勘察设计 规划设计 测绘 检测技术 教育科技 文化传媒 广告 食品 "
    "餐饮管理 农业发展 纺织 服饰 包装印刷 汽车销售 房地产开发 投资管理 资产评估 会计师事务所 "
    "人力资源 劳务派遣 保安服务"
)
_KINDS = _words("有限公司 有限公司 有限公司 有限责任公司 股份有限公司 集团有限公司 厂")


def company_name(rng: np.random.Generator) -> str:
    """Return a name a company might have, of at most 18 characters."""
    while True:
        trade = str(rng.choice(_TRADES))
        kind = "" if trade.endswith("所") else str(rng.choice(_KINDS))
        name = (
            str(rng.choice(_PLACES))
            + "".join(rng.choice(list(_MARKS), int(rng.integers(2, 4))))
            + trade
            + kind
        )
        if len(name) <= 18:
            return name


def fonts(pymupdf_font: bytes) -> dict[str, bytes]:
    """Return the fonts to draw with: PyMuPDF's own, and Noto's where this machine has them."""
    found = {"droid": pymupdf_font}
    for name in ("NotoSerifCJK-Bold", "NotoSansCJK-Bold", "NotoSerifCJK-Regular"):
        path = NOTO / f"{name}.ttc"
        if path.exists():
            found[name] = _one_of_collection(path.read_bytes(), SIMPLIFIED)
    return found


def _one_of_collection(collection: bytes, index: int) -> bytes:
    """Return one font of a TrueType collection as a file of its own (OpenType 1.9, "Font Collections")."""
    (start,) = struct.unpack_from(">L", collection, 12 + 4 * index)
    (count,) = struct.unpack_from(">H", collection, start + 4)
    head = bytearray(collection[start : start + 12])
    body, at = b"", 12 + 16 * count
    for k in range(count):
        tag, checksum, offset, length = struct.unpack_from(">4sLLL", collection, start + 12 + 16 * k)
        head += struct.pack(">4sLLL", tag, checksum, at + len(body), length)
        body += collection[offset : offset + length] + bytes(-length % 4)
    return bytes(head) + body


@dataclass(frozen=True, eq=False)
class Specimen:
    """Impressions of one seal and the name it bears."""

    seal: Artwork
    impressions: tuple[Impression, ...]
    code: str = ""
    font_name: str = ""


def draw_specimens(
    look: PageLook, *, seed: int, count: int, faces: dict[str, bytes], dpi: float = 300.0, copies: int = 1
) -> Iterator[Specimen]:
    """Yield round seals of companies, stamped and scanned, with what was found of each."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        font_name = sorted(faces)[number % len(faces)]
        code = "".join(str(v) for v in rng.integers(0, 10, 13)) if rng.uniform() < 0.5 else ""
        seal = draw_round_seal(
            company_name(rng),
            faces[font_name],
            diameter_mm=float(rng.choice([38.0, 40.0, 42.0, 45.0])),
            border_mm=float(rng.uniform(0.9, 1.3)),
            bottom_text=str(rng.choice(["财务专用章", "合同专用章"])) if rng.uniform() < 0.35 else "",
            code=code,
            ink_rgb=RED,
        )
        side_mm = 1.3 * seal.size_mm[0] + 14
        page = draw_specimen_page(
            [seal],
            rng=rng,
            font=faces["droid"],
            px_per_mm=dpi / 25.4,
            look=look,
            copies=copies,
            page_mm=(side_mm * copies, side_mm),
            margin_mm=5.0,
        )
        found = [one for one in read_impressions(page.page, page.px_per_mm) if one.shape is SealShape.CIRCLE]
        yield Specimen(seal, tuple(found), code, font_name)


def edits(first: str, second: str) -> int:
    """Return how many characters must be put in, left out or changed (Levenshtein 1966)."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


@dataclass
class Reading:
    """What was read of the seals of one look."""

    characters: int = 0
    wrong: int = 0
    seals: int = 0
    whole: int = 0
    codes: int = 0
    whole_codes: int = 0
    slowest_s: float = 0.0
    failures: list[str] = field(default_factory=list)

    @property
    def arc_name_cer(self) -> float:
        """Wrong characters of the names over true ones; nan without seals."""
        return self.wrong / self.characters if self.characters else float("nan")

    def add(self, name: str, read: str) -> None:
        """Count one seal."""
        off = edits(name, read)
        self.seals += 1
        self.characters += len(name)
        self.wrong += min(off, len(name))
        self.whole += off == 0
        if off:
            self.failures.append(f"{name} {read}")


def measure_reading(specimens: Sequence[Specimen], reader: TextReader, *, fused: bool = False) -> Reading:
    """Read one impression of each seal, or all of them fused; a seal not found is read as nothing."""
    reading = Reading()
    for one in specimens:
        if not one.impressions:
            reading.add(one.seal.name, "")
            continue
        impression = _fused(one.impressions) if fused else one.impressions[0]
        start = time.process_time()
        text = read_text(impression, reader)
        reading.slowest_s = max(reading.slowest_s, time.process_time() - start)
        reading.add(one.seal.name, text.name.text if text.name else "")
        if one.code:
            reading.codes += 1
            reading.whole_codes += text.code is not None and text.code.text == one.code
    return reading


def _fused(impressions: Sequence[Impression]) -> Impression:
    """Return the largest group that proves to be of one seal, fused."""
    members = max(group_impressions(impressions), key=len)
    try:
        return fuse([impressions[index] for index in members])
    except ImpressionUnusable:
        return impressions[members[0]]


def reading_figures(seed: int, font: bytes, *, count: int = 12) -> dict[str, float]:
    """Return the error rates over so many freshly drawn seals of a look, and the slowest reading in CPU s."""
    reader = RapidReader()
    reader.read([np.full((48, 48), 255, np.uint8)])  # loading the model is not reading
    faces = fonts(font)
    figures: dict[str, float] = {}
    slowest = 0.0
    for key, look, copies in (
        ("arc_name_cer", "clean", 1),
        ("arc_name_cer_printed_over", "printed over", 1),
        ("arc_name_cer_faint", "faint", 1),
        ("arc_name_cer_weak_fused", "weak", 3),
    ):
        drawn = list(draw_specimens(LOOKS[look], seed=seed, count=count, faces=faces, copies=copies))
        reading = measure_reading(drawn, reader, fused=copies > 1)
        figures[key] = reading.arc_name_cer
        if key == "arc_name_cer":
            figures["seal_code_whole"] = reading.whole_codes / max(1, reading.codes)
        slowest = max(slowest, reading.slowest_s)
    return figures | {"seal_read_worst_s": slowest}


def main() -> None:
    """Print each look's figures and what was read wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=71101)
    parser.add_argument("--count", type=int, default=12, help="seals a look")
    parser.add_argument("--only", action="append", choices=list(LOOKS), help="this look; may be given again")
    parser.add_argument("--copies", type=int, default=1, help="impressions of each seal, fused if several")
    options = parser.parse_args()
    reader = RapidReader()
    reader.read([np.full((48, 48), 255, np.uint8)])
    faces = fonts(bytes(pymupdf.Font("cjk").buffer))
    print(f"seed {options.seed}, {options.count} seals a look, {options.copies} impression(s) of each")
    for name, look in LOOKS.items():
        if options.only and name not in options.only:
            continue
        drawn = list(
            draw_specimens(look, seed=options.seed, count=options.count, faces=faces, copies=options.copies)
        )
        reading = measure_reading(drawn, reader, fused=options.copies > 1)
        print(
            f"{name:14} CER {reading.arc_name_cer:.4f}  names whole {reading.whole}/{reading.seals}  "
            f"codes whole {reading.whole_codes}/{reading.codes}  slowest {reading.slowest_s:.2f} CPU s"
        )
        for failure in reading.failures:
            print(f"    {failure}")


if __name__ == "__main__":
    main()
