-- no-transaction
-- `messages_words` has taken its place.
drop index concurrently if exists messages_search;
