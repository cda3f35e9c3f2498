-- The send, as one call and therefore one round trip.
--
-- It is a function and not one long statement because a statement sees the database as it was when it started, even
-- after it has waited for the chat's lock: a `with … insert … on conflict` decides membership and repetition from
-- before the wait, and burns numbers or races. Inside a (volatile) function every statement looks anew, so what is
-- decided after the lock is decided on what is true under the lock.
--
-- Outcomes: 'stored', 'repeated' (the same send came before; its message is returned), 'conflict' (that key was used
-- for another text), 'not_found' (no such chat, or the sender is not in it; nobody can tell which).
create function send_message(
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
    -- First the lock, then every decision. `no key update` lets foreign keys onto the chat be checked meanwhile.
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
        -- `clock_timestamp`, not `now`: the transaction may have begun long before it got the lock, and times must not
        -- run against the numbers.
        v_message.text := p_text;
        v_message.created_at := date_trunc('milliseconds', clock_timestamp());
        insert into messages (chat_id, id, sender_id, client_message_id, text, sent_hash, created_at, revision)
            values (p_chat_id, v_message.id, p_sender_id, p_client_message_id, p_text, v_hash, v_message.created_at,
                v_message.revision);
        -- Who writes has read what stands above.
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
