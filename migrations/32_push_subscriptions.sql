-- Where a browser's push service takes messages for a device of somebody who is not connected (Web Push), and the keys with which
-- only that browser can read them. There are ten of a person at most.
create table push_subscriptions (
    subscription_id uuid not null,
    user_id uuid not null,
    -- The session that subscribed; it takes its subscription along when it ends. That of a session that has only expired is used
    -- no more and deleted later.
    session_id uuid not null,
    -- A URL that whoever knows it may post to, so it is never in a log.
    endpoint text not null,
    -- The browser's public key, an uncompressed point on P-256, and its secret of 16 bytes (RFC 8291).
    p256dh bytea not null,
    auth bytea not null,
    -- Whether the text of messages may be shown, or only who writes.
    shows_text boolean not null,
    created_at timestamptz not null default clock_timestamp(),
    -- How many posts have failed since the browser last renewed it.
    failures integer not null default 0,
    constraint push_subscriptions_pkey primary key (subscription_id),
    constraint push_subscriptions_endpoint_key unique (endpoint),
    constraint push_subscriptions_user_id_fkey foreign key (user_id) references users on delete cascade
);
create index push_subscriptions_user on push_subscriptions (user_id);
create index push_subscriptions_session on push_subscriptions (session_id);
