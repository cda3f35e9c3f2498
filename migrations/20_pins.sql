-- The messages pinned in a chat, the latest pinned last. Null: none. At most 20, so they are part of the chat as everybody sees it.
alter table chats add column pinned_message_ids bigint[];
