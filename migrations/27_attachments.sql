-- Which messages have which files: whoever can read one of these messages can read the file.
create table attachments (
    chat_id uuid not null,
    message_id bigint not null,
    file_id uuid not null references files (file_id),
    primary key (chat_id, message_id, file_id),
    foreign key (chat_id, message_id) references messages (chat_id, id)
);
create index attachments_file on attachments (file_id);
