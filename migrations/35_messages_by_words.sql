-- no-transaction
-- What it costs a send is in docs/decisions.md. A deleted message has no text and is not in the index.
create index concurrently if not exists messages_words on messages using gin (search_vector(chat_id, text))
    where text is not null;
