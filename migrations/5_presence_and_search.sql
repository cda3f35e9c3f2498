-- When somebody was last connected, and the search over messages.

-- Null: never connected, or connected now for the first time. Whether somebody is online is DynamoDB's to say.
alter table users add column last_seen_at timestamptz;

-- Full text over messages. The `russian` configuration stems both languages: words in Latin letters go through the
-- English stemmer. The chat's id is a lexeme of its own, so a search in one's chats is an intersection within this one
-- index and needs no extension for a second column. No word of a text begins with a '#', so nobody can search for it.
--
-- What it costs a send is in docs/decisions.md. A deleted message has no text and is not in the index.
create index messages_search on messages using gin (
    (to_tsvector('russian'::regconfig, text) || array_to_tsvector(array['#' || chat_id::text]))
) where text is not null;
