-- Rows that have served their purpose go away, a few with every new one; and where people have logged in before.

-- When the session began. It has a default, so that functions of the version before go on while this one is deployed. Until now that was the `created_at` of its first row, which goes once it has expired, while the
-- session may live on.
alter table sessions add column started_at timestamptz default date_trunc('milliseconds', clock_timestamp());
update sessions s set started_at = coalesce(
    (select first.created_at from sessions first where first.session_id = s.family), s.created_at);
alter table sessions alter column started_at set not null;

-- A purge removes what has expired. A family with a revoked row is over, so such a row must stay until every row that may have
-- been added at the moment of the revocation has expired too: from now on a revocation puts its expiry off.
update sessions set expires_at = greatest(expires_at, revoked_at + interval '31 days') where revoked_at is not null;
create index sessions_expiry on sessions (expires_at);
create index login_failures_last on login_failures (last_at);

-- Since then `subject` is 'account:<user id>' (or 'login:<what was typed>' without such an account), 'ip:<address>', or both
-- together, '<the first> ip:<address>'.

-- The addresses an account has logged in from: failures of others at the same address, or at the account from elsewhere, slow
-- its owner down there but do not stop them.
create table login_addresses (
    user_id uuid not null,
    -- SHA-256 of the user's id and the address: only whether it is the same again is ever asked. Whoever has the table can try
    -- all addresses, so this is no secret, but the table is no log of addresses either.
    address_hash bytea not null,
    last_at timestamptz not null,
    constraint login_addresses_pkey primary key (user_id, address_hash),
    constraint login_addresses_user_id_fkey foreign key (user_id) references users on delete cascade
);
create index login_addresses_last on login_addresses (last_at);
