-- no-transaction
-- A person's chats, by when they were last active (`11_activity_of_chats.sql`).
create index concurrently if not exists chat_members_active on chat_members (user_id, active_at);
