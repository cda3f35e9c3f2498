"""Registers, logs in and sends a message with the generated client, all of it typed."""

import sys
import time
import uuid

from client import AuthenticatedClient, Client
from client.api.accounts import login, register
from client.api.chats import create_chat
from client.api.messages import get_history, send_message
from client.models import ErrorBody, LoginByUsername, NewGroup, NewGroupKind, Registration, SendMessage


def main(url: str) -> None:
    anonymous = Client(base_url=url, raise_on_unexpected_status=True)
    name = f"g{uuid.uuid4().hex[:12]}"
    account = register.sync(client=anonymous, body=Registration(name=name, email=f"{name}@example.com", password="password123", username=name))
    # Requests that were made up may have used up the failed logins of this address.
    while isinstance(tokens := login.sync(client=anonymous, body=LoginByUsername(username=name, password="password123")), ErrorBody):
        assert tokens.code == "too_many_attempts", tokens
        time.sleep(1)
    client = AuthenticatedClient(base_url=url, token=tokens.access_token, raise_on_unexpected_status=True)
    chat = create_chat.sync(client=client, body=NewGroup(kind=NewGroupKind.GROUP, name="Notes"))
    sent = send_message.sync(client=client, body=SendMessage(chat_id=chat.id, text="Hello", client_message_id="k"))
    again = send_message.sync(client=client, body=SendMessage(chat_id=chat.id, text="Hello", client_message_id="k"))
    assert (sent.id, sent.sender_id) == (1, account.id) and again == sent, (sent, again)
    history = get_history.sync(client=client, chat_id=chat.id)
    assert history.messages == [sent], history


main(sys.argv[1])
