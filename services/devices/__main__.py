from libs.eventkit.run import run
from services.devices.main import SERVICE

run(SERVICE)
