-- What a chat is to one of its members. Null: not so.
alter table chat_members
    add column muted_until timestamptz,
    add column archived boolean,
    add column marked_unread boolean,
    -- When they last wrote, in a chat where members have to wait between messages.
    add column sent_at timestamptz;
