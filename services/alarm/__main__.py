from libs.eventkit.run import run
from services.alarm.main import SERVICE

run(SERVICE)
