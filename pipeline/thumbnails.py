"""The pages of a dry run as pictures in a folder, with a contact sheet that opens without a network."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from pipeline.dry_runs import DryRun, Thumbnail, Thumbnails, part_of
from pipeline.folders import make_folder
from pipeline.packages import LookedAt
from pipeline.page_pictures import PagePictures, PictureWish
from pipeline.progress import Progress

THUMBNAIL_SIDE_PX = 800
MAX_THUMBNAIL_SIDE_PX = 3000
MAX_THUMBNAILS = 5_000
"""Pages drawn in one dry run; the first of them, where there are more."""


@dataclass(frozen=True)
class ThumbnailWish:
    """Which pictures somebody wants.

    Attributes:
        folder: where they go; made when missing.
        all_pages: those without a mark, too.
    """

    folder: Path
    all_pages: bool = False
    side_px: int = THUMBNAIL_SIDE_PX


def draw_thumbnails(
    run: DryRun, wish: ThumbnailWish, pictures: PagePictures, progress: Progress
) -> Thumbnails:
    """Draw the pages of stamped files; one page that cannot be drawn does not stop the others.

    Raises:
        UsageRefused: the folder cannot be written to.
    """
    make_folder(wish.folder)
    wanted = list(_wanted(run, wish))
    left_out = max(0, len(wanted) - MAX_THUMBNAILS)
    wanted = wanted[:MAX_THUMBNAILS]
    for picture, _, _ in wanted:
        make_folder(picture.out.parent)
    progress.begin("画页 / drawing pages", len(wanted))
    drawn = []
    results = pictures.draw_all(picture for picture, _, _ in wanted)
    for (picture, error), (_, file, seals) in zip(results, wanted, strict=True):
        image = None if error else picture.out
        drawn.append(Thumbnail(file.source.name, picture.page_index + 1, image, seals, error))
        progress.step(f"{file.source.name} {picture.page_index + 1}")
    index = wish.folder / "index.html"
    index.write_text(_contact_sheet(run, drawn, wish.folder, left_out), encoding="utf-8")
    return Thumbnails(index, tuple(drawn), left_out)


def _wanted(run: DryRun, wish: ThumbnailWish) -> Iterator[tuple[PictureWish, LookedAt, tuple[str, ...]]]:
    for number, file in enumerate(run.files, start=1):
        path = run.stamped.get(file.source.name)
        if path is None or file.planned is None:
            continue
        seals: dict[int, dict[str, None]] = {}
        for mark in file.planned.marks:
            seals.setdefault(mark.page_index, {})[mark.seal] = None
        pages: Sequence[int] = sorted(seals)
        if wish.all_pages:
            pages = range(len(file.planned.inspected.pages))
        for page_index in pages:
            out = wish.folder / f"{number:03d}" / f"page-{page_index + 1:04d}.png"
            yield PictureWish(path, page_index, wish.side_px, out), file, tuple(seals.get(page_index, ()))


_STYLE = """
body{margin:0;padding:24px;background:#f4f1ec;color:#222}
body{font:14px/1.6 "Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
h1{font-size:20px}h2{font-size:16px;margin:28px 0 4px}p{margin:2px 0}.bad{color:#b3261e}.warn{color:#9a6400}
ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:14px}li{width:240px;text-align:center}
img{max-width:100%;max-height:340px;background:#fff;border:1px solid #cfc7bb}small{display:block;color:#666}
"""


def _contact_sheet(run: DryRun, drawn: Sequence[Thumbnail], folder: Path, left_out: int) -> str:
    by_file: dict[str, list[Thumbnail]] = {}
    for thumbnail in drawn:
        by_file.setdefault(thumbnail.file, []).append(thumbnail)
    title = f"预演：{len(run.files)} 个文件，{run.mark_count} 处用印"
    lines = [
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>",
        f'<p lang="en">Dry run: {len(run.files)} files, {run.mark_count} marks. No key was touched.</p>',
    ]
    if left_out:
        lines.append(f'<p class="warn">另有 {left_out} 页未画 / {left_out} more pages were not drawn</p>')
    for file in run.files:
        lines += _file_lines(run, file, by_file.get(file.source.name, ()), folder)
    return "\n".join([*lines, "</body></html>"]) + "\n"


def _file_lines(run: DryRun, file: LookedAt, thumbnails: Sequence[Thumbnail], folder: Path) -> Iterator[str]:
    part = part_of(run.rules, *file.source.names)
    marks = len(file.planned.marks) if file.planned else 0
    name = f"{part} · {file.source.name}" if part else file.source.name
    yield f"<h2>{escape(name)}</h2><p>{marks} 处 / marks</p>"
    if file.error is not None:
        yield f'<p class="bad">{escape(str(getattr(file.error, "zh", "") or file.error))}</p>'
    if file.planned is not None:
        yield from (f'<p class="warn">{escape(warning)}</p>' for warning in file.planned.warnings)
    if thumbnails:
        yield "<ul>"
        for shown in thumbnails:
            yield _page_line(shown, folder)
        yield "</ul>"


def _page_line(shown: Thumbnail, folder: Path) -> str:
    caption = f"{shown.page_number} · {escape('、'.join(shown.seals))}"
    if shown.image is None:
        why = escape(shown.error.zh if shown.error else "")
        return f'<li><p class="bad">{why}</p><small>{caption}</small></li>'
    source = shown.image.relative_to(folder).as_posix()
    return (
        f'<li><a href="{source}"><img src="{source}" loading="lazy" alt="第 {shown.page_number} 页"></a>'
        f"<small>{caption}</small></li>"
    )


def thumbnails_json(thumbnails: Thumbnails) -> Mapping[str, Any]:
    """Return what was drawn."""
    return {
        "index": str(thumbnails.index),
        "left_out": thumbnails.left_out,
        "pages": [
            {
                "file": shown.file,
                "page": shown.page_number,
                "image": str(shown.image) if shown.image else None,
                "seals": list(shown.seals),
                "error": str(shown.error) if shown.error else None,
            }
            for shown in thumbnails.pages
        ],
    }
