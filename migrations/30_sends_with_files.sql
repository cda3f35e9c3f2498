-- A send with files. Beside the function with ten parameters, which the version before calls while this one is deployed, and which now
-- calls this one; the promises and the order of the statements are the same (`25_sends_with_details.sql`). A send without files passes null and costs what
-- it did.
--
-- One more outcome: `no_file`. A forward takes the files of its original along.
create function send_message(
    p_chat_id uuid, p_sender_id uuid, p_client_message_id text, p_text text,
    -- The message of this chat that this one replies to.
    p_reply_to_id bigint,
    -- The message to forward; then `p_text` is null.
    p_origin_chat_id uuid, p_origin_message_id bigint,
    -- The usernames in the text.
    p_mentioned text[],
    -- How many messages a member may send here at once, and how many a second after that; null for any number.
    p_burst real, p_per_second real,
    -- The sender's files that the message has, in their order; then the text may be empty.
    p_file_ids uuid[],
    out outcome text, out id bigint, out text text, out created_at timestamptz, out edited_at timestamptz,
    out deleted_at timestamptz, out is_read boolean, out revision bigint, out details jsonb,
    -- For `slow` and `fast`: how long to wait, in seconds.
    out wait integer,
    out recipients uuid[]
)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_text text := p_text;
    v_hash bytea;
    v_details jsonb;
    v_mentioned uuid[];
    v_refusal text;
    v_message messages%rowtype;
    v_listed_at timestamptz;
    v_active_at timestamptz;
    v_closed boolean;
    v_admins_post boolean;
    v_slow_seconds integer;
    v_tokens real;
    v_file_ids uuid[] := p_file_ids;
    v_files jsonb;
begin
    if p_origin_chat_id is not null then
        -- What the caller has said, and not the text: that may be edited before the retry. No text begins like this.
        v_hash := sha256(convert_to(E'\x01forward' || p_origin_chat_id || ' ' || p_origin_message_id, 'UTF8'));
    elsif (char_length(p_text) between case when p_file_ids is null then 1 else 0 end and 4096) is not true then
        raise check_violation using message = 'a text has 1 to 4096 characters', table = 'messages',
            constraint = 'messages_text_length';
    elsif p_file_ids is not null then
        v_hash := sha256(convert_to(E'\x01files' || array_to_string(p_file_ids, ',') || E'\x01' || coalesce(p_reply_to_id::text, '')
            || E'\x01' || p_text, 'UTF8'));
    elsif p_reply_to_id is not null then
        v_hash := sha256(convert_to(E'\x01reply' || p_reply_to_id || E'\x01' || p_text, 'UTF8'));
    else
        v_hash := sha256(convert_to(p_text, 'UTF8'));
    end if;
    -- First the lock, then every decision. An update that has waited for another one computes its values anew, so times do not run
    -- against the numbers: `clock_timestamp`, because the transaction may have begun long before.
    update chats c set last_message_id = c.last_message_id + 1, revision = c.revision + 1,
            active_at = date_trunc('milliseconds', clock_timestamp())
        where c.chat_id = p_chat_id
        returning c.last_message_id, c.revision, c.active_at, c.closed, c.admins_post, c.slow_seconds
        into v_message.id, v_message.revision, v_message.created_at, v_closed, v_admins_post, v_slow_seconds;
    -- Who is in the chat, and what is in the sender's bucket.
    select coalesce(array_agg(m.user_id), '{}'), max(case when m.user_id = p_sender_id then least(p_burst, m.send_tokens
            + greatest(0, extract(epoch from v_message.created_at - m.send_tokens_at)) * p_per_second) end)
        into recipients, v_tokens from chat_members m where m.chat_id = p_chat_id;
    if p_sender_id = any (recipients) then
        if v_tokens < 1 then
            v_refusal := 'fast';
            wait := ceil((1 - v_tokens) / p_per_second);
        elsif v_closed then
            v_refusal := 'closed';
        elsif v_admins_post or v_slow_seconds is not null then
            select case when v_admins_post then 'admins_only'
                    when v_message.created_at < m.sent_at + make_interval(secs => v_slow_seconds) then 'slow' end,
                    ceil(extract(epoch from m.sent_at - v_message.created_at) + v_slow_seconds)
                into v_refusal, wait
                from chat_members m where m.chat_id = p_chat_id and m.user_id = p_sender_id and m.role = 'member';
        end if;
        if v_refusal is not null then
            null;
        elsif p_origin_chat_id is not null then
            select o.text, case when o.id is null then 'no_message' when o.deleted_at is not null then 'deleted'
                        when o.text is null then 'service' end,
                    jsonb_build_object('forwarded_from', coalesce(o.details -> 'forwarded_from', jsonb_build_object(
                        'user_id', o.sender_id,
                        'timestamp', to_char(o.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))),
                    case when o.details ? 'files' then array(
                        select (file ->> 'id')::uuid from jsonb_array_elements(o.details -> 'files') file) end
                into v_text, v_refusal, v_details, v_file_ids
                from chat_members me left join messages o on o.chat_id = me.chat_id and o.id = p_origin_message_id
                where me.chat_id = p_origin_chat_id and me.user_id = p_sender_id;
            if not found then
                v_refusal := 'no_origin';
            end if;
        elsif p_reply_to_id is not null then
            select case when q.deleted_at is not null then 'deleted' when q.text is null then 'service' end,
                    jsonb_build_object('reply_to', jsonb_strip_nulls(jsonb_build_object(
                        'id', q.id, 'sender_id', q.sender_id, 'text', left(q.text, 200),
                        'files', jsonb_array_length(q.details -> 'files'))))
                into v_refusal, v_details
                from messages q where q.chat_id = p_chat_id and q.id = p_reply_to_id;
            if not found then
                v_refusal := 'no_message';
            end if;
        end if;
        if v_file_ids is not null and v_refusal is null then
            -- Locked, so that none is deleted from now on.
            select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', f.file_id, 'name', f.name, 'content_type', f.content_type,
                    'size', f.size, 'width', f.width, 'height', f.height, 'preview', f.preview))
                    order by array_position(v_file_ids, f.file_id))
                into v_files
                from (select * from files where file_id = any (v_file_ids) order by file_id for update) f
                where f.is_ready and (p_origin_chat_id is not null
                    or f.owner_id = p_sender_id and (f.doomed_at > v_message.created_at) is not false);
            if (jsonb_array_length(v_files) = cardinality(v_file_ids)) is true then
                v_details := coalesce(v_details, '{}') || jsonb_build_object('files', v_files);
            else
                v_refusal := 'no_file';
            end if;
        end if;
        if p_mentioned is not null and v_refusal is null then
            v_mentioned := array(select u.user_id from users u
                where u.username = any (p_mentioned) and u.user_id = any (recipients) order by u.user_id);
            if cardinality(v_mentioned) > 0 then
                v_details := coalesce(v_details, '{}') || jsonb_build_object('mentions', to_jsonb(v_mentioned));
            end if;
        end if;
        if v_refusal is null then
            insert into messages (chat_id, id, sender_id, client_message_id, text, sent_hash, created_at, revision, details)
                values (p_chat_id, v_message.id, p_sender_id, p_client_message_id, v_text, v_hash, v_message.created_at,
                    v_message.revision, v_details)
                on conflict on constraint messages_client_message_id_key do nothing;
        end if;
        if v_refusal is null and found then
            -- Who writes has read what stands above.
            update chat_members m set last_read_id = v_message.id,
                    sent_at = case when v_slow_seconds is not null then v_message.created_at end,
                    send_tokens = v_tokens - 1, send_tokens_at = v_message.created_at, marked_unread = null
                where m.chat_id = p_chat_id and m.user_id = p_sender_id
                returning m.active_at into v_listed_at;
            -- Neither too old nor, after the clock was set back, too new.
            if (v_listed_at <= v_message.created_at and v_message.created_at < v_listed_at + interval '1 hour') is not true then
                update chat_members m set active_at = v_message.created_at where m.chat_id = p_chat_id;
            end if;
            if v_file_ids is not null then
                insert into attachments (chat_id, message_id, file_id)
                    select p_chat_id, v_message.id, file_id from unnest(v_file_ids) file_id;
                update files f set uses = f.uses + 1, doomed_at = null where f.file_id = any (v_file_ids);
            end if;
            if v_mentioned is not null then
                insert into mentions (user_id, chat_id, message_id)
                    select mentioned, p_chat_id, v_message.id from unnest(v_mentioned) mentioned;
            end if;
            outcome := 'stored';
            is_read := false;
            id := v_message.id;
            text := v_text;
            created_at := v_message.created_at;
            revision := v_message.revision;
            details := v_details;
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
    if not found then
        outcome := v_refusal;
        recipients := null;
        return;
    end if;
    outcome := case when v_message.sent_hash = v_hash then 'repeated' else 'conflict' end;
    is_read := exists (select from chat_members m where m.chat_id = p_chat_id and m.user_id <> p_sender_id
        and m.last_read_id >= v_message.id);
    id := v_message.id;
    text := v_message.text;
    created_at := v_message.created_at;
    edited_at := v_message.edited_at;
    deleted_at := v_message.deleted_at;
    revision := v_message.revision;
    details := v_message.details;
end
$$;

-- What the functions of the version before call, during a deployment and after a rollback.
create or replace function send_message(
    p_chat_id uuid, p_sender_id uuid, p_client_message_id text, p_text text,
    p_reply_to_id bigint,
    p_origin_chat_id uuid, p_origin_message_id bigint,
    p_mentioned text[],
    p_burst real, p_per_second real,
    out outcome text, out id bigint, out text text, out created_at timestamptz, out edited_at timestamptz,
    out deleted_at timestamptz, out is_read boolean, out revision bigint, out details jsonb,
    out wait integer,
    out recipients uuid[]
)
language sql volatile as $$
    select s.outcome, s.id, s.text, s.created_at, s.edited_at, s.deleted_at, s.is_read, s.revision, s.details, s.wait, s.recipients
    from send_message(p_chat_id, p_sender_id, p_client_message_id, p_text, p_reply_to_id, p_origin_chat_id, p_origin_message_id,
        p_mentioned, p_burst, p_per_second, null) s
$$;
