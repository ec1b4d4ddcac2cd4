from libs.eventkit.run import run
from services.parking.main import SERVICE

run(SERVICE)
