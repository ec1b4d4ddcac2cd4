"""English: words for the codes that events say. What is not here is said as it stands."""

KINDS = {"family": "family or friend", "courier": "courier", "takeaway": "takeaway", "service": "service"}
"""Of visitors."""
BILL = {
    "free_period": "free time", "free_period_exceeded": "beyond the free time", "step": "started time", "cap": "cap",
    "day_pass": "by the day", "covered_by_pass": "paid for that day", "permit": "under a permit", "exempt": "exempt",
    "on_duty": "on duty", "share": "share", "class_corrected": "class corrected", "as_before": "the same again"}
"""Codes of bill lines."""
MEANS = {
    "card": "a card", "pin": "a PIN", "face": "a face", "fingerprint": "a fingerprint", "remote": "remotely", "qr": "a visitor's code",
    "unknown": "by means unknown"}
RULES = {
    "fake_plate": "picture of a plate",
    "no_plate": "no plate", "black_list": "black list", "white": "white list", "permit": "permit", "visitor_pass": "visitor's pass",
    "vehicle": "vehicle of a home", "look_alike": "look-alike", "residents_only": "residents only", "room": "room",
    "tariff": "by tariff", "payment": "payment", "no_entry": "no entry", "by_hand": "by hand"}
"""Of parking."""
DOOR_RULES = {
    "residence": "residence", "duty": "duty", "visitor_pass": "visitor's pass", "credential": "credential", "floor": "floor",
    "erasure": "erasure", "device": "device in use", "default": "deny by default"}
"""Of access."""
DOORS = {
    "allowed_by_residence": "they live here", "allowed_by_duty": "they are on duty",
    "allowed_by_visitor_pass": "the visitor's pass is valid", "credential_unknown": "nobody holds what was presented",
    "credential_expired": "what was presented is no longer valid", "floor_not_permitted": "they have no right to this floor",
    "no_right_for_this_door": "they have no right to this door", "pass_unknown": "the visitor's pass is not known",
    "pass_revoked": "the visitor's pass was revoked", "pass_not_yet_valid": "the visitor's pass is not valid yet",
    "pass_expired": "the visitor's pass is no longer valid", "pass_elsewhere": "the visitor's pass is not for this place",
    "pass_spent": "the visitor's pass is used up", "qr_malformed": "the code is no visitor's code",
    "qr_key_unknown": "the code is signed with a key that is not known", "qr_signature_wrong": "the signature of the code is wrong",
    "qr_of_another_community": "the code is of another community", "resident_erased": "they were erased",
    "device_retired": "the door's device was taken out of use"}
"""Why a door may be opened or not."""
REVOKED = {
    "host": "by the host", "staff": "by staff", "residence_ended": "the host no longer lives there",
    "host_erased": "the host was erased"}
"""Why a visitor's pass counts no more."""
HOMES = {
    "owner": "owner", "tenant": "tenant", "family": "one of the family", "staff": "domestic staff", "other": "somebody else"}
"""As what somebody lives in a home."""
ACCOUNTS = {
    "resident": "resident", "staff": "staff", "guard": "guard", "grid": "grid worker", "police": "police", "operator": "operator"}
"""As what somebody signs in."""
PAPERS = {"driving_licence": "driving licence", "registration_certificate": "registration certificate"}
PASSAGES = {
    "plate_is_a_picture": "the camera takes its plate for a picture of one",
    "no_plate_read": "no plate could be read", "on_the_black_list": "the plate is on the black list",
    "white_counts": "the plate is on the white list", "permit_counts": "its permit is valid",
    "visitor_pass_counts": "its visitor's pass is valid", "vehicle_counts": "it is a vehicle of a home here",
    "resembles_a_plate_on_the_black_list": "the plate resembles one on the black list",
    "resembles_a_known_plate": "the plate resembles one that is known, and a person has to say whether it is that one",
    "resembles_a_car_inside": "the plate resembles that of a car inside, and a person has to say whether it is that one",
    "lot_full": "there is no free space", "pass_used_up": "the visitor's pass is used up",
    "pass_not_yet_valid": "the visitor's pass is not valid yet", "pass_expired": "the visitor's pass is no longer valid",
    "permit_used_up": "what lets it in is used up", "permit_not_yet_valid": "its permit is not valid yet",
    "permit_expired": "its permit is no longer valid", "space_taken": "another car stands on the space of its permit",
    "not_known_here": "the vehicle is not known here, and only who is known may come in", "pays_by_tariff": "it pays by the tariff",
    "no_entry_known": "nobody saw it come in", "not_paid": "what is owed has not been paid", "nothing_due": "nothing is owed"}
"""Why a barrier was lifted or stayed shut."""
FINDINGS = {
    "missing_exit": "the exit of a car was missed", "look_alike": "a plate looks like another",
    "no_entry": "a car leaves whose entry nobody saw", "no_plate": "a car without a readable plate",
    "fake_plate": "a camera takes a plate for a picture of one",
    "unclear_passage": "whether a car went through is unclear", "unpaid_exit": "a car is out that had not paid",
    "overpaid": "more was paid than is owed"}
SETTLED = {
    "let_through": "let through", "turned_away": "turned away", "chosen": "recognised by a person", "waived": "waived",
    "left_earlier": "it had left earlier", "paid": "paid afterwards", "refunded": "refunded",
    "second_fact": "settled by a second fact", "other": "otherwise"}
OTHERS = {
    "refused": "the device refused", "unreachable": "the device could not be reached, nothing was sent",
    "unknown": "the device did not answer", "expired": "it was too late to open, nothing was sent"}
REASONS = {**OTHERS, **PASSAGES, **DOORS, **REVOKED, **PAPERS, **FINDINGS, **SETTLED}
