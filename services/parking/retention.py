"""How long parking keeps who drove past, in days (docs/decisions/0018). Stays stay: what was billed and paid has to be shown again."""

from libs.contracts import access, devices
from libs.eventkit.recorded import Retention

PASSES = "visitor_passes"
RETENTION = (
    Retention("passages", 90, own=("passage",)),
    Retention("reports", 30, heard=(
        devices.DeviceReported, devices.DetectionReported, devices.PlateSeen, devices.FallbackGiven, devices.DoorOrderAttempted,
        devices.DoorOrderCarriedOut, devices.DoorOrderFailed, devices.BarrierOrderCarriedOut,
        devices.BarrierOrderFailed)),
    Retention("openings", 30, heard=(
        access.CredentialJudged, access.DoorPassed, access.DoorOpeningOrdered, access.DoorOpened, access.DoorOpeningFailed,
        access.DoorNoticed)),
    Retention(PASSES, 90, heard=(
        access.VisitorPassIssued, access.VisitorPassRevoked, access.VisitorPassUsed, access.VisitorPassUseReturned,
        access.VisitorArrived)),
)
