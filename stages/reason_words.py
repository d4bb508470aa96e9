"""The one table that says, of each reason against an impression, what is wrong and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from seal_imaging import Reason


@dataclass(frozen=True)
class ReasonWords:
    """One sentence in each language."""

    zh: str
    en: str


_R = Reason
WORDS: Mapping[Reason, ReasonWords] = MappingProxyType(
    {
        _R.OTHER_TEXT: ReasonWords(
            "印迹上压有其他文字或线条，请在空白处重新加盖。",
            "Print or writing lies over the seal; stamp it again on clear paper.",
        ),
        _R.FAINT: ReasonWords(
            "印油不足、印迹偏淡，请蘸足印油后重新加盖。",
            "Too little ink: the strokes are pale; ink the seal well and stamp again.",
        ),
        _R.DOUBLE_STRIKE: ReasonWords(
            "印迹有重影，请一次压实、不要移动，重新加盖。",
            "A second strike shows beside the first; press once without moving, and stamp again.",
        ),
        _R.INCOMPLETE: ReasonWords(
            "印迹不完整（缺边或被裁切），请压匀后重新加盖，并完整扫描。",
            "Part of the seal is missing or cut off; press evenly, stamp again and scan the whole sheet.",
        ),
        _R.FEWER_THAN_THREE: ReasonWords(
            "同一枚印章的印模少于三枚，请补盖至三枚后重新扫描。",
            "Fewer than three impressions of this seal; stamp the missing ones and scan again.",
        ),
        _R.TILTED: ReasonWords(
            "印章盖得倾斜，已自动转正；如需原样，请端正后重新加盖。",
            "The seal was stamped askew and is turned upright here; stamp it straight if that matters.",
        ),
        _R.GLARE: ReasonWords(
            "印迹处有反光或阴影，请避开灯光直射重新拍摄，或改用扫描仪。",
            "Glare or shadow hides part of the seal; photograph it in even light, or use a scanner.",
        ),
        _R.COLOUR: ReasonWords(
            "印油颜色与纸上印刷相近，难以分开；请用红色或蓝色印油重新加盖。",
            "The ink is as dark as print and cannot be told from it safely; stamp in red or blue ink.",
        ),
        _R.SCALE_UNKNOWN: ReasonWords(
            "不知道真实尺寸：请用带定位标记的采集表，或填写扫描分辨率或印章实物宽度。",
            "The true size is not known; use our form, or state the resolution or the seal's measured width.",
        ),
        _R.GREY_COPY: ReasonWords(
            "这是黑白复印件或灰度扫描，请用盖章原件、彩色模式重新扫描。",
            "A photocopy or a grey scan; scan the stamped original in colour.",
        ),
        _R.NAME_MISMATCH: ReasonWords(
            "印章上的名称或代码与申请资料不一致，请核对后重新提交。",
            "The name or code on the seal differs from the application; check both and submit again.",
        ),
        _R.FORM_MISMATCH: ReasonWords(
            "印模与采集表不符（盖错栏目、盖在框外，或不是本订单的表），请在正确的表和方框内重新加盖。",
            "The impression does not fit its form: wrong row, outside the boxes, or another order's form; "
            "stamp it in its box on the right form.",
        ),
        _R.FORMAT_SIZE: ReasonWords(
            "印章尺寸或图像规格不合要求，请核对扫描分辨率和印章实物尺寸。",
            "The seal's size or the picture is out of range; check the resolution and the real seal.",
        ),
        _R.SMEARED: ReasonWords(
            "印油过多或拖动，笔画洇开粘连，请减少印油后重新加盖。",
            "Too much ink or a smear: strokes run together; use less ink and stamp again.",
        ),
    }
)
