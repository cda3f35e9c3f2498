-- no-transaction
-- When the chats from before `11_activity_of_chats.sql` were last active. A few at a time, so that no send waits for long, and in the
-- order of the key, so that what is done is not read again.
do $$
declare
    v_ids uuid[];
    v_last uuid := '00000000-0000-0000-0000-000000000000';
begin
    loop
        v_ids := array(select c.chat_id from chats c
            where c.chat_id > v_last and (c.active_at is null
                or exists (select from chat_members m where m.chat_id = c.chat_id and m.active_at is null))
            order by c.chat_id limit 20 for no key update skip locked);
        update chats c set active_at = coalesce((select m.created_at from messages m
                where m.chat_id = c.chat_id and m.id = c.last_message_id), c.created_at)
            where c.chat_id = any (v_ids);
        update chat_members m set active_at = c.active_at from chats c
            where c.chat_id = m.chat_id and m.chat_id = any (v_ids);
        commit;
        if cardinality(v_ids) > 0 then
            v_last := v_ids[cardinality(v_ids)];
        else
            -- Whatever was locked is left, unless a send has filled it in.
            exit when not exists (select from chats where active_at is null)
                and not exists (select from chat_members where active_at is null);
            perform pg_sleep(0.1);
            v_last := '00000000-0000-0000-0000-000000000000';
        end if;
    end loop;
end
$$;
