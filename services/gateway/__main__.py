from libs.eventkit.run import run
from services.gateway.main import SERVICE

run(SERVICE)
