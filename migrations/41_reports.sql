-- What people have reported to whoever runs the messenger. It outlives the message, so nothing refers to other tables.
create table reports (
    report_id uuid not null,
    chat_id uuid not null,
    message_id bigint not null,
    -- Null: their account is deleted.
    reporter_id uuid,
    -- Whose words they were, and the words at that moment.
    sender_id uuid not null,
    text text not null,
    -- The files that the message had, as its details have them; null for none. Their contents go with the message.
    files jsonb,
    reason text,
    created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
    -- Null: nobody has dealt with it.
    resolved_at timestamptz,
    constraint reports_pkey primary key (report_id),
    constraint reports_once unique (chat_id, message_id, reporter_id)
);
create index reports_open on reports (created_at) where resolved_at is null;
create index reports_reporter on reports (reporter_id);
