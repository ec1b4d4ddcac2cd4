"""How long identity keeps who signed in when, in days (docs/decisions/0018). Who lives where stays until they move or erase themselves."""

from libs.eventkit.recorded import Retention
from services.identity.domain.sessions import IDLE, SessionEnded

RETENTION = (
    Retention("sign_ins", 30, own=("sign-in", "phone")),  # a code is good for minutes, its count for a day
    Retention("sessions", 90, own=("session",), ends=(SessionEnded,)),
    Retention("idle_sessions", 90 + IDLE.days, own=("session",)),  # over since they were idle, and nobody says so
)
