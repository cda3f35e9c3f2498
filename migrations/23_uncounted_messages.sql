-- no-transaction
-- Deleted messages and service entries, which do not count as unread: the unread count is a subtraction less the entries of this
-- index in its range. A send adds nothing to it.
create index concurrently if not exists messages_uncounted on messages (chat_id, id) where text is null;
