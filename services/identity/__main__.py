from libs.eventkit.run import run
from services.identity.main import SERVICE

run(SERVICE)
