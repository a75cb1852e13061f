-- Why: an operator suspends or bans somebody. `commit_batch` reads the standing under the journal's lock; so does this, and what is refused from
-- then on is decided after it.

-- Returns whether it changed anything, and how many log-ins ended with it: a ban ends all of them, by an entry each.
create function set_standing(of_handle text, to_standing smallint)
returns table (changed boolean, ended integer)
language plpgsql volatile
as $$
declare
    whose uuid;
begin
    perform from journal_head h for update;
    whose := user_called(of_handle);
    -- Nobody logs in meanwhile: see open_session.
    perform from accounts a where a.user_id = whose for update;
    update users u set standing = to_standing where u.id = whose and u.standing <> to_standing;
    changed := found;
    ended := case when to_standing = 2 then log_out(whose) else 0 end;
    return next;
end
$$;
