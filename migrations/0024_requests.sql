-- Why: people who approve their followers first (`asks` in `users.extra`). Whoever wants to follow them asks; the asked one says yes or no, and may
-- take anybody off their followers again. A request is an entity of two people, kept as a tombstone for as long as the journal is.
--
-- Acts: 41 ask  42 take back  43 reject  44 accept  45 remove a follower. What is decided by sets comes to them by verdict 15: the same again, as a deed.
-- A deed that concerns others puts the notifications right itself, by entries before its own.

create table follow_requests (
    asker  uuid    not null,
    asked  uuid    not null,
    -- False: granted, refused or taken back; a tombstone.
    active boolean not null,
    rev    bigint  not null,
    constraint follow_requests_pk primary key (asker, asked),
    constraint follow_requests_not_oneself check (asker <> asked)
);
-- Catch-up of `me`, of either.
create index follow_requests_sent on follow_requests (asker, rev);
create index follow_requests_received on follow_requests (asked, rev);
create index follow_requests_open on follow_requests (asked, rev) where active;
create index follow_requests_tombstones on follow_requests (rev) where not active;

-- In the columns of the other `…_states`, see block_states.
create view follow_request_states as
select 41::smallint as kind, q.asked as id, q.rev, q.rev as seq, not q.active as removed,
       q.asker as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       json_build_object('rev', q.rev, 'asker', q.asker, 'asked', q.asked)::text as extra, null::text as scope
  from follow_requests q;

-- Whether somebody's followers are approved first.
create function approves_followers(of_user uuid) returns boolean
language sql stable
as $$ select exists (select from users u where u.id = of_user and u.extra ? 'asks') $$;

create function has_asked(who uuid, whom uuid) returns boolean
language plpgsql stable
as $$
begin
    return exists (select from follow_requests q where q.asker = who and q.asked = whom and q.active);
end
$$;

-- That of 0010 but for requests: who has to ask, and who takes a request back, comes again as a deed.
create function decide_follows(
    acts smallint[], actors uuid[], ids uuid[], actor_revs bigint[], now_ms bigint
)
returns table (of_ords bigint[], of_verdicts smallint[])
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    return query
    select array_agg(d.ord), array_agg(d.verdict)
      from (
            select c.ord,
                (case when c.actor_rev is null then 2
                      when c.id = c.actor then 10
                      when u.id is null or c.act = 3 and u.deleted_ms is not null then case c.act when 3 then 3 else 1 end
                      when c.act = 3 and (b.blocked is not null or k.blocked is not null)
                      then case when b.blocked is not null then 11 else 3 end
                      -- As the command before it in this batch left the pair, or as it is stored.
                      when (c.act = 3) = coalesce(
                               lag(c.act = 3) over (partition by c.actor, c.id order by c.ord), f.active, false)
                      then case when c.act = 4 and q.asker is not null then 15 else 1 end
                      when c.act = 3 and (u.extra ? 'asks' or q.asker is not null) then 15
                      else 0 end)::smallint as verdict
           from unnest(acts, actors, ids, actor_revs) with ordinality c (act, actor, id, actor_rev, ord)
           left join users u on u.id = c.id
           left join follows f on f.follower = c.actor and f.followee = c.id
           left join blocks b on b.blocker = c.actor and b.blocked = c.id and b.active
           left join blocks k on k.blocker = c.id and k.blocked = c.actor and k.active
           left join follow_requests q on q.asker = c.actor and q.asked = c.id and q.active
          where c.act in (3, 4)) d;
end
$$;

-- Begins a follow, as entry `entry`.
create function begin_follow(entry bigint, now_ms bigint, of_follower uuid, of_followee uuid, by_actor uuid) returns void
language plpgsql volatile
as $$
begin
    insert into follows (follower, followee, active, rev) values (of_follower, of_followee, true, entry)
        on conflict (follower, followee) do update set active = true, rev = excluded.rev;
    insert into follow_counts (user_id, followers) values (of_followee, 1)
        on conflict (user_id) do update set followers = follow_counts.followers + 1;
    insert into journal (seq, kind, subject, object, actor, at_ms)
    values (entry, 3, of_follower, of_followee, by_actor, now_ms);
end
$$;

-- Ends a request, as entry `entry` of its own. False if there was none.
create function end_request(entry bigint, now_ms bigint, of_asker uuid, of_asked uuid) returns boolean
language plpgsql volatile
as $$
begin
    update follow_requests q set active = false, rev = entry
     where q.asker = of_asker and q.asked = of_asked and q.active;
    if not found then
        return false;
    end if;
    insert into journal (seq, kind, subject, actor, at_ms) values (entry, 42, of_asked, of_asker, now_ms);
    return true;
end
$$;

-- What a deed means for notifications, as entries from `entry` on. Returns the entry after them.
create function deed_notes(entry bigint, now_ms bigint, act smallint, actor uuid, thing uuid) returns bigint
language sql volatile
as $$
    select entry + write_notes(array[act], array[actor], array[thing], array[null]::text[], array[entry], entry - 1, now_ms)
$$;

-- 41: to whom somebody asks no more, they are followed at once.
create function act_ask(
    entry bigint, now_ms bigint, actor uuid, whom uuid, most_sent integer, most_received integer,
    out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
begin
    last := entry;
    if whom = actor then
        verdict := 10;
    elsif not exists (select from users u where u.id = whom) then
        verdict := 3;
    elsif blocks_between(actor, whom) then
        verdict := case when exists (select from blocks k where k.blocker = actor and k.blocked = whom and k.active)
                        then 11 else 3 end;
    elsif exists (select from follows f where f.follower = actor and f.followee = whom and f.active) then
        verdict := 1;
    elsif not approves_followers(whom) then
        verdict := 0;
        perform begin_follow(entry, now_ms, actor, whom, actor);
        insert into follow_requests (asker, asked, active, rev) values (actor, whom, false, entry)
            on conflict on constraint follow_requests_pk do update set active = false;
        last := deed_notes(deed_notes(entry + 1, now_ms, 3::smallint, actor, whom), now_ms, 42::smallint, actor, whom);
        update follow_requests q set rev = last where q.asker = actor and q.asked = whom;
    elsif has_asked(actor, whom) then
        verdict := 1;
    elsif (select count(*) from follow_requests q where q.asker = actor and q.active) >= most_sent
          or (select count(*) from follow_requests q where q.asked = whom and q.active) >= most_received then
        verdict := 19;
    else
        verdict := 0;
        insert into follow_requests (asker, asked, active, rev) values (actor, whom, true, entry)
            on conflict on constraint follow_requests_pk do update set active = true;
        last := deed_notes(entry, now_ms, 41::smallint, actor, whom);
        update follow_requests q set rev = last where q.asker = actor and q.asked = whom;
    end if;
end
$$;

-- 42 and 43: taken back, or refused.
create function act_end_request(
    entry bigint, now_ms bigint, act smallint, of_asker uuid, of_asked uuid, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
begin
    last := entry;
    update follow_requests q set active = false where q.asker = of_asker and q.asked = of_asked and q.active;
    verdict := case when found then 0 when of_asker = of_asked then 10 else 1 end;
    if verdict = 0 then
        last := deed_notes(entry, now_ms, 42::smallint, of_asker, of_asked);
        update follow_requests q set rev = last where q.asker = of_asker and q.asked = of_asked;
    end if;
end
$$;

-- 44: the follow comes first, by an entry of its own. Who has been accepted before is so already.
create function act_accept(entry bigint, now_ms bigint, actor uuid, whom uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
begin
    last := entry;
    if whom = actor then
        verdict := 10;
    elsif not has_asked(whom, actor) then
        verdict := case when exists (select from follows f where f.follower = whom and f.followee = actor and f.active)
                        then 1 else 3 end;
    else
        verdict := 0;
        perform begin_follow(entry, now_ms, whom, actor, actor);
        update follow_requests q set active = false where q.asker = whom and q.asked = actor;
        last := deed_notes(entry + 1, now_ms, 42::smallint, whom, actor);
        update follow_requests q set rev = last where q.asker = whom and q.asked = actor;
    end if;
end
$$;

-- 45: told as the end of a follow.
create function act_remove_follower(
    entry bigint, now_ms bigint, actor uuid, whom uuid, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
begin
    last := entry;
    update follows f set active = false where f.follower = whom and f.followee = actor and f.active;
    verdict := case when found then 0 when whom = actor then 10 else 1 end;
    if verdict = 0 then
        update follow_counts c set followers = c.followers - 1 where c.user_id = actor;
        last := deed_notes(entry, now_ms, 4::smallint, whom, actor);
        update follows f set rev = last where f.follower = whom and f.followee = actor;
    end if;
end
$$;

insert into suspended_may (act) values (42), (43), (45);

-- 20: that of 0013; requests end in both directions, too.
create or replace function act_block(entry bigint, now_ms bigint, actor uuid, whom uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
begin
    last := entry;
    if whom = actor then
        verdict := 10;
    elsif not exists (select from users u where u.id = whom) then
        verdict := 3;
    elsif exists (select from blocks k where k.blocker = actor and k.blocked = whom and k.active) then
        verdict := 1;
    else
        verdict := 0;
        if end_follow(last, now_ms, actor, whom, actor) then
            last := last + 1;
        end if;
        if end_follow(last, now_ms, whom, actor, actor) then
            last := last + 1;
        end if;
        if end_request(last, now_ms, actor, whom) then
            last := last + 1;
        end if;
        if end_request(last, now_ms, whom, actor) then
            last := last + 1;
        end if;
        insert into blocks (blocker, blocked, active, rev) values (actor, whom, true, last)
            on conflict on constraint blocks_pk do update set active = true, rev = excluded.rev;
    end if;
end
$$;

-- That of 0015; requests besides.
create or replace function notifiers_gone(acts smallint[], actors uuid[], ids uuid[], seqs bigint[])
returns setof notifiers
language plpgsql stable
as $$
begin
    if acts && array[4, 20]::smallint[] then
        return query
        select n.* from (
               select c.actor as follower, c.id as followee
                 from unnest(acts, actors, ids, seqs) c (act, actor, id, seq) where c.act in (4, 20) and c.seq is not null
               union
               select c.id, c.actor
                 from unnest(acts, actors, ids, seqs) c (act, actor, id, seq) where c.act = 20 and c.seq is not null) e
          join notifiers n on n.user_id = e.followee and n.actor = e.follower
          join notifications g on g.id = n.notification and g.kind = 1
         where not exists (select from follows f where f.follower = e.follower and f.followee = e.followee and f.active);
    end if;
    if acts && array[20, 42]::smallint[] then
        return query
        select n.* from (
               select c.actor as asker, c.id as asked
                 from unnest(acts, actors, ids, seqs) c (act, actor, id, seq) where c.act in (20, 42) and c.seq is not null
               union
               select c.id, c.actor
                 from unnest(acts, actors, ids, seqs) c (act, actor, id, seq) where c.act = 20 and c.seq is not null) e
          join notifiers n on n.user_id = e.asked and n.actor = e.asker
          join notifications g on g.id = n.notification and g.kind = 2
         where not has_asked(e.asker, e.asked);
    end if;
    if acts && array[25]::smallint[] then
        return query
        select distinct n.* from unnest(acts, actors, ids, seqs) c (act, actor, id, seq)
          join posts p on p.id = c.id
          join notifications g on g.user_id = p.author and g.kind = 6 and g.subject = p.id
          join notifiers n on n.notification = g.id and n.actor = c.actor
         where c.act = 25 and c.seq is not null and not has_reacted(c.actor, p.id);
    end if;
end
$$;

-- That of 0015; requests besides.
create or replace function notes_of(acts smallint[], actors uuid[], ids uuid[], args text[], seqs bigint[])
returns setof note
language plpgsql stable
as $$
begin
    if acts && array[3]::smallint[] then
        return query
        select c.id, 1::smallint, c.id, null::uuid, c.actor, null::uuid, c.seq
          from unnest(acts, actors, ids, seqs) c (act, actor, id, seq)
          join follows f on f.follower = c.actor and f.followee = c.id and f.active
         where c.act = 3 and c.seq is not null;
    end if;
    if acts && array[41]::smallint[] then
        return query
        select c.id, 2::smallint, c.id, null::uuid, c.actor, null::uuid, c.seq
          from unnest(acts, actors, ids, seqs) c (act, actor, id, seq)
         where c.act = 41 and c.seq is not null and has_asked(c.actor, c.id);
    end if;
    if acts && array[5, 6]::smallint[] then
        return query
        select w.user_id, w.kind, w.subject, w.subject, p.author, p.id, c.seq
          from unnest(acts, ids, seqs) c (act, id, seq)
          join posts p on p.id = c.id and not p.removed and p.extra is not null
          left join posts o on o.id = p.of_post and not o.removed
         cross join lateral (
               select o.author, (case p.text when '' then 7 else 8 end)::smallint, o.id where o.id is not null and c.act = 5
               union all
               select m.user_id, 3::smallint, p.id
                 from unnest(people_of(p.extra)) m (user_id) where m.user_id is distinct from o.author
               ) w (user_id, kind, subject)
         where c.act in (5, 6) and c.seq is not null
           and (p.audience = 0 or sees(w.user_id, p.author, p.audience, p.mentioned));
    end if;
    if acts && array[8, 9]::smallint[] then
        return query
        select w.user_id, w.kind, w.subject, p.id, m.author, m.id, c.seq
          from unnest(acts, ids, args, seqs) c (act, id, arg, seq)
          join comments m on m.id = c.id and not m.removed
          join posts p on p.id = m.post and not p.removed
          left join comments a on a.id = m.parent
         cross join lateral (
               select a.author, 5::smallint, a.id where c.act = 8 and not a.removed
               union all
               select p.author, 4::smallint, p.id where c.act = 8 and p.author is distinct from a.author
               union all
               select t.user_id, 3::smallint, m.id
                 from unnest(case when c.arg is not null then people_of(c.arg::jsonb) end) t (user_id)
                where t.user_id <> p.author and t.user_id is distinct from a.author
               ) w (user_id, kind, subject)
         where c.act in (8, 9) and c.seq is not null and w.user_id <> m.author
           and (w.user_id = p.author or sees(w.user_id, p.author, p.audience, p.mentioned));
    end if;
    if acts && array[24]::smallint[] then
        return query
        select p.author, 6::smallint, p.id, p.id, c.actor, null::uuid, c.seq
          from unnest(acts, actors, ids, seqs) c (act, actor, id, seq)
          join posts p on p.id = c.id and not p.removed
         where c.act = 24 and c.seq is not null and has_reacted(c.actor, p.id);
    end if;
end
$$;
