-- no-transaction
-- `chat_members_active` begins with the same column.
drop index concurrently if exists chat_members_user;
