-- Messages.

create table messages (
    chat_id uuid not null,
    -- 1, 2, 3… within the chat.
    id bigint not null,
    sender_id uuid not null,
    -- The sender's idempotency key. Unique for ever, so that a retry after any time finds the first attempt.
    client_message_id text not null,
    -- Null once deleted: the row stays as a tombstone, for a hole in the numbers could not be told from a loss.
    text text,
    -- SHA-256 of the text as first sent. An edit or a deletion changes `text`; a late retry of the send must still be
    -- recognised as the same one.
    sent_hash bytea not null,
    created_at timestamptz not null,
    edited_at timestamptz,
    deleted_at timestamptz,
    -- The chat's revision at this message's last change.
    revision bigint not null,
    -- Leads with the chat: history pages, forwards and backwards, are ranges of this key.
    constraint messages_pkey primary key (chat_id, id),
    constraint messages_client_message_id_key unique (chat_id, sender_id, client_message_id),
    constraint messages_chat_id_fkey foreign key (chat_id) references chats,
    constraint messages_sender_id_fkey foreign key (sender_id) references users,
    constraint messages_deleted_has_no_text check ((deleted_at is null) = (text is not null)),
    constraint messages_text_length check (char_length(text) between 1 and 4096)
);

-- "What changed since revision r?"
create index messages_revision on messages (chat_id, revision);
