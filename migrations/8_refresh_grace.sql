-- A refresh token may be used twice by the same client: two tabs, or an answer that was lost. For some seconds after the first
-- use the second one gets the same successor. The successor itself is not kept: it is made of the token and this, so neither
-- the table alone nor the token alone leads to it.
alter table sessions add column successor_salt bytea;
