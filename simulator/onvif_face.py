"""The SOAP face of a simulated ONVIF camera, behind HTTP digest or WS-Security, as far as Lifang and its tests use it."""

import asyncio
from collections import deque
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from simulator import onvif_bodies
from simulator.http_digest import Digest
from simulator.isapi_face import small_body
from simulator.onvif_bodies import Asked
from simulator.onvif_device import Camera, Subscription

OFF = 5.0
"""Seconds that a signature may be off the camera's clock."""
_ACTIONS = {
    "CreatePullPointSubscription": f"{onvif_bodies.EVENTS}/EventPortType/CreatePullPointSubscriptionRequest",
    "PullMessages": f"{onvif_bodies.EVENTS}/PullPointSubscription/PullMessagesRequest",
    "Renew": "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest",
    "Unsubscribe": "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest",
}


class Face:
    """Its device service, its event service and its subscriptions."""

    def __init__(self, camera: Camera, secret: str) -> None:
        self._camera, self._secret = camera, secret
        self._digest = Digest("LF-SIM", camera.config.user, secret)
        self._nonces = deque[str](maxlen=1000)
        self._here = camera.config.inner or f"http://{camera.config.listen}"

    async def device(self, request: Request) -> Response:
        asked = onvif_bodies.read(await small_body(request))
        if asked is None:
            return _no("Sender", "ter:WellFormed")
        camera, events, here = self._camera, f"{self._here}/onvif/event_service", f"{self._here}/onvif/device_service"
        if asked.name == "GetSystemDateAndTime":
            return _yes(onvif_bodies.date_and_time(camera.now))
        if refusal := self._refusal(request, asked):
            return refusal
        if asked.name == "GetCapabilities" and camera.config.old and asked.text("Category") == "Events":
            return _yes(onvif_bodies.capabilities(events))
        if asked.name == "GetServices" and not camera.config.old:
            return _yes(onvif_bodies.services(events, here))
        return _no("Receiver", "ter:ActionNotSupported")

    async def event(self, request: Request) -> Response:
        """What is asked of the event service itself, and of the subscriptions, which live under the same path."""
        asked = onvif_bodies.read(await small_body(request))
        if asked is None:
            return _no("Sender", "ter:WellFormed")
        if refusal := self._refusal(request, asked):
            return refusal
        query = self._camera.config.told_apart_by == "query"
        number = request.query_params.get("Idx", "") if query else asked.subscription
        if _ACTIONS.get(asked.name) != asked.action or not asked.message_id or asked.to != self._address(number if query else ""):
            return _no("Sender", "wsa5:InvalidAddressingHeader")
        if asked.name == "CreatePullPointSubscription":
            return self._subscribed(asked)
        subscription = self._camera.find(number)
        if subscription is None:
            return _no("Sender", "wsrf-rw:ResourceUnknownFault")
        match asked.name:
            case "PullMessages":
                return await self._pulled(asked, subscription)
            case "Renew" if self._camera.config.renews:
                self._camera.prolong(subscription, _seconds(asked.text("TerminationTime")))
                self._camera.done["renewed"] += 1
                return _yes(onvif_bodies.renewed(*self._times(subscription)), asked)
            case "Unsubscribe":
                self._camera.end(subscription, "unsubscribed")
                return _yes("<wsnt:UnsubscribeResponse/>", asked)
        return _no("Receiver", "ter:ActionNotSupported")

    def _subscribed(self, asked: Asked) -> Response:
        subscription = self._camera.subscribe(_seconds(asked.text("InitialTerminationTime")))
        self._camera.done["subscribed"] += 1
        query = self._camera.config.told_apart_by == "query"
        address, parameter = self._address(subscription.number if query else ""), "" if query else subscription.number
        return _yes(onvif_bodies.subscription(address, parameter, *self._times(subscription)), asked)

    async def _pulled(self, asked: Asked, subscription: Subscription) -> Response:
        """As soon as there is something, or when the time is over."""
        try:
            async with asyncio.timeout(_seconds(asked.text("Timeout"))):
                await subscription.waiting.wait()
        except TimeoutError:
            pass
        if self._camera.stopped or self._camera.find(subscription.number) is None:
            return _no("Sender", "wsrf-rw:ResourceUnknownFault")
        queue = subscription.queue
        events = [queue.popleft() for _ in range(min(len(queue), int(asked.text("MessageLimit"))))]
        if not queue:
            subscription.waiting.clear()
        self._camera.done["pulled"] += 1
        return _yes(onvif_bodies.pulled(*self._times(subscription), events), asked)

    def _address(self, number: str) -> str:
        return f"{self._here}/onvif/event_service" + (f"?Idx={number}" if number else "")

    def _times(self, subscription: Subscription) -> tuple[datetime, datetime]:
        now = self._camera.now
        return now, now + timedelta(seconds=subscription.ends - asyncio.get_running_loop().time())

    def _refusal(self, request: Request, asked: Asked) -> Response | None:
        config = self._camera.config
        if config.sign_in == "digest":
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            if self._digest.admits(request.headers.get("authorization", ""), request.method, target):
                return None
            return Response(b"", 401, {"WWW-Authenticate": self._digest.challenge()})
        nonce = onvif_bodies.is_signed(asked.token, config.user, self._secret, self._camera.now, OFF) if asked.token is not None else ""
        if nonce and nonce not in self._nonces:
            self._nonces.append(nonce)
            return None
        self._camera.done["not_authorised"] += 1
        return _no("Sender", "ter:NotAuthorized")


def _yes(body: str, asked: Asked | None = None) -> Response:
    return Response(onvif_bodies.envelope(body, asked.message_id if asked else ""), 200, media_type="application/soap+xml")


def _no(code: str, subcode: str) -> Response:
    status = 400 if code == "Sender" else 500
    return Response(onvif_bodies.fault(code, subcode), status, media_type="application/soap+xml")


def _seconds(duration: str) -> float:
    """Of PT60S, the only kind that it takes. Raises ValueError, which is answered with 500."""
    return float(duration.removeprefix("PT").removesuffix("S"))
