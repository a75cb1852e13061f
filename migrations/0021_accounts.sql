-- Why: log-ins as their owner sees them (from which device, since when, still there?), changes of password and address that end what
-- they must end in the same transaction, and what an operator does to an account from the server's machine.
--
-- Everything here that changes a log-in or an account takes the journal's lock first, then the account's row, then the log-ins': as
-- commit_batch does, so that they cannot wait for each other in a circle.

alter table sessions
    -- What the program that logged in called itself (User-Agent).
    add column device  text,
    -- What the last connection called itself in `hello`.
    add column client  text,
    -- When it was last connected, to some minutes; null: not since it was opened.
    add column seen_ms bigint;

-- 0 user, 1 admin, 2 moderator.
alter table users drop constraint users_role;
alter table users add constraint users_role check (role in (0, 1, 2));

-- Begins a log-in, unless the password it was checked against has changed meanwhile: the hash takes a quarter of a second, and a log-in
-- with the old password must not slip in behind the change that ends all of them. Where the account has `most` log-ins already, those not
-- seen longest end: what one change of password has to end is bounded by that.
create function open_session(
    of_user uuid, new_session uuid, token bytea, life_ms bigint, by_device text, checked_hash text, most integer
)
returns boolean
language plpgsql volatile
as $$
declare
    live bigint;
begin
    select count(*) into live from sessions s where s.user_id = of_user and s.revoked_ms is null;
    if live >= most then
        perform from journal_head h for update;
    end if;
    perform from accounts a where a.user_id = of_user and a.password_hash = coalesce(checked_hash, a.password_hash) for share;
    if not found then
        return false;
    end if;
    -- By a statement that begins after the lock: whoever bans them takes it, too.
    if exists (select from users u where u.id = of_user and u.standing = 2) then
        return false;
    end if;
    insert into sessions (id, user_id, opened_ms, device) values (new_session, of_user, clock_ms(), by_device);
    insert into refresh_tokens (hash, session, expires_ms) values (token, new_session, clock_ms() + life_ms);
    if live >= most then
        update sessions s set revoked_ms = clock_ms()
         where s.id in (select o.id from sessions o
                         where o.user_id = of_user and o.revoked_ms is null and o.id <> new_session
                         order by coalesce(o.seen_ms, o.opened_ms) desc, o.id desc
                        offset most - 1);
    end if;
    return true;
end
$$;

-- Notes when log-ins were last connected, and as what. A row that somebody else holds is left out: the next time will do.
create function note_seen(ids uuid[], clients text[]) returns void
language plpgsql volatile
as $$
begin
    update sessions s set seen_ms = clock_ms(), client = coalesce(n.client, s.client)
      from (select l.id, c.client
              from unnest(ids, clients) c (id, client)
              join sessions l on l.id = c.id
             where l.revoked_ms is null
             order by l.id
               for no key update of l skip locked) n
     where s.id = n.id;
end
$$;

-- Whether somebody who has shown a password, checked against `checked_hash`, may change the account on this log-in.
-- 0 yes, 1 the log-in has ended, 2 the password has changed meanwhile.
create function may_change_account(of_user uuid, of_session uuid, checked_hash text) returns smallint
language sql volatile
as $$
    select (case when not exists (select from sessions s
                                   where s.id = of_session and s.user_id = of_user and s.revoked_ms is null) then 1
                 when not exists (select from accounts a
                                   where a.user_id = of_user and a.password_hash = checked_hash) then 2
                 else 0 end)::smallint
$$;

-- Each an entry of the journal, by the trigger: that is how the nodes hear of it. The caller holds the journal's lock.
create function end_other_sessions(of_user uuid, but uuid) returns bigint
language plpgsql volatile
as $$
declare
    ended bigint;
begin
    update sessions s set revoked_ms = clock_ms()
     where s.user_id = of_user and s.id <> but and s.revoked_ms is null;
    get diagnostics ended = row_count;
    return ended;
end
$$;

-- verdict: as may_change_account.
create function change_password(of_user uuid, of_session uuid, checked_hash text, new_hash text)
returns table (verdict smallint, ended bigint)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    may smallint;
begin
    perform from journal_head h for update;
    may := may_change_account(of_user, of_session, checked_hash);
    if may > 0 then
        return query select may, 0::bigint;
        return;
    end if;
    update accounts a set password_hash = new_hash where a.user_id = of_user;
    return query select may, end_other_sessions(of_user, of_session);
end
$$;

-- verdict: as may_change_account; 3 the address is taken.
create function change_email(of_user uuid, of_session uuid, checked_hash text, new_email text) returns smallint
language plpgsql volatile
as $$
declare
    may smallint;
begin
    perform from journal_head h for update;
    may := may_change_account(of_user, of_session, checked_hash);
    if may > 0 then
        return may;
    end if;
    if exists (select from accounts a where a.email = new_email and a.user_id <> of_user) then
        return 3;
    end if;
    update accounts a set email = new_email where a.user_id = of_user and a.email <> new_email;
    return 0;
end
$$;

-- Ends all log-ins of the user but this one; null where this one has ended itself.
create function revoke_others(of_user uuid, of_session uuid) returns bigint
language plpgsql volatile
as $$
begin
    perform from journal_head h for update;
    if not exists (select from sessions s where s.id = of_session and s.user_id = of_user and s.revoked_ms is null) then
        return null;
    end if;
    return end_other_sessions(of_user, of_session);
end
$$;

-- The user with this handle; an error that names the handle where there is none.
create function user_called(of_handle text) returns uuid
language plpgsql stable
as $$
declare
    found_id uuid;
begin
    select u.id into found_id from users u where u.handle = lower(of_handle);
    if found_id is null then
        raise exception 'no such user' using errcode = 'no_data_found';
    end if;
    return found_id;
end
$$;

-- Ends all log-ins of a user by one entry. Returns how many there were.
create function log_out(of_user uuid) returns bigint
language plpgsql volatile
as $$
declare
    entry bigint;
    ended bigint;
begin
    select h.seq + 1 into strict entry from journal_head h for update;
    update sessions s set revoked_ms = clock_ms(), rev = entry where s.user_id = of_user and s.revoked_ms is null;
    get diagnostics ended = row_count;
    if ended > 0 then
        insert into journal (seq, kind, subject, actor, at_ms) values (entry, 11, of_user, of_user, clock_ms());
        update journal_head h set seq = entry;
    end if;
    return ended;
end
$$;

-- For operators: gives somebody a new password and ends all their log-ins. Returns how many there were.
create function reset_password(of_handle text, new_hash text) returns bigint
language plpgsql volatile
as $$
declare
    whose uuid := user_called(of_handle);
begin
    perform from journal_head h for update;
    update accounts a set password_hash = new_hash where a.user_id = whose;
    return log_out(whose);
end
$$;

-- For operators: select set_role('ann', 'moderator'). Returns the entry, or null where nothing changed.
create or replace function set_role(of_handle text, to_role text)
returns bigint
language plpgsql volatile
as $$
declare
    wanted smallint := case to_role when 'user' then 0 when 'admin' then 1 when 'moderator' then 2 end;
    whose  uuid := user_called(of_handle);
    entry  bigint;
begin
    if wanted is null then
        raise exception 'no such role' using errcode = 'invalid_parameter_value';
    end if;
    select h.seq + 1 into strict entry from journal_head h for update;
    update users u set role = wanted, rev = entry where u.id = whose and u.role <> wanted;
    if not found then
        return null;
    end if;
    insert into journal (seq, kind, subject, actor, at_ms) values (entry, 2, whose, whose, clock_ms());
    update journal_head h set seq = entry;
    return entry;
end
$$;
