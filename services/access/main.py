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
from services.access.api import releases as releases_api
from services.access.api import visitor_passes as visitor_passes_api
from services.access.book import DoorBook
from services.access.domain import credentials, deliveries, doors, lifts, openings, pass_history, releases, rights, visitor_passes
from services.access.publishing import publish
from services.access.reactions import reactions
from services.access.sending import sending
from services.access.views import credentials as credentials_view
from services.access.views import deliveries as deliveries_view
from services.access.views import doors as doors_view
from services.access.views import lifts as lifts_view
from services.access.views import notices as notices_view
from services.access.views import releases as releases_view
from services.access.views import visitor_passes as visitor_passes_view
from services.access.visitors import Visitors

EVENTS = (
    doors.DoorInstalled, rights.RightGranted, rights.RightRevoked, credentials.CredentialIssued,
    credentials.CredentialRevoked, openings.CredentialJudged, openings.DoorPassed, openings.DoorNoticed,
    openings.DoorOpeningOrdered, openings.DoorOpened, openings.DoorOpeningFailed, lifts.LiftInstalled, lifts.HomeFloorSet,
    pass_history.VisitorPassIssued, pass_history.VisitorPassRevoked, pass_history.VisitorPassUsed,
    pass_history.VisitorPassUseReturned, pass_history.VisitorArrived, deliveries.NoticeQueued, deliveries.NoticeSent,
    deliveries.NoticeFailed, deliveries.NoticeGivenUp,
    openings.DuressSignalled, releases.FireReleaseBegun, releases.FireReleaseJoined, releases.FireOver,
    releases.FireReleaseEnded, releases.RelayReleased, releases.RelayNotReleased,
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
    router.include_router(doors_api.routes(app))
    router.include_router(lifts_api.routes(app, book_of(app)))
    router.include_router(visitor_passes_api.routes(app, book_of(app), visitors_of(app).signer))
    router.include_router(notices_api.routes(app))
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
        openings.OPENINGS, deliveries.DELIVERIES, releases.RELEASES),
    publish=publish,
    views=(doors_view.VIEW, credentials_view.VIEW, lifts_view.VIEW, visitor_passes_view.VIEW, notices_view.VIEW,
        deliveries_view.VIEW, releases_view.VIEW),
    memories=lambda app: (book_of(app).memory,),
    reactions=lambda app: (
        *reactions(app, book_of(app), visitors_of(app)), notices.queueing(notices.senders_for(app.settings))),
    timers=lambda app: (sending(app, sender) for sender in notices.senders_for(app.settings)),
    routes=routes,
)
