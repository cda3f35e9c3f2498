-- The chat's last message when this member took it off their list: it is back once there is a later one. Null: it is on it.
alter table chat_members add column hidden_at_id bigint;
