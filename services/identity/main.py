"""identity, wired: who lives where, who may speak, and the keys that vouch for it."""

from fastapi import APIRouter

from libs.contracts.permissions import permissions_of
from libs.eventkit.service import App, Service
from services.identity import demo
from services.identity.api import accounts as accounts_api
from services.identity.api import consents as consents_api
from services.identity.api import erasures as erasures_api
from services.identity.api import homes as homes_api
from services.identity.api import id_numbers as id_numbers_api
from services.identity.api import organisations as organisations_api
from services.identity.api import own_data as own_data_api
from services.identity.api import population as population_api
from services.identity.api import residents as residents_api
from services.identity.api import sessions as sessions_api
from services.identity.api import sign_ins as sign_ins_api
from services.identity.api import vehicles as vehicles_api
from services.identity.departing import belonging_of, departing
from services.identity.departing import departures as departures_noted
from services.identity.domain import (
    accounts,
    askers,
    buildings,
    communities,
    consents,
    declarations,
    departures,
    homes,
    id_numbers,
    organisations,
    phones,
    population,
    residences,
    residents,
    sessions,
    sign_ins,
    signing_keys,
    vehicles,
)
from services.identity.erasures import erasures
from services.identity.keepers import keepers_of
from services.identity.lookups import communities_of
from services.identity.publishing import publish
from services.identity.reactions import vehicles_of_residents
from services.identity.retention import RETENTION
from services.identity.tokens import keep_a_signing_key, secrets_of
from services.identity.views import accounts as accounts_view
from services.identity.views import buildings as buildings_view
from services.identity.views import consents as consents_view
from services.identity.views import homes as homes_view
from services.identity.views import organisations as organisations_view
from services.identity.views import probing as probing_view
from services.identity.views import residences as residences_view
from services.identity.views import residents as residents_view
from services.identity.views import sessions as sessions_view
from services.identity.views import vehicles as vehicles_view
from services.identity.withdrawn_numbers import numbers_withdrawn

EVENTS = (
    communities.CommunityFounded, buildings.BuildingRegistered, homes.HomeRegistered, residents.ResidentRegistered,
    residents.ContactCorrected, residents.ContactDisclosed, residents.ResidentErased,
    residences.ResidenceStarted, residences.ResidenceEnded, departures.DepartureNoted, departures.PersonLeft, departures.PersonStayed,
    accounts.AccountOpened, accounts.PhoneReplaced, accounts.AccountClosed, accounts.SignedOutEverywhere, phones.CodeCounted,
    sign_ins.SignInStarted, sign_ins.CodeMissed, sign_ins.CodeMatched,
    sessions.SessionStarted, sessions.SessionRenewed, sessions.SessionEnded,
    signing_keys.SigningKeyPublished, id_numbers.IdNumberRecorded, id_numbers.IdNumberConfirmed, id_numbers.IdNumberForgotten,
    id_numbers.IdNumberWithdrawn,
    organisations.OrganisationRegistered, organisations.OrganisationCorrected, vehicles.VehicleRegistered,
    vehicles.PlateCorrected, vehicles.KeeperConfirmed, vehicles.KeeperEnded, vehicles.VehicleVerified,
    vehicles.PlateContested, vehicles.PlateDisclosed, vehicles.VehicleRemoved, declarations.DeclarationCounted,
    population.PopulationDeclared, population.PopulationSettled, consents.ConsentGiven, consents.ConsentWithdrawn,
    consents.GuardianDeclared, consents.GuardianEnded, askers.AttemptCounted, askers.ProbingFound,
)
DECIDERS = (
    communities.COMMUNITIES, buildings.BUILDINGS, homes.HOMES, residents.RESIDENTS, residences.RESIDENCES,
    accounts.ACCOUNTS, phones.PHONES, sign_ins.SIGN_INS, sessions.SESSIONS, signing_keys.SIGNING_KEYS,
    id_numbers.ID_NUMBERS, organisations.ORGANISATIONS, vehicles.VEHICLES, declarations.DECLARATIONS,
    population.POPULATION, consents.CONSENTS, askers.ASKERS, departures.DEPARTURES,
)
VIEWS = (
    buildings_view.VIEW, homes_view.VIEW, residents_view.VIEW, residences_view.VIEW, accounts_view.VIEW,
    organisations_view.VIEW, vehicles_view.VIEW, *consents_view.VIEWS, probing_view.VIEW,
    sessions_view.VIEW,
)


def routes(app: App) -> APIRouter:
    router = APIRouter()
    for nouns in (
            sign_ins_api, sessions_api, homes_api, residents_api, population_api, id_numbers_api, organisations_api, accounts_api,
            vehicles_api, consents_api, own_data_api, erasures_api):
        router.include_router(nouns.routes(app))
    if app.settings.demo:
        router.include_router(demo.routes(app))
    return router


SERVICE = Service(
    name="identity",
    events=EVENTS,
    permissions_of=permissions_of,
    signing_key=signing_keys.SigningKeyPublished,
    deciders=DECIDERS,
    publish=publish,
    views=VIEWS,
    memories=lambda app: (communities_of(app).memory, keepers_of(app).memory, belonging_of(app).memory),
    reactions=lambda app: (
        vehicles_of_residents(app, keepers_of(app)), departures_noted(app), numbers_withdrawn(app), *erasures(app, keepers_of(app))),
    timers=lambda app: (departing(app),),
    tasks=lambda app: {"signing-key": lambda: keep_a_signing_key(app, secrets_of(app))},
    routes=routes,
    retention=RETENTION,
)
