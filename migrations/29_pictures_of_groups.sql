-- The picture that a group shows, as `users.avatar_id`.
alter table chats add column picture_id uuid;
