-- The picture that a person shows. Without a foreign key, whose check would read the table: a picture that somebody has is counted
-- in `files.uses` and is not deleted.
alter table users add column avatar_id uuid;
