-- A send costs what its statements cost, and these cost more than they were worth.
--
-- PostgreSQL reads a check constraint's text anew for every statement that writes the table, whichever columns it writes: a send
-- paid for the rules on a chat's name and a member's role. And each foreign key of a new row is a query of its own that locks the
-- row it refers to. Every rule stays, where it costs nothing:
--
-- * Rules on columns that a send does not write are triggers on just these columns.
-- * A message is only ever inserted by `send_message`, which holds the chat's lock, has found the sender among the chat's
--   members, who refer to `users`, and now checks the text itself. A change of the text is checked by a trigger.
--
-- One rule is given up: a person or a chat that only messages refer to could now be deleted. Nothing deletes either.

-- All at once and in a send's order: one by one, below, a send would hold what the next statement wants and want what it has.
lock table chats, chat_members, messages, users in access exclusive mode;

alter table messages
    drop constraint messages_chat_id_fkey,
    drop constraint messages_sender_id_fkey,
    drop constraint messages_deleted_has_no_text,
    drop constraint messages_text_length;
alter table chats
    drop constraint chats_kind,
    drop constraint chats_group_has_name,
    drop constraint chats_private_has_pair,
    drop constraint chats_name_length;
alter table chat_members drop constraint chat_members_role;

create function refuse_row() returns trigger language plpgsql as $$
begin
    raise check_violation using message = format('new row for relation "%s" violates "%s"', tg_table_name, tg_name),
        table = tg_table_name, constraint = tg_name;
end
$$;

-- `is not true`: unlike a check constraint, a trigger's condition does not let null through by itself.
create trigger chats_kind after insert or update of kind on chats for each row
    when ((new.kind in ('private', 'group')) is not true) execute function refuse_row();
create trigger chats_group_has_name after insert or update of kind, name on chats for each row
    when ((new.kind = 'group') <> (new.name is not null)) execute function refuse_row();
create trigger chats_private_has_pair after insert or update of kind, private_pair on chats for each row
    when ((new.kind = 'private') <> (new.private_pair is not null)) execute function refuse_row();
create trigger chats_name_length after insert or update of name on chats for each row
    when (char_length(new.name) not between 1 and 100) execute function refuse_row();
create trigger chat_members_role after insert or update of role on chat_members for each row
    when ((new.role in ('owner', 'admin', 'member')) is not true) execute function refuse_row();
create trigger messages_deleted_has_no_text after update of text, deleted_at on messages for each row
    when ((new.deleted_at is null) <> (new.text is not null)) execute function refuse_row();
create trigger messages_text_length after update of text on messages for each row
    when (char_length(new.text) not between 1 and 4096) execute function refuse_row();

-- A send updates one row of each. With room on its page the new version stays there, needs no new index entries, and the old
-- one is removed by the next visitor. Takes effect as pages fill.
alter table chats set (fillfactor = 50);
alter table chat_members set (fillfactor = 70);

-- As in `4_send_message.sql`, which has the reasons, but for the check of the text.
create or replace function send_message(
    p_chat_id uuid, p_sender_id uuid, p_client_message_id text, p_text text,
    out outcome text, out id bigint, out text text, out created_at timestamptz, out edited_at timestamptz,
    out deleted_at timestamptz, out is_read boolean, out revision bigint, out recipients uuid[]
)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_hash constant bytea := sha256(convert_to(p_text, 'UTF8'));
    v_message messages%rowtype;
begin
    if (char_length(p_text) between 1 and 4096) is not true then
        raise check_violation using message = 'a text has 1 to 4096 characters', table = 'messages',
            constraint = 'messages_text_length';
    end if;
    perform from chats c where c.chat_id = p_chat_id for no key update;
    recipients := array(select m.user_id from chat_members m where m.chat_id = p_chat_id);
    if p_sender_id <> all (recipients) then
        outcome := 'not_found';
        recipients := null;
        return;
    end if;

    select * into v_message from messages m
        where m.chat_id = p_chat_id and m.sender_id = p_sender_id and m.client_message_id = p_client_message_id;
    if found then
        outcome := case when v_message.sent_hash = v_hash then 'repeated' else 'conflict' end;
        is_read := exists (select from chat_members m where m.chat_id = p_chat_id and m.user_id <> p_sender_id
            and m.last_read_id >= v_message.id);
    else
        outcome := 'stored';
        is_read := false;
        update chats c set last_message_id = c.last_message_id + 1, revision = c.revision + 1
            where c.chat_id = p_chat_id
            returning c.last_message_id, c.revision into v_message.id, v_message.revision;
        v_message.text := p_text;
        v_message.created_at := date_trunc('milliseconds', clock_timestamp());
        insert into messages (chat_id, id, sender_id, client_message_id, text, sent_hash, created_at, revision)
            values (p_chat_id, v_message.id, p_sender_id, p_client_message_id, p_text, v_hash, v_message.created_at,
                v_message.revision);
        update chat_members m set last_read_id = v_message.id
            where m.chat_id = p_chat_id and m.user_id = p_sender_id;
    end if;

    id := v_message.id;
    text := v_message.text;
    created_at := v_message.created_at;
    edited_at := v_message.edited_at;
    deleted_at := v_message.deleted_at;
    revision := v_message.revision;
end
$$;

-- Whether a session has neither ended nor expired, for queries that do their work only for one that is alive. One revoked row
-- ends the family (`6_live_sessions.sql`). Not `language sql`: such a function is planned anew for every query that calls it.
create function session_is_live(p_family uuid) returns boolean language plpgsql stable as $$
begin
    return exists (select from sessions where family = p_family
            and rotated_at is null and revoked_at is null and expires_at > now())
        and not exists (select from sessions where family = p_family and revoked_at is not null);
end
$$;
