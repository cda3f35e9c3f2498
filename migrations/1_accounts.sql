-- Who may talk: people, their sessions, and the memory of failed logins.
--
-- Conventions of every migration: keys are UUIDv7 made by the functions (time-ordered, so indexes grow at one end);
-- every constraint is named, because `shared/src/db` turns the names into the errors a client reads; a migration that
-- has landed is never edited, a new one is added.

create table users (
    user_id uuid not null,
    name text not null,
    -- Optional handle, stored in lower case so that the plain unique constraint is case-insensitive.
    username text,
    -- Stored as typed; compared in lower case by the index below.
    email text not null,
    -- PHC string: algorithm and cost travel with the hash, so a stronger setting can be told from an older one.
    password_hash text not null,
    created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
    constraint users_pkey primary key (user_id),
    constraint users_username_key unique (username),
    constraint users_username_lower check (username = lower(username)),
    constraint users_name_length check (char_length(name) between 1 and 100)
);

create unique index users_email_key on users (lower(email));

-- Word-prefix search over names and usernames (never e-mail addresses): "smi" finds "Bob Smith" and "bob.smith"; the
-- parser would take the latter for a host name and keep it in one piece, hence the spaces.
create index users_search on users using gin (to_tsvector('simple'::regconfig,
    translate(name || ' ' || coalesce(username, ''), '._-/@', '     ')));

-- One row per refresh token ever issued. A session is a family of rows: rotation stamps the old row and inserts the
-- next one, so a stamped token that comes back betrays a theft and ends the family. The `sid` of access tokens is the
-- family.
create table sessions (
    session_id uuid not null,
    user_id uuid not null,
    family uuid not null,
    -- SHA-256 of the token: 256 random bits need no slow hash.
    refresh_hash bytea not null,
    -- What the client called itself at login (User-Agent), so that people can tell their sessions apart.
    device text,
    created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
    expires_at timestamptz not null,
    rotated_at timestamptz,
    revoked_at timestamptz,
    constraint sessions_pkey primary key (session_id),
    constraint sessions_refresh_hash_key unique (refresh_hash),
    constraint sessions_user_id_fkey foreign key (user_id) references users on delete cascade
);

-- Every request asks whether its family is still alive.
create index sessions_family on sessions (family);
create index sessions_user on sessions (user_id);

-- Failed logins, per account and per address; read before a password is hashed.
create table login_failures (
    -- 'account:<login in lower case>' or 'ip:<address>'. Keyed by what was typed, whether or not such an account exists.
    subject text not null,
    failures integer not null,
    last_at timestamptz not null,
    -- No attempt is looked at before this.
    blocked_until timestamptz not null,
    constraint login_failures_pkey primary key (subject)
);
