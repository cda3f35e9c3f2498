-- PostgreSQL compiles a plan to machine code when it expects it to be expensive. How many rows of a page's range there are it can
-- only guess, and with ten million messages it guesses enough: each page of history took 8 ms to compile and 0.1 ms to run. No
-- query of ours runs for long enough to gain by it. Like the other settings of the role, this counts from the next connection on.
do $$
begin
    execute format('alter role %I in database %I set jit = off', current_user, current_database());
end
$$;
