"""The process that looks into the pages of a file, so that a page that never ends harms nobody.

    python -m pipeline.page_child

It answers requests on stdin with lines on stdout, all JSON (`pipeline.page_texts` asks), and ends when
stdin does.
"""

import json
import resource
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from seal_imaging import PrintedPageReader, ReaderUnavailable
from stages.errors import InputRefused, PlacementRefused, PlanRefused, StagesError
from stages.page_text import PageText
from stages.pdf.keywords import Keyword
from stages.pdf.nearest import NearText, nearest_in_file
from stages.pdf.page_pictures import read_picture
from stages.pdf.text import TextSearch, search_text

MAX_MEMORY_BYTES = 4 << 30
"""Of address space; models, fonts and the file's map are in it."""
REFUSALS: Mapping[str, type[StagesError]] = {
    kind.__name__: kind for kind in (InputRefused, PlacementRefused, PlanRefused)
}
SEARCH = TypeAdapter(TextSearch)
PAGE = TypeAdapter(PageText)
NEAR = TypeAdapter(tuple[NearText, ...])


def main() -> None:
    """Answer requests until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            _say({"answer": _answer(request)})
        except StagesError as error:
            _say({"refused": type(error).__name__, "message": str(error), "zh": error.zh})
        except ReaderUnavailable as error:
            _say({"unavailable": str(error)})
        except MemoryError:
            text, zh = "its pages take too much memory; export the PDF again", "页面占用内存过多，请重新导出"
            _say({"refused": InputRefused.__name__, "message": text, "zh": zh})


def _answer(request: Mapping[str, Any]) -> Any:
    path = Path(request["path"])
    match request["act"]:
        case "search":
            keywords = [Keyword(text, simplified) for text, simplified in request["keywords"]]
            found = search_text(
                path,
                keywords,
                request["pages"],
                annotations=request["annotations"],
                on_page=lambda page_index: _say({"page": page_index}),
            )
            return SEARCH.dump_python(found, mode="json")
        case "nearest":
            near = nearest_in_file(path, request["keyword"], request["pages"])
            return NEAR.dump_python(near, mode="json")
        case _:
            return PAGE.dump_python(read_picture(path, request["page"], _reader()), mode="json")


@cache
def _reader() -> PrintedPageReader:
    return PrintedPageReader(threads=1)


def _say(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
