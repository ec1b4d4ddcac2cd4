from libs.eventkit.run import run
from services.neighbors.main import SERVICE

run(SERVICE)
