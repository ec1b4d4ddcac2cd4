"""How long the gateway keeps what it heard of people's ways, in days (docs/decisions/0018). Incidents, bills, rights, residences stay."""

from libs.contracts import access, devices, parking
from libs.eventkit.recorded import Retention

REPORTS = 30
RETENTION = (
    Retention("reports", REPORTS, heard=(
        devices.DeviceReported, devices.PlateSeen, devices.FallbackGiven, devices.DoorOrderAttempted, devices.DoorOrderCarriedOut,
        devices.DoorOrderFailed, devices.BarrierOrderCarriedOut, devices.BarrierOrderFailed)),
    Retention("signals", 90, heard=(devices.PanelSignalled, devices.DetectionReported)),
    Retention("openings", 90, heard=(
        access.CredentialJudged, access.DoorPassed, access.DoorOpeningOrdered, access.DoorOpened, access.DoorOpeningFailed,
        access.DoorNoticed)),
    Retention("passages", 90, heard=(parking.PassageJudged, parking.BarrierOrdered)),
    Retention("visitor_passes", 90, heard=(
        access.VisitorPassIssued, access.VisitorPassRevoked, access.VisitorPassUsed, access.VisitorPassUseReturned,
        access.VisitorArrived)),
)
