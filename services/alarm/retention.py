"""How long alarm keeps what it heard beside what became an incident, in days (docs/decisions/0018), who was where on
patrol, and when a home gave signs of life.
Incidents stay, and how each round was judged is with those who heard it. `least`: a phone may tell a scan for 14 days, and a round that is
blanked before would be judged anew by that scan alone; signs are counted within a week."""

from libs.contracts import access, devices
from libs.eventkit.recorded import Retention
from services.alarm.domain.care_history import CareEnded

RETENTION = (
    Retention("patrol_scans", 90, own=("patrol_scan",)),
    Retention("patrol_rounds", 730, own=("patrol_round",), least=16),
    Retention("signs_of_life", 30, own=("signs",), least=8),
    Retention("care", 365, own=("care",), ends=(CareEnded,)),
    Retention("reports", 30, heard=(
        devices.DeviceReported, devices.PlateSeen, devices.FallbackGiven, devices.DoorOrderAttempted, devices.DoorOrderCarriedOut,
        devices.DoorOrderFailed, devices.BarrierOrderCarriedOut, devices.BarrierOrderFailed)),
    Retention("signals", 90, heard=(devices.PanelSignalled, devices.DetectionReported)),
    Retention("openings", 90, heard=(
        access.CredentialJudged, access.DoorPassed, access.DoorOpeningOrdered, access.DoorOpened, access.DoorOpeningFailed,
        access.DoorNoticed)),
    Retention("visitor_passes", 90, heard=(
        access.VisitorPassIssued, access.VisitorPassRevoked, access.VisitorPassUsed, access.VisitorPassUseReturned,
        access.VisitorArrived)),
)
