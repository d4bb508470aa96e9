"""Everything pre-flight can say is said of some file in a test, and stays on one line."""

from stages.pdf.sayings import SAYINGS, page_numbers, printable, some_names
from tests.stages.pdf.test_content import CASES

ELSEWHERE = {
    # tests of stages/derive.py
    *("office-converted", "picture-converted", "picture-without-size", "fonts-replaced", "macros-not-run"),
    *("tracked-changes", "many-printed-pages"),
    # tests of stages/pdf/mending.py and pipeline/preflight.py
    *("repaired", "decrypted", "objects-missing", "repair-looks-different", "repair-not-compared"),
    *("mendable", "not-mendable", "anonymous-part", "anonymous-name", "anonymous-unread"),
    # tests of inspection and stamping
    *("existing-signatures", "certified-no-changes", "form-locked", "page-shared", "hybrid-xref"),
    *("earlier-revisions", "signed-revisions"),
}


def test_every_saying_has_its_test() -> None:
    cases = {code for code, _, _ in CASES}
    assert cases | ELSEWHERE == set(SAYINGS)
    assert not cases & ELSEWHERE


def test_pages_and_names_are_shown_short() -> None:
    assert page_numbers([0, 1, 2, 6, 8, 9]) == "1-3, 7, 9-10"
    assert page_numbers([0, 0, 1]) == "1-2"
    assert page_numbers(range(0, 40, 2)) == "1, 3, 5, 7, 9, 11, 13, 15 …"
    assert some_names([str(n) for n in range(9)]).endswith("7 …")
    assert printable("a\n\x00b\t" + "长" * 80) == "a b " + "长" * 56 + "…"
