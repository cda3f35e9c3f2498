-- What people say about themselves, in a line.
alter table users add column about text;
