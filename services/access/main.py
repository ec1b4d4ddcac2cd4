"""access, wired: doors, lifts, credentials, rights, visitor passes, and the decision at the door."""

from functools import cache

from fastapi import APIRouter

from libs.contracts.identity import SigningKeyPublished
from libs.contracts.permissions import permissions_of
from libs.contracts.topics import HEARS, heard_from
from libs.eventkit.service import App, Service
from services.access import demo, notices
from services.access.api import doors as doors_api
from services.access.api import lifts as lifts_api
from services.access.api import notices as notices_api
from services.access.api import openings as openings_api
from services.access.api import own_data as own_data_api
from services.access.api import releases as releases_api
from services.access.api import visitor_passes as visitor_passes_api
from services.access.book import DoorBook
from services.access.domain import (
    credentials,
    deliveries,
    doors,
    face_filing,
    lifts,
    move_outs,
    openings,
    pass_history,
    releases,
    rights,
    visitor_passes,
)
from services.access.erasures import erasures
from services.access.faces import faces
from services.access.moving_out import credentials_of_leavers
from services.access.publishing import publish
from services.access.reactions import reactions
from services.access.retention import RETENTION
from services.access.sending import sending
from services.access.views import credentials as credentials_view
from services.access.views import deliveries as deliveries_view
from services.access.views import doors as doors_view
from services.access.views import lifts as lifts_view
from services.access.views import notices as notices_view
from services.access.views import readers as readers_view
from services.access.views import releases as releases_view
from services.access.views import visitor_passes as visitor_passes_view
from services.access.visitors import Visitors
from services.access.ways import ways_of

EVENTS = (
    doors.DoorInstalled, rights.RightGranted, rights.RightRevoked, credentials.CredentialIssued,
    credentials.CredentialRevoked, openings.CredentialJudged, openings.DoorPassed, openings.DoorNoticed,
    openings.DoorOpeningOrdered, openings.DoorOpened, openings.DoorOpeningFailed, lifts.LiftInstalled, lifts.HomeFloorSet,
    pass_history.VisitorPassIssued, pass_history.VisitorPassRevoked, pass_history.VisitorPassUsed,
    pass_history.VisitorPassUseReturned, pass_history.VisitorArrived, deliveries.NoticeQueued, deliveries.NoticeSent,
    deliveries.NoticeFailed, deliveries.NoticeGivenUp,
    openings.DuressSignalled, releases.FireReleaseBegun, releases.FireReleaseJoined, releases.FireOver,
    releases.FireReleaseEnded, releases.RelayReleased, releases.RelayNotReleased, face_filing.FilingDue,
    move_outs.MoveOutNoted, move_outs.MoveOutSettled,
)


@cache
def book_of(app: App) -> DoorBook:
    """The app's one book."""
    return DoorBook()


@cache
def visitors_of(app: App) -> Visitors:
    """Whoever checks and signs visitors' codes for the app."""
    return Visitors(app, book_of(app))


def routes(app: App) -> APIRouter:
    router = APIRouter()
    router.include_router(openings_api.routes(app, book_of(app), visitors_of(app)))
    router.include_router(doors_api.routes(app, book_of(app)))
    router.include_router(lifts_api.routes(app, book_of(app)))
    router.include_router(visitor_passes_api.routes(app, book_of(app), visitors_of(app).signer))
    router.include_router(notices_api.routes(app))
    router.include_router(own_data_api.routes(app))
    router.include_router(releases_api.routes(app, book_of(app)))
    if app.settings.demo:
        router.include_router(demo.routes(app))
    return router


SERVICE = Service(
    name="access",
    events=EVENTS,
    permissions_of=permissions_of,
    signing_key=SigningKeyPublished,
    hears=HEARS["access"],
    contracts=heard_from(*HEARS["access"]),
    deciders=(
        doors.DOORS, lifts.LIFTS, lifts.HOME_FLOORS, rights.RIGHTS, credentials.CREDENTIALS, visitor_passes.PASSES,
        openings.OPENINGS, deliveries.DELIVERIES, releases.RELEASES, face_filing.FILING),
    publish=publish,
    views=(doors_view.VIEW, credentials_view.VIEW, lifts_view.VIEW, visitor_passes_view.VIEW, notices_view.VIEW,
        deliveries_view.VIEW, releases_view.VIEW, readers_view.VIEW),
    memories=lambda app: (book_of(app).memory, ways_of(app).memory),
    reactions=lambda app: (
        *reactions(app, book_of(app), visitors_of(app)), faces(ways_of(app)), *erasures(app, book_of(app)),
        credentials_of_leavers(app, book_of(app)),
        notices.queueing(notices.senders_for(app.settings), ways_of(app))),
    timers=lambda app: tuple(sending(app, sender, ways_of(app)) for sender in notices.senders_for(app.settings)),
    routes=routes,
    retention=RETENTION,
)
