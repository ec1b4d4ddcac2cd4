"""access, wired: doors, credentials, rights, and the decision at the door."""

from functools import cache

from fastapi import APIRouter

from libs.contracts.identity import SigningKeyPublished
from libs.contracts.permissions import permissions_of
from libs.contracts.topics import heard_from
from libs.eventkit.service import App, Service
from services.access import demo
from services.access.api import doors as doors_api
from services.access.api import openings as openings_api
from services.access.book import DoorBook
from services.access.domain import credentials, doors, openings, rights
from services.access.publishing import publish
from services.access.reactions import reactions
from services.access.views import credentials as credentials_view
from services.access.views import doors as doors_view

EVENTS = (
    doors.DoorInstalled, rights.RightGranted, rights.RightRevoked, credentials.CredentialIssued,
    credentials.CredentialRevoked, openings.CredentialJudged, openings.DoorPassed, openings.DoorNoticed,
    openings.DoorOpeningOrdered, openings.DoorOpened, openings.DoorOpeningFailed,
)


@cache
def book_of(app: App) -> DoorBook:
    """The app's one book."""
    return DoorBook()


def routes(app: App) -> APIRouter:
    router = APIRouter()
    router.include_router(openings_api.routes(app, book_of(app)))
    router.include_router(doors_api.routes(app))
    if app.settings.demo:
        router.include_router(demo.routes(app))
    return router


SERVICE = Service(
    name="access",
    events=EVENTS,
    permissions_of=permissions_of,
    signing_key=SigningKeyPublished,
    hears=("identity", "devices"),
    contracts=heard_from("identity", "devices"),
    deciders=(doors.DOORS, rights.RIGHTS, credentials.CREDENTIALS, openings.OPENINGS),
    publish=publish,
    views=(doors_view.VIEW, credentials_view.VIEW),
    memories=lambda app: (book_of(app).memory,),
    reactions=lambda app: reactions(app, book_of(app)),
    routes=routes,
)
