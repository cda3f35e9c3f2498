-- no-transaction
-- When the chats from before `11_activity_of_chats.sql` were last active. A hundred at a time, so that no send waits for long.
do $$
declare
    v_ids uuid[];
begin
    loop
        v_ids := array(select chat_id from chats where active_at is null limit 100 for no key update skip locked);
        update chats c set active_at = coalesce((select m.created_at from messages m
                where m.chat_id = c.chat_id and m.id = c.last_message_id), c.created_at)
            where c.chat_id = any (v_ids);
        update chat_members m set active_at = c.active_at from chats c
            where c.chat_id = m.chat_id and m.chat_id = any (v_ids);
        commit;
        exit when not exists (select from chats where active_at is null);
        -- What is left may be locked by sends, which fill it in themselves.
        perform pg_sleep(0.01);
    end loop;
end
$$;
