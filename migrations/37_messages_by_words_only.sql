-- no-transaction
-- `messages_words` has taken its place. In the same deployment, although the version before searches with it: until that is gone,
-- its searches may take too long and be refused, and so they may after a rollback until somebody makes this index again. Keeping both
-- would cost every send of everybody as much as a search index costs.
drop index concurrently if exists messages_search;
