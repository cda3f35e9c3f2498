-- no-transaction
-- `users_words` has taken its place.
drop index concurrently if exists users_search;
