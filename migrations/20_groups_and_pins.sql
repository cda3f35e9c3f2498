alter table chats
    -- The messages pinned in the chat, the latest pinned last. Null: none. At most 20, so they are part of the chat as everybody
    -- sees it.
    add column pinned_message_ids bigint[],
    -- What a group is about.
    add column description text,
    -- Whether only admins and the owner write.
    add column admins_post boolean,
    -- How long a member waits between two messages, in seconds.
    add column slow_seconds integer,
    -- Of a private chat: one of the two has blocked the other, so nobody writes. Here and not looked up in `blocks`, so that a send
    -- learns it from the row that it locks anyway.
    add column closed boolean,
    -- The key of the request that made the group, so that its repetition finds it.
    add column client_chat_id text;
