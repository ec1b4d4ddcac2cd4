"""The gateway, wired: it hears everything, keeps views of it, passes commands on to the services that own them, and tells
authorities of incidents, also by webhook."""

from functools import cache

from libs.contracts.identity import SigningKeyPublished
from libs.contracts.permissions import permissions_of
from libs.contracts.topics import HEARS, TOPICS, heard_from
from libs.eventkit.service import App, Service
from services.gateway.api.routes import routes
from services.gateway.domain import government, look_backs, webhooks
from services.gateway.erasures import erasures as confirming
from services.gateway.limits import Limits
from services.gateway.origins import for_pages
from services.gateway.publishing import publish
from services.gateway.reactions import Divisions, telling
from services.gateway.retention import RETENTION
from services.gateway.views import (
    broadcasts,
    cars,
    door_events,
    doors,
    erasures,
    findings,
    fire_releases,
    incidents,
    installed,
    lanes,
    looks,
    my_doors,
    my_home,
    notices,
    passages,
    patrols,
    permits,
    population,
    stays,
    stories,
    visitors,
)
from services.gateway.webhooks.book import book_of
from services.gateway.webhooks.delivering import Courier


@cache
def divisions_of(app: App) -> Divisions:
    """The app's one memory of division codes."""
    return Divisions()


SERVICE = Service(
    name="gateway",
    events=(*government.EVENTS, *look_backs.EVENTS, *webhooks.EVENTS),
    permissions_of=permissions_of,
    signing_key=SigningKeyPublished,
    hears=HEARS["gateway"],
    contracts=heard_from(*HEARS["gateway"]),
    deciders=(government.GOVERNMENT, look_backs.LOOK_BACKS, webhooks.WEBHOOKS),
    publish=publish,
    topic=TOPICS["gateway"],
    views=(
        *my_home.VIEWS, *doors.VIEWS, *my_doors.VIEWS, *door_events.VIEWS, *visitors.VIEWS, *cars.VIEWS, *stays.VIEWS,
        *permits.VIEWS, *lanes.VIEWS, *passages.VIEWS, *findings.VIEWS, *installed.VIEWS, *incidents.VIEWS, *fire_releases.VIEWS,
        *notices.VIEWS, *broadcasts.VIEWS, *population.VIEWS, *patrols.VIEWS, *stories.VIEWS, *looks.VIEWS, *erasures.VIEWS),
    memories=lambda app: (divisions_of(app).memory, book_of(app).memory),
    reactions=lambda app: (telling(app, divisions_of(app)), *confirming(app)),
    readers=lambda app: (Courier(app).subscription(),),
    routes=routes,
    within=Limits,
    around=for_pages,
    retention=RETENTION,
)
