"""neighbors, wired: circles of those who live together, what they are called there, notices, and emergency broadcasts."""

from functools import cache

from fastapi import APIRouter

from libs.contracts.identity import SigningKeyPublished
from libs.contracts.permissions import permissions_of
from libs.contracts.topics import HEARS, heard_from
from libs.eventkit.service import App, Service
from services.neighbors import demo, names
from services.neighbors.api import broadcasts as broadcasts_api
from services.neighbors.api import circles as circles_api
from services.neighbors.api import notices as notices_api
from services.neighbors.api import own_data as own_data_api
from services.neighbors.book import CircleBook
from services.neighbors.channels import channels_for
from services.neighbors.domain import broadcasts, circles, display_names, notices, receipts, tellings
from services.neighbors.erasures import erasures
from services.neighbors.processes import telling
from services.neighbors.publishing import publish
from services.neighbors.reactions import reactions
from services.neighbors.views import broadcasts as broadcasts_view
from services.neighbors.views import members as members_view
from services.neighbors.views import notices as notices_view
from services.neighbors.views import receipts as receipts_view

EVENTS = (
    circles.MemberJoined, circles.ResidenceAdded, circles.ResidenceRemoved, circles.MemberLeft,
    display_names.DisplayNameChosen, display_names.DisplayNameDropped, notices.NoticePosted, notices.NoticeWithdrawn, receipts.NoticeRead,
    broadcasts.BroadcastSent, broadcasts.BroadcastEnded, tellings.TellingQueued, tellings.ResidentTold,
    tellings.TellingFailed, tellings.ResidentNotTold,
)


@cache
def book_of(app: App) -> CircleBook:
    """The app's one book."""
    return CircleBook(lambda *value: app.blind.of(*value))


def routes(app: App) -> APIRouter:
    router, book = APIRouter(), book_of(app)
    router.include_router(circles_api.routes(app, book))
    router.include_router(notices_api.routes(app, book))
    router.include_router(broadcasts_api.routes(app, book))
    router.include_router(own_data_api.routes(app, book))
    if app.settings.demo:
        router.include_router(demo.routes(app, book))
    return router


SERVICE = Service(
    name="neighbors",
    events=EVENTS,
    permissions_of=permissions_of,
    signing_key=SigningKeyPublished,
    hears=HEARS["neighbors"],
    contracts=heard_from(*HEARS["neighbors"]),
    deciders=(
        circles.MEMBERS, display_names.DISPLAY_NAMES, notices.NOTICES, receipts.RECEIPTS, broadcasts.BROADCASTS,
        tellings.TELLINGS),
    publish=publish,
    views=(
        members_view.VIEW, notices_view.VIEW, receipts_view.VIEW, broadcasts_view.BROADCASTS_VIEW,
        broadcasts_view.TELLINGS_VIEW),
    memories=lambda app: (book_of(app).memory,),
    reactions=lambda app: (
        *reactions(book_of(app)), *erasures(app), names.given_away(app, book_of(app)),
        telling.queueing(app, book_of(app), channels_for(app.settings))),
    timers=lambda app: telling.timers(app, book_of(app), channels_for(app.settings)),
    routes=routes,
)
