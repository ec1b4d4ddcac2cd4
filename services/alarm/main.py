"""alarm, wired: panels and sensors, incidents from the first signal to the person who ends them, the ladder of deadlines, patrols, and care
for who lives alone."""

from functools import cache
from typing import get_args

from fastapi import APIRouter

from libs.contracts.identity import SigningKeyPublished
from libs.contracts.permissions import permissions_of
from libs.contracts.topics import HEARS, heard_from
from libs.eventkit.service import App, Service
from services.alarm import demo
from services.alarm.api import care as care_api
from services.alarm.api import incidents as incidents_api
from services.alarm.api import ladders as ladders_api
from services.alarm.api import my_care as my_care_api
from services.alarm.api import panels as panels_api
from services.alarm.api import patrol_routes as patrol_routes_api
from services.alarm.api import patrols as patrols_api
from services.alarm.book import AlarmBook
from services.alarm.care_book import CareBook
from services.alarm.domain import care_history, ladder_settings, panels, patrol_points, patrol_rounds, patrol_routes, patrol_scans, sensors
from services.alarm.domain import incident_history as history
from services.alarm.domain.care import CARE
from services.alarm.domain.incidents import INCIDENTS
from services.alarm.domain.signs import SIGNS, SignOfLife
from services.alarm.erasures import erasures
from services.alarm.patrol_book import PatrolBook
from services.alarm.processes import care
from services.alarm.processes.escalation import escalations
from services.alarm.processes.patrols import patrol_timers, patrols
from services.alarm.publishing import publish
from services.alarm.reactions import reactions
from services.alarm.retention import RETENTION
from services.alarm.views import care as care_view
from services.alarm.views import incidents as incidents_view
from services.alarm.views import panels as panels_view
from services.alarm.views import patrol_rounds as patrol_rounds_view
from services.alarm.views import patrols as patrols_view
from services.alarm.views import sensors as sensors_view

EVENTS = (
    panels.PanelInstalled, sensors.SensorInstalled, ladder_settings.LadderSet, history.IncidentRaised, history.IncidentRepeated,
    history.IncidentRestored, history.RestoreUnpaired, history.IncidentAcknowledged, history.IncidentVerified,
    history.IncidentFoundFalse, history.IncidentDispatched, history.IncidentResolved, history.IncidentEscalated,
    patrol_points.PatrolPointPlaced, patrol_scans.PatrolPointScanned, patrol_routes.PatrolRouteSet, patrol_routes.PatrolRoundBegun,
    patrol_rounds.PatrolRoundOpened, patrol_rounds.PatrolStopVisited, patrol_rounds.PatrolStopMissed, patrol_rounds.PatrolRoundJudged,
    SignOfLife, *get_args(care_history.CareEvent),
)


@cache
def book_of(app: App) -> AlarmBook:
    """The app's one book."""
    return AlarmBook()


@cache
def patrol_book_of(app: App) -> PatrolBook:
    """The app's one book of patrols."""
    return PatrolBook()


@cache
def care_book_of(app: App) -> CareBook:
    """The app's one book of homes that are cared for."""
    return CareBook()


def routes(app: App) -> APIRouter:
    router = APIRouter()
    router.include_router(incidents_api.routes(app, book_of(app)))
    router.include_router(panels_api.routes(app, book_of(app)))
    router.include_router(ladders_api.routes(app, book_of(app)))
    router.include_router(patrol_routes_api.routes(app, book_of(app), patrol_book_of(app)))
    router.include_router(patrols_api.routes(app, patrol_book_of(app)))
    router.include_router(care_api.routes(app, book_of(app), care_book_of(app)))
    router.include_router(my_care_api.routes(app, book_of(app), care_book_of(app)))
    if app.settings.demo:
        router.include_router(demo.routes(app))
    return router


SERVICE = Service(
    name="alarm",
    events=EVENTS,
    permissions_of=permissions_of,
    signing_key=SigningKeyPublished,
    hears=HEARS["alarm"],
    contracts=heard_from(*HEARS["alarm"]),
    deciders=(
        panels.PANELS, sensors.SENSORS, ladder_settings.LADDER_SETTINGS, INCIDENTS, patrol_points.POINTS, patrol_scans.SCANS,
        patrol_routes.ROUTES, patrol_rounds.ROUNDS, SIGNS, CARE),
    publish=publish,
    views=(
        incidents_view.VIEW, panels_view.PANELS_VIEW, panels_view.SIGNALS_VIEW, sensors_view.VIEW, patrols_view.POINTS_VIEW,
        patrols_view.ROUTES_VIEW, patrol_rounds_view.ROUNDS_VIEW, patrol_rounds_view.SCANS_VIEW, care_view.HOMES_VIEW,
        care_view.CHECKS_VIEW),
    memories=lambda app: (book_of(app).memory, patrol_book_of(app).memory, care_book_of(app).memory),
    reactions=lambda app: (
        *reactions(app, book_of(app)), patrols(app, patrol_book_of(app)), care.signs_of_life(care_book_of(app)),
        care.care(book_of(app), care_book_of(app)), *erasures(app)),
    timers=lambda app: (escalations(app), *patrol_timers(app), care.care_timer(app, care_book_of(app))),
    routes=routes,
    retention=RETENTION,
)
