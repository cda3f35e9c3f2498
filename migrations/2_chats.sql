-- Chats and who is in them.

create table chats (
    chat_id uuid not null,
    kind text not null,
    -- Groups have a name; a private chat is called after the other person.
    name text,
    created_by uuid not null,
    created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
    -- The number of the newest message: messages are 1, 2, 3… without holes. A counter on this row and not a sequence,
    -- because a sequence burns numbers on rollback and shows them out of commit order.
    last_message_id bigint not null default 0,
    -- Goes up by one with every change anybody can see; 1 is the creation itself. What sync is built on.
    revision bigint not null default 1,
    -- '<smaller user id>:<larger user id>' of a private chat: the same pair always gets the same chat.
    private_pair text,
    constraint chats_pkey primary key (chat_id),
    constraint chats_private_pair_key unique (private_pair),
    constraint chats_created_by_fkey foreign key (created_by) references users,
    constraint chats_kind check (kind in ('private', 'group')),
    constraint chats_group_has_name check ((kind = 'group') = (name is not null)),
    constraint chats_private_has_pair check ((kind = 'private') = (private_pair is not null)),
    constraint chats_name_length check (char_length(name) between 1 and 100)
);

create table chat_members (
    chat_id uuid not null,
    user_id uuid not null,
    role text not null,
    joined_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
    -- The read cursor: everything up to this message has been read. It only moves forward, so the unread count is a
    -- subtraction and never a count.
    last_read_id bigint not null default 0,
    constraint chat_members_pkey primary key (chat_id, user_id),
    constraint chat_members_chat_id_fkey foreign key (chat_id) references chats,
    constraint chat_members_user_id_fkey foreign key (user_id) references users,
    constraint chat_members_role check (role in ('owner', 'admin', 'member'))
);

-- "My chats", and the people one shares them with.
create index chat_members_user on chat_members (user_id);
