"""Consents, looks, faces, erasure and one's own data."""

from tests.mutants.mutant import of

IDENTITY, ACCESS, DEVICES, GATEWAY = "services/identity", "services/access", "services/devices", "services/gateway"
SAID = "tests/unit/identity/test_consents.py"
FACES = "tests/unit/access/test_faces.py"
SHOWN = "tests/unit/gateway/test_people_views.py"

OF_IDENTITY = (
    *of(
        f"{IDENTITY}/domain/consents.py", SAID,
        ("a child agrees by itself", "if child and isinstance(command, GiveConsent):", "if False:"),
        ("a child may not withdraw", "if child and isinstance(command, GiveConsent):", "if child:"),
        ("anybody speaks for a child", "if command.by not in ledger.guardians:", "if False:"),
        ("a guardian speaks for ever", "return under_14 is not False", "return True"),
        ("a guardian is forgotten where no number is known",
         "child = bool(ledger.guardians) if command.under_14 is None else command.under_14", "child = bool(command.under_14)"),
        ("a withdrawal withdraws everything", "given=ledger.given - {purpose}", "given=frozenset()"),
        ("a child is a guardian", " or command.guardian_under_14:", ":"),
        ("whoever is of age gets a guardian", "if command.under_14 is False:", "if False:"),
    ),
    *of(
        f"{IDENTITY}/ages.py", SAID,
        ("on the birthday one is still too young", "(today.month, today.day) < (birth.month, birth.day)",
         "(today.month, today.day) <= (birth.month, birth.day)"),
        ("months count for nothing", " - ((today.month, today.day) < (birth.month, birth.day))", ""),
    ),
    *of(
        f"{IDENTITY}/domain/askers.py", SAID,
        ("a look is taken at the limit", "    if wait <= timedelta():", "    if True:"),
        ("a limit is found at every attempt", "if before is not None and abs(command.now - before) < within:", "if False:"),
        ("what a clock found that was ahead is found no more until then",
         "abs(command.now - before) < within", "command.now - before < within"),
        ("misses are looks", 'case AttemptCounted(kind="miss", at=at):\n            return Asker(asker.looks, (*asker.misses, at)',
         'case AttemptCounted(kind="miss", at=at):\n            return Asker((*asker.looks, at), (*asker.misses, at)'),
    ),
    *of(
        f"{IDENTITY}/domain/residents.py", "tests/unit/identity/test_people.py",
        ("a grid worker needs no consent", 'command.role == "grid" and not command.sharing', "False"),
        ("the police need the consent", 'command.role == "grid" and not command.sharing',
         'command.role in ("grid", "police") and not command.sharing'),
        ("the police say nothing of the law", 'command.role == "police" and len(command.basis) < SHORTEST_PURPOSE', "False"),
    ),
    *of(
        f"{IDENTITY}/publishing.py", "tests/unit/identity/test_publishing.py",
        ("a look at the ID number is told as one at the phone", '*(("id_number",) if event.id_number else ())', ""),
    ),
)
OF_ACCESS = (
    *of(
        f"{ACCESS}/domain/credentials.py", FACES,
        ("a face without the consent", 'command.kind == "face" and not command.agreed', "False"),
        ("a face as the only way in", 'command.kind == "face" and not command.other_way', "False"),
        ("a revocation does not say why", "person_id, kind, command.reason)", "person_id, kind)"),
    ),
    *of(
        f"{ACCESS}/ways.py", FACES,
        ("a withdrawal is not heard", ".discard(purpose)", ".add(purpose)"),
        ("a face is another way beside a face", "any(way.kind != \"face\"", "any(way.kind == \"face\""),
        ("a card that has run out is another way", "now < self.valid_until)", "True)"),
        ("what is for a threat is another way", "return not self.duress and (", "return ("),
        ("a template that a reader still has is not counted", "if devices and i not in self._faces", "if False"),
        ("faces of later consents go too", "and w.position < before", ""),
    ),
    *of(
        f"{ACCESS}/faces.py", FACES,
        ("any withdrawal ends the face", 'if event.purpose != "face":', "if False:"),
        ("a face that came too late stays", 'if ways.agrees(row.community_id, event.person_id, "face"):', "if True:"),
    ),
    *of(
        f"{ACCESS}/domain/face_filing.py", FACES,
        ("the threshold is found one too late", "stored >= THRESHOLD", "stored > THRESHOLD"),
        ("nearness is not found", "stored >= NEAR", "stored >= THRESHOLD"),
        ("it is found at every face", "any(found.level in (level, \"reached\") for found in filing.found)", "False"),
    ),
    *of(
        f"{ACCESS}/notices.py", "tests/unit/access/test_notices.py",
        ("notices are sent to whoever has not agreed", 'if not ways.agrees(row.community_id, notice.person_id, "notices"):', "if False:"),
    ),
    *of(
        f"{ACCESS}/sending.py", "tests/unit/access/test_notices.py",
        ("what waits is sent after the withdrawal", '"consent_withdrawn" if not agreed else', '"consent_withdrawn" if False else'),
        ("what waits is sent days later", "late = too_late(due.state.about, datetime.now(UTC))", "late = False"),
        ("why nobody took it for a day is forgotten", '(due.state.error or "too_late")', '"too_late"'),
    ),
)
OF_DEVICES = (
    *of(
        f"{DEVICES}/domain/templates.py", "tests/unit/devices/test_templates.py",
        ("a reader is told every second for ever", "FIRST * (1 << min(attempts - 1, 20))", "FIRST"),
        ("an attempt is recorded twice", "if command.attempt == attempts + 1", "if True"),
    ),
)
OF_GATEWAY = (
    *of(
        f"{GATEWAY}/views/erasures.py", SHOWN,
        ("the gateway's own word counts for nobody", 'or "gateway"', 'or "nobody"'),
        ("a confirmation that comes first is lost", 'confirmed=known.get("confirmed") or {}', "confirmed={}"),
        ("an erasure that is said again begins again", 'if known.get("erased_at") is None:', "if True:"),
    ),
    *of(
        f"{GATEWAY}/views/my_home.py", SHOWN,
        ("a name comes back", 'if not (rows.get(resident_id=event.resident_id) or {}).get("erased"):', "if True:"),
    ),
    *of(
        f"{GATEWAY}/words/people_english.py", SHOWN,
        ("an erased resident goes by their id", 'return GONE if names.get(person_id) == ERASED else', "return"),
    ),
    *of(
        f"{GATEWAY}/api/unsealing.py", SHOWN,
        ("an erased name waits for its key", 'if rows and rows[0]["erased"]:', "if False:"),
    ),
)
