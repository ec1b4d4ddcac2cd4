"""The one way to run a service: `python -m services.<name> MODE`."""
import asyncio
import faulthandler
import gc
import os
import signal
import socket
import sys
import uvicorn
import uvloop
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from libs.eventkit import db, direct, http, obs, problems, settings, status
from libs.eventkit.service import App, Service

STUCK, BEAT, LOOK = 30.0, 5.0, 30.0  # seconds: without a turn of the loop; between its signs of life; between looks at the generation
MODES = ("api", "worker", "relay", "all")
def web(app: App) -> FastAPI:
    """The service's HTTP application, health included. Raises RuntimeError for a route without a permission."""
    found = FastAPI(title=f"Lifang {app.service.name}", version="1", openapi_url="/openapi.json", docs_url=None, redoc_url=None,
                    generate_unique_id_function=lambda route: route.name, exception_handlers=problems.HANDLERS, redirect_slashes=False,
                    telemetry={"tracing": False, "metrics": False, "logs": False})  # it would tell of what was in refused bodies
    found.state.app, found.state.verifier, _ = app, app.verifier, app.blind  # whoever answers needs its key: without it ends the start
    found.include_router(app.service.routes(app))
    found.include_router(status.routes(app))
    http.refuse_unguarded(found)
    within = app.service.within(app, direct.Direct(vars(found.build_middleware_stack())["app"], iter_route_contexts(found.routes)))
    found.middleware_stack = app.service.around(http.Edge(within, app.service.name, lambda: app.opened, app.service.raw_routes))
    return found
def run(service: Service) -> None:
    """Reads the mode from the command line. Ends with 0 after SIGTERM, within its grace."""
    mode, told = (sys.argv[1:] or ["all"])[0], settings.settings_for(service.name)
    obs.configure(service.name)
    if mode not in MODES:
        sys.exit(f"no mode {mode}: {' | '.join(MODES)}")
    gc.freeze()  # what is loaded stays
    gc.set_threshold(20_000, 10, 10)  # and a batch is gone before a collection would look at it
    uvloop.run(serve(App(service, told), mode))
class _Server(uvicorn.Server):
    """Sleeps until a signal tells it to end; uvicorn itself wakes ten times a second to look, and to know the date. Then it serves on for
    LIFANG_LEAVES seconds, while callers are led elsewhere, and tells whoever keeps a connection to go."""
    async def main_loop(self) -> None:
        told = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
        if not self.should_exit:
            await told.wait()
        self.server_state.default_headers = [(b"connection", b"close")]
        await asyncio.sleep(float(os.environ.get("LIFANG_LEAVES", "0")))
async def serve(app: App, mode: str) -> None:
    """Answers HTTP (health at least) from the first moment; opens the database whenever that comes up."""
    async def work() -> None:
        await db.once_there(app.open)
        for part, start in ((mode, app.start_api), ("worker", app.start_worker), ("relay", app.start_relay)):
            if mode in (part, "all"):
                start()
        app.supervisor.start("listen", lambda: app.wake.listen(app.database))
        app.supervisor.start("generation", lambda: end_with_its_generation(app))
    host, ports = app.settings.host, {app.settings.port, app.settings.operations_port or app.settings.port}
    server = _Server(uvicorn.Config(  # a connection is kept for longer than whoever opened it keeps it (most of them a minute)
        web(app), log_config=None, access_log=False, lifespan="off", loop="none", timeout_keep_alive=75, timeout_graceful_shutdown=5,
        server_header=False, date_header=False, proxy_headers=False))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))  # uvicorn raises it again at its end
    app.supervisor.start("open", work)
    end_where_it_stands(asyncio.get_running_loop())
    try:
        await server.serve([socket.create_server((host, p), family=socket.AF_INET6 if ":" in host else socket.AF_INET) for p in ports])
    finally:
        await app.close()
def end_where_it_stands(loop: asyncio.AbstractEventLoop) -> None:
    """Ends the process (exit code 1, its last lines say where it stood) when the loop has not turned for so long; so also one that was
    stopped as a whole for longer. Whoever started it starts it again. Everything that a turn may wait for is bounded by itself."""
    faulthandler.dump_traceback_later(STUCK + BEAT, exit=True)
    loop.call_later(BEAT, end_where_it_stands, loop)
async def end_with_its_generation(app: App) -> None:
    """In grace, when the log has begun another one (`lifang restored`), so that the process begins again with it."""
    while await (await app.database.pool()).fetchval("select generation from log_state") == app.commands.generation:  # noqa: ASYNC110
        await asyncio.sleep(LOOK)
    os.kill(os.getpid(), signal.SIGTERM)
