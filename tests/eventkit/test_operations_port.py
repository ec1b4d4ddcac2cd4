"""Where an operations port is named, what a service says of itself is answered there and nowhere else, and nothing else is."""

from pathlib import Path

import httpx

from tests.conftest import Databases
from tests.toy.main import TOY
from tests.toy.process import Toy, free_port

INSIDE = ("/metrics", "/internal/status")
BOTH = ("/livez", "/startupz", "/readyz")


async def test_what_is_for_the_inside_is_not_at_the_port_that_is_published(databases: Databases, tmp_path: Path):
    settings = (await databases.make(TOY)).model_copy(update={"operations_port": free_port()})
    toy = Toy(settings, settings, tmp_path, part="api")
    try:
        await toy.start()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.operations_port}", trust_env=False) as operations:
            for path in INSIDE:
                shut, nowhere = await toy.http.get(path), await toy.http.get("/nowhere")
                assert (shut.status_code, shut.json()) == (404, nowhere.json()), "like what there is not"
                assert (await operations.get(path)).status_code == 200
            for path in BOTH:
                one, other = await toy.http.get(path), await operations.get(path)
                assert one.status_code == other.status_code != 404, path
            assert (await toy.http.get("/openapi.json")).status_code == 200
            assert (await operations.get("/openapi.json")).status_code == 404
    finally:
        await toy.close()
        await databases.drop(settings)


async def test_where_none_is_named_all_is_at_one_port(databases: Databases, tmp_path: Path):
    settings = await databases.make(TOY)
    toy = Toy(settings, settings, tmp_path, part="api")
    try:
        await toy.start()
        assert [(await toy.http.get(path)).status_code for path in (*INSIDE, "/openapi.json")] == [200, 200, 200]
    finally:
        await toy.close()
        await databases.drop(settings)
