"""How long devices keeps what devices said and were told, in days (docs/decisions/0018). The registry, lines and holds stay.

A day of a device goes once the next one has begun, which carries on what has to be known of it; of one that fell silent too
(`past_days.py`)."""

from libs.contracts import access, parking
from libs.eventkit.recorded import Retention
from services.devices.domain.reports import DayClosed

RETENTION = (
    Retention("reports", 30, own=("reports",), ends=(DayClosed,)),
    Retention("strangers", 30, own=("unplaced",)),
    Retention("orders", 30, own=("door-order", "refusal", "fallback")),
    Retention("openings", 30, heard=(
        access.CredentialJudged, access.DoorPassed, access.DoorOpeningOrdered, access.DoorOpened, access.DoorOpeningFailed,
        access.DoorNoticed, parking.PassageJudged, parking.BarrierOrdered)),
    Retention("visitor_passes", 90, heard=(
        access.VisitorPassIssued, access.VisitorPassRevoked, access.VisitorPassUsed, access.VisitorPassUseReturned,
        access.VisitorArrived)),
)
