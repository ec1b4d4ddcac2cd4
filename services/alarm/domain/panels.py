"""An alarm panel (报警主机): the device that speaks for it. One device speaks for one panel."""

from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Release, Take

# what happened


class PanelInstalled(Struct, frozen=True, tag="panel_installed"):
    panel_id: UUID
    device_id: UUID
    name: str


# what is


class NoPanel(Struct, frozen=True):
    pass


class Panel(Struct, frozen=True):
    device_id: UUID
    name: str


PanelState = NoPanel | Panel


def evolve(panel: PanelState, event: PanelInstalled) -> PanelState:
    match event:
        case PanelInstalled(device_id=device_id, name=name):
            return Panel(device_id, name)
        case _:
            return panel


# what is asked


class InstallPanel(Struct, frozen=True):
    panel_id: UUID
    device_id: UUID
    name: str


def decide_install_panel(command: InstallPanel, panel: PanelState) -> list[PanelInstalled]:
    """Also where it has a new device or name: its sensors stay with it."""
    if panel == Panel(command.device_id, command.name):
        return []
    return [PanelInstalled(command.panel_id, command.device_id, command.name)]


def claims(command: InstallPanel, event: PanelInstalled) -> tuple[Release | Take, ...]:
    return Release("panel-device"), Take("panel-device", str(event.device_id), "device_speaks_for_another_panel")


PANELS = Decider[PanelState, PanelInstalled](
    category="panel", initial=NoPanel(), evolve=evolve, decide={InstallPanel: decide_install_panel}, claims=claims)
