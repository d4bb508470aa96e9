"""Who imports whom, and the other rules of the house that a reader relies on.

Every rule of house_rules.py is run over the product, where it must find nothing, and over a small bad
example, where it must find something: a rule that cannot fail holds nothing up.
"""

import re
import tomllib

import pytest

from tests.house_rules import (
    MAX_LINES,
    MAY_CATCH_ALL,
    REPOSITORY,
    ROOMS,
    SHARED_BY_STAGES,
    Module,
    bad_shapes,
    clock_readers,
    edges_importing_edges,
    foreign_imports,
    import_circles,
    read_modules,
    stages_importing_stages,
    undeclared_imports,
    weak_statements,
)


@pytest.fixture(scope="module")
def product() -> list[Module]:
    return read_modules()


def _lines(complaints: list[str]) -> str:
    """Return complaints as one text, which pytest shows whole."""
    return "\n".join(complaints)


@pytest.fixture(scope="module")
def declared() -> frozenset[str]:
    """Import names of what pyproject.toml declares as needed to run."""
    renamed = {
        "opencv_python_headless": "cv2",
        "pillow": "PIL",
        "python_pkcs11": "pkcs11",
        "pyyaml": "yaml",
        "python_multipart": "python_multipart",
    }
    # Parts of a declared package that carry a name of their own.
    belonging = {"pyhanko_certvalidator", "starlette", "urllib3", "certifi", "anyio"}
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    found = [re.split(r"[\[<>=~! ]", line)[0].lower().replace("-", "_") for line in project["dependencies"]]
    return frozenset({renamed.get(name, name) for name in found} | belonging)


def test_every_room_has_modules(product: list[Module]) -> None:
    assert {module.room for module in product} == set(ROOMS)


def test_each_room_imports_only_what_it_may(product: list[Module]) -> None:
    assert _lines(foreign_imports(product)) == ""


def test_the_tables_of_exceptions_name_what_exists(product: list[Module]) -> None:
    names = {module.name for module in product}
    assert {f"stages.{name}" for name in SHARED_BY_STAGES} | set(MAY_CATCH_ALL) <= names


def test_everything_imported_is_declared(product: list[Module], declared: frozenset[str]) -> None:
    assert _lines(undeclared_imports(product, declared)) == ""


def test_stages_stand_side_by_side(product: list[Module]) -> None:
    assert _lines(stages_importing_stages(product)) == ""


def test_the_edges_do_not_import_one_another(product: list[Module]) -> None:
    assert _lines(edges_importing_edges(product)) == ""


def test_no_imports_run_in_a_circle(product: list[Module]) -> None:
    assert _lines(import_circles(product)) == ""


def test_no_assert_print_or_blanket_except(product: list[Module]) -> None:
    assert _lines(weak_statements(product)) == ""


def test_stages_and_imaging_do_not_read_the_clock(product: list[Module]) -> None:
    assert _lines(clock_readers(product)) == ""


def test_files_are_short_and_say_what_they_are(product: list[Module]) -> None:
    assert _lines(bad_shapes(product)) == ""


# ---------------------------------------------------------------- the rules themselves


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("seal_imaging.x", "import pikepdf"),
        ("seal_imaging.x", "from pathlib import Path"),
        ("seal_imaging.x", "import stages"),
        ("stages.x", "def f():\n    import storage.objects"),
        ("stages.x", "from pipeline import keys"),
        ("stages.x", "import socket"),
        ("stages.x", "from urllib.request import urlopen"),
        ("stages.x", "import logging"),
        ("stages.pdf.x", "from ...pipeline import keys"),
        ("storage.x", "import stages"),
        ("storage.x", "from seal_imaging import units"),
        ("storage.x", "import pikepdf"),
    ],
)
def test_a_forbidden_import_is_seen(name: str, source: str) -> None:
    assert foreign_imports([Module(name, source)]) != []


def test_an_allowed_import_is_let_through() -> None:
    good = "import hashlib\nfrom pathlib import Path\nimport pikepdf\nfrom seal_imaging import units\n"
    assert foreign_imports([Module("stages.x", good)]) == []


def test_an_undeclared_import_is_seen() -> None:
    assert undeclared_imports([Module("pipeline.x", "import leftpad")], frozenset({"numpy"})) != []


@pytest.mark.parametrize("importer", ["stages.stamp", "stages.crypto.cms", "stages.documents"])
def test_a_stage_importing_a_stage_is_seen(importer: str) -> None:
    sign = Module("stages.sign", "")
    assert stages_importing_stages([sign, Module(importer, "from stages.sign import sign")]) != []
    assert stages_importing_stages([sign, Module(importer, "from stages.documents import Mark")]) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("pipeline.cli.bid", "from pipeline.web import app"),
        ("pipeline.web.app", "from pipeline.cli.show import write_json"),
        ("pipeline.actors", "import pipeline.cli.main"),
        ("pipeline.bids", "from pipeline.cli.show import write_note"),
    ],
)
def test_an_edge_importing_an_edge_is_seen(name: str, source: str) -> None:
    assert edges_importing_edges([Module(name, source)]) != []


def test_the_serve_command_may_start_the_console() -> None:
    assert (
        edges_importing_edges([Module("pipeline.cli.serve", "from pipeline.web.app import create_app")]) == []
    )


def test_a_circle_is_seen_and_a_type_only_import_is_none() -> None:
    first = Module("stages.a", "from stages import b")
    assert import_circles([first, Module("stages.b", "import stages.a")]) != []
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import stages.a\n"
    assert import_circles([first, Module("stages.b", typed)]) == []


@pytest.mark.parametrize(
    "source",
    [
        "assert True",
        "print(1)",
        "try: pass\nexcept: pass",
        "try: pass\nexcept Exception: pass",
        "try: pass\nexcept (OSError, BaseException): pass",
    ],
)
def test_a_weak_statement_is_seen(source: str) -> None:
    assert weak_statements([Module("pipeline.bids", source)]) != []


def test_only_the_edges_may_catch_everything() -> None:
    source = "try: pass\nexcept Exception: pass"
    assert weak_statements([Module("pipeline.cli.main", source), Module("pipeline.web.app", source)]) == []
    assert weak_statements([Module("pipeline.cli.bid", source)]) != []
    assert weak_statements([Module("pipeline.cli.bid", "try: pass\nexcept Exception: tidy(); raise")]) == []


@pytest.mark.parametrize(
    "call", ["datetime.now(UTC)", "datetime.datetime.utcnow()", "time.time()", "date.today()"]
)
def test_reading_the_clock_is_seen(call: str) -> None:
    assert clock_readers([Module("stages.x", f"x = {call}")]) != []
    assert clock_readers([Module("pipeline.x", f"x = {call}")]) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("stages.x", "x = 1"),
        ("stages.x", '"""Doc."""\n' + "x = 1\n" * MAX_LINES),
        ("stages.pdf_utils", '"""Doc."""'),
        ("stages.common.x", '"""Doc."""'),
        ("stages.x", '"""Doc."""\nclass SealManager: ...'),
    ],
)
def test_a_bad_shape_is_seen(name: str, source: str) -> None:
    assert bad_shapes([Module(name, source)]) != []
