-- Codes that were sent by mail, for a new password or a new address: one for each person and purpose, so a new one replaces the one
-- before.
create table codes (
    user_id uuid not null,
    -- 'password' or 'email'.
    purpose text not null,
    -- SHA-256 over the person, the purpose and the code: 40 random bits, which work for minutes and can be tried five times.
    code_hash bytea not null,
    -- Where it was sent; with the purpose 'email', the address that it confirms.
    email text not null,
    attempts_left integer not null,
    -- When the last three were sent: there are no more in an hour.
    sent_at timestamptz[] not null,
    expires_at timestamptz not null,
    constraint codes_pkey primary key (user_id, purpose),
    constraint codes_user_id_fkey foreign key (user_id) references users on delete cascade
);
create index codes_expiry on codes (expires_at);
