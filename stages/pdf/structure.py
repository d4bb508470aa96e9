"""The tree of a PDF's pages, walked as it stands in the file.

`pikepdf.Pdf.pages` is not used: it repairs the tree in memory, and an increment must fit the file.
"""

from collections.abc import Iterator

import pikepdf

from stages.errors import Damaged, InputRefused

MAX_TREE_DEPTH = 64
MAX_PAGES = 5000
INHERITED = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")
"""What a page takes from the nodes above it (ISO 32000-2 Table 31)."""


def _broken(what: str, zh: str) -> Damaged:
    return Damaged(
        f"the page tree is damaged ({what}); export the PDF again, or have a sound copy made (--repair)",
        zh=f"页面树损坏（{zh}），请重新导出 PDF，或使用 --repair 修复",
    )


def walk_pages(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """Yield every page's dictionary in order.

    Raises:
        InputRefused: more than MAX_PAGES.
        Damaged: deeper than MAX_TREE_DEPTH, a loop, or a page that is no indirect dictionary.
    """
    root = pdf.Root.Pages
    if not isinstance(root, pikepdf.Dictionary) or "/Kids" not in root:
        raise _broken("its root has no /Kids", "根节点没有 /Kids")
    for number, page in enumerate(_walk(root, 0, set()), start=1):
        if number > MAX_PAGES:
            raise InputRefused(
                f"more than {MAX_PAGES} pages; split the file", zh=f"超过 {MAX_PAGES} 页，请拆分文件"
            )
        yield page


def _walk(node: pikepdf.Object, depth: int, seen: set[tuple[int, int]]) -> Iterator[pikepdf.Object]:
    if depth > MAX_TREE_DEPTH:
        raise _broken(f"deeper than {MAX_TREE_DEPTH}", f"超过 {MAX_TREE_DEPTH} 层")
    if not isinstance(node, pikepdf.Dictionary):
        raise _broken("a page is missing", "缺少页面")
    kids = node.get("/Kids")
    if kids is None:
        if not node.is_indirect:
            raise _broken("a page is no object of its own", "页面不是独立对象")
        yield node
        return
    if not isinstance(kids, pikepdf.Array):
        raise _broken("/Kids is no array", "/Kids 不是数组")
    if node.is_indirect:
        if node.objgen in seen:  # also a node in two places: it could make the tree grow without end
            raise _broken("it loops", "存在循环")
        seen.add(node.objgen)
    for kid in kids:
        yield from _walk(kid, depth + 1, seen)


def page_at(pdf: pikepdf.Pdf, page_index: int) -> pikepdf.Object:
    """Return one page's dictionary; page_index counts from 0.

    Raises:
        InputRefused: the file has no such page, or see walk_pages.
    """
    for index, page in enumerate(walk_pages(pdf)):
        if index == page_index:
            return page
    raise InputRefused(f"there is no page {page_index + 1}", zh=f"没有第 {page_index + 1} 页")


def inherited(page: pikepdf.Object, key: str) -> object | None:
    """Return a page's own or inherited value; None when no node above has it.

    Raises:
        Damaged: the chain of /Parent loops or is deeper than MAX_TREE_DEPTH.
    """
    node: pikepdf.Object | None = page
    for _ in range(MAX_TREE_DEPTH + 1):
        if not isinstance(node, pikepdf.Dictionary):
            return None
        value: object | None = node.get(key)
        if value is not None:
            return value
        node = node.get("/Parent")
    raise _broken(f"deeper than {MAX_TREE_DEPTH}", f"超过 {MAX_TREE_DEPTH} 层")
