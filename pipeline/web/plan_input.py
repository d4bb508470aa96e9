"""The plan in a request: YAML or JSON as text, a file, plain data, or a preset's name."""

from collections.abc import Mapping
from typing import Any

from pipeline.errors import UsageRefused
from pipeline.permissions import Actor
from pipeline.plans import Plans, plan_of_data, read_plan
from pipeline.web.uploads import ReceivedForm


def plan_of_form(form: ReceivedForm, plans: Plans, *, actor: Actor) -> bytes:
    """Return the plan that a form gives: the file in `plan_file`, else the text in `plan`, else `preset`.

    Raises:
        UsageRefused: it gives none.
        PlanRefused, NotFound: the file cannot be read; there is no such preset.
    """
    if "plan_file" in form.files:
        return read_plan(form.files["plan_file"])
    if form.text("plan"):
        return (form.text("plan").replace("\r\n", "\n") + "\n").encode()
    if form.text("preset"):
        return plans.show(form.text("preset"), actor=actor).plan
    raise _no_plan()


def plan_of_json(document: Mapping[str, Any], plans: Plans, *, actor: Actor) -> bytes:
    """Return the plan that JSON gives: `plan` as data or as YAML text, else the name in `preset`.

    Raises:
        UsageRefused: it gives none.
        PlanRefused, NotFound: the data is no plan; there is no such preset.
    """
    plan, preset = document.get("plan"), document.get("preset")
    if isinstance(plan, str):
        return plan.encode(errors="replace")
    if plan is not None:
        return plan_of_data(plan)
    if isinstance(preset, str):
        return plans.show(preset, actor=actor).plan
    raise _no_plan()


def _no_plan() -> UsageRefused:
    return UsageRefused(
        "no plan was given; send `plan` (YAML, JSON or data), `plan_file` or the name of a `preset`",
        zh="没有用印方案，请填写方案，或选择方案文件或已保存的方案",
    )
