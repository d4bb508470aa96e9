"""The console in the browser: one FastAPI application over the services, for this machine only."""

from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from pipeline.failures import failures
from pipeline.web.archive import archive_routes
from pipeline.web.bids import bid_routes
from pipeline.web.comparing import compare_routes
from pipeline.web.desk import HERE, Desk, wants_json
from pipeline.web.guards import LoopbackGuard
from pipeline.web.openapi import with_plan_schema
from pipeline.web.plans import plan_routes
from pipeline.web.seals import seal_routes
from pipeline.web.staged import staged_routes
from pipeline.web.taking_back import taking_back_routes
from pipeline.wiring import App

MAX_COUNTED = 1_000


def create_app(sealine: App) -> FastAPI:
    """Return the console. Whoever serves it listens on the loopback address only: there are no accounts."""
    desk = Desk(sealine)
    app = FastAPI(
        title="Sealine",
        version=version("sealine"),
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.desk = desk
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")

    @app.get("/")
    def home(request: Request) -> Response:
        """Say what this is, and show the three doors."""
        seals = len(sealine.seals.list(actor=sealine.actor))
        archived = sealine.archive.find(limit=MAX_COUNTED, actor=sealine.actor)
        counts = {
            "seals": seals,
            "archived": len(archived),
            "packages": len({entry["package_id"] for entry in archived}),
            "more": len(archived) == MAX_COUNTED,
        }
        if wants_json(request):
            return JSONResponse(counts)
        return desk.page(request, "home.html", counts=counts, latest=archived[:5])

    app.include_router(compare_routes(desk))
    app.include_router(seal_routes(desk))
    app.include_router(staged_routes(desk))
    app.include_router(bid_routes(desk))
    app.include_router(plan_routes(desk))
    app.include_router(archive_routes(desk))
    app.include_router(taking_back_routes(desk))

    async def fault(request: Request, error: Exception) -> Response:
        return desk.fault(request, error)

    for kind, _ in failures():
        if issubclass(kind, Exception):
            app.add_exception_handler(kind, fault)
    app.add_exception_handler(HTTPException, fault)
    app.add_middleware(LoopbackGuard, desk=desk)
    describe = app.openapi
    app.openapi = lambda: with_plan_schema(describe())  # type: ignore[method-assign]
    desk.sweep_folders()
    return app
