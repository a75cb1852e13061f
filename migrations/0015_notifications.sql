-- Why: what others did that concerns somebody, told to them in groups ("12 people reacted"), and how far they have read.
--
-- A group is an entity like any other: it has a `rev`, and each change of it an entry of its own (kind 40), written at the end of the batch
-- that brought it (docs/decisions/0013). Who is in a group follows from what there is, not from what was done: `write_notes` looks at the
-- follows, comments, posts and reactions that a batch has touched, and puts the groups right.
-- Kinds: 1 follow  2 request  3 mention  4 comment  5 reply  6 reaction  7 repost  8 quote

create table notifications (
    id      uuid     not null default gen_random_uuid(),
    user_id uuid     not null,
    kind    smallint not null,
    -- The post or comment it is about; for follows the user.
    subject uuid     not null,
    -- The post where that is; null for follows. Deleted with it.
    post    uuid,
    -- What came last: the comment, or the post that mentions or hands on; null for follows and reactions.
    last    uuid,
    -- Its place: the entry by which somebody came into it last.
    seq     bigint   not null,
    rev     bigint   not null,
    at_ms   bigint   not null,
    -- People in it that the user may know of; without any it is not shown.
    count   integer  not null,
    -- With those who are hidden from the user; without any it is a tombstone.
    total   integer  not null,
    -- Read by itself, and not as one before `notification_reading.read`.
    read    boolean  not null default false,
    -- Of follows: the next follower begins another group.
    closed  boolean  not null default false,
    constraint notifications_pk primary key (id),
    constraint notifications_kind check (kind between 1 and 8),
    constraint notifications_count check (count between 0 and total)
);
create unique index notifications_about on notifications (user_id, kind, subject) where kind <> 1;
create unique index notifications_open_follow on notifications (user_id) where kind = 1 and not closed;
create index notifications_newest on notifications (user_id, seq) where count > 0;
create index notifications_changed on notifications (user_id, rev);
create index notifications_in_post on notifications (post) where post is not null;
create index notifications_tombstones on notifications (rev) where total = 0;

-- Who is in a group.
create table notifiers (
    notification uuid    not null,
    actor        uuid    not null,
    -- Whose group it is.
    user_id      uuid    not null,
    -- The entry by which they did it last.
    seq          bigint  not null,
    -- Blocked either way or muted by the user.
    hidden       boolean not null default false,
    constraint notifiers_pk primary key (notification, actor)
);
create index notifiers_newest on notifiers (notification, seq) where not hidden;
create index notifiers_between on notifiers (user_id, actor);

-- The comments and posts behind it; follows and reactions have none.
create table notifying_things (
    notification uuid not null,
    actor        uuid not null,
    thing        uuid not null,
    constraint notifying_things_pk primary key (notification, actor, thing)
);
create index notifying_things_of on notifying_things (thing);

-- How far somebody has looked and read.
create table notification_reading (
    user_id uuid    not null,
    -- All groups with a `seq` up to this have been seen, or read.
    seen    bigint  not null default 0,
    read    bigint  not null default 0,
    -- Groups that are shown and not read.
    unread  integer not null default 0,
    rev     bigint  not null default 0,
    constraint notification_reading_pk primary key (user_id),
    constraint notification_reading_unread check (unread >= 0)
) with (fillfactor = 70);

-- Of whom somebody wants to hear, by kind: what is absent is `everyone`.
create table notification_preferences (
    user_id uuid   not null,
    choices jsonb  not null,
    rev     bigint not null,
    constraint notification_preferences_pk primary key (user_id)
);

-- How far somebody has read a feed.
create table read_markers (
    user_id uuid    not null,
    -- Made of the feed's name.
    id      uuid    not null,
    feed    text    not null,
    seq     bigint  not null,
    rev     bigint  not null,
    -- Given up for a newer one.
    removed boolean not null default false,
    constraint read_markers_pk primary key (user_id, id)
);
create index read_markers_changed on read_markers (user_id, rev);
create index read_markers_tombstones on read_markers (rev) where removed;

create function notification_kind(kind smallint) returns text
language sql immutable
as $$ select (array['follow', 'request', 'mention', 'comment', 'reply', 'reaction', 'repost', 'quote'])[kind] $$;

-- Whether somebody hides somebody else, or is kept apart from them.
create function is_hidden_from(viewer uuid, other uuid) returns boolean
language sql stable
as $$
    select blocks_between(viewer, other)
        or exists (select from mutes m where m.muter = viewer and m.muted = other and m.active)
$$;

create function notification_reading_body(r notification_reading) returns text
language sql immutable
as $$ select json_build_object('rev', r.rev, 'seen', r.seen, 'read', r.read, 'unread', r.unread)::text $$;

-- In the columns of the other `…_states`, see block_states. Written out: a function for the body took longer than all the rest of a batch.
create view notification_states as
select 40::smallint as kind, n.id, n.rev, n.seq, n.count = 0 as removed,
       n.user_id as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       case when n.count = 0 then json_build_object('id', n.id, 'rev', n.rev, 'unread', coalesce(r.unread, 0))
            else json_strip_nulls(json_build_object(
                'id', n.id, 'rev', n.rev, 'seq', n.seq, 'kind', notification_kind(n.kind),
                'post', n.post, 'comment', case when n.subject <> n.post then n.subject end, 'last', n.last,
                'actors', (select json_agg(a.author order by a.seq desc)
                             from (select p.seq, json_build_object('id', u.id, 'rev', u.rev,
                                                                   'handle', u.handle, 'name', u.name) as author
                                     from notifiers p join users u on u.id = p.actor
                                    where p.notification = n.id and not p.hidden
                                    order by p.seq desc limit 3) a),
                'count', n.count, 'at', n.at_ms, 'read', case when n.read then true end, 'unread', coalesce(r.unread, 0)))
       end::text as extra,
       null::text as scope
  from notifications n
  left join notification_reading r on r.user_id = n.user_id;

create view notification_reading_states as
select 28::smallint as kind, r.user_id as id, r.rev, r.rev as seq, false as removed,
       r.user_id as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       notification_reading_body(r) as extra, null::text as scope
  from notification_reading r;

create view read_marker_states as
select 30::smallint as kind, m.id, m.rev, m.rev as seq, m.removed,
       m.user_id as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       json_build_object('rev', m.rev, 'feed', m.feed, 'seq', m.seq)::text as extra, null::text as scope
  from read_markers m;

create view notification_preference_states as
select 31::smallint as kind, p.user_id as id, p.rev, p.rev as seq, false as removed,
       p.user_id as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       (p.choices || jsonb_build_object('rev', p.rev))::text as extra, null::text as scope
  from notification_preferences p;

-- What has changed in somebody's `notifications` since.
create function notification_changes(of_user uuid, since bigint)
returns setof notification_states
language sql stable
as $$
    select s.* from notification_states s where s.author = of_user and s.rev >= since
    union all
    select s.* from notification_reading_states s where s.author = of_user and s.rev >= since and s.rev > 0
$$;

-- 28: seen up to there.
create function act_notification_seen(entry bigint, actor uuid, up_to bigint, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
begin
    last := entry;
    insert into notification_reading (user_id) values (actor) on conflict on constraint notification_reading_pk do nothing;
    -- What comes later has not been seen yet, whatever is said.
    update notification_reading r set seen = least(up_to, entry - 1), rev = entry
     where r.user_id = actor and r.seen < least(up_to, entry - 1);
    verdict := case when found then 0 else 1 end;
end
$$;

-- 29: read, all up to there, or these, or these as far as they are up to there. Groups read by themselves are told by write_notes.
create function act_notification_read(
    entry bigint, actor uuid, these uuid[], up_to bigint, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
declare
    target bigint := least(coalesce(up_to, entry - 1), entry - 1);
begin
    last := entry;
    insert into notification_reading (user_id) values (actor) on conflict on constraint notification_reading_pk do nothing;
    if these is null then
        update notification_reading r
           set read = target, seen = greatest(r.seen, target), rev = entry,
               unread = (select count(*) from notifications n
                          where n.user_id = actor and n.count > 0 and n.seq > target and not n.read)
         where r.user_id = actor and r.read < target;
        verdict := case when found then 0 else 1 end;
        update notifications n set closed = true
         where n.user_id = actor and n.kind = 1 and not n.closed and n.seq <= target and n.total > 0;
    else
        update notification_reading r set rev = entry
         where r.user_id = actor
           and exists (select from notifications n
                        where n.id = any(these) and n.user_id = actor and not n.read and n.count > 0
                          and n.seq > r.read and n.seq <= target);
        verdict := case when found then 0 else 1 end;
    end if;
end
$$;

-- 30: as far as there; never back. Of too many the one that was moved longest ago is given up, by an entry of its own.
create function act_marker(
    entry bigint, now_ms bigint, actor uuid, marker uuid, of_feed text, at bigint, most integer,
    out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
declare
    target bigint := least(at, entry - 1);
    oldest uuid;
begin
    last := entry;
    verdict := 0;
    update read_markers m set seq = greatest(m.seq, target), rev = entry, removed = false
     where m.user_id = actor and m.id = marker and m.seq < target and not m.removed;
    if found then
        return;
    end if;
    if exists (select from read_markers m where m.user_id = actor and m.id = marker and not m.removed) then
        verdict := 1;
        return;
    end if;
    if (select count(*) from read_markers m where m.user_id = actor and not m.removed) >= most then
        select m.id into oldest from read_markers m
         where m.user_id = actor and not m.removed order by m.rev limit 1;
        update read_markers m set removed = true, rev = entry where m.user_id = actor and m.id = oldest;
        insert into journal (seq, kind, subject, actor, at_ms) values (entry, 30, oldest, actor, now_ms);
        last := entry + 1;
    end if;
    insert into read_markers (user_id, id, feed, seq, rev) values (actor, marker, of_feed, target, last)
        on conflict on constraint read_markers_pk do update
       set seq = greatest(read_markers.seq, excluded.seq), rev = excluded.rev, removed = false;
end
$$;

-- 31: what is absent stays.
create function act_notification_preferences(
    entry bigint, actor uuid, change jsonb, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
begin
    last := entry;
    insert into notification_preferences (user_id, choices, rev) values (actor, '{}', 0)
        on conflict on constraint notification_preferences_pk do nothing;
    update notification_preferences p set choices = p.choices || change, rev = entry
     where p.user_id = actor and (p.rev = 0 or p.choices || change <> p.choices);
    verdict := case when found then 0 else 1 end;
end
$$;

-- Somebody who did something that concerns somebody: `thing` is the comment or post, null for follows and reactions.
create type note as (
    user_id uuid, kind smallint, subject uuid, post uuid, actor uuid, thing uuid, entry bigint
);

-- What the done commands of a batch would bring anybody, as the tables are now; whether they want to hear it is asked by write_notes. Of what is
-- hidden from people only posts are looked at here: who did it comes later.
create function notes_of(acts smallint[], actors uuid[], ids uuid[], args text[], seqs bigint[])
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

-- Things that are gone, or of which their group's user may not hear any more.
create function things_gone(acts smallint[], ids uuid[], args text[], seqs bigint[])
returns setof notifying_things
language plpgsql stable
as $$
begin
    if acts && array[7, 10]::smallint[] then
        return query
        select b.* from unnest(acts, ids, seqs) c (act, id, seq)
          join notifying_things b on b.thing = c.id
         where c.act in (7, 10) and c.seq is not null;
    end if;
    if acts && array[6, 9]::smallint[] then
        -- Nobody else's things hang on a public post's edit.
        return query
        select b.* from unnest(acts, ids, seqs) c (act, id, seq)
          join posts p on p.id = c.id
          join notifying_things b on b.thing = c.id
          join notifications g on g.id = b.notification
         where c.act = 6 and c.seq is not null
           and (g.kind = 3 and not coalesce(g.user_id = any(people_of(p.extra)), false)
                or p.audience > 0 and not sees(g.user_id, p.author, p.audience, p.mentioned))
        union
        select b.* from unnest(acts, ids, seqs) c (act, id, seq)
          join posts p on p.id = c.id and p.audience > 0
          join notifications g on g.post = p.id and g.user_id <> p.author
          join notifying_things b on b.notification = g.id
         where c.act = 6 and c.seq is not null and not sees(g.user_id, p.author, p.audience, p.mentioned)
        union
        select b.* from unnest(acts, ids, args, seqs) c (act, id, arg, seq)
          join notifying_things b on b.thing = c.id
          join notifications g on g.id = b.notification and g.kind = 3
         where c.act = 9 and c.seq is not null and not coalesce(g.user_id = any(people_of(c.arg::jsonb)), false);
    end if;
end
$$;

-- People who have taken back what they did, where no thing is behind it: follows and reactions.
create function notifiers_gone(acts smallint[], actors uuid[], ids uuid[], seqs bigint[])
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

-- After a block or a mute, or the end of one: whoever is hidden now counts no more, and the other way round. No entries: what `entry` says
-- makes the user's feeds start afresh.
create function hide_notifiers(of_user uuid, of_actor uuid, entry bigint) returns void
language plpgsql volatile
as $$
declare
    hides   boolean := is_hidden_from(of_user, of_actor);
    changed uuid[];
    more    integer;
begin
    with turned as (
        update notifiers n set hidden = hides
         where n.user_id = of_user and n.actor = of_actor and n.hidden <> hides
        returning n.notification)
    select array_agg(t.notification) into changed from turned t;
    if changed is null then
        return;
    end if;
    with turned as (
        update notifications g set count = g.count + case when hides then -1 else 1 end, rev = entry
         where g.id = any(changed) and g.total > 0
        returning g.count, g.read, g.seq, g.user_id)
    select sum(case when hides and t.count = 0 then -1 when not hides and t.count = 1 then 1 else 0 end) into more
      from turned t
      left join notification_reading r on r.user_id = t.user_id
     where not t.read and t.seq > coalesce(r.read, 0);
    update notification_reading r set unread = r.unread + more where r.user_id = of_user and more <> 0;
end
$$;

-- Puts the groups right that the done commands of a batch touch, and writes an entry for each group that changes, from `last_entry` on. The
-- last step of a batch: it depends on nothing but what the tables say now. Returns how many entries it has written.
create function write_notes(
    acts smallint[], actors uuid[], ids uuid[], args text[], seqs bigint[], last_entry bigint, now_ms bigint
)
returns bigint
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    notes    note[];
    lost     uuid[] := '{}';
    hidden   uuid[] := '{}';
    joined   uuid[] := '{}';
    gained   note[] := '{}';
    dead     uuid[] := '{}';
    marked   uuid[] := '{}';
    went     uuid[] := '{}';
    things   notifying_things[];
    people   notifiers[];
    written  bigint;
begin
    if acts && array[20, 21, 22, 23]::smallint[] then
        perform hide_notifiers(e.one, e.other, max(e.seq))
           from (select c.actor as one, c.id as other, c.seq
                   from unnest(acts, actors, ids, seqs) c (act, actor, id, seq)
                  where c.act between 20 and 23 and c.seq is not null
                 union
                 select c.id, c.actor, c.seq
                   from unnest(acts, actors, ids, seqs) c (act, actor, id, seq)
                  where c.act in (20, 21) and c.seq is not null) e
          group by e.one, e.other;
    end if;

    -- Who goes.
    select array_agg(g) into things from things_gone(acts, ids, args, seqs) g;
    if things is not null then
        went := array(select t.thing from unnest(things) t);
        delete from notifying_things b using unnest(things) t
         where b.notification = t.notification and b.actor = t.actor and b.thing = t.thing;
    end if;
    select array_agg(n) into people
      from (select n from notifiers_gone(acts, actors, ids, seqs) n
            union
            select n from (select distinct t.notification, t.actor from unnest(things) t) t
              join notifiers n on n.notification = t.notification and n.actor = t.actor
             where not exists (select from notifying_things b
                                where b.notification = t.notification and b.actor = t.actor)) g;
    if people is not null then
        delete from notifiers n using unnest(people) p
         where n.notification = p.notification and n.actor = p.actor;
        select coalesce(array_agg(p.notification), '{}'), coalesce(array_agg(p.notification) filter (where p.hidden), '{}')
          into lost, hidden
          from unnest(people) p;
    end if;
    if acts && array[7]::smallint[] then
        -- The people in them are left for forget_notifications: there may be many.
        dead := array(select g.id from unnest(acts, ids, seqs) c (act, id, seq)
                        join notifications g on g.post = c.id
                       where c.act = 7 and c.seq is not null and g.total > 0);
    end if;
    if acts && array[29]::smallint[] then
        marked := array(select g.id from unnest(acts, actors, args, seqs) c (act, actor, arg, seq)
                         cross join lateral jsonb_array_elements_text(c.arg::jsonb -> 'ids') w (id)
                          join notifications g on g.id = w.id::uuid and g.user_id = c.actor
                          left join notification_reading r on r.user_id = c.actor
                         where c.act = 29 and c.seq is not null
                           and g.seq <= coalesce((c.arg::jsonb ->> 'up_to')::bigint, c.seq)
                           and g.count > 0 and not g.read and g.seq > coalesce(r.read, 0));
    end if;

    -- Who comes.
    select array_agg(n) into notes
      from notes_of(acts, actors, ids, args, seqs) n
      left join notification_preferences p on p.user_id = n.user_id
     where n.user_id <> n.actor
       -- As is_hidden_from, which would be called for each of them.
       and not exists (select from blocks k where k.blocker = n.user_id and k.blocked = n.actor and k.active)
       and not exists (select from blocks k where k.blocker = n.actor and k.blocked = n.user_id and k.active)
       and not exists (select from mutes m where m.muter = n.user_id and m.muted = n.actor and m.active)
       and case p.choices ->> notification_kind(n.kind)
               when 'nobody' then false
               when 'followed' then exists (select from follows f
                                             where f.follower = n.user_id and f.followee = n.actor and f.active)
               else true end;
    if notes is not null then
        insert into notifications (user_id, kind, subject, post, seq, rev, at_ms, count, total)
        select distinct n.user_id, n.kind, n.subject, n.post, 0, 0, now_ms, 0, 0 from unnest(notes) n
            on conflict do nothing;
        with placed as (
            select g.id, n.actor, n.thing, n.user_id, n.entry
              from unnest(notes) n
              join notifications g
                on g.user_id = n.user_id and g.kind = 1 and not g.closed and n.kind = 1
             where not exists (select from notifiers o join notifications f on f.id = o.notification and f.kind = 1
                                where o.user_id = n.user_id and o.actor = n.actor)
            union all
            select g.id, n.actor, n.thing, n.user_id, n.entry
              from unnest(notes) n
              join notifications g on g.user_id = n.user_id and g.kind = n.kind and g.subject = n.subject and g.kind <> 1
             where n.kind <> 1
               and case when n.thing is null
                        then not exists (select from notifiers o where o.notification = g.id and o.actor = n.actor)
                        else not exists (select from notifying_things b
                                          where b.notification = g.id and b.actor = n.actor and b.thing = n.thing) end)
        select coalesce(array_agg((p.user_id, null, p.id, null, p.actor, p.thing, p.entry)::note order by p.entry), '{}')
          into gained from placed p;
        -- From here on `subject` of these is the group.
        insert into notifying_things (notification, actor, thing)
        select distinct n.subject, n.actor, n.thing from unnest(gained) n where n.thing is not null;
        update notifiers o set seq = n.entry
          from (select n.subject, n.actor, max(n.entry) as entry from unnest(gained) n group by 1, 2) n
         where o.notification = n.subject and o.actor = n.actor;
        with came as (
            insert into notifiers (notification, actor, user_id, seq)
            select n.subject, n.actor, n.user_id, max(n.entry)
              from unnest(gained) n
             where not exists (select from notifiers o where o.notification = n.subject and o.actor = n.actor)
             group by n.subject, n.actor, n.user_id
            returning notification)
        select coalesce(array_agg(c.notification), '{}') into joined from came c;
    end if;

    -- What that makes of the groups.
    with turn as (
        select t.id, sum(t.more) as more, sum(t.more_seen) as more_seen, bool_or(t.ends) as ends, bool_or(t.marked) as marked
          from (select j.id, 1 as more, 1 as more_seen, false as ends, false as marked from unnest(joined) j (id)
                union all select l.id, -1, -1, false, false from unnest(lost) l (id)
                union all select h.id, 0, 1, false, false from unnest(hidden) h (id)
                union all select n.subject, 0, 0, false, false from unnest(gained) n
                -- Who has left something else there stays, but it points to what is gone.
                union all select g.id, 0, 0, false, false
                  from unnest(things) t join notifications g on g.id = t.notification and g.last = t.thing
                union all select o.id, 0, 0, true, false from unnest(dead) o (id)
                union all select m.id, 0, 0, false, true from unnest(marked) m (id)) t
         group by t.id
    ), newest as (
        select distinct on (n.subject) n.subject as id, n.thing from unnest(gained) n order by n.subject, n.entry desc
    ), next as (
        select g.id, g.user_id,
               case when t.ends then 0 else g.count + t.more_seen end as count,
               case when t.ends then 0 else g.total + t.more end as total,
               w.id is not null as gained, w.thing, t.marked,
               (g.count > 0 and not g.read and g.seq > coalesce(r.read, 0))::integer as was_unread, coalesce(r.read, 0) as read_to,
               g.count as was_count
          from turn t
          left join newest w on w.id = t.id
          -- Of what is about a deleted post, people are left who go later.
          join notifications g on g.id = t.id and (g.total > 0 or w.id is not null)
          left join notification_reading r on r.user_id = g.user_id
    ), numbered as (
        select n.*, case when n.was_count > 0 or n.count > 0
                         then last_entry + count(*) filter (where n.was_count > 0 or n.count > 0) over (order by n.user_id, n.id)
                    end as entry
          from next n
    ), changed as (
        update notifications g
           set count = n.count, total = n.total, rev = coalesce(n.entry, g.rev),
               seq = case when n.gained then n.entry else g.seq end,
               at_ms = case when n.gained then now_ms else g.at_ms end,
               last = case when n.gained then n.thing when g.last = any(went) then null else g.last end,
               read = (g.read or n.marked) and not n.gained,
               closed = g.closed or g.kind = 1 and n.marked and not n.gained
          from numbered n
         where g.id = n.id
        returning g.id, g.user_id, g.rev, n.entry, n.was_unread,
                  (g.count > 0 and not g.read and g.seq > n.read_to)::integer as is_unread
    ), told as (
        insert into journal (seq, kind, subject, actor, at_ms)
        select c.entry, 40, c.id, c.user_id, now_ms from changed c where c.entry is not null
        returning seq
    ), more as (
        select c.user_id, sum(c.is_unread - c.was_unread) as unread from changed c
         group by c.user_id having sum(c.is_unread - c.was_unread) <> 0
    ), counted as (
        update notification_reading r set unread = r.unread + m.unread from more m where r.user_id = m.user_id
    ), begun as (
        insert into notification_reading (user_id, unread)
        select m.user_id, m.unread from more m
         where not exists (select from notification_reading r where r.user_id = m.user_id)
    )
    select count(*) into written from told;
    return written;
end
$$;

-- Tombstones of groups below the floor with whoever is left in them, read markers that were given up: at most `most` of each.
create function forget_notifications(below bigint, most integer)
returns bigint
language plpgsql volatile
as $$
declare
    old  uuid[];
    gone bigint;
    sum  bigint;
begin
    perform from journal_head h for update;
    old := array(select n.id from notifications n where n.total = 0 and n.rev < below order by n.rev limit most);
    delete from notifying_things b
     where (b.notification, b.actor, b.thing) in (
           select o.notification, o.actor, o.thing from notifying_things o where o.notification = any(old) limit most);
    get diagnostics sum = row_count;
    delete from notifiers b
     where (b.notification, b.actor) in (
           select o.notification, o.actor from notifiers o where o.notification = any(old) limit most);
    get diagnostics gone = row_count;
    sum := sum + gone;
    delete from notifications n
     where n.id = any(old)
       and not exists (select from notifying_things b where b.notification = n.id)
       and not exists (select from notifiers b where b.notification = n.id);
    get diagnostics gone = row_count;
    sum := sum + gone;
    delete from read_markers m
     where (m.user_id, m.id) in (
           select o.user_id, o.id from read_markers o where o.removed and o.rev < below limit most);
    get diagnostics gone = row_count;
    return sum + gone;
end
$$;
