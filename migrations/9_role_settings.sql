-- Limits enforced by the server, so that a function that was frozen or killed cannot hold a chat's lock or a connection. They
-- belong to the role because poolers and RDS Proxy refuse settings sent when connecting. They count from the next connection on.
--
-- Each Lambda environment holds one connection and is frozen, not ended, when it has nothing to do. A database that allows a
-- hundred connections would be full after a hundred environments, most of them idle; and one that may sleep, such as Aurora
-- Serverless, would never sleep. So idle sessions end after two seconds, and a function that is thawed connects again.
do $$
declare
    setting record;
begin
    for setting in
        select * from (values
            ('statement_timeout', '5s'),
            ('lock_timeout', '3s'),
            ('idle_in_transaction_session_timeout', '5s'),
            ('idle_session_timeout', '2s')
        ) as settings (name, value)
    loop
        execute format('alter role %I in database %I set %I = %L', current_user, current_database(), setting.name, setting.value);
    end loop;
end
$$;
