"""The rules of the house that a parser can see: each a function from modules to complaints."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
ROOMS = ("seal_imaging", "stages", "storage", "pipeline")
MAX_LINES = 400

# What each room may import beside itself and the standard library. `pipeline` may import whatever
# pyproject.toml declares, so it has no row.
MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "seal_imaging": frozenset({"numpy", "cv2", "onnxruntime"}),
    "stages": frozenset(
        {"seal_imaging", "numpy", "cv2", "PIL", "pikepdf", "pymupdf", "pyhanko", "pyhanko_certvalidator"}
        | {"asn1crypto", "cryptography", "gmssl", "pydantic", "rarfile", "yaml", "opencc", "regex"}
    ),
    "storage": frozenset({"minio", "urllib3", "certifi", "sqlalchemy", "alembic"}),  # the two come with minio
}

_NETWORK = frozenset({"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "asyncio", "socketserver"})
_CLOCK = frozenset({"time"})
_LOGGING = frozenset({"logging", "warnings"})
_FILES = frozenset({"os", "io", "pathlib", "shutil", "tempfile", "subprocess", "multiprocessing", "glob"})
# What each room may not touch of the standard library: network, clock, log, files.
MAY_NOT_TOUCH: Mapping[str, frozenset[str]] = {
    "seal_imaging": _NETWORK | _CLOCK | _LOGGING | _FILES,
    "stages": _NETWORK | _CLOCK | _LOGGING,
    "storage": frozenset(),
    "pipeline": frozenset(),
}
NO_CLOCK_ROOMS = ("seal_imaging", "stages")

# Stages stand side by side at the top of `stages` and do not import one another. A module there is a stage
# unless it is listed here as something that stages stand on, which in turn may stand on no stage.
SHARED_BY_STAGES: Mapping[str, str] = {
    "documents": "the frozen type of each state",
    "verdict_types": "what verification answers, for verify, verdicts and whoever shows it",
    "errors": "what can go wrong",
    "authorities": "the Protocols of signers and time-stamping authorities",
    "policy": "which kind of document must be signed, timestamped, archived",
    "plan_rules": "the words a plan file may use",
    "pictures": "pixels in and out of files, within limits",
    "packages": "a folder or an archive as a list of files, within limits",
    "file_kinds": "what a file is by its bytes, for derive and packages",
    "refused_kinds": "what is said of kinds of files that become no PDF, for derive and packages",
    "outside": "a foreign program run within limits, for derive and packages",
    "scans": "a scan's pages as pixels, for ingest and extract",
    "seal_images": "seal images as PNG files that know their size, for extract and make",
    "extraction": "what was found in a scan, for extract and whoever shows it",
    "extraction_json": "what was found in a scan as JSON, for extract and whoever shows it",
    "reason_words": "a sentence for each reason against an impression",
    "seal_notes": "what speaks against a seal image, for extract and make",
    "sample_seals": "sample seals of the example form, for specimen_form",
    "seal_reading": "what a seal says and whose it should be, for extract",
    "seal_turns": "which way is up in a seal that is read, for extract",
    "beside_form": "which impressions are specimens where papers lie beside our form, for extract",
    "nothing_found": "why a scan gave no impression, for extract",
    "page_reading": "one page of a scan, its scale and its boxes, for extract",
    "impression_pool": "the impressions of a long scan in bounded memory, for extract",
    "verdicts": "what follows from a verdict, for verify, the pipeline and archive",
    "manifests": "the manifest's form, written and read by archive",
    "plan_words": "the values a plan's keys may take, for plan_rules",
    "plan_kinds": "what the rules of a plan have in common, for plan_rules",
    "plan_faults": "what is wrong with a plan in words, for plan_rules",
    "plan_yaml": "YAML as a plan may use it, for plan_rules",
    "plan_fields": "which form fields a rule means, for plan",
    "jitter": "seals set down as a hand would, for plan",
    "plan_schema": "the JSON schema of plans, for whoever publishes it",
    "dynamic_text": "text that says day and page, for plan_words, plan_rules and plan_texts",
    "plan_texts": "what stands in the text slots of a rule's seals, for plan",
    "anonymous": "files of an anonymous part of a bid, for plan",
    "plan_fit": "whether a plan fits its package, for whoever plans one",
    "plan_draft": "what one planning gathers, for plan",
    "plan_keywords": "where a plan's keywords stand, for plan",
    "plan_search": "all keywords of a plan looked for in a file, for plan",
    "page_text": "what a page says and where, for plan and whoever reads pages",
    "page_selection": "which pages a rule means, for plan_rules and plan",
    "paging": "a seal cut into strips, for plan",
    "sheet_sizes": "the sizes of paper, for paper and plan_pages",
    "plan_pages": "the pages as a plan takes them, for plan",
}

# The three edges do not import one another: each parses, makes one call, shows the result.
EDGES = ("pipeline.cli", "pipeline.web", "pipeline.actors")
EDGE_MAY_IMPORT: Mapping[tuple[str, str], str] = {
    ("pipeline.cli.serve", "pipeline.web"): "the command that starts the console",
}

# `except Exception` stands at the edges, or ends in a bare `raise` after tidying up; whoever else catches
# everything is listed with the reason.
CATCH_ALL = ("pipeline.cli.main", "pipeline.web", "pipeline.actors")
MAY_CATCH_ALL: Mapping[str, str] = {
    "stages.pdf.revisions": "pyHanko documents no closed set of errors for broken input",
}

BAD_NAMES = frozenset({"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"})


@dataclass(frozen=True)
class Module:
    """One module of the product: its dotted name and its text."""

    name: str
    source: str
    is_package: bool = False

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    def imports(self, *, only_when_loaded: bool = False) -> Iterator[tuple[int, str]]:
        """Yield line and dotted name of every import; `from a import b` yields both `a` and `a.b`."""
        nodes = _nodes_run_on_load(self.tree) if only_when_loaded else ast.walk(self.tree)
        for node in nodes:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                yield node.lineno, base
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        kept = parts[: len(parts) - node.level + (1 if self.is_package else 0)]
        return ".".join([*kept, *([node.module] if node.module else [])])


def _nodes_run_on_load(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when a module is loaded: no function bodies, nothing under TYPE_CHECKING."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _nodes_run_on_load(node)


def read_modules() -> list[Module]:
    """Return every module of the product."""
    modules = []
    for room in ROOMS:
        for path in sorted((REPOSITORY / room).rglob("*.py")):
            parts = path.relative_to(REPOSITORY).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            modules.append(Module(name, path.read_text("utf-8"), is_package))
    return modules


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


# ---------------------------------------------------------------- rules


def foreign_imports(modules: Iterable[Module]) -> list[str]:
    """Complain of imports that the room's row in MAY_IMPORT does not name."""
    complaints = []
    for module in modules:
        allowed = MAY_IMPORT.get(module.room)
        for line, name in module.imports():
            top = name.partition(".")[0]
            if top in MAY_NOT_TOUCH[module.room]:
                complaints.append(f"{module.name}:{line} {module.room} may not touch {top}")
            elif allowed is None or top == module.room or top in sys.stdlib_module_names:
                continue
            elif top not in allowed:
                complaints.append(f"{module.name}:{line} {module.room} may not import {top}")
    return complaints


def undeclared_imports(modules: Iterable[Module], declared: frozenset[str]) -> list[str]:
    """Complain of imports of packages that pyproject.toml does not declare."""
    known = declared | set(ROOMS) | sys.stdlib_module_names
    return [
        f"{module.name}:{line} {name} is not declared in pyproject.toml"
        for module in modules
        for line, name in module.imports()
        if name.partition(".")[0] not in known
    ]


def stages_importing_stages(modules: Iterable[Module]) -> list[str]:
    """Complain where a stage, or what stages stand on, imports a stage."""
    modules = [module for module in modules if module.room == "stages"]
    stages = {
        module.name
        for module in modules
        if module.name.count(".") == 1
        and not module.is_package
        and module.name.removeprefix("stages.") not in SHARED_BY_STAGES
    }
    return [
        f"{module.name}:{line} imports the stage {name}"
        for module in modules
        for line, name in module.imports()
        if name in stages and name != module.name
    ]


def edges_importing_edges(modules: Iterable[Module]) -> list[str]:
    """Complain where CLI, web and actors import one another, or the inside of pipeline imports CLI or web."""
    complaints = []
    for module in modules:
        own = next((edge for edge in EDGES if _is_in(module.name, edge)), None)
        for line, name in module.imports():
            target = next((edge for edge in EDGES if _is_in(name, edge)), None)
            if target is None or target == own or (module.name, target) in EDGE_MAY_IMPORT:
                continue
            if own is None and target == "pipeline.actors":  # whoever rings or answers the doorbell
                continue
            complaints.append(f"{module.name}:{line} imports {name}")
    return complaints


def import_circles(modules: Iterable[Module]) -> list[str]:
    """Complain of modules that need one another to be loaded."""
    modules = list(modules)
    names = {module.name for module in modules}
    graph: dict[str, set[str]] = {}
    for module in modules:
        wanted = {name for _, name in module.imports(only_when_loaded=True) if name in names}
        # `from a import b` where b is a module needs a.b; that it also passes through a is no circle.
        graph[module.name] = {
            name for name in wanted if not any(other.startswith(f"{name}.") for other in wanted)
        } - {module.name}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" ← ".join(error.args[1])]
    return []


def weak_statements(modules: Iterable[Module]) -> list[str]:
    """Complain of assert, print, bare except, and of catching everything away from the edges."""
    complaints = []
    for module in modules:
        for node in ast.walk(module.tree):
            where = f"{module.name}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Assert):
                complaints.append(f"{where} assert vanishes under python -O: raise an error of the room")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                complaints.append(f"{where} print")
            elif isinstance(node, ast.ExceptHandler):
                complaints += [f"{where} {fault}" for fault in _faults_of_handler(node, module.name)]
    return complaints


def _faults_of_handler(handler: ast.ExceptHandler, module_name: str) -> Iterator[str]:
    if handler.type is None:
        yield "bare except"
        return
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    caught = {kind.id for kind in kinds if isinstance(kind, ast.Name)}
    at_the_edge = any(_is_in(module_name, edge) for edge in CATCH_ALL) or module_name in MAY_CATCH_ALL
    last = handler.body[-1]
    passes_on = isinstance(last, ast.Raise) and last.exc is None
    if caught & {"Exception", "BaseException"} and not passes_on and not at_the_edge:
        yield "catches everything; only the edges may"


_CLOCK_CALLS = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|monotonic))$")


def clock_readers(modules: Iterable[Module]) -> list[str]:
    """Complain where a room that is handed the time reads the clock itself."""
    return [
        f"{module.name}:{node.lineno} reads the clock: {ast.unparse(node)}"
        for module in modules
        if module.room in NO_CLOCK_ROOMS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and _CLOCK_CALLS.search(ast.unparse(node))
    ]


def bad_shapes(modules: Iterable[Module]) -> list[str]:
    """Complain of files too long, files that do not say what they are, and names that say nothing."""
    complaints = []
    for module in modules:
        lines = module.source.count("\n")
        if lines > MAX_LINES:
            complaints.append(f"{module.name} has {lines} lines, over {MAX_LINES}: split it")
        if not ast.get_docstring(module.tree):
            complaints.append(f"{module.name} does not open with a sentence saying what it is")
        words = {word for part in module.name.split(".") for word in part.lower().split("_")}
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                words |= {word.lower() for word in re.findall(r"[A-Z][a-z]+", node.name)}
        complaints += [f"{module.name}: {word!r} says nothing" for word in sorted(words & BAD_NAMES)]
    return complaints
