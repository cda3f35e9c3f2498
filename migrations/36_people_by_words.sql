-- no-transaction
-- People by the beginnings of their names and usernames, never by their e-mail addresses.
create index concurrently if not exists users_words on users using gin (
    to_tsvector('simple'::regconfig, search_text(name || ' ' || coalesce(username, '')))
);
