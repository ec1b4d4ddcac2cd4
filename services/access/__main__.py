from libs.eventkit.run import run
from services.access.main import SERVICE

run(SERVICE)
