-- The message that a push service was last told of for this member. The next one is due once they have read up to it. Null: none.
alter table chat_members add column pushed_id bigint;
