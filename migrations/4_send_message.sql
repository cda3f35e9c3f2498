-- The send, as one call and therefore one round trip.
--
-- It is a function and not one long statement because a statement sees the database as it was when it started, even
-- after it has waited for the chat's lock: a `with … insert … on conflict` decides membership and repetition from
-- before the wait, and burns numbers or races. Inside a (volatile) function every statement looks anew, so what is
-- decided after the lock is decided on what is true under the lock.
--
-- Outcomes: 'stored', 'repeated' (the same send came before; its message is returned), 'conflict' (that key was used
-- for another text), 'not_found' (no such chat, or the sender is not in it; nobody can tell which).
create function send_message(p_chat_id uuid, p_sender_id uuid, p_client_message_id text, p_text text)
returns table (
    outcome text,
    chat_id uuid,
    id bigint,
    sender_id uuid,
    text text,
    created_at timestamptz,
    edited_at timestamptz,
    deleted_at timestamptz,
    is_read boolean,
    client_message_id text,
    revision bigint,
    recipients uuid[]
)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_message messages%rowtype;
    v_hash constant bytea := sha256(convert_to(p_text, 'UTF8'));
    v_outcome text;
begin
    -- First the lock, then every decision. `no key update` lets foreign keys onto the chat be checked meanwhile.
    perform 1 from chats c where c.chat_id = p_chat_id for no key update;
    perform 1 from chat_members m where m.chat_id = p_chat_id and m.user_id = p_sender_id;
    if not found then
        return query select 'not_found', null::uuid, null::bigint, null::uuid, null::text, null::timestamptz,
            null::timestamptz, null::timestamptz, null::boolean, null::text, null::bigint, null::uuid[];
        return;
    end if;

    select * into v_message from messages m
        where m.chat_id = p_chat_id and m.sender_id = p_sender_id and m.client_message_id = p_client_message_id;
    if found then
        v_outcome := case when v_message.sent_hash = v_hash then 'repeated' else 'conflict' end;
    else
        v_outcome := 'stored';
        update chats c set last_message_id = c.last_message_id + 1, revision = c.revision + 1
            where c.chat_id = p_chat_id
            returning c.last_message_id, c.revision into v_message.id, v_message.revision;
        -- `clock_timestamp`, not `now`: the transaction may have begun long before it got the lock, and times must not
        -- run against the numbers.
        insert into messages (chat_id, id, sender_id, client_message_id, text, sent_hash, created_at, revision)
            values (p_chat_id, v_message.id, p_sender_id, p_client_message_id, p_text, v_hash,
                date_trunc('milliseconds', clock_timestamp()), v_message.revision)
            returning * into v_message;
        -- Who writes has read what stands above.
        update chat_members m set last_read_id = v_message.id
            where m.chat_id = p_chat_id and m.user_id = p_sender_id;
    end if;

    return query select v_outcome, v_message.chat_id, v_message.id, v_message.sender_id, v_message.text,
        v_message.created_at, v_message.edited_at, v_message.deleted_at,
        exists (select 1 from chat_members m where m.chat_id = p_chat_id and m.user_id <> p_sender_id
            and m.last_read_id >= v_message.id),
        v_message.client_message_id, v_message.revision,
        array(select m.user_id from chat_members m where m.chat_id = p_chat_id);
end
$$;
