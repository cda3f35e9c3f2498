-- no-transaction
create unique index concurrently if not exists chats_client_chat_id_key on chats (created_by, client_chat_id)
    where client_chat_id is not null;
