"""devices, wired: the registry, what devices say, and orders to them."""

from fastapi import APIRouter

from libs.contracts.identity import SigningKeyPublished
from libs.contracts.permissions import permissions_of
from libs.contracts.topics import HEARS, heard_from
from libs.eventkit.service import App, Service
from services.devices import demo
from services.devices.api import devices as devices_api
from services.devices.api import reports as reports_api
from services.devices.device_book import book_of
from services.devices.domain import fallbacks, holds, lines, orders, refusals, registry, reports, templates, unplaced
from services.devices.effects import client_of_devices, door_orders_at
from services.devices.erasures import erasures
from services.devices.forgetting import faces_to_forget, forgetting
from services.devices.holding import holds_kept, holds_wanted
from services.devices.listener import listening
from services.devices.past_days import closing_past_days
from services.devices.performer import Performer
from services.devices.publishing import publish
from services.devices.retention import RETENTION
from services.devices.streams import Streams
from services.devices.views import devices as devices_view
from services.devices.views import findings as findings_view

EVENTS = (
    registry.DeviceRegistered, registry.EnrolmentCodeIssued, registry.DeviceEnrolled, registry.CredentialRevoked,
    registry.DeviceMoved, registry.DeviceDescribed, registry.DeviceRetired,
    reports.DayBegun, reports.KnowledgeCarried, reports.DayClosed, reports.BodyReceived,
    reports.DeviceReported, reports.BodyUnreadable, reports.SerialGapFound, reports.SerialGapClosed,
    orders.OrderAttempted, orders.OrderCarriedOut, orders.OrderFailed,
    fallbacks.FallbackGiven, refusals.RefusalAttempted, refusals.RefusalTold, refusals.RefusalFailed,
    holds.HoldWanted, holds.HoldCarriedOut, holds.HoldFailed, holds.DeviceGone, lines.LineSilent, lines.LineBack, unplaced.FrameUnplaced,
    templates.TemplateRemovalWanted, templates.TemplateRemoved, templates.TemplateNotRemoved, templates.ReaderGone,
)


def routes(app: App) -> APIRouter:
    router, book = APIRouter(), book_of(app)
    router.include_router(reports_api.routes(app, book))
    router.include_router(devices_api.routes(app, book))
    if app.settings.demo:
        router.include_router(demo.routes(app, book))
    return router


SERVICE = Service(
    name="devices",
    events=EVENTS,
    permissions_of=permissions_of,
    signing_key=SigningKeyPublished,
    hears=HEARS["devices"],
    contracts=heard_from(*HEARS["devices"]),
    deciders=(
        registry.REGISTRY, reports.REPORTS, orders.ORDERS, refusals.REFUSALS, fallbacks.FALLBACKS, holds.HOLDS, lines.LINES,
        unplaced.UNPLACED, templates.TEMPLATES),
    publish=publish,
    views=(devices_view.VIEW, findings_view.VIEW),
    memories=lambda app: (book_of(app).memory,),
    reactions=lambda app: (holds_wanted(), faces_to_forget(book_of(app)), *erasures(app)),
    timers=lambda app: (
        holds_kept(app, book_of(app), client_of_devices()), forgetting(app, book_of(app), client_of_devices())),
    readers=lambda app: (Performer(app.commands, door_orders_at(app, book_of(app), client_of_devices())).subscription(),),
    tasks=lambda app: {
        "alert_streams": Streams(app, book_of(app), client_of_devices(None)).run, "past_days": lambda: closing_past_days(app, book_of(app)),
        **listening(app)},
    routes=routes,
    raw_routes=(reports_api.PREFIX,),
    retention=RETENTION,
)
