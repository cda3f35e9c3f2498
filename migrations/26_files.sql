-- What people upload. The contents are in the store (S3), under `new/<file_id>` until they have been checked and under
-- `kept/<file_id>` from then on.
create table files (
    file_id uuid primary key,
    owner_id uuid not null references users (user_id),
    name text not null,
    content_type text not null,
    size bigint not null,
    -- Of a picture, in pixels.
    width integer,
    height integer,
    -- Of a picture: a tiny one, in base64.
    preview text,
    -- Whether the contents are there and are what was announced.
    is_ready boolean not null default false,
    -- How many messages, people and groups have it.
    uses integer not null default 0,
    -- Whether a person shows it to everybody, or a group to its members.
    is_avatar boolean not null default false,
    picture_of uuid references chats (chat_id),
    -- While nothing has it: from when on it may be deleted.
    doomed_at timestamptz,
    created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp())
);
create index files_doomed on files (doomed_at) where doomed_at is not null;
create index files_owner on files (owner_id) where doomed_at is not null;
