"""The screens of kept plans, and plans as data for programs."""

from typing import Any

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from pipeline.documents_json import preset_json
from pipeline.errors import UsageRefused
from pipeline.plans import PlanPreset
from pipeline.web.desk import Desk, wants_json
from pipeline.web.openapi import PLAN_BODY, PRESET_BODY
from pipeline.web.plan_input import plan_of_form, plan_of_json
from pipeline.web.uploads import is_json, receive_form, receive_json
from stages.plan_rules import parse_plan
from stages.plan_schema import plan_schema

MAX_PLAN_FORM_BYTES = 512 * 1024


def plan_routes(desk: Desk) -> APIRouter:
    """Return the routes of plans."""
    sealine = desk.sealine
    router = APIRouter(prefix="/plans", tags=["plans"])

    @router.get("")
    def plans(request: Request) -> Response:
        """List the presets: saved ones, then those that come with the program."""
        presets = sealine.plans.list(actor=sealine.actor)
        if wants_json(request):
            return JSONResponse({"presets": [preset_json(preset) for preset in presets]})
        return desk.page(request, "plans.html", presets=presets)

    @router.get("/schema")
    def schema() -> Response:
        """Return the JSON schema of plans."""
        return JSONResponse(plan_schema(), media_type="application/schema+json")

    @router.post("/check", openapi_extra=PLAN_BODY)
    async def check(request: Request) -> Response:
        """Say of a plan what it means as data, or what is wrong with it; nothing is kept."""
        plan, _ = await _given(desk, request)
        return JSONResponse(await anyio.to_thread.run_sync(_plan_json, plan))

    @router.post("", openapi_extra=PRESET_BODY)
    async def save(request: Request) -> Response:
        """Keep a plan under a name; the name's earlier versions stay."""
        plan, name = await _given(desk, request)
        preset = await anyio.to_thread.run_sync(lambda: sealine.plans.save(name, plan, actor=sealine.actor))
        if wants_json(request):
            return JSONResponse(preset_json(preset))
        return desk.page(request, "_preset_saved.html", preset=preset)

    @router.get("/{name}")
    def show(request: Request, name: str, version: int | None = None) -> Response:
        """Return a preset with its plan as YAML text and as data, and its versions."""
        preset = sealine.plans.show(name, actor=sealine.actor, version=version)
        versions = sealine.plans.versions(name, actor=sealine.actor)
        if wants_json(request):
            return JSONResponse(_preset_document(preset, [one.version for one in versions]))
        return desk.page(request, "plan.html", preset=preset, versions=versions)

    @router.delete("/{name}")
    def delete(name: str) -> Response:
        """Take a preset out of use; what was signed by it stays as it is."""
        sealine.plans.remove(name, actor=sealine.actor)
        return JSONResponse({"name": name})

    @router.post("/{name}/remove", include_in_schema=False)
    def remove(request: Request, name: str) -> Response:
        """Take a preset out of use, from the screen."""
        sealine.plans.remove(name, actor=sealine.actor)
        return desk.go(request, "/plans")

    return router


async def _given(desk: Desk, request: Request) -> tuple[bytes, str]:
    """Return the plan and the name in a request."""
    sealine = desk.sealine
    if is_json(request):
        document = await receive_json(request)
        name = document.get("name", "")
        if not isinstance(name, str):
            raise UsageRefused("name is no text; send a text", zh="name 须为文本")
        return plan_of_json(document, sealine.plans, actor=sealine.actor), name
    form = await receive_form(request, None, max_bytes=MAX_PLAN_FORM_BYTES)
    return plan_of_form(form, sealine.plans, actor=sealine.actor), form.text("name")


def _plan_json(plan: bytes) -> dict[str, Any]:
    rules = parse_plan(plan)
    return {
        "plan": rules.model_dump(mode="json", by_alias=True, exclude_unset=True),
        "seals": list(rules.seals),
    }


def _preset_document(preset: PlanPreset, versions: list[int]) -> dict[str, Any]:
    text = preset.plan.decode("utf-8-sig")
    return {**preset_json(preset), "plan": text, "versions": versions}
