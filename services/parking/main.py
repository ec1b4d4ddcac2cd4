"""parking, wired: lots and lanes, rights of plates, passages, stays and their bills."""

from functools import cache, partial

from fastapi import APIRouter

from libs.contracts.identity import SigningKeyPublished
from libs.contracts.permissions import permissions_of
from libs.contracts.topics import HEARS, heard_from
from libs.eventkit.service import App, Service
from services.parking import demo
from services.parking.api import lanes as lanes_api
from services.parking.api import lots as lots_api
from services.parking.api import own_data
from services.parking.api import payments as payments_api
from services.parking.api import rights as rights_api
from services.parking.api import sessions as sessions_api
from services.parking.book import LotBook
from services.parking.domain import findings, lanes, lots, passages, plate_rights, sessions, spaces, stays
from services.parking.erasures import erasures
from services.parking.lane_desk import index_in
from services.parking.payments import LocalProvider
from services.parking.publishing import publish
from services.parking.reactions import reactions
from services.parking.residents import residents_of
from services.parking.retention import RETENTION
from services.parking.views import findings as findings_view
from services.parking.views import lanes as lanes_view
from services.parking.views import rights as rights_view
from services.parking.views import sessions as sessions_view

EVENTS = (
    lots.LotOpened, lots.TariffAdopted, lanes.LaneInstalled, spaces.SpaceMarked, spaces.SpaceRemoved,
    plate_rights.PlateRightGranted, plate_rights.PlateRightEnded, plate_rights.RenewalAsked, plate_rights.RenewalPaid,
    passages.PassageJudged, passages.BarrierOrdered, passages.PassageCompleted, passages.PassageFailed,
    stays.SessionBegun, stays.RightAssigned, stays.StayCorrected, stays.PaymentAsked, stays.PaymentReceived, stays.SessionQuarantined,
    stays.SessionEnded, findings.FindingRaised, findings.FindingSettled,
)


@cache
def book_of(app: App) -> LotBook:
    """The app's one book."""
    return LotBook(partial(index_in, app))


def routes(app: App) -> APIRouter:
    router, book, provider = APIRouter(), book_of(app), LocalProvider(app.settings)
    router.include_router(lots_api.routes(app, book))
    router.include_router(lanes_api.routes(app, book))
    router.include_router(rights_api.routes(app, book, provider))
    router.include_router(sessions_api.routes(app, book))
    router.include_router(payments_api.routes(app, book, provider))
    router.include_router(own_data.routes(app))
    if app.settings.demo:
        router.include_router(demo.routes(app))
    return router


SERVICE = Service(
    name="parking",
    events=EVENTS,
    permissions_of=permissions_of,
    signing_key=SigningKeyPublished,
    hears=HEARS["parking"],
    contracts=heard_from(*HEARS["parking"]),
    deciders=(lots.LOTS, lanes.LANES, spaces.SPACES, plate_rights.PLATE_RIGHTS, passages.PASSAGES, sessions.SESSIONS, findings.FINDINGS),
    publish=publish,
    views=(lanes_view.LANES_VIEW, lanes_view.PASSAGES_VIEW, sessions_view.VIEW, findings_view.VIEW, rights_view.VIEW),
    memories=lambda app: (book_of(app).memory, residents_of(app).memory),
    reactions=lambda app: (*reactions(app, book_of(app), residents_of(app)), *erasures(app, book_of(app))),
    routes=routes,
    retention=RETENTION,
)
