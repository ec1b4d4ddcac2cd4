"""How residents count in the population, as staff, grid workers and the police declare it, each in their own name."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from libs.contracts.permissions import POPULATION_DECLARE
from libs.eventkit.auth import Principal
from libs.eventkit.http import IdempotencyKey, Input, community_of, context, json, permitted, position_header
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.identity import lookups
from services.identity.domain.population import DeclarePopulation, PopulationKind, Source

SOURCES: dict[str, Source] = {"staff": "staff", "grid": "grid", "police": "police"}
"""Whose word it is, by the role in which they say it."""


class Declaration(Input):
    kind: PopulationKind


def routes(app: App) -> APIRouter:
    router = APIRouter(tags=["residents"])

    @router.post("/v1/residents/{resident_id}/population-declarations", status_code=201)
    async def declare_population(
        resident_id: UUID, body: Declaration, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(POPULATION_DECLARE)
    ) -> Response:
        """What another source has said stays on record; whose word holds is in `domain/population.py`."""
        community_id = community_of(principal)
        await lookups.resident(app, resident_id, community_id)
        source = SOURCES.get(principal.role)
        if source is None:
            raise Problem(403, "not_permitted", needs=POPULATION_DECLARE)
        done = await app.commands.handle(
            resident_id, DeclarePopulation(resident_id, source, body.kind, principal.id),
            context(request, principal, community_id), key=key)
        answer = {"id": resident_id, "kind": body.kind, "source": source}
        return json(answer, 201, position_header(app.service.name, app.commands.generation, done))

    return router
