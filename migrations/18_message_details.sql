-- What a message has besides its text: the event that a service entry tells of, the quote of a reply, the origin of a forward, the
-- people mentioned, the reactions counted. An object as `docs/protocol.md` shows it, with the fields that the message has, and null
-- for a plain message, which most are. One column and not five, because nothing searches in them: they are read and written with
-- their message.
alter table messages add column details jsonb;
