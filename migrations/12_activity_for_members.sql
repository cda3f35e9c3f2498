-- What a member's list finds the chat by (`11_activity_of_chats.sql`).
alter table chat_members add column active_at timestamptz;

-- A trigger and not the functions, because those of the version before add members too.
create function join_with_activity() returns trigger language plpgsql as $$
begin
    new.active_at := coalesce(
        (select m.active_at from chat_members m where m.chat_id = new.chat_id limit 1),
        (select c.active_at from chats c where c.chat_id = new.chat_id));
    return new;
end
$$;
create trigger chat_members_active_at before insert on chat_members for each row execute function join_with_activity();
