"""What schemathesis must know beyond the contract: who it is, and what exists."""

import itertools
import os
import random
import time
import uuid
from typing import Any

import requests
import schemathesis

URL = os.environ["WINDI_URL"]
PASSWORD = "correct horse battery"
# Tokens live fifteen minutes.
RENEW_AFTER = 300


class Person:
    def __init__(self) -> None:
        self.name = f"p{uuid.uuid4().hex[:12]}"
        account = {"name": self.name, "username": self.name, "email": f"{self.name}@example.com", "password": PASSWORD}
        self.id = call("POST", "/auth/register", account)["id"]
        self.renewed = 0.0

    def login(self) -> str:
        # Not by the username, which the requests change.
        return call("POST", "/auth/login", {"email": f"{self.name}@example.com", "password": PASSWORD})["access_token"]

    @property
    def token(self) -> str:
        if time.monotonic() - self.renewed > RENEW_AFTER or not self.renewed:
            self._token, self.renewed = self.login(), time.monotonic()
        return self._token


def call(method: str, path: str, body: Any, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    while (response := requests.request(method, URL + path, json=body, headers=headers, timeout=30)).status_code == 429:
        # Too many others have failed to log in from this address.
        time.sleep(int(response.headers["Retry-After"]))
    assert response.ok, (method, path, response.status_code, response.text)
    return response.json()


ANN, BEN, EVE = Person(), Person(), Person()
TURNS = itertools.cycle([ANN, BEN])
CHAT = call("POST", "/chats", {"kind": "private", "user_id": BEN.id}, ANN.token)["id"]
GROUP = call("POST", "/chats", {"kind": "group", "name": "Group", "member_ids": [BEN.id]}, ANN.token)["id"]
for chat in (CHAT, GROUP):
    for number in range(20):
        call("POST", "/messages", {"chat_id": chat, "text": f"message {number}"}, ANN.token)
# Random ids name nothing; half of them are replaced by these.
TINY = "R0lGODlhAQABAAAAADs="
POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
EMOJI = ["👍", "🎉", "😀"]
KNOWN = {"chat_id": [CHAT, GROUP], "user_id": [ANN.id, BEN.id], "message_id": range(1, 21)}
# A body names somebody else than the one who sends it.
KNOWN_IN_BODY = KNOWN | {"user_id": [EVE.id]}


def is_uuid(value: Any) -> bool:
    try:
        return bool(uuid.UUID(str(value)))
    except ValueError:
        return False


def put_known(place: Any, ids: dict[str, Any]) -> None:
    """Something that exists, half of the time, in place of something that has the right form."""
    for name in (place.keys() if isinstance(place, dict) else set()) & ids.keys():
        value = place[name]
        formed = isinstance(value, int) and value > 0 if name == "message_id" else is_uuid(value)
        if formed and random.random() < 0.5:
            place[name] = random.choice(ids[name])


def is_chain(case: Any) -> bool:
    """Whether what one request makes is used by the next."""
    return case.meta is not None and case.meta.phase.name.value == "stateful"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    if case.meta is not None and not case.meta.generation.mode.is_positive:
        return
    if isinstance(case.query, dict):
        # What OpenAPI cannot say: these exclude each other, and of the first two one is needed.
        exclusive = {"/users": ["search", "ids"], "/messages/history/{chat_id}": ["offset", "before", "after"]}
        given = [name for name in exclusive.get(case.operation.path, []) if name in case.query]
        for name in given[1:]:
            del case.query[name]
        if case.operation.path == "/users" and not given:
            case.query["search"] = "p"
    if isinstance(case.body, dict):
        # What JSON Schema cannot say: which texts are an emoji, and that a whole number is not written as a fraction.
        if isinstance(case.body.get("reactions"), list):
            case.body["reactions"] = EMOJI[: len(case.body["reactions"])]
        if case.operation.path == "/messages" and case.body.get("text") is None and case.body.get("file_ids") is None:
            # One of them is needed; a schema that says so is read as "anything" by the generators of types.
            case.body["text"] = "Hello"
        if case.operation.path == "/files" and "content_type" in case.body:
            # Which types are pictures, how many pixels both sides make, and what is a picture in base64.
            if "width" in case.body and "height" in case.body:
                case.body |= {"content_type": "image/png", "width": min(case.body["width"], 3000)}
                case.body |= {"preview": TINY} if "preview" in case.body else {}
            else:
                case.body = {name: value for name, value in case.body.items() if name not in ("width", "height", "preview")}
                case.body["content_type"] = "text/plain"
        if isinstance(case.body.get("keys"), dict) and case.body["keys"].keys() >= {"p256dh", "auth"}:
            # Which texts are a point on the curve, as this one of RFC 8291 is, and which URLs may be posted to.
            case.body["endpoint"] = f"https://push.example.com/{uuid.uuid4()}"
            case.body["keys"] |= {"p256dh": POINT, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}
        for name, value in case.body.items():
            if isinstance(value, float) and value.is_integer():
                case.body[name] = int(value)
    if not is_chain(case):
        put_known(case.path_parameters, KNOWN)
        put_known(case.query, KNOWN)
        put_known(case.body, KNOWN_IN_BODY)


@schemathesis.auth(refresh_interval=None)
class Auth:
    def get(self, case: Any, context: Any) -> str:
        # The other one does not see what the first has made.
        person = ANN if is_chain(case) else next(TURNS)
        # A logout must not end the session of all other requests.
        return person.login() if case.operation.path == "/auth/logout" else person.token

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"
