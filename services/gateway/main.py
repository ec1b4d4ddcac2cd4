"""The gateway, wired: it hears everything, keeps views of it, and passes commands on to the services that own them."""

from libs.contracts.identity import SigningKeyPublished
from libs.contracts.permissions import permissions_of
from libs.contracts.topics import heard_from
from libs.eventkit.service import Service
from services.gateway.api.routes import routes
from services.gateway.views import (
    cars,
    door_events,
    doors,
    findings,
    lanes,
    my_doors,
    my_home,
    passages,
    permits,
    stays,
    visitors,
)

HEARS = ("identity", "access", "devices", "parking")

SERVICE = Service(
    name="gateway",
    events=(),
    permissions_of=permissions_of,
    signing_key=SigningKeyPublished,
    hears=HEARS,
    contracts=heard_from(*HEARS),
    views=(
        *my_home.VIEWS, *doors.VIEWS, *my_doors.VIEWS, *door_events.VIEWS, *visitors.VIEWS, *cars.VIEWS, *stays.VIEWS,
        *permits.VIEWS, *lanes.VIEWS, *passages.VIEWS, *findings.VIEWS),
    routes=routes,
)
