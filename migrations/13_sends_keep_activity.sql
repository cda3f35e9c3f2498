-- Not before the sends of this file: a chat made in between would look filled in, and not move with its messages.
alter table chats alter column active_at set default date_trunc('milliseconds', clock_timestamp());

-- Sends keep the times of `11_activity_of_chats.sql`. The same promises as in `10_cheaper_sends.sql`, in two statements less. The update that numbers the message takes the chat's lock,
-- and the unique key finds the repeated send. Whatever is refused then takes its number back, under the same lock and in the same
-- transaction: nobody ever sees it, and no number is burned.
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
    v_listed_at timestamptz;
    v_active_at timestamptz;
begin
    if (char_length(p_text) between 1 and 4096) is not true then
        raise check_violation using message = 'a text has 1 to 4096 characters', table = 'messages',
            constraint = 'messages_text_length';
    end if;
    -- First the lock, then every decision. An update that has waited for another one computes its values anew, so times do not run
    -- against the numbers: `clock_timestamp`, because the transaction may have begun long before.
    update chats c set last_message_id = c.last_message_id + 1, revision = c.revision + 1,
            active_at = date_trunc('milliseconds', clock_timestamp())
        where c.chat_id = p_chat_id
        returning c.last_message_id, c.revision, c.active_at
        into v_message.id, v_message.revision, v_message.created_at;
    recipients := array(select m.user_id from chat_members m where m.chat_id = p_chat_id);
    if p_sender_id = any (recipients) then
        insert into messages (chat_id, id, sender_id, client_message_id, text, sent_hash, created_at, revision)
            values (p_chat_id, v_message.id, p_sender_id, p_client_message_id, p_text, v_hash, v_message.created_at,
                v_message.revision)
            on conflict on constraint messages_client_message_id_key do nothing;
        if found then
            -- Who writes has read what stands above.
            update chat_members m set last_read_id = v_message.id
                where m.chat_id = p_chat_id and m.user_id = p_sender_id
                returning m.active_at into v_listed_at;
            -- Neither too old nor, after the clock was set back, too new.
            if (v_listed_at <= v_message.created_at and v_message.created_at < v_listed_at + interval '1 hour') is not true then
                update chat_members m set active_at = v_message.created_at where m.chat_id = p_chat_id;
            end if;
            outcome := 'stored';
            is_read := false;
            id := v_message.id;
            text := p_text;
            created_at := v_message.created_at;
            revision := v_message.revision;
            return;
        end if;
    end if;

    update chats c set last_message_id = c.last_message_id - 1, revision = c.revision - 1,
            active_at = coalesce((select m.created_at from messages m
                where m.chat_id = c.chat_id and m.id = c.last_message_id - 1), c.created_at)
        where c.chat_id = p_chat_id
        returning c.active_at into v_active_at;
    -- Usually none. In a chat that has not been filled in yet, this one must not look as if it had.
    update chat_members m set active_at = v_active_at
        where m.chat_id = p_chat_id and (m.active_at <= v_active_at and v_active_at < m.active_at + interval '1 hour') is not true;
    if p_sender_id <> all (recipients) then
        outcome := 'not_found';
        recipients := null;
        return;
    end if;
    select * into v_message from messages m
        where m.chat_id = p_chat_id and m.sender_id = p_sender_id and m.client_message_id = p_client_message_id;
    outcome := case when v_message.sent_hash = v_hash then 'repeated' else 'conflict' end;
    is_read := exists (select from chat_members m where m.chat_id = p_chat_id and m.user_id <> p_sender_id
        and m.last_read_id >= v_message.id);
    id := v_message.id;
    text := v_message.text;
    created_at := v_message.created_at;
    edited_at := v_message.edited_at;
    deleted_at := v_message.deleted_at;
    revision := v_message.revision;
end
$$;
