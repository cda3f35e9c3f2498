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
-- What a deletion or an edit takes away.
create index mentions_message on mentions (chat_id, message_id);

-- Who has left a group, and how far they had read: whoever comes back goes on from there.
create table former_members (
    chat_id uuid not null,
    user_id uuid not null,
    last_read_id bigint not null,
    -- Whether somebody else removed them: no link brings them back.
    removed boolean not null default false,
    -- What `21_own_settings.sql` adds to members: whoever comes back at once is no faster for it.
    sent_at timestamptz,
    send_tokens real,
    send_tokens_at timestamptz,
    constraint former_members_pkey primary key (chat_id, user_id)
);
create index former_members_user on former_members (user_id);

-- Who does not want to hear from whom.
create table blocks (
    user_id uuid not null,
    blocked_id uuid not null,
    created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
    constraint blocks_pkey primary key (user_id, blocked_id)
);
-- Asked from both sides.
create index blocks_blocked on blocks (blocked_id);

-- Links by which people come into a group by themselves.
create table invites (
    -- 128 random bits: whoever knows it may join.
    code text not null,
    chat_id uuid not null,
    created_by uuid not null,
    created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
    -- Null: never.
    expires_at timestamptz,
    -- How many people may join by it. Null: any number.
    max_uses integer,
    uses integer not null default 0,
    constraint invites_pkey primary key (code)
);
create index invites_chat on invites (chat_id);

-- How fast people do what is not a send: a bucket for each person and kind of deed (`shared/src/db/rates.rs`).
create table buckets (
    user_id uuid not null,
    deed text not null,
    tokens real not null,
    filled_at timestamptz not null,
    constraint buckets_pkey primary key (user_id, deed)
);
