"""Who may ask for what, written by hand: every route of every service, and the roles that it is for. Nobody else gets past its door.

`public`: without a token. `secret`: without a token, but with a secret of its own (a one-time code, a signature, the stack's demo secret).
`device`: with a device's own credential. Where a role's token is not made out to a service at all, the role stands at none of its routes.
"""

MATRIX = {
    "gateway": """
        public: GET /
        public: POST /v1/sign-ins
        public: POST /v1/sign-ins/{sign_in_id}/tokens
        public: POST /v1/token-renewals
        resident staff guard grid police operator: DELETE /v1/sessions/current
        resident staff guard grid police operator: GET /v1/me/sessions
        resident staff guard grid police operator: DELETE /v1/me/sessions
        resident staff guard grid police operator: DELETE /v1/me/sessions/{session_id}
        resident staff guard grid police operator: GET /v1/me
        resident staff guard grid police operator: GET /v1/me/doors
        resident staff guard grid police operator: GET /v1/me/lifts
        resident staff guard: GET /v1/me/door-events
        resident: GET /v1/me/visitors
        resident: GET /v1/me/cars
        resident: GET /v1/me/parking-sessions
        resident: GET /v1/me/parking-sessions/{session_id}
        resident: GET /v1/me/permits
        resident: GET /v1/me/alarms
        resident: GET /v1/me/notices
        resident: GET /v1/me/display-name
        resident: PUT /v1/me/display-name
        resident: GET /v1/me/circles
        staff guard: GET /v1/doors
        staff police: GET /v1/doors/{door_id}/rights
        staff guard: GET /v1/door-events
        staff guard: GET /v1/parking-occupancy
        staff guard: GET /v1/lanes
        staff guard: GET /v1/lanes/{lane_id}/passages
        staff guard: POST /v1/lanes/{lane_id}/openings
        staff guard: GET /v1/parking-findings
        staff guard: POST /v1/parking-findings/{finding_id}/settlements
        staff guard: GET /v1/incidents
        staff guard: GET /v1/incidents/{incident_id}
        staff guard: POST /v1/incidents
        staff guard: POST /v1/incidents/{incident_id}/acknowledgements
        staff guard: POST /v1/incidents/{incident_id}/verifications
        staff guard: POST /v1/incidents/{incident_id}/false-alarms
        staff guard: POST /v1/incidents/{incident_id}/dispatches
        staff guard: POST /v1/incidents/{incident_id}/resolutions
        staff guard: GET /v1/panels
        staff: POST /v1/panels
        staff: PUT /v1/panels/{panel_id}
        staff guard: GET /v1/panels/{panel_id}/signals
        staff guard: GET /v1/sensors
        staff: POST /v1/sensors
        staff: PUT /v1/sensors/{sensor_id}
        staff guard: GET /v1/ladders
        staff: PUT /v1/ladders/{severity}
        staff guard: GET /v1/patrol-points
        staff: POST /v1/patrol-points
        staff: PUT /v1/patrol-points/{point_id}
        staff guard: GET /v1/patrol-routes
        staff: POST /v1/patrol-routes
        staff: PUT /v1/patrol-routes/{route_id}
        staff guard: GET /v1/patrol-scans
        staff guard: POST /v1/patrol-scans
        staff guard: GET /v1/patrol-rounds
        staff guard: GET /v1/patrol-rounds/{round_id}
        staff guard: GET /v1/care
        staff guard: GET /v1/care/{home_id}
        staff: PUT /v1/care/{home_id}
        staff: DELETE /v1/care/{home_id}
        staff guard: POST /v1/care/{home_id}/checks
        resident staff guard: POST /v1/care/{home_id}/answers
        staff guard: GET /v1/wellness-checks
        resident: GET /v1/me/care
        resident: PUT /v1/me/care/{home_id}
        resident: DELETE /v1/me/care/{home_id}
        resident: PUT /v1/me/care/{home_id}/absence
        resident: PUT /v1/me/helping/{home_id}
        staff guard: GET /v1/fire-releases
        staff guard: POST /v1/fire-releases
        staff guard: POST /v1/fire-releases/{release_id}/endings
        staff: GET /v1/notices
        staff: POST /v1/notices
        staff: POST /v1/notices/{notice_id}/withdrawals
        staff: GET /v1/notices/{notice_id}/receipts
        resident: POST /v1/notices/{notice_id}/receipts
        staff guard: GET /v1/broadcasts
        staff guard: GET /v1/broadcasts/{broadcast_id}
        staff guard: POST /v1/broadcasts
        staff guard: POST /v1/broadcasts/{broadcast_id}/endings
        resident: POST /v1/broadcasts/{broadcast_id}/receipts
        resident staff guard: GET /v1/circles/{circle_id}/members
        grid police: GET /v1/government/incidents
        grid police: GET /v1/government/population
        grid police: GET /v1/government/parking
        grid police: GET /v1/government/patrols
        grid police: GET /v1/government/incident-events
        grid police: POST /v1/government/webhooks
        staff guard grid police operator service: GET /v1/government/webhooks
        staff guard grid police operator service: GET /v1/government/webhooks/{webhook_id}
        grid police: DELETE /v1/government/webhooks/{webhook_id}
        grid police: POST /v1/government/webhooks/{webhook_id}/secret-rotations
        grid police: POST /v1/government/webhooks/{webhook_id}/resends
        grid police: POST /v1/government/webhooks/{webhook_id}/resumptions
        staff grid police: POST /v1/residents/{resident_id}/population-declarations
        resident staff guard: GET /v1/live
        resident staff guard: GET /v1/events/{event_id}/explanation
        resident staff guard: POST /v1/doors/{door_id}/openings
        resident staff: POST /v1/visitor-passes
        resident staff: POST /v1/visitor-passes/{pass_id}/revocations
        resident staff: POST /v1/vehicles
        resident staff: DELETE /v1/vehicles/{vehicle_id}
        resident staff guard: POST /v1/parking-sessions/{session_id}/payments
        staff guard: POST /v1/parking-sessions/{session_id}/settlements
        staff guard: POST /v1/parking-sessions/{session_id}/corrections
        resident staff: POST /v1/permits/{right_id}/renewals
        resident: POST /v1/sos
        resident: GET /v1/me/consents
        resident: PUT /v1/me/consents/{purpose}
        resident: GET /v1/me/looks
        resident: GET /v1/me/export
        resident: GET /v1/me/erasure
        resident: POST /v1/me/erasure
        staff: GET /v1/erasures
        staff: POST /v1/residents/{resident_id}/erasures
        staff: GET /v1/consents
        staff grid police: POST /v1/residents/{resident_id}/disclosures
        staff operator: POST /v1/accounts
        staff operator: GET /v1/accounts
        staff operator: PUT /v1/accounts/{account_id}/phone
        staff operator: DELETE /v1/accounts/{account_id}
        staff operator: DELETE /v1/accounts/{account_id}/sessions
        staff: POST /v1/buildings
        staff grid police: GET /v1/buildings
        staff: POST /v1/homes
        staff grid police: GET /v1/homes
        staff: POST /v1/residents
        staff grid police: GET /v1/residents
        staff grid police: GET /v1/residents/{resident_id}
        staff: PATCH /v1/residents/{resident_id}
        staff: POST /v1/residents/{resident_id}/residences
        staff: POST /v1/residences/{residence_id}/end
        staff grid police: GET /v1/residences
        staff operator: GET /v1/probing-findings
        staff: POST /v1/doors
        staff: PUT /v1/doors/{door_id}
        staff: POST /v1/lifts
        staff guard: GET /v1/lifts
        staff: PUT /v1/lifts/{lift_id}
        staff: PUT /v1/homes/{home_id}/floor
        staff: POST /v1/credentials
        staff: GET /v1/credentials
        staff: DELETE /v1/credentials/{credential_id}
        staff: GET /v1/credentials/{credential_id}/readers
        staff: POST /v1/parking/lots
        staff guard: GET /v1/parking/lots
        staff: PUT /v1/parking/lots/{lot_id}
        staff: POST /v1/parking/lots/{lot_id}/tariffs
        staff guard: GET /v1/parking/lots/{lot_id}/tariffs
        staff: POST /v1/parking/spaces
        staff: DELETE /v1/parking/spaces/{space_id}
        staff guard: GET /v1/parking/lots/{lot_id}/spaces
        staff: POST /v1/parking/lanes
        staff guard: GET /v1/parking/lanes
        staff: PUT /v1/parking/lanes/{lane_id}
        staff guard: POST /v1/parking-sessions/{session_id}/quarantines
        staff: POST /v1/parking/plate-rights
        staff guard: GET /v1/parking/plate-rights
        staff: PUT /v1/parking/plate-rights/{right_id}
        staff: DELETE /v1/parking/plate-rights/{right_id}
        resident staff: GET /v1/visitor-passes
        resident staff: GET /v1/visitor-passes/{pass_id}
        public: GET /v1/visitor-qr-keys
        resident: GET /v1/me/visitor-notices
        staff guard operator service: GET /v1/notice-deliveries
        staff guard operator service: GET /v1/notice-deliveries/counts
        staff guard operator service: GET /v1/face-templates
        resident staff guard: POST /v1/lifts/{lift_id}/openings
        resident staff: GET /v1/vehicles
        resident staff: GET /v1/vehicles/{vehicle_id}
        staff: PATCH /v1/vehicles/{vehicle_id}
        staff: POST /v1/vehicles/{vehicle_id}/verification
        staff: POST /v1/vehicles/{vehicle_id}/keeper
        staff: DELETE /v1/vehicles/{vehicle_id}/keeper
        staff: POST /v1/vehicles/{vehicle_id}/disclosures
        staff: PUT /v1/residents/{resident_id}/id-number
        staff: DELETE /v1/residents/{resident_id}/id-number
        staff: POST /v1/residents/{resident_id}/id-number/confirmation
        staff: PUT /v1/residents/{resident_id}/guardians/{guardian_id}
        staff: DELETE /v1/residents/{resident_id}/guardians/{guardian_id}
        staff: POST /v1/organisations
        staff grid police: GET /v1/organisations
        staff grid police: GET /v1/organisations/{organisation_id}
        staff: PATCH /v1/organisations/{organisation_id}
        staff guard: GET /v1/parking/lots/{lot_id}/occupancy
        staff guard: GET /v1/parking-sessions
        resident staff guard: GET /v1/parking-sessions/{session_id}/bill
        staff operator: POST /v1/devices
        staff guard operator: GET /v1/devices
        staff operator: GET /v1/devices/{device_id}
        staff operator: PUT /v1/devices/{device_id}
        staff operator: DELETE /v1/devices/{device_id}
        public: POST /v1/devices/{device_id}/enrolments
        staff operator: POST /v1/devices/{device_id}/enrolment-codes
        staff operator: PUT /v1/devices/{device_id}/address
        staff guard operator: GET /v1/devices/{device_id}/findings
        staff guard operator: GET /v1/devices/unplaced-findings
    """,
    "identity": """
        public: POST /v1/sign-ins
        public: POST /v1/sign-ins/{sign_in_id}/tokens
        public: POST /v1/token-renewals
        secret: POST /v1/demo-tokens
        resident staff guard grid police operator: DELETE /v1/sessions/current
        resident staff guard grid police operator: GET /v1/me/sessions
        resident staff guard grid police operator: DELETE /v1/me/sessions
        resident staff guard grid police operator: DELETE /v1/me/sessions/{session_id}
        staff: POST /v1/buildings
        staff grid police: GET /v1/buildings
        staff: POST /v1/homes
        staff grid police: GET /v1/homes
        staff: POST /v1/residents
        staff grid police: GET /v1/residents
        staff grid police: GET /v1/residents/{resident_id}
        staff: PATCH /v1/residents/{resident_id}
        staff grid police: POST /v1/residents/{resident_id}/disclosures
        staff: POST /v1/residents/{resident_id}/residences
        staff: PUT /v1/residents/{resident_id}/id-number
        staff: DELETE /v1/residents/{resident_id}/id-number
        staff: POST /v1/residents/{resident_id}/id-number/confirmation
        staff grid police: POST /v1/residents/{resident_id}/population-declarations
        staff: POST /v1/residences/{residence_id}/end
        staff grid police: GET /v1/residences
        staff: POST /v1/organisations
        staff grid police: GET /v1/organisations
        staff grid police: GET /v1/organisations/{organisation_id}
        staff: PATCH /v1/organisations/{organisation_id}
        staff operator: POST /v1/accounts
        staff operator: PUT /v1/accounts/{account_id}/phone
        staff operator: DELETE /v1/accounts/{account_id}
        staff operator: DELETE /v1/accounts/{account_id}/sessions
        staff operator: GET /v1/accounts
        resident staff: POST /v1/vehicles
        resident staff: GET /v1/vehicles
        resident staff: GET /v1/vehicles/{vehicle_id}
        resident staff: DELETE /v1/vehicles/{vehicle_id}
        staff: PATCH /v1/vehicles/{vehicle_id}
        staff: POST /v1/vehicles/{vehicle_id}/verification
        staff: POST /v1/vehicles/{vehicle_id}/keeper
        staff: DELETE /v1/vehicles/{vehicle_id}/keeper
        staff: POST /v1/vehicles/{vehicle_id}/disclosures
        resident: GET /v1/me/consents
        resident: PUT /v1/me/consents/{purpose}
        resident: GET /v1/me/data
        resident: POST /v1/me/erasure
        staff: POST /v1/residents/{resident_id}/erasures
        staff: GET /v1/consents
        staff: PUT /v1/residents/{resident_id}/guardians/{guardian_id}
        staff: DELETE /v1/residents/{resident_id}/guardians/{guardian_id}
        staff operator: GET /v1/probing-findings
    """,
    "access": """
        resident staff guard: POST /v1/doors/{door_id}/openings
        resident staff guard: POST /v1/lifts/{lift_id}/openings
        device service: POST /v1/doors/{door_id}/judgements
        staff: POST /v1/doors
        staff: PUT /v1/doors/{door_id}
        staff guard: GET /v1/doors
        staff: POST /v1/credentials
        staff: DELETE /v1/credentials/{credential_id}
        staff: GET /v1/credentials
        staff: POST /v1/lifts
        staff: PUT /v1/lifts/{lift_id}
        staff guard: GET /v1/lifts
        staff: PUT /v1/homes/{home_id}/floor
        resident staff: POST /v1/visitor-passes
        resident staff: GET /v1/visitor-passes
        resident staff: GET /v1/visitor-passes/{pass_id}
        resident staff: POST /v1/visitor-passes/{pass_id}/revocations
        public: GET /v1/visitor-qr-keys
        resident staff guard operator: GET /v1/notices
        staff guard operator service: GET /v1/notice-deliveries
        staff guard operator service: GET /v1/notice-deliveries/counts
        staff guard: GET /v1/fire-releases
        staff guard: POST /v1/fire-releases
        staff guard: POST /v1/fire-releases/{release_id}/endings
        resident: GET /v1/me/data
        staff: GET /v1/credentials/{credential_id}/readers
        staff guard operator service: GET /v1/face-templates
    """,
    "devices": """
        device: POST /v1/device-reports/hikvision/{device_id}
        device: POST /v1/device-reports/onvif/{device_id}
        device: POST /v1/device-reports/vzenith/{device_id}
        secret: POST /v1/devices/{device_id}/enrolments
        staff operator: POST /v1/devices
        staff operator: POST /v1/devices/{device_id}/enrolment-codes
        staff operator: PUT /v1/devices/{device_id}/address
        staff operator: GET /v1/devices/{device_id}
        staff operator: PUT /v1/devices/{device_id}
        staff operator: DELETE /v1/devices/{device_id}
        staff guard operator: GET /v1/devices
        operator: GET /v1/devices/unplaced-findings
        staff guard operator: GET /v1/devices/{device_id}/findings
    """,
    "parking": """
        staff: POST /v1/parking/lots
        staff guard: GET /v1/parking/lots
        staff: PUT /v1/parking/lots/{lot_id}
        staff guard: GET /v1/parking/lots/{lot_id}/occupancy
        staff: POST /v1/parking/lots/{lot_id}/tariffs
        staff guard: GET /v1/parking/lots/{lot_id}/tariffs
        staff: POST /v1/parking/spaces
        staff: DELETE /v1/parking/spaces/{space_id}
        staff guard: GET /v1/parking/lots/{lot_id}/spaces
        staff: POST /v1/parking/lanes
        staff: PUT /v1/parking/lanes/{lane_id}
        staff guard: GET /v1/parking/lanes
        staff guard: GET /v1/parking/lanes/{lane_id}/passages
        staff guard: POST /v1/parking/lanes/{lane_id}/openings
        staff guard: GET /v1/parking/findings
        staff guard: POST /v1/parking/findings/{finding_id}/settlements
        staff: POST /v1/parking/plate-rights
        staff: PUT /v1/parking/plate-rights/{right_id}
        staff: DELETE /v1/parking/plate-rights/{right_id}
        staff guard: GET /v1/parking/plate-rights
        resident: GET /v1/me/data
        resident: GET /v1/parking/me/permits
        resident staff: POST /v1/parking/plate-rights/{right_id}/renewals
        staff guard: GET /v1/parking/sessions
        resident: GET /v1/parking/me/sessions
        resident staff guard: GET /v1/parking/sessions/{session_id}/bill
        staff guard: POST /v1/parking/sessions/{session_id}/corrections
        staff guard: POST /v1/parking/sessions/{session_id}/quarantines
        staff guard: POST /v1/parking/sessions/{session_id}/settlements
        resident staff guard: POST /v1/parking/sessions/{session_id}/payments
        secret: POST /v1/parking/payment-notifications/{name}
        resident staff guard: POST /v1/parking/demo-payments/{subject_id}/{payment_id}
    """,
    "alarm": """
        staff guard: POST /v1/incidents
        resident: POST /v1/sos
        staff guard: GET /v1/incidents
        staff guard: GET /v1/incidents/{incident_id}
        staff guard: POST /v1/incidents/{incident_id}/acknowledgements
        staff guard: POST /v1/incidents/{incident_id}/verifications
        staff guard: POST /v1/incidents/{incident_id}/false-alarms
        staff guard: POST /v1/incidents/{incident_id}/dispatches
        staff guard: POST /v1/incidents/{incident_id}/resolutions
        staff: POST /v1/panels
        staff: PUT /v1/panels/{panel_id}
        staff guard: GET /v1/panels
        staff guard: GET /v1/panels/{panel_id}/signals
        staff: POST /v1/sensors
        staff: PUT /v1/sensors/{sensor_id}
        staff guard: GET /v1/sensors
        staff guard: GET /v1/ladders
        staff: PUT /v1/ladders/{severity}
        staff guard: GET /v1/patrol-points
        staff: POST /v1/patrol-points
        staff: PUT /v1/patrol-points/{point_id}
        staff guard: GET /v1/patrol-routes
        staff: POST /v1/patrol-routes
        staff: PUT /v1/patrol-routes/{route_id}
        staff guard: GET /v1/patrol-scans
        staff guard: POST /v1/patrol-scans
        staff guard: GET /v1/patrol-rounds
        staff guard: GET /v1/patrol-rounds/{round_id}
        staff guard: GET /v1/care
        staff guard: GET /v1/care/{home_id}
        staff: PUT /v1/care/{home_id}
        staff: DELETE /v1/care/{home_id}
        staff guard: POST /v1/care/{home_id}/checks
        resident staff guard: POST /v1/care/{home_id}/answers
        staff guard: GET /v1/wellness-checks
        resident: GET /v1/me/care
        resident: PUT /v1/me/care/{home_id}
        resident: DELETE /v1/me/care/{home_id}
        resident: PUT /v1/me/care/{home_id}/absence
        resident: PUT /v1/me/helping/{home_id}
        resident: GET /v1/me/data
    """,
    "neighbors": """
        resident: GET /v1/me/circles
        resident staff guard: GET /v1/circles/{circle_id}/members
        resident: GET /v1/me/display-name
        resident: PUT /v1/me/display-name
        staff: POST /v1/notices
        resident staff: GET /v1/notices
        staff: POST /v1/notices/{notice_id}/withdrawals
        resident: POST /v1/notices/{notice_id}/receipts
        staff: GET /v1/notices/{notice_id}/receipts
        staff guard: POST /v1/broadcasts
        resident staff guard: GET /v1/broadcasts
        resident staff guard: GET /v1/broadcasts/{broadcast_id}
        resident: POST /v1/broadcasts/{broadcast_id}/receipts
        staff guard: POST /v1/broadcasts/{broadcast_id}/endings
        resident: GET /v1/me/data
    """,
}
EVERYWHERE = ("GET /livez", "GET /startupz", "GET /readyz", "GET /internal/status", "GET /metrics")
"""Public, in every service."""
SEEDING = "POST /v1/demo-seed"
"""Secret, in every service but the gateway."""
ROLES = ("resident", "staff", "guard", "grid", "police", "operator", "device", "service")


def expected(service: str) -> dict[str, frozenset[str]]:
    """By route: the roles, or {"public"}, or {"secret"}."""
    lines = (line.strip().split(": ", 1) for line in MATRIX[service].strip().splitlines())
    found = {route: frozenset(roles.split()) for roles, route in lines}
    found |= dict.fromkeys(EVERYWHERE, frozenset({"public"}))
    return found | ({} if service == "gateway" else {SEEDING: frozenset({"secret"})})
