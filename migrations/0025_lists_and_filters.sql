-- Why: people somebody has chosen, with a feed of what they write; and phrases somebody does not want to read. Both are nobody else's business.
--
-- Acts: 46 a list, or who is in it, changes  47 a list is deleted  48 who is in a list (no deed: an entry before that of its list)  49 a filter.
-- Membership has entries of its own, because feeds depend on each of them: of a list only the last change is read from the journal.

create table lists (
    id         uuid    not null,
    owner      uuid    not null,
    name       text,
    -- As it was made: who asks for the same again has lost the answer.
    first_name text,
    members    integer not null default 0,
    seq        bigint  not null,
    rev        bigint  not null,
    -- Deleted: a tombstone without a name.
    removed    boolean not null default false,
    constraint lists_pk primary key (id),
    constraint lists_tombstone check (not removed or num_nonnulls(name, first_name) = 0 and members = 0),
    constraint lists_members check (members >= 0)
);
-- Catch-up of `me`.
create index lists_changed on lists (owner, rev);
create index lists_tombstones on lists (rev) where removed;

create table list_members (
    -- For the journal.
    id     uuid    not null default gen_random_uuid(),
    list   uuid    not null,
    member uuid    not null,
    -- The list's.
    owner  uuid    not null,
    -- False: a tombstone. They go with their list at once.
    active boolean not null,
    rev    bigint  not null,
    constraint list_members_pk primary key (list, member),
    constraint list_members_id unique (id)
);
create index list_members_changed on list_members (owner, rev);
create index list_members_tombstones on list_members (rev) where not active;

create table filters (
    id         uuid    not null,
    owner      uuid    not null,
    phrase     text,
    whole_word boolean not null,
    until_ms   bigint,
    seq        bigint  not null,
    rev        bigint  not null,
    -- Deleted: a tombstone without a phrase.
    removed    boolean not null default false,
    constraint filters_pk primary key (id),
    constraint filters_tombstone check (removed = (phrase is null))
);
create index filters_changed on filters (owner, rev);
create index filters_tombstones on filters (rev) where removed;

-- In the columns of the other `…_states`, see block_states.
create view list_states as
select 46::smallint as kind, l.id, l.rev, l.seq, l.removed,
       l.owner as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       case when l.removed then json_build_object('id', l.id, 'rev', l.rev)
            else json_build_object('id', l.id, 'rev', l.rev, 'name', l.name, 'members', l.members) end::text as extra,
       null::text as scope
  from lists l;

-- `id`: who is in the list `object`.
create view list_member_states as
select 48::smallint as kind, m.member as id, m.rev, m.rev as seq, not m.active as removed,
       m.owner as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       m.list as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       json_build_object('rev', m.rev, 'list', m.list, 'user', m.member)::text as extra, null::text as scope
  from list_members m;

create view filter_states as
select 49::smallint as kind, f.id, f.rev, f.seq, f.removed,
       f.owner as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       case when f.removed then json_build_object('id', f.id, 'rev', f.rev)
            else json_strip_nulls(json_build_object(
                     'id', f.id, 'rev', f.rev, 'phrase', f.phrase, 'whole_word', case when f.whole_word then true end,
                     'until', f.until_ms)) end::text as extra,
       null::text as scope
  from filters f;

-- 46, of a new list. Of several with one id the first counts.
create function act_make_list(
    entry bigint, actor uuid, of_list uuid, of_name text, most integer, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
declare
    had lists;
begin
    last := entry;
    select l.* into had from lists l where l.id = of_list;
    if had.id is not null then
        verdict := case when had.owner <> actor then 5
                        when had.removed then 3
                        when of_name in (had.name, had.first_name) then 1
                        else 5 end;
    elsif (select count(*) from lists l where l.owner = actor and not l.removed) >= most then
        verdict := 19;
    else
        verdict := 0;
        insert into lists (id, owner, name, first_name, seq, rev) values (of_list, actor, of_name, of_name, entry, entry);
    end if;
end
$$;

-- 46, of another name.
create function act_rename_list(
    entry bigint, actor uuid, of_list uuid, to_name text, if_rev bigint, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
declare
    had lists;
begin
    last := entry;
    select l.* into had from lists l where l.id = of_list and l.owner = actor and not l.removed;
    verdict := case when had.id is null then 3
                    when had.name = to_name then 1
                    when had.rev <> if_rev then 8
                    else 0 end;
    if verdict = 0 then
        update lists l set name = to_name, rev = entry where l.id = of_list;
    end if;
end
$$;

-- 46, of who is in it: the list's entry comes last.
create function act_enlist(
    entry bigint, now_ms bigint, actor uuid, of_list uuid, whom uuid, there boolean, most integer,
    out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
declare
    had  lists;
    was  list_members;
    link uuid;
begin
    last := entry;
    select l.* into had from lists l where l.id = of_list and l.owner = actor and not l.removed;
    select m.* into was from list_members m where m.list = of_list and m.member = whom;
    if had.id is null then
        verdict := 3;
    elsif coalesce(was.active, false) = there then
        verdict := 1;
    elsif not there then
        verdict := 0;
    elsif not exists (select from users u where u.id = whom) then
        verdict := 3;
    elsif whom <> actor and blocks_between(actor, whom) then
        verdict := case when exists (select from blocks k where k.blocker = actor and k.blocked = whom and k.active)
                        then 11 else 3 end;
    elsif had.members >= most then
        verdict := 19;
    else
        verdict := 0;
    end if;
    if verdict = 0 then
        insert into list_members (list, member, owner, active, rev) values (of_list, whom, actor, there, entry)
            on conflict on constraint list_members_pk do update set active = excluded.active, rev = excluded.rev
        returning id into link;
        insert into journal (seq, kind, subject, actor, at_ms) values (entry, 48, link, actor, now_ms);
        last := entry + 1;
        update lists l set members = l.members + case when there then 1 else -1 end, rev = last where l.id = of_list;
    end if;
end
$$;

-- 47
create function act_drop_list(entry bigint, actor uuid, of_list uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
begin
    last := entry;
    update lists l set name = null, first_name = null, members = 0, removed = true, rev = entry
     where l.id = of_list and l.owner = actor and not l.removed;
    if found then
        verdict := 0;
        delete from list_members m where m.list = of_list;
    else
        verdict := case when exists (select from lists l where l.id = of_list and l.owner = actor) then 1 else 3 end;
    end if;
end
$$;

-- 49: made, or replaced.
create function act_put_filter(
    entry bigint, actor uuid, of_filter uuid, of_phrase text, whole boolean, until_ms bigint, most integer,
    out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
#variable_conflict use_variable
declare
    had filters;
begin
    last := entry;
    select f.* into had from filters f where f.id = of_filter;
    if had.id is null then
        verdict := case when (select count(*) from filters f where f.owner = actor and not f.removed) >= most then 19 else 0 end;
    else
        verdict := case when had.owner <> actor then 5
                        when had.removed then 3
                        when had.phrase = of_phrase and had.whole_word = whole and had.until_ms is not distinct from until_ms
                        then 1
                        else 0 end;
    end if;
    if verdict = 0 then
        insert into filters (id, owner, phrase, whole_word, until_ms, seq, rev)
        values (of_filter, actor, of_phrase, whole, until_ms, entry, entry)
            on conflict on constraint filters_pk do update
           set phrase = excluded.phrase, whole_word = excluded.whole_word, until_ms = excluded.until_ms, rev = excluded.rev;
    end if;
end
$$;

-- 49: deleted.
create function act_drop_filter(entry bigint, actor uuid, of_filter uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
begin
    last := entry;
    update filters f set phrase = null, until_ms = null, removed = true, rev = entry
     where f.id = of_filter and f.owner = actor and not f.removed;
    if found then
        verdict := 0;
    else
        verdict := case when exists (select from filters f where f.id = of_filter and f.owner = actor) then 1 else 3 end;
    end if;
end
$$;

-- What one keeps for oneself harms nobody.
insert into suspended_may (act) values (46), (47), (49);

create function carry_out_graph(
    act smallint, entry bigint, now_ms bigint, actor uuid, thing uuid, args jsonb, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
begin
    case
        when act = 41 then
            select d.verdict, d.last into verdict, last
              from act_ask(entry, now_ms, actor, thing, (args ->> 'sent')::integer, (args ->> 'received')::integer) d;
        when act = 42 then
            select d.verdict, d.last into verdict, last from act_end_request(entry, now_ms, act, actor, thing) d;
        when act = 43 then
            select d.verdict, d.last into verdict, last from act_end_request(entry, now_ms, act, thing, actor) d;
        when act = 44 then select d.verdict, d.last into verdict, last from act_accept(entry, now_ms, actor, thing) d;
        when act = 45 then
            select d.verdict, d.last into verdict, last from act_remove_follower(entry, now_ms, actor, thing) d;
        when act = 46 and args ? 'user' then
            select d.verdict, d.last into verdict, last
              from act_enlist(entry, now_ms, actor, thing, (args ->> 'user')::uuid, (args ->> 'there')::boolean,
                              (args ->> 'most')::integer) d;
        when act = 46 and args ? 'most' then
            select d.verdict, d.last into verdict, last
              from act_make_list(entry, actor, thing, args ->> 'name', (args ->> 'most')::integer) d;
        when act = 46 then
            select d.verdict, d.last into verdict, last
              from act_rename_list(entry, actor, thing, args ->> 'name', (args ->> 'if_rev')::bigint) d;
        when act = 47 then select d.verdict, d.last into verdict, last from act_drop_list(entry, actor, thing) d;
        when act = 49 and args ? 'phrase' then
            select d.verdict, d.last into verdict, last
              from act_put_filter(entry, actor, thing, args ->> 'phrase', (args ->> 'whole_word')::boolean,
                                  (args ->> 'until')::bigint, (args ->> 'most')::integer) d;
        when act = 49 then select d.verdict, d.last into verdict, last from act_drop_filter(entry, actor, thing) d;
        else raise exception 'unknown act' using errcode = 'invalid_parameter_value';
    end case;
end
$$;

create function own_state_graph(act smallint, actor uuid, thing uuid)
returns setof block_states
language plpgsql stable
as $$
begin
    case
        when act in (41, 42) then
            return query select s.* from follow_request_states s where s.author = actor and s.id = thing;
        when act in (43, 44) then
            return query select s.* from follow_request_states s where s.author = thing and s.id = actor;
        when act = 45 then return query select s.* from follow_states s where s.id = thing and s.object = actor;
        when act in (46, 47) then return query select s.* from list_states s where s.id = thing and s.author = actor;
        when act = 48 then
            return query select s.* from list_members m join list_member_states s on s.object = m.list and s.id = m.member
                          where m.id = thing;
        when act = 49 then return query select s.* from filter_states s where s.id = thing and s.author = actor;
        else return;
    end case;
end
$$;

-- Since before the first entry: without what has pages of its own.
create function own_changes_graph(of_user uuid, since bigint)
returns setof block_states
language plpgsql stable
as $$
begin
    return query select s.* from follow_request_states s where s.author = of_user and s.rev >= since;
    return query select s.* from list_states s where s.author = of_user and s.rev >= since;
    return query select s.* from filter_states s where s.author = of_user and s.rev >= since;
    if since >= 0 then
        return query select s.* from follow_request_states s where s.id = of_user and s.rev >= since;
        return query select s.* from list_member_states s where s.author = of_user and s.rev >= since;
    end if;
end
$$;

-- What has ended below the floor, at most `most` of each: as forget_ended_follows.
create function forget_ended_choices(below bigint, most integer)
returns bigint
language plpgsql volatile
as $$
declare
    gone bigint;
    sum  bigint;
begin
    perform from journal_head h for update;
    with old as materialized (select q.asker, q.asked from follow_requests q where not q.active and q.rev < below limit most)
    delete from follow_requests q using old where q.asker = old.asker and q.asked = old.asked;
    get diagnostics sum = row_count;
    with old as materialized (select m.list, m.member from list_members m where not m.active and m.rev < below limit most)
    delete from list_members m using old where m.list = old.list and m.member = old.member;
    get diagnostics gone = row_count;
    sum := sum + gone;
    delete from lists l where l.id in (select o.id from lists o where o.removed and o.rev < below limit most);
    get diagnostics gone = row_count;
    sum := sum + gone;
    delete from filters f where f.id in (select o.id from filters o where o.removed and o.rev < below limit most);
    get diagnostics gone = row_count;
    return sum + gone;
end
$$;
