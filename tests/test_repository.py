"""What stands around the code says what the code does: lock, licences, tables, compose file, documents."""

import ast
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from pipeline.cli.main import app
from pipeline.failures import UNEXPECTED, ExitCode, failures
from pipeline.settings import Settings
from stages.pdf.sayings import SAYINGS
from stages.plan_schema import plan_schema

REPOSITORY = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements.runtime.lock")
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def _text(name: str) -> str:
    return (REPOSITORY / name).read_text("utf-8")


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads(_text("pyproject.toml"))["project"]
    return project


def _declared() -> list[str]:
    project = _project()
    lines = [
        *project["dependencies"],
        *(x for extra in project["optional-dependencies"].values() for x in extra),
    ]
    return [re.split(r"[\[<>=~! ]", line)[0].lower() for line in lines]


def _table(text: str, heading: str) -> Iterator[list[str]]:
    """Yield the rows of the first table whose heading row begins with `heading`."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(heading):
            next(lines)
            break
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


# ---------------------------------------------------------------- lock


def entries_without_hash(lock: str) -> list[str]:
    """Return the entries that do not end in at least one SHA-256."""
    entries = re.split(r"\n(?=\S)", lock.strip())
    return [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_is_pinned_and_hashed(name: str) -> None:
    lock = _text(name)
    assert len(_PIN.findall(lock)) > 40
    assert entries_without_hash(lock) == []
    assert all("==" in entry.split()[0] for entry in re.split(r"\n(?=\S)", lock.strip()))


def test_a_lock_entry_without_a_hash_is_seen() -> None:
    assert entries_without_hash("a==1 \\\n    --hash=sha256:00\nb==2\n") == ["b==2"]


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_names_no_host(name: str) -> None:
    assert re.findall(r"://|--index-url|--find-links|@ ", _text(name)) == []


def test_the_runtime_lock_is_part_of_the_whole_one() -> None:
    whole, runtime = (dict(_PIN.findall(_text(name))) for name in LOCKS)
    assert runtime.items() <= whole.items()
    assert not {"pytest", "playwright", "mypy", "ruff"} & set(runtime)


def test_everything_declared_is_locked() -> None:
    assert set(_declared()) <= set(dict(_PIN.findall(_text("requirements.lock"))))


# ---------------------------------------------------------------- README, CHANGELOG, licence


def test_every_dependency_is_explained_with_its_locked_version() -> None:
    locked = dict(_PIN.findall(_text("requirements.lock")))
    rows = list(_table(_text("README.md"), "| name | version | licence |"))
    assert [(name, version) for name, version, _, _ in rows] == [(name, locked[name]) for name in _declared()]
    assert all(licence and why for _, _, licence, why in rows)


def test_the_first_screen_of_the_readme_gives_both_commands() -> None:
    first_screen = "\n".join(_text("README.md").splitlines()[:16])
    assert "make demo" in first_screen
    assert "make test" in first_screen


def test_links_of_the_documents_lead_somewhere() -> None:
    dead = []
    for path in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
            if not (path.parent / target).exists():
                dead.append(f"{path.name} → {target}")
    assert dead == []


def test_the_changelog_tells_of_this_version() -> None:
    assert f"## [{_project()['version']}]" in _text("CHANGELOG.md")


def test_the_licence_is_the_agpl_in_full() -> None:
    licence = _text("LICENSE")
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in licence
    assert "13. Remote Network Interaction" in licence
    assert _project()["license"] == "AGPL-3.0-or-later"


# ---------------------------------------------------------------- contracts


def test_both_readme_and_operations_list_every_exit_code() -> None:
    expected = [(str(int(code)), f"`{code.name}`") for code in ExitCode]
    readme = [(row[0], row[1]) for row in _table(_text("README.md"), "| 码 |")]
    operations = [(row[0], row[1]) for row in _table(_text("docs/operations.md"), "| code |")]
    assert readme == expected
    assert operations == expected


def test_the_failure_table_says_what_the_code_does() -> None:
    decisions = {failure.exit_code.name: (failure.http_status, failure.retry) for _, failure in failures()}
    decisions[UNEXPECTED.exit_code.name] = (UNEXPECTED.http_status, UNEXPECTED.retry)
    for _, name, _, http, retry in _table(_text("docs/operations.md"), "| code |"):
        name = name.strip("`")
        if name in ("OK", "PARTLY_REFUSED", "INTERRUPTED"):  # no error of the web's
            continue
        assert (int(http), retry == "**yes**") == decisions[name], name


def test_no_failure_is_both_retried_and_not() -> None:
    retried = {failure.exit_code for _, failure in failures() if failure.retry}
    assert not retried & {failure.exit_code for _, failure in failures() if not failure.retry}


def test_the_published_schema_of_plans_is_what_the_code_makes() -> None:
    assert json.loads(_text("docs/plan.schema.json")) == plan_schema(), (
        "write it anew: sealine plan schema > docs/plan.schema.json; "
        "each key needs a word in stages/plan_schema.py"
    )


def test_every_setting_is_documented_and_no_other() -> None:
    rows = _table(_text("docs/settings.md"), "| key | option |")
    documented = [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(documented) == sorted(Settings.model_fields)


def keys_written(source: str) -> set[str]:
    """Return the string keys of every dict display of a source."""
    return {
        key.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


def _functions(path: str, *names: str) -> str:
    tree = ast.parse(_text(path))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in names]
    assert {node.name for node in found} == set(names), f"{path}: gone: {names}"
    return "\n".join(ast.unparse(node) for node in found)


def test_every_finding_of_pre_flight_is_documented_with_its_severity() -> None:
    rows = list(_table(_text("docs/preflight.md"), "| 代码 code |"))
    documented = [(row[0].strip("`"), row[1]) for row in rows]
    assert documented == [(code, str(severity)) for code, (severity, _, _) in SAYINGS.items()]


def test_every_field_of_json_is_documented() -> None:
    sources = [
        _text("pipeline/documents_json.py"),
        _text("pipeline/dry_runs.py"),
        _functions("pipeline/preflight.py", "checked_json", "_sizes"),
        _functions("pipeline/thumbnails.py", "thumbnails_json"),
        _text("pipeline/verifying.py"),
        _functions("pipeline/failures.py", "error_json"),
        _functions("pipeline/archive_service.py", "_found_json", "_objects", "_void_objects", "verify"),
        _functions("stages/void.py", "void_verdict_json"),
        _functions("stages/verdicts.py", "verdict_json", "signature_json", "cause_json"),
        _text("stages/extraction_json.py"),
        _functions("stages/archive.py", "verify_archive"),
        _functions("pipeline/tryout/demo.py", "_make_seal", "_sign", "_verified", "_retrieve"),
        _functions("pipeline/cli/pki.py", "init"),
        _functions("pipeline/cli/plan.py", "list_", "show", "remove", "example"),
        _functions("pipeline/cli/seal_check.py", "checked_json"),
        _functions("pipeline/cli/bid.py", "plan", "show_results"),
        _functions("pipeline/cli/check.py", "check"),
    ]
    documented = set(re.findall(r"`(\w+)(?:\[\])?`", _text("docs/json.md")))
    written = set().union(*(keys_written(source) for source in sources))
    assert len(written) > 60
    assert written - documented == set()


def test_a_field_nobody_documented_is_seen() -> None:
    assert keys_written("x = {'file': 1, **{'secret_field': 2}}") == {"file", "secret_field"}


def _commands(group: Any, before: tuple[str, ...] = ()) -> dict[tuple[str, ...], set[str]]:
    """Return the options of every command of a click group by its words."""
    found: dict[tuple[str, ...], set[str]] = {}
    for name, command in group.commands.items():
        words = (*before, name)
        if hasattr(command, "commands"):
            found |= _commands(command, words)
        else:
            found[words] = {option for parameter in command.params for option in parameter.opts}
    return found


@pytest.fixture(scope="module")
def commands() -> dict[tuple[str, ...], set[str]]:
    return _commands(typer.main.get_command(app))


def _shown_commands() -> list[list[str]]:
    pages = [_text("README.md"), _text("docs/settings.md"), _text("docs/operations.md")]
    blocks = [block for page in pages for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)]
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("sealine ")]
    return [shlex.split(line.partition("<")[0], comments=True)[1:] for line in lines]


def test_every_command_shown_exists_with_its_options(commands: dict[tuple[str, ...], set[str]]) -> None:
    shown = _shown_commands()
    assert len(shown) > 14
    for words in shown:
        name = tuple(words[:2]) if tuple(words[:2]) in commands else tuple(words[:1])
        assert name in commands, words
        options = {word for word in words if word.startswith("-")}
        assert options <= commands[name], words


def test_the_readme_shows_every_command(commands: dict[tuple[str, ...], set[str]]) -> None:
    shown = {tuple(words[:length]) for words in _shown_commands() for length in (1, 2)}
    assert set(commands) - shown == {("demo",)}  # `make demo` is on the first screen


def test_every_command_that_ends_by_itself_gives_json(commands: dict[tuple[str, ...], set[str]]) -> None:
    without = {" ".join(words) for words, options in commands.items() if "--json" not in options}
    assert without == {"serve", "worker", "tsa serve"}


# ---------------------------------------------------------------- image and compose file


def test_the_compose_file_pins_what_it_runs() -> None:
    compose = yaml.safe_load(_text("docker-compose.yml"))
    images = {name: service["image"] for name, service in compose["services"].items()}
    assert images.keys() >= {"worker", "console", "postgres", "rabbitmq", "s3"}
    for name, image in images.items():
        tag = image.partition("@")[0].rpartition(":")[2]
        assert re.search(r"\d+\.\d+", tag) or re.search(r"\d{4}-\d\d-\d\d", tag), f"{name}: {image}"
    assert images["worker"] == f"sealine:{_project()['version']}"


def test_no_port_of_the_compose_file_is_open_to_other_machines() -> None:
    services = yaml.safe_load(_text("docker-compose.yml"))["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert services["console"]["network_mode"] == "host"


def test_the_compose_file_sets_only_settings_that_exist() -> None:
    text = _text("docker-compose.yml")
    named = set(re.findall(r"^\s+SEALINE_(\w+):", text, re.MULTILINE))
    assert named
    assert {name.lower() for name in named} <= set(Settings.model_fields)
    needed = set(re.findall(r"\$\{(\w+)", text))
    assert needed == set(re.findall(r"^(\w+)=", _text(".env.example"), re.MULTILINE))


def test_rabbitmq_holds_a_message_for_a_day() -> None:
    content = yaml.safe_load(_text("docker-compose.yml"))["configs"]["rabbitmq"]["content"]
    assert content.strip() == f"consumer_timeout = {24 * 3600 * 1000}"


def test_the_image_is_pinned_installs_by_hash_and_does_not_run_as_root() -> None:
    dockerfile = _text("Dockerfile")
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert bases
    assert all(re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", base) for base in bases)
    for line in re.findall(r"pip install (.*?)(?:\s\\|$)", dockerfile, re.MULTILINE):
        assert "--no-deps" in line
        assert "--require-hashes" in line or "--no-build-isolation" in line
    assert re.findall(r"^USER (.*)", dockerfile, re.MULTILINE) == ["10001:10001"]
    assert f'version="{_project()["version"]}"' in dockerfile


@pytest.mark.parametrize("target", ["demo", "test", "lint", "bench"])
def test_every_make_target_sets_itself_up(target: str) -> None:
    assert re.search(rf"^{target}: setup$", _text("Makefile"), re.MULTILINE)


def test_ci_lints_and_tests_and_lists_its_packages_once() -> None:
    run = _text(".ci/run")
    assert run.index("make lint") < run.index("make test")
    assert "set -euo pipefail" in run
    packages = _text(".ci/packages").split()
    assert len(packages) == len(set(packages))
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", package) for package in packages)
