"""How long access keeps what it saw people do, in days (docs/decisions/0018). Doors, rights, credentials and fire releases stay."""

from libs.contracts import devices, parking
from libs.eventkit.recorded import Retention
from services.access.domain.deliveries import NoticeGivenUp, NoticeSent

RETENTION = (
    Retention("openings", 90, own=("opening",)),
    # a pass begins at most 30 days ahead and lasts at most 7: whatever has been quiet for so long is over
    Retention("visitor_passes", 90, own=("visitor-pass",)),
    Retention("deliveries", 30, own=("notice",), ends=(NoticeSent, NoticeGivenUp)),
    Retention("reports", 30, heard=(
        devices.DeviceReported, devices.DetectionReported, devices.PlateSeen, devices.PanelSignalled, devices.FallbackGiven,
        devices.DoorOrderAttempted, devices.DoorOrderCarriedOut, devices.DoorOrderFailed, devices.BarrierOrderCarriedOut,
        devices.BarrierOrderFailed)),
    Retention("passages", 90, heard=(parking.PassageJudged, parking.BarrierOrdered)),
)
