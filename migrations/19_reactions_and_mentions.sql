-- Who has reacted to a message, and with what. How often each occurs is kept in `messages.details`, so a page of history reads this
-- table only for the messages that have any, and only for the reader's own.
create table reactions (
    chat_id uuid not null,
    message_id bigint not null,
    user_id uuid not null,
    emoji text not null,
    reacted_at timestamptz not null default clock_timestamp(),
    constraint reactions_pkey primary key (chat_id, message_id, user_id, emoji)
);

-- Who is mentioned where. Beside `messages.details`, so that somebody's unread mentions in a chat are a range of this key.
create table mentions (
    user_id uuid not null,
    chat_id uuid not null,
    message_id bigint not null,
    constraint mentions_pkey primary key (user_id, chat_id, message_id)
);

-- How far people had read who have left a group: whoever comes back goes on from there.
create table former_members (
    chat_id uuid not null,
    user_id uuid not null,
    last_read_id bigint not null,
    constraint former_members_pkey primary key (chat_id, user_id)
);
