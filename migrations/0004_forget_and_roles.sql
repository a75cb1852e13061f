-- Why: the two changes that are no user's command: forgetting what is old, and giving somebody a role.

-- Moves the floor over at most `most` entries that are older than `keep_ms`, and never past the head. Returns the floor and whether
-- there may be more. Only the floor is changed here, before anything below it is deleted: a reader sees either the old floor with
-- everything above it, or the new one.
create function raise_floor(keep_ms bigint, most integer)
returns table (floor bigint, more boolean)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    was    bigint;
    head   bigint;
    target bigint;
    oldest bigint := clock_ms() - keep_ms;
begin
    -- What is old stays old, so this may look before it locks.
    select h.floor, h.seq into was, head from journal_head h;
    select coalesce(min(j.seq) filter (where j.at_ms > oldest), max(j.seq) + 1) into target
      from (select l.seq, l.at_ms from journal l where l.seq >= was order by l.seq limit most) j;
    target := greatest(was, least(coalesce(target, was), head));
    if target > was then
        update journal_head h set floor = greatest(h.floor, target);
    end if;
    return query select target, target - was >= most - 1;
end
$$;

-- Ended follows below the floor, at most `most`. A follow may come back to life, so this takes the journal's lock as everybody who
-- writes follows does; the other tombstones are final and are deleted without it.
create function forget_ended_follows(below bigint, most integer)
returns bigint
language plpgsql volatile
as $$
declare
    gone bigint;
begin
    perform from journal_head h for update;
    with old as materialized (
        select f.follower, f.followee from follows f where not f.active and f.rev < below limit most
    )
    delete from follows f using old where f.follower = old.follower and f.followee = old.followee;
    get diagnostics gone = row_count;
    return gone;
end
$$;

-- Tombstones of comments below the floor that no living comment stands under. Looks at `most` of them from `from_rev` on; returns how
-- many it deleted and where to go on, null at the end.
create function forget_comments(below bigint, from_rev bigint, most integer)
returns table (gone bigint, next_rev bigint)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    deleted bigint;
    seen    bigint;
    last    bigint;
begin
    select count(*), max(o.rev) into seen, last
      from (select m.rev from comments m
             where m.removed and m.rev >= from_rev and m.rev < below order by m.rev limit most) o;
    with old as materialized (
        select m.id, m.post from comments m where m.removed and m.rev between from_rev and last
    ), held as materialized (
        select distinct unnest(l.path) as id
          from comments l
         where not l.removed and l.depth > 0 and l.post in (select o.post from old o)
    )
    delete from comments m using old
     where m.id = old.id and m.id not in (select held.id from held);
    get diagnostics deleted = row_count;
    return query select deleted, case when seen = most then last + 1 end;
end
$$;

-- For operators: select set_role('ann', 'admin'). Returns the entry, or null where nothing changed.
create function set_role(of_handle text, to_role text)
returns bigint
language plpgsql volatile
as $$
declare
    wanted smallint := case to_role when 'user' then 0 when 'admin' then 1 end;
    whose  uuid;
    entry  bigint;
begin
    select h.seq + 1 into strict entry from journal_head h for update;
    select u.id into whose from users u where u.handle = of_handle;
    if whose is null or wanted is null then
        raise exception 'no such user or role' using errcode = 'invalid_parameter_value';
    end if;
    update users u set role = wanted, rev = entry where u.id = whose and u.role <> wanted;
    if not found then
        return null;
    end if;
    insert into journal (seq, kind, subject, actor, at_ms) values (entry, 2, whose, whose, clock_ms());
    update journal_head h set seq = entry;
    return entry;
end
$$;
