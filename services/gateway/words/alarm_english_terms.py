"""English: words for what alarm, fire releases and broadcasts say in codes. What is not here is said as it stands."""

KINDS = {
    "fire": "fire alarm", "gas": "gas alarm", "water": "water alarm", "medical": "medical call", "panic": "panic alarm",
    "sos": "call for help", "duress": "duress alarm", "burglary": "burglar alarm", "tamper": "tamper alarm",
    "supervisory": "supervisory alarm", "trouble": "fault", "line": "fault of the alarm line", "other": "alarm"}
SEVERITIES = {"critical": "critical", "high": "serious", "low": "minor"}
ROLES = {
    "guard": "a guard", "guards": "the guards", "staff": "a member of staff", "manager": "the manager", "grid": "a grid worker",
    "police": "the police", "operator": "an operator", "duty_manager": "the manager on duty", "fire_brigade": "the fire brigade",
    "erased": "an erased resident"}
"""Also the roles that an escalation names."""
SENT = {
    "guard": "a guard", "maintenance": "maintenance", "fire_brigade": "the fire brigade", "police": "the police",
    "ambulance": "an ambulance"}
WAITED = {
    "acknowledgement": "acknowledged", "verification": "verified", "dispatch": "sent anybody for", "resolution": "resolved"}
HOW = {
    "on_site": "on site", "camera": "by camera", "call": "by a call", "second_sensor": "by a second sensor",
    "cooking": "cooking", "steam": "steam", "dust": "dust", "insects": "insects", "smoking": "smoking", "fault": "a fault",
    "test": "a test", "misuse": "misuse", "unknown": "the cause is not known", "put_out": "it was put out", "repaired": "it was repaired",
    "helped": "people were helped", "left": "whoever it was has left", "handed_over": "it was handed over",
    "nothing_found": "nothing was found", "person": "by a person"}
"""How somebody knows, for what cause it was false, and how it ended."""
DETECTED = {
    "camera_alarm": "camera alarm", "pir": "motion sensor", "io_alarm": "alarm input", "tamper": "tampering", "fire_input": "fire input",
    "panic": "panic button", "door_forced": "door forced"}
CODES = {
    "line": "its line fell silent", "duress": "somebody was under threat", "care:unanswered": "nobody could say whether all is well there",
    "care:not_well": "somebody who looked said that all is not well"}
CHECKED = {
    "sign": "somebody who lives there was noticed", "well": "all is well", "not_well": "all is not well",
    "unanswered": "nobody could answer", "called_off": "care there has ended"}
"""How a wellness check ended."""
REASONS = {
    "sent_by_a_person": "a person decided so",
    "fire_is_real": "a person verified that the fire is real", "person_decided": "a person decided so",
    "gas_verified": "a gas leak was verified there", "incident_resolved": "the incident was resolved",
    "incident_found_false": "the incident was found false", "moved_out": "they had moved out", "erased": "they were erased",
    "fire_over": "no fire of it was open any more", "despite_fire": "although the incident is not over",
    "fire_verified": "a fire was verified there", "incident_verified": "a fire was verified there", "by_hand": "by hand",
    "held_open": "held open", "recalled": "recalled to the ground floor", "normal": "back to normal",
    "refused": "the device refused", "unreachable": "the device could not be reached", "unknown": "the device did not answer",
    "no_channel": "there is no channel to them", "given_up": "given up after many attempts", "ended": "it had ended before",
    "incident_over": "the incident is over", "all_clear": "all clear"}
BROADCASTS = {"fire": "fire", "gas": "gas leak", "water": "water", "security": "security", "other": "emergency"}
CATEGORIES = {
    "general": "general", "maintenance": "maintenance", "outage": "outage", "fees": "fees", "safety": "safety"}
CHANNELS = {"none": "any channel", "push": "push", "sms": "text message", "live": "the live feed", "screen": "a screen"}
POPULATION = {"registered": "registered here", "floating": "floating", "foreign": "from abroad"}
SOURCES = {"self": "the resident", "staff": "staff", "grid": "the grid worker", "police": "the police"}
STATES = {
    "raised": "raised", "acknowledged": "acknowledged", "verified": "verified", "found_false": "found false",
    "dispatched": "dispatched", "resolved": "resolved"}
RULES = {"fire_verified": "verified fire", "incident_verified": "verified incident", "by_hand": "by hand"}
"""Of fire releases and broadcasts."""
