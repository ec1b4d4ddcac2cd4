"""Fire releases and duress, of access and devices: told until it is true, ended by people, silent where somebody is under threat."""

from tests.mutants.mutant import of

ACCESS, DEVICES = "services/access", "services/devices"
UNIT = "tests/unit/access"
RELEASES = (f"{UNIT}/test_releases.py", f"{UNIT}/test_releases_whatever_happens.py")
HOLDS = "tests/unit/devices/test_holds.py"
DURESS = f"{UNIT}/test_duress.py"

OF_ACCESS = (
    *of(
        f"{ACCESS}/domain/releases.py", RELEASES,
        ("a release is ended while it burns and nobody knew", "if release.burning and not command.despite_fire:", "if False:"),
        ("nobody can ever end a release while it burns",
         "if release.burning and not command.despite_fire:", "if release.burning:"),
        ("one fire of two that is over is enough",
         "if release.burning and not command.despite_fire:", "if not release.over and release.incidents and not command.despite_fire:"),
        ("nobody reads that it burnt still", 'reason="despite_fire" if release.burning else "fire_over"', 'reason="fire_over"'),
        ("a fire that is over ends the release",
         ("case Released(), FireOver(incident_id=over):\n"
          "            return replace(release, over=(*release.over, over))"),
         ("case Released(), FireOver():\n"
          "            return Ended(release.release_id, release.incident_id, release.relays, release.incidents, release.answers)")),
        ("a second fire begins a second release",
         ("        case Released():\n            if incident_id is None:\n                return []\n"
          "            return [FireReleaseJoined(release.release_id, command.building_id, incident_id, release.relays)]\n"
          "        case NotReleased() | Ended():"),
         "        case NotReleased() | Released() | Ended():"),
        ("a further fire is not the release's",
         "return replace(release, incidents=(*release.incidents, joined))", "return release"),
        ("a fire that was verified again after the end opens the doors again",
         "case Released() | Ended() if incident_id is not None and incident_id in release.incidents:",
         "case Released() if incident_id is not None and incident_id in release.incidents:"),
        ("the end of an old release ends the one that runs",
         "case Released(release_id=release_id) if release_id == command.release_id:", "case Released(release_id=release_id):"),
        ("an answer of an old release is one of the new",
         "next((r for r in there if r.release_id == command.release_id), None)", "next(iter(there), None)"),
        ("whoever releases a building again never hears that the release before is set back",
         "earlier=tuple(r for r in before if not r.set_back))", "earlier=())"),
        ("a failure that comes late undoes what was done",
         'if known is not None and known.failed in ("", command.failed):',
         "if known is not None and known.failed == command.failed:"),
        ("every attempt of a dead device is an event",
         'if known is not None and known.failed in ("", command.failed):', 'if known is not None and known.failed == "":'),
        ("held and normal of a relay are one answer",
         "if (a.door_id, a.released) == (door_id, released)), None)", "if a.door_id == door_id), None)"),
        ("relay 1 of one device is that of another",
         "if (r.device_id, r.door_no) == where), None)", "if r.door_no == command.door_no), None)"),
    ),
    *of(
        f"{ACCESS}/views/releases.py", f"{UNIT}/test_releases.py",
        ("a relay that was held is shown as normal again",
         'if known is None or event.released != (known["state"] == "begun"):', "if known is None:"),
        ("one fire that is over is all of them",
         '{**f, "over": True} if f["incident_id"] == str(incident_id) else f', '{**f, "over": True}'),
    ),
    *of(
        f"{ACCESS}/releasing.py", f"{UNIT}/test_releasing.py",
        ("gas opens the doors", 'if event.kind != "fire" or building_id is None:', "if building_id is None:"),
        ("a fire of another community opens our doors",
         "return building_id if book.stands_in(building_id) in (None, row.community_id) else None", "return building_id"),
        ("a fire of the past opens the doors",
         "if building_id is None or book.fire_over(row.community_id, event.incident_id):", "if building_id is None:"),
        ("a fire waits until somebody looks at what was put aside",
         '        raise Unavailable("the book of doors") from not_ready', "        raise"),
        ("a relay that is normal again is told as held", 'event.state != "normal", failed)', "True, failed)"),
        ("what failed is told as done",
         "return await told(event, row, event.reason)", 'return await told(event, row, "")'),
    ),
    *of(
        f"{ACCESS}/book.py", f"{UNIT}/test_releasing.py",
        ("plant rooms stand open", "if d.zone == zone and d.evacuation)", "if d.zone == zone)"),
        ("every building stands open", "if d.zone == zone and d.evacuation)", "if d.evacuation)"),
        ("lifts go to the cellar",
         "(floors[GROUND] for floors in self._lifts.values() if GROUND in floors and floors[GROUND].zone == zone)",
         "(floors[min(floors)] for floors in self._lifts.values() if floors[min(floors)].zone == zone)"),
        ("the doors of another community open", ") if d.community_id == community_id)", "))"),
        ("a release of another community is found",
         "return self._releases.get((community_id, release_id))",
         "return next((b for (_, r), b in self._releases.items() if r == release_id), None)"),
    ),
    *of(
        f"{ACCESS}/domain/doors.py", f"{UNIT}/test_rights_credentials_doors.py",
        ("a door stays a way out whatever staff say", "command.door_no, command.evacuation)", "command.door_no, True)"),
    ),
    *of(
        f"{ACCESS}/domain/admission.py", (DURESS, f"{UNIT}/test_admission.py"),
        ("nobody hears of a threat at a door that stays shut",
         "if credential is not None and credential.duress else judgement",
         "if credential is not None and credential.duress and judgement.allowed else judgement"),
        ("every PIN is one of duress", "if credential is not None and credential.duress else", "if credential is not None else"),
    ),
    *of(
        f"{ACCESS}/domain/openings.py", (DURESS, f"{UNIT}/test_openings.py"),
        ("under threat no door opens",
         "if command.awaited and command.live and j.allowed:", "if command.awaited and command.live and j.allowed and not j.holder:"),
        ("history of a threat is told as of now",
         "j.holder, command.live, command.at))", "j.holder, True, command.at))"),
        ("a device's word of a threat is heard twice",
         ("def decide_signal_duress(command: SignalDuress, opening: Opening) -> list[OpeningEvent]:\n"
          "    if not isinstance(opening, Nothing):"),
         "def decide_signal_duress(command: SignalDuress, opening: Opening) -> list[OpeningEvent]:\n    if False:"),
    ),
    *of(
        f"{ACCESS}/domain/credentials.py", DURESS,
        ("a card is one of duress", 'if command.duress and command.kind != "pin":', "if False:"),
        ("a duress PIN is an ordinary one",
         "valid_until=command.valid_until, duress=command.duress)]", "valid_until=command.valid_until)]"),
    ),
    *of(
        f"{ACCESS}/reactions.py", DURESS,
        ("a threat stands on the door's list for everybody", 'if event.kind == "duress":', "if False:"),
    ),
)

OF_DEVICES = (
    *of(
        f"{DEVICES}/domain/holds.py", HOLDS,
        ("a relay is told once, like a pulse", "return hold.again_at if isinstance(hold, Untold) else None",
         "return hold.again_at if isinstance(hold, Untold) and not hold.attempts else None"),
        ("a dead device is told again at once", "return min(FIRST * (1 << min(attempts - 1, 20)), LONGEST)", "return 0 * FIRST"),
        ("a device that comes back is told after hours",
         "return min(FIRST * (1 << min(attempts - 1, 20)), LONGEST)", "return FIRST * (1 << min(attempts - 1, 20))"),
        ("the end of one release shuts the doors of another",
         "return self.wishes[-1].state if self.wishes else \"normal\"",
         'return self.wishes[-1].state if self.wishes and not self.over else "normal"'),
        ("a release that is over holds a relay again",
         " or (not isinstance(hold, NoHold) and command.release_id in hold.over):", ":"),
        ("a door that never opened is never told normal",
         "        return Confirmed(hold.device_id, hold.door_no, hold.because, wishes, unanswered, over)\n    return Untold(",
         ("        return Confirmed(hold.device_id, hold.door_no, hold.because, wishes, unanswered, over)\n"
          "    if isinstance(hold, Untold) and not wishes:\n"
          "        return Confirmed(hold.device_id, hold.door_no, hold.because, wishes, unanswered, over)\n    return Untold(")),
        ("what a device did of an old wish is the new one",
         "case Untold() if command.state != hold.wanted:\n            return []\n", "case Untold() if False:\n            return []\n"),
        ("a failure of an old wish puts the new one off",
         "case Untold() if command.state != hold.wanted or command.attempt != hold.attempts + 1:",
         "case Untold() if command.attempt != hold.attempts + 1:"),
        ("one of two releases never hears of it",
         "return tuple(i for i in self.unanswered if (i in held) == bool(held))", "return self.unanswered[-1:]"),
        ("whoever wants it held again pushes the other aside",
         "wishes = (*wishes, Wish(event.release_id, event.state))", "wishes = (Wish(event.release_id, event.state),)"),
        ("a scrapped device is told for ever", "        case Untold(), DeviceGone():", "        case Confirmed(), DeviceGone():"),
        ("relay 1 of two devices is one",
         'return uuid5(device_id, f"{community_id} {door_no}")', 'return uuid5(community_id, f"{door_no}")'),
    ),
    *of(
        f"{DEVICES}/holding.py", HOLDS,
        ("the end of a release holds its relays",
         'relay.device_id, relay.door_no, "normal") for relay', "relay.device_id, relay.door_no, relay.state) for relay"),
    ),
    *of(
        f"{DEVICES}/publishing.py", HOLDS,
        ("of two releases one hears of it", "state)) for i in event.releases)\n        case holds.HoldFailed",
         "state)) for i in event.releases[:1])\n        case holds.HoldFailed"),
    ),
    *of(
        f"{DEVICES}/adapters/isapi_client.py", "tests/unit/devices/test_isapi_client.py",
        ("a fire bolts the doors", '"held_open": (b"alwaysOpen",)', '"held_open": (b"alwaysClose",)'),
        ("a door is never given back where its device knows another word", 'b"close", b"resume")', 'b"close",)'),
        ("a stranger tries every word", 'if outcome.result != "refused" or outcome.code in _SIGN_IN:', 'if outcome.result != "refused":'),
        ("a refusal is the last word", 'if outcome.result != "refused" or outcome.code in _SIGN_IN:', "if True:"),
    ),
)
