"""The plan that stands on the screen to start from."""

import json
from collections.abc import Sequence

from storage.rows import SealRecord


def example_plan(seals: Sequence[SealRecord]) -> str:
    """Return a plan to start from, in the names of the seals that are there."""
    companies = [seal for seal in seals if seal.kind == "official"] or list(seals)
    people = [seal for seal in seals if seal.kind == "legal_representative"]
    if not companies:
        return "# 还没有印章：请先到“制章”做一枚，再回来写用印方案。\nversion: 1\nrules: []\n"
    seal, owner = (json.dumps(text, ensure_ascii=False) for text in (companies[-1].name, companies[-1].owner))
    lines = [
        "version: 1",
        "project: 某某工程施工招标",
        f"bidder: {owner}",
        "rules:",
        "  # 每处“（盖单位章）”都盖章",
        f"  - seal: {seal}",
        "    keyword: （盖单位章）",
        "  # 右侧骑缝章",
        f"  - seal: {seal}",
        "    paging: right",
    ]
    if people:
        name = json.dumps(people[-1].name, ensure_ascii=False)
        lines += [
            "  # 法定代表人名章：去掉行首的 # 即生效",
            f"  # - seal: {name}",
            "  #   keyword: （签字或盖章）",
        ]
    return "\n".join(lines) + "\n"
