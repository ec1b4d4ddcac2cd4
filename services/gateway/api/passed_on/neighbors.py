"""Neighbors': notices, emergency broadcasts, circles and what their members are called."""

from functools import partial

from libs.contracts.permissions import BROADCASTS_SEND, NEIGHBORS_OWN, NOTICES_POST
from libs.eventkit.http import permitted
from services.gateway.api.passing import PassedOn

neighbors = partial(PassedOn, "neighbors")
SENDER, POSTER, NEIGHBOR = permitted(BROADCASTS_SEND), permitted(NOTICES_POST), permitted(NEIGHBORS_OWN)
MEMBERS = permitted(NEIGHBORS_OWN, NOTICES_POST, BROADCASTS_SEND)

TABLE = (
    # notices
    neighbors("POST", "/v1/notices", POSTER, "post_notice", 201),
    neighbors("POST", "/v1/notices/{notice_id}/withdrawals", POSTER, "withdraw_notice", 201),
    neighbors("POST", "/v1/notices/{notice_id}/receipts", NEIGHBOR, "read_notice", 201),
    neighbors("GET", "/v1/notices/{notice_id}/receipts", POSTER, "list_receipts"),
    # broadcasts
    neighbors("GET", "/v1/broadcasts", SENDER, "list_broadcasts"),
    neighbors("POST", "/v1/broadcasts", SENDER, "send_broadcast", 201),
    neighbors("POST", "/v1/broadcasts/{broadcast_id}/receipts", NEIGHBOR, "confirm_broadcast", 201),
    neighbors("POST", "/v1/broadcasts/{broadcast_id}/endings", SENDER, "end_broadcast", 201),
    # circles
    neighbors("GET", "/v1/me/display-name", NEIGHBOR, "show_display_name"),
    neighbors("PUT", "/v1/me/display-name", NEIGHBOR, "choose_display_name"),
    neighbors("GET", "/v1/me/circles", NEIGHBOR, "list_my_circles"),
    neighbors("GET", "/v1/circles/{circle_id}/members", MEMBERS, "list_members"),
)
