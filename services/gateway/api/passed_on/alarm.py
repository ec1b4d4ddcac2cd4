"""Alarm's: calls for help, the steps of an incident, panels, sensors and deadlines; patrols; care."""

from functools import partial

from libs.contracts.permissions import ALARMS_GUARD, ALARMS_MANAGE, ALARMS_RAISE_OWN, ALARMS_READ, CARE_OWN
from libs.eventkit.http import permitted
from services.gateway.api.passing import PassedOn

alarm = partial(PassedOn, "alarm")
GUARD, MANAGER, READER, CARED = (permitted(one) for one in (ALARMS_GUARD, ALARMS_MANAGE, ALARMS_READ, CARE_OWN))

TABLE = (
    # incidents
    alarm("POST", "/v1/sos", permitted(ALARMS_RAISE_OWN), "call_for_help", 201),
    alarm("POST", "/v1/incidents", GUARD, "raise_incident", 201),
    alarm("POST", "/v1/incidents/{incident_id}/acknowledgements", GUARD, "acknowledge_incident", 201),
    alarm("POST", "/v1/incidents/{incident_id}/verifications", GUARD, "verify_incident", 201),
    alarm("POST", "/v1/incidents/{incident_id}/false-alarms", GUARD, "find_incident_false", 201),
    alarm("POST", "/v1/incidents/{incident_id}/dispatches", GUARD, "dispatch_to_incident", 201),
    alarm("POST", "/v1/incidents/{incident_id}/resolutions", GUARD, "resolve_incident", 201),
    # panels, sensors and deadlines
    alarm("GET", "/v1/panels", READER, "list_panels"),
    alarm("POST", "/v1/panels", MANAGER, "install_panel", 201),
    alarm("PUT", "/v1/panels/{panel_id}", MANAGER, "change_panel"),
    alarm("GET", "/v1/panels/{panel_id}/signals", READER, "list_signals"),
    alarm("GET", "/v1/sensors", READER, "list_sensors"),
    alarm("POST", "/v1/sensors", MANAGER, "install_sensor", 201),
    alarm("PUT", "/v1/sensors/{sensor_id}", MANAGER, "change_sensor"),
    alarm("GET", "/v1/ladders", READER, "list_ladders"),
    alarm("PUT", "/v1/ladders/{severity}", MANAGER, "set_ladder"),
    # patrols
    alarm("GET", "/v1/patrol-points", READER, "list_patrol_points"),
    alarm("POST", "/v1/patrol-points", MANAGER, "place_patrol_point", 201),
    alarm("PUT", "/v1/patrol-points/{point_id}", MANAGER, "change_patrol_point"),
    alarm("GET", "/v1/patrol-routes", READER, "list_patrol_routes"),
    alarm("POST", "/v1/patrol-routes", MANAGER, "set_patrol_route", 201),
    alarm("PUT", "/v1/patrol-routes/{route_id}", MANAGER, "change_patrol_route"),
    alarm("POST", "/v1/patrol-scans", GUARD, "tell_patrol_scans"),
    alarm("GET", "/v1/patrol-scans", READER, "list_patrol_scans"),
    alarm("GET", "/v1/patrol-rounds", READER, "list_patrol_rounds"),
    alarm("GET", "/v1/patrol-rounds/{round_id}", READER, "show_patrol_round"),
    # care for who lives alone
    alarm("GET", "/v1/care", READER, "list_care"),
    alarm("GET", "/v1/care/{home_id}", READER, "show_care"),
    alarm("PUT", "/v1/care/{home_id}", MANAGER, "arrange_care"),
    alarm("DELETE", "/v1/care/{home_id}", MANAGER, "end_care", 204),
    alarm("POST", "/v1/care/{home_id}/checks", GUARD, "begin_wellness_check", 201),
    alarm("POST", "/v1/care/{home_id}/answers", permitted(CARE_OWN, ALARMS_GUARD), "answer_wellness_check", 201),
    alarm("GET", "/v1/wellness-checks", READER, "list_wellness_checks"),
    alarm("GET", "/v1/me/care", CARED, "read_own_care"),
    alarm("PUT", "/v1/me/care/{home_id}", CARED, "arrange_own_care"),
    alarm("DELETE", "/v1/me/care/{home_id}", CARED, "end_own_care", 204),
    alarm("PUT", "/v1/me/care/{home_id}/absence", CARED, "set_absence"),
    alarm("PUT", "/v1/me/helping/{home_id}", CARED, "answer_as_helper"),
)
