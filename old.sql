\set chat :client_id % 100
\set user 2 * :chat
select * from send_message(lpad(:chat::text, 32, '0')::uuid, lpad(:user::text, 32, '0')::uuid, gen_random_uuid()::text, 'Shall we meet at eight in front of the theatre, or is that too late for you?')
