-- A family with a revoked row is over, whatever else is in it: a refresh that runs at the same moment as a logout may add a
-- row the logout did not see. Both questions, asked with every request, find their answer in one index entry, however
-- often the session has been refreshed.

create index sessions_live on sessions (family) where rotated_at is null and revoked_at is null;
create index sessions_revoked on sessions (family) where revoked_at is not null;
