-- What a chat is to one of its members. Null: not so.
alter table chat_members
    add column muted_until timestamptz,
    add column archived boolean,
    add column marked_unread boolean,
    -- When they last wrote, in a chat where members have to wait between messages.
    add column sent_at timestamptz,
    -- The bucket that limits how fast they write here: how many sends it held when it was last taken from, and when that was.
    add column send_tokens real,
    add column send_tokens_at timestamptz;
