-- Why: who may see what. Posts for everybody, for followers, for those whom they mention or for nobody else; blocks and mutes; hashtags; posts
-- that hand others on; suspended users. And a second kind of act, for all that is rare enough to be decided one after the other.
--
-- `commit_batch` is that of 0012 but for these. Acts from 20 on are deeds: after all others of their batch, each is carried out by a function of
-- its own (`carry_out` says which), which decides and writes, and may write entries of its own before the deed's.
-- `args`: for acts 5 and 6 what not every post has (5: all of it, 6: what changes) as JSON; for deeds their arguments as JSON.
-- Verdicts besides those of 0003: 11 blocked  12 suspended  13 not public  14 too many pinned

alter table users
    -- 0 good, 1 suspended (may read, and take back what they did), 2 banned.
    add column standing smallint not null default 0;

alter table posts
    -- What not every post has, as clients see it; null where it has nothing of it.
    add column extra     jsonb,
    -- Who may see it: 0 everybody, 1 followers and those mentioned, 2 those mentioned, 3 nobody but its author.
    add column audience  smallint not null default 0,
    -- Who may ever have seen it: who is no longer among `audience` but among these is told that it is gone.
    add column widest    smallint not null default 0,
    -- Whom it mentions or has mentioned, where it was ever for fewer than everybody.
    add column mentioned uuid[],
    add column tags      text[],
    -- The hashtags it has ever had. Like `mentioned` kept with the tombstone: they say who is to hear that it is gone.
    add column tagged    text[],
    -- The post it hands on.
    add column of_post   uuid,
    add constraint posts_audience check (audience between 0 and 3 and widest between 0 and audience),
    add constraint posts_tags check (tagged @> tags),
    add constraint posts_tombstone_has_no_extra check (not removed or extra is null and tags is null);
-- Once by each user without words of one's own.
create unique index posts_handed_on on posts (author, of_post) where of_post is not null and text = '' and not removed;

-- Which posts have, or have had, a hashtag.
create table post_tags (
    tag  text   not null,
    -- The post's place.
    seq  bigint not null,
    post uuid   not null,
    constraint post_tags_pk primary key (tag, seq)
);
create index post_tags_of_post on post_tags (post);

-- What a post said before it was edited; erased with it.
create table post_versions (
    post  uuid   not null,
    -- The post's `rev` when it still said so.
    rev   bigint not null,
    text  text   not null,
    at_ms bigint not null,
    -- For whom it was when it last said so: an earlier text is for nobody else now either.
    audience smallint not null,
    constraint post_versions_pk primary key (post, rev)
);

create table blocks (
    blocker uuid    not null,
    blocked uuid    not null,
    -- False: a tombstone.
    active  boolean not null,
    rev     bigint  not null,
    constraint blocks_pk primary key (blocker, blocked),
    constraint blocks_not_oneself check (blocker <> blocked)
);
create index blocks_changed on blocks (blocker, rev);
create index blocks_changed_by on blocks (blocked, rev);
create index blocks_by on blocks (blocked, blocker) where active;
create index blocks_tombstones on blocks (rev) where not active;

create table mutes (
    muter    uuid    not null,
    muted    uuid    not null,
    active   boolean not null,
    -- When it ends by itself.
    until_ms bigint,
    rev      bigint  not null,
    constraint mutes_pk primary key (muter, muted),
    constraint mutes_not_oneself check (muter <> muted)
);
create index mutes_changed on mutes (muter, rev);
create index mutes_due on mutes (until_ms) where active and until_ms is not null;
create index mutes_tombstones on mutes (rev) where not active;

-- Whether either of the two blocks the other.
create function blocks_between(one uuid, other uuid) returns boolean
language sql stable
as $$
    select exists (select from blocks k where k.blocker = one and k.blocked = other and k.active)
        or exists (select from blocks k where k.blocker = other and k.blocked = one and k.active)
$$;

-- Whom a viewer does not want to read, or may not.
create function hidden_from(viewer uuid) returns uuid[]
language sql stable
as $$
    select array(select k.blocked from blocks k where k.blocker = viewer and k.active
                 union all select k.blocker from blocks k where k.blocked = viewer and k.active
                 union all select m.muted from mutes m where m.muter = viewer and m.active)
$$;

-- Whether somebody (null: anybody) may see a post.
create function sees(viewer uuid, author uuid, audience smallint, mentioned uuid[]) returns boolean
language sql stable
as $$
    select case when viewer = author then true
                when audience = 3 then false
                when viewer is null then audience = 0
                when blocks_between(viewer, author) then false
                when audience = 0 then true
                when viewer = any(mentioned) then true
                when audience = 1 then
                    exists (select from follows f where f.follower = viewer and f.followee = author and f.active)
                else false end
$$;

-- The verdict on a post that hands another on.
create function may_hand_on(actor uuid, target uuid, without_words boolean) returns smallint
language sql stable
as $$
    select (case when target is null then 0
                 when not exists (select from posts p
                                   where p.id = target and not p.removed and p.audience = 0 and p.text <> ''
                                     and (p.author = actor or not blocks_between(actor, p.author)))
                 then 3
                 when without_words and exists (select from posts p
                                                 where p.author = actor and p.of_post = target and p.text = '' and not p.removed)
                 then 5
                 else 0 end)::smallint
$$;

create function digest_of(text text, extra jsonb) returns bytea
language sql immutable
as $$ select sha256(convert_to(text || coalesce(extra::text, ''), 'UTF8')) $$;

-- Without what says nothing.
create function tidied_extra(extra jsonb) returns jsonb
language sql immutable
as $$
    select nullif(extra - array_remove(array[case extra ->> 'visibility' when 'public' then 'visibility' end,
                                             case extra ->> 'warning' when '' then 'warning' end], null), '{}')
$$;

-- As a change leaves it: hashtags and mentions are always those of the new text.
create function changed_extra(had jsonb, change jsonb) returns jsonb
language sql immutable
as $$ select tidied_extra((coalesce(had, '{}') - array['tags', 'mentions']) || coalesce(change, '{}')) $$;

create function audience_of(extra jsonb) returns smallint
language sql immutable
as $$
    select (case extra ->> 'visibility' when 'followers' then 1 when 'mentioned' then 2 when 'private' then 3 else 0 end)::smallint
$$;

create function tags_of(extra jsonb) returns text[]
language sql immutable
as $$ select array_agg(distinct t ->> 'tag') from jsonb_array_elements(extra -> 'tags') t $$;

create function people_of(extra jsonb) returns uuid[]
language sql stable
as $$
    select array_agg(distinct u.id)
      from jsonb_array_elements(extra -> 'mentions') m
      join users u on u.handle = m ->> 'handle'
$$;

-- Which feeds a post belongs to, who may see it and what it hands on; null where that is everybody, and always was, and nothing.
create function scope_of(
    audience smallint, widest smallint, mentioned uuid[], tags text[], tagged text[], of_post uuid
)
returns jsonb
language sql immutable
as $$
    select case when audience > 0 or tagged is not null or of_post is not null then
               jsonb_build_object(
                   'visibility', (array['public', 'followers', 'mentioned', 'private'])[audience + 1],
                   'widest', (array['public', 'followers', 'mentioned', 'private'])[widest + 1],
                   'mentioned', coalesce(mentioned, '{}'),
                   'tags', coalesce(tags, '{}'),
                   'tagged', coalesce(tagged, '{}'),
                   'of', of_post)
           end
$$;

create or replace view user_states as
select 1::smallint as kind, u.id, u.rev, u.seq, false as removed,
       u.id as author, u.rev as author_rev, u.handle, u.name,
       null::text as text, u.created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, u.bio, u.role,
       null::text as extra, null::text as scope
  from users u;

create or replace view follow_states as
select 2::smallint as kind, f.follower as id, f.rev, f.rev as seq, not f.active as removed,
       f.follower as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       f.followee as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       null::text as extra, null::text as scope
  from follows f;

create or replace view post_states as
select 3::smallint as kind, p.id, p.rev, p.seq, p.removed,
       p.author, u.rev as author_rev, u.handle, u.name,
       p.text, p.created_ms, p.edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       p.extra::text as extra, scope_of(p.audience, p.widest, p.mentioned, p.tags, p.tagged, p.of_post)::text as scope
  from posts p join users u on u.id = p.author;

create or replace view comment_states as
select 4::smallint as kind, m.id, m.rev, m.seq, m.removed,
       m.author, u.rev as author_rev, u.handle, u.name,
       m.text, m.created_ms, m.edited_ms,
       m.post as object, m.parent, m.depth, null::text as bio, null::smallint as role,
       null::text as extra, null::text as scope
  from comments m join users u on u.id = m.author;

create function write_posts_with_extras(
    acts smallint[], actors uuid[], ids uuid[], texts text[], args text[], seqs bigint[], now_ms bigint
)
returns void
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    insert into posts (id, author, text, seq, rev, created_ms, extra, audience, widest, mentioned, tags, tagged, of_post)
    select c.id, c.actor, coalesce(c.text, ''), c.seq, c.seq, now_ms,
           x.extra, x.audience, x.audience, x.mentioned, x.tags, x.tags, x.of_post
      from unnest(acts, actors, ids, texts, seqs, args) c (act, actor, id, text, seq, arg)
     cross join lateral (
           select c.arg::jsonb as extra, audience_of(c.arg::jsonb) as audience,
                  case when audience_of(c.arg::jsonb) > 0 then people_of(c.arg::jsonb) end as mentioned,
                  tags_of(c.arg::jsonb) as tags, (c.arg::jsonb ->> 'of')::uuid as of_post) x
     where c.act = 5 and c.seq is not null and c.arg is not null;
    insert into post_tags (tag, seq, post)
    select t.tag, c.seq, c.id
      from unnest(acts, ids, seqs, args) c (act, id, seq, arg)
     cross join lateral unnest(tags_of(c.arg::jsonb)) t (tag)
     where c.act = 5 and c.seq is not null and c.arg is not null;
    perform count_handed_on(array_agg(c.id), 1)
       from unnest(acts, ids, seqs, args) c (act, id, seq, arg)
      where c.act = 5 and c.seq is not null and c.arg::jsonb ? 'of';
end
$$;

drop function change_posts(smallint[], uuid[], text[], bigint[], bigint);

create function change_posts(acts smallint[], ids uuid[], texts text[], args text[], seqs bigint[], now_ms bigint)
returns void
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    hand_on uuid[];
begin
    -- They are taken out of the numbers of what they hand on, and put in again as they are after the change.
    hand_on := array(select p.id from unnest(acts, ids, seqs) c (act, id, seq) join posts p on p.id = c.id
                      where c.act in (6, 7) and c.seq is not null and p.of_post is not null);
    if hand_on <> '{}' then
        perform count_handed_on(hand_on, -1);
    end if;
    insert into post_versions (post, rev, text, at_ms, audience)
    select p.id, p.rev, p.text,
           coalesce(p.edited_ms, p.created_ms), p.audience
      from unnest(acts, ids, texts, seqs) c (act, id, text, seq)
      join posts p on p.id = c.id
     where c.act = 6 and c.seq is not null and p.text <> c.text;
    update posts p
       set text = c.text, rev = c.seq, extra = n.extra,
           edited_ms = case when p.text <> c.text then now_ms else p.edited_ms end,
           first_digest = coalesce(p.first_digest, digest_of(p.text, p.extra)),
           audience = n.audience, widest = least(p.widest, n.audience),
           mentioned = case when n.audience > 0 or p.mentioned is not null
                            then (select array_agg(distinct m.id) from unnest(p.mentioned || n.people) m (id)) end,
           tags = n.tags,
           tagged = (select array_agg(distinct t.tag) from unnest(p.tagged || n.tags) t (tag))
      from unnest(acts, ids, texts, seqs, args) c (act, id, text, seq, arg)
     cross join lateral (
           select changed_extra(o.extra, c.arg::jsonb) as extra,
                  audience_of(changed_extra(o.extra, c.arg::jsonb)) as audience,
                  tags_of(c.arg::jsonb) as tags, people_of(c.arg::jsonb) as people
             from posts o where o.id = c.id) n
     where c.act = 6 and c.seq is not null and p.id = c.id;
    insert into post_tags (tag, seq, post)
    select t.tag, p.seq, p.id
      from unnest(acts, ids, seqs) c (act, id, seq)
      join posts p on p.id = c.id
     cross join lateral unnest(p.tags) t (tag)
     where c.act = 6 and c.seq is not null and p.tags is not null
        on conflict on constraint post_tags_pk do nothing;
    update posts p
       set text = null, first_digest = null, extra = null, tags = null, removed = true, rev = c.seq
      from unnest(acts, ids, seqs) c (act, id, seq)
     where c.act = 7 and c.seq is not null and p.id = c.id;
    delete from post_tags t using unnest(acts, ids, seqs) c (act, id, seq)
     where c.act = 7 and c.seq is not null and t.post = c.id;
    delete from post_versions v using unnest(acts, ids, seqs) c (act, id, seq)
     where c.act = 7 and c.seq is not null and v.post = c.id;
    delete from post_counts k using unnest(acts, ids, seqs) c (act, id, seq)
     where c.act = 7 and c.seq is not null and k.post = c.id;
    if hand_on <> '{}' then
        perform count_handed_on(hand_on, 1);
    end if;
    -- The post's feed is gone and with it every way to its comments: not even tombstones are needed.
    delete from comments m
     using unnest(acts, ids, seqs) c (act, id, seq)
     where c.act = 7 and c.seq is not null and m.post = c.id;
end
$$;

-- Ends a follow, as entry `entry`. False if there was none.
create function end_follow(entry bigint, now_ms bigint, of_follower uuid, of_followee uuid, by_actor uuid) returns boolean
language plpgsql volatile
as $$
begin
    update follows f set active = false, rev = entry
     where f.follower = of_follower and f.followee = of_followee and f.active;
    if not found then
        return false;
    end if;
    update follow_counts c set followers = c.followers - 1 where c.user_id = of_followee;
    insert into journal (seq, kind, subject, object, actor, at_ms)
    values (entry, 4, of_follower, of_followee, by_actor, now_ms);
    return true;
end
$$;

-- 20: follows end in both directions, each by an entry of its own.
create function act_block(entry bigint, now_ms bigint, actor uuid, whom uuid, out verdict smallint, out last bigint)
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
        insert into blocks (blocker, blocked, active, rev) values (actor, whom, true, last)
            on conflict on constraint blocks_pk do update set active = true, rev = excluded.rev;
    end if;
end
$$;

-- 21
create function act_unblock(entry bigint, actor uuid, whom uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
begin
    last := entry;
    update blocks k set active = false, rev = entry where k.blocker = actor and k.blocked = whom and k.active;
    verdict := case when found then 0 when whom = actor then 10 else 1 end;
end
$$;

-- 22: said again, it says until when.
create function act_mute(
    entry bigint, now_ms bigint, actor uuid, whom uuid, until_ms bigint, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
#variable_conflict use_variable
declare
    lasts boolean := coalesce(until_ms > now_ms, true);
    had   mutes;
begin
    last := entry;
    select m.* into had from mutes m where m.muter = actor and m.muted = whom;
    if whom = actor then
        verdict := 10;
    elsif not exists (select from users u where u.id = whom) then
        verdict := 3;
    elsif lasts and had.active and had.until_ms is not distinct from until_ms or not lasts and not coalesce(had.active, false) then
        verdict := 1;
    else
        verdict := 0;
        insert into mutes (muter, muted, active, until_ms, rev)
        values (actor, whom, lasts, case when lasts then until_ms end, entry)
            on conflict on constraint mutes_pk do update
           set active = excluded.active, until_ms = excluded.until_ms, rev = excluded.rev;
    end if;
end
$$;

-- 23
create function act_unmute(entry bigint, actor uuid, whom uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
begin
    last := entry;
    update mutes m set active = false, until_ms = null, rev = entry where m.muter = actor and m.muted = whom and m.active;
    verdict := case when found then 0 when whom = actor then 10 else 1 end;
end
$$;

-- Carries one deed out: the verdict, and the deed's own entry, which is the last it has written.
create function carry_out(
    act smallint, entry bigint, now_ms bigint, actor uuid, thing uuid, other uuid, args jsonb,
    out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
begin
    case act
        when 20 then select d.verdict, d.last into verdict, last from act_block(entry, now_ms, actor, thing) d;
        when 21 then select d.verdict, d.last into verdict, last from act_unblock(entry, actor, thing) d;
        when 22 then
            select d.verdict, d.last into verdict, last
              from act_mute(entry, now_ms, actor, thing, (args ->> 'until')::bigint) d;
        when 23 then select d.verdict, d.last into verdict, last from act_unmute(entry, actor, thing) d;
        when 24 then
            select d.verdict, d.last into verdict, last
              from act_react(entry, actor, thing, emoji_number(args ->> 'emoji')) d;
        when 25 then select d.verdict, d.last into verdict, last from act_unreact(entry, actor, thing) d;
        when 26 then select d.verdict, d.last into verdict, last from act_bookmark(entry, actor, thing) d;
        when 27 then select d.verdict, d.last into verdict, last from act_unbookmark(entry, actor, thing) d;
        when 38 then select d.verdict, d.last into verdict, last from act_pin(entry, actor, thing) d;
        when 39 then select d.verdict, d.last into verdict, last from act_unpin(entry, actor, thing) d;
        when 28 then
            select d.verdict, d.last into verdict, last
              from act_notification_seen(entry, actor, (args ->> 'up_to')::bigint) d;
        when 29 then
            select d.verdict, d.last into verdict, last
              from act_notification_read(
                       entry, actor,
                       case when args ? 'ids' then array(select i::uuid from jsonb_array_elements_text(args -> 'ids') i) end,
                       (args ->> 'up_to')::bigint) d;
        when 30 then
            select d.verdict, d.last into verdict, last
              from act_marker(entry, now_ms, actor, thing, args ->> 'feed', (args ->> 'seq')::bigint,
                              (args ->> 'most')::integer) d;
        when 31 then
            select d.verdict, d.last into verdict, last from act_notification_preferences(entry, actor, args) d;
        else raise exception 'unknown act' using errcode = 'invalid_parameter_value';
    end case;
end
$$;

create function block_body(k blocks) returns text
language sql immutable
as $$ select json_build_object('rev', k.rev, 'blocker', k.blocker, 'blocked', k.blocked)::text $$;

create function mute_body(m mutes) returns text
language sql immutable
as $$
    select json_strip_nulls(json_build_object('rev', m.rev, 'muter', m.muter, 'muted', m.muted, 'until', m.until_ms))::text
$$;

-- What deeds are about, in the columns of the other `…_states`: `kind` is the number of a deed about it, `author` whose it is, `extra` its body.
create view block_states as
select 20::smallint as kind, k.blocked as id, k.rev, k.rev as seq, not k.active as removed,
       k.blocker as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       block_body(k) as extra, null::text as scope
  from blocks k;

create view mute_states as
select 22::smallint as kind, m.muted as id, m.rev, m.rev as seq, not m.active as removed,
       m.muter as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       mute_body(m) as extra, null::text as scope
  from mutes m;

-- The entity a deed is about, as clients see it now; no row if there never was one.
create function own_state(act smallint, actor uuid, thing uuid, other uuid)
returns setof block_states
language plpgsql stable
as $$
begin
    case act
        when 20, 21 then return query select s.* from block_states s where s.author = actor and s.id = thing;
        when 22, 23 then return query select s.* from mute_states s where s.author = actor and s.id = thing;
        when 24, 25 then return query select s.* from reaction_states s where s.author = actor and s.id = thing;
        when 26, 27 then return query select s.* from bookmark_states s where s.author = actor and s.id = thing;
        -- About a post, and told as one.
        when 38, 39 then return query select s.* from post_states s where s.id = thing;
        when 28, 29 then return query select s.* from notification_reading_states s where s.author = actor;
        when 30 then return query select s.* from read_marker_states s where s.author = actor and s.id = thing;
        when 31 then return query select s.* from notification_preference_states s where s.author = actor;
        when 40 then return query select s.* from notification_states s where s.id = thing and s.author = actor;
        else return;
    end case;
end
$$;

-- Everything of somebody's own that has changed since, for `me`.
create function own_changes(of_user uuid, since bigint)
returns setof block_states
language plpgsql stable
as $$
begin
    return query select s.* from block_states s where s.author = of_user and s.rev >= since;
    return query select s.* from mute_states s where s.author = of_user and s.rev >= since;
    return query select s.* from read_marker_states s where s.author = of_user and s.rev >= since;
    return query select s.* from notification_preference_states s where s.author = of_user and s.rev >= since;
end
$$;

-- Ended blocks and mutes below the floor, at most `most` of each: as forget_ended_follows.
create function forget_ended_ties(below bigint, most integer)
returns bigint
language plpgsql volatile
as $$
declare
    gone  bigint;
    gone2 bigint;
begin
    perform from journal_head h for update;
    with old as materialized (select k.blocker, k.blocked from blocks k where not k.active and k.rev < below limit most)
    delete from blocks k using old where k.blocker = old.blocker and k.blocked = old.blocked;
    get diagnostics gone = row_count;
    with old as materialized (select m.muter, m.muted from mutes m where not m.active and m.rev < below limit most)
    delete from mutes m using old where m.muter = old.muter and m.muted = old.muted;
    get diagnostics gone2 = row_count;
    return gone + gone2;
end
$$;

drop function commit_batch(
    smallint[], uuid[], uuid[], text[], bigint[], uuid[], uuid[], text[], text[], text[], text[], smallint, uuid, bigint);

create function commit_batch(
    acts smallint[], actors uuid[], ids uuid[], texts text[], if_revs bigint[],
    on_posts uuid[], parents uuid[], bios text[], handles text[], emails text[], hashes text[],
    deepest smallint, of_writer uuid, of_batch bigint, args text[]
)
returns table (
    -- Which command, from 1; null for entries of no command: what it brings others.
    ord bigint, verdict smallint,
    -- Done: its seq. Already so: the entity's.
    rev bigint,
    epoch bigint, at_ms bigint,
    -- The actor's profile.
    actor_rev bigint, actor_handle text, actor_name text,
    -- The entity, as far as the command does not tell it already. `post`: of a comment; of a deed's entity its id.
    author uuid, seq bigint, created_ms bigint, edited_ms bigint, text text,
    post uuid, parent uuid, depth smallint, bio text, role smallint,
    -- Of a post: what not every post has, and who may see it where that is not everybody.
    extra text, scope text,
    -- Of a deed: its entity as clients see it, and whether that is gone.
    body text, removed boolean
)
language plpgsql volatile
-- Plans are made once per connection, perhaps while the tables are still empty: only plans that stay good may be chosen.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set enable_material = off
set enable_memoize = off
set jit = off
as $$
#variable_conflict use_column
declare
    head          bigint;
    life          bigint;
    now_ms        bigint;
    done          bigint;
    asked_again   boolean;
    head_then     bigint;
    rejoin        boolean;
    ords          bigint[] := '{}';
    verdicts      smallint[] := '{}';
    seqs          bigint[];
    actor_revs    bigint[];
    actor_handles text[];
    actor_names   text[];
    actor_roles   smallint[];
    standings     smallint[];
    verdict_then  smallint;
    next_entry    bigint;
    last_entry    bigint;
    has_users     boolean := acts && array[1, 2]::smallint[];
    has_follows   boolean := acts && array[3, 4]::smallint[];
    has_posts     boolean := acts && array[5, 6, 7]::smallint[];
    has_comments  boolean := acts && array[8, 9, 10]::smallint[];
    has_sessions  boolean := 11 = any(acts);
    has_deeds     boolean := acts[cardinality(acts)] >= 20;
    has_extras    boolean := cardinality(args) > 0 and acts && array[5, 6]::smallint[];
    -- Whether anybody may have to hear of it besides those whose feeds it is in.
    has_notes     boolean := has_extras or acts && array[3, 4, 6, 7, 8, 9, 10, 20, 21, 22, 23, 24, 25, 29]::smallint[];
    notes_after   bigint;
begin
    -- What follows must see everything committed before: each statement takes its own snapshot, after the lock is held.
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'commit_batch needs read committed' using errcode = 'invalid_transaction_state';
    end if;
    select h.seq into strict head from journal_head h for update;
    life := journal_epoch();
    now_ms := clock_ms();

    -- Has this very batch been decided? A later one of its writer's means that nobody waits for this one any more.
    select w.batch = of_batch, w.head, w.verdicts into asked_again, head_then, verdicts
      from writers w where w.writer = of_writer and w.batch >= of_batch;
    if not asked_again then
        raise exception 'a later batch has been committed' using errcode = 'invalid_parameter_value';
    end if;
    asked_again := found;

    -- A read marker is known by its feed's name.
    if 30 = any(acts) then
        ids := array(select case c.act when 30 then md5(c.arg::jsonb ->> 'feed')::uuid else c.id end
                       from unnest(acts, ids, args) with ordinality c (act, id, arg, ord) order by c.ord);
    end if;

    -- Who asks.
    select array_agg(a.rev), array_agg(a.handle), array_agg(a.name), array_agg(a.role), array_agg(a.standing)
      into actor_revs, actor_handles, actor_names, actor_roles, standings
      from (select u.rev, u.handle, u.name, u.role, u.standing
              from unnest(actors) with ordinality c (actor, ord)
              left join users u on u.id = c.actor
             order by c.ord) a;

    -- Decide; or do not decide again.
    if asked_again then
        head := head_then;
        ords := array(select generate_series(1, cardinality(verdicts)));
    else
        verdicts := '{}';
        if has_users then
            select ords || d.of_ords, verdicts || d.of_verdicts into ords, verdicts
              from decide_users(acts, actors, texts, bios, if_revs, handles, emails) d;
        end if;
        if has_follows then
            select ords || array_agg(d.ord), verdicts || array_agg(d.verdict) into ords, verdicts
              from (select c.ord,
                           (case when c.actor_rev is null then 2
                                 when c.id = c.actor then 10
                                 when u.id is null then case c.act when 3 then 3 else 1 end
                                 when c.act = 3 and (b.blocked is not null or k.blocked is not null)
                                 then case when b.blocked is not null then 11 else 3 end
                                 -- As the command before it in this batch left the pair, or as it is stored.
                                 when (c.act = 3) = coalesce(
                                          lag(c.act = 3) over (partition by c.actor, c.id order by c.ord), f.active, false)
                                 then 1
                                 else 0 end)::smallint as verdict
                      from unnest(acts, actors, ids, actor_revs) with ordinality c (act, actor, id, actor_rev, ord)
                      left join users u on u.id = c.id
                      left join follows f on f.follower = c.actor and f.followee = c.id
                      left join blocks b on b.blocker = c.actor and b.blocked = c.id and b.active
                      left join blocks k on k.blocker = c.id and k.blocked = c.actor and k.active
                     where c.act in (3, 4)) d;
        end if;
        if has_posts then
            select ords || array_agg(d.ord), verdicts || array_agg(d.verdict) into ords, verdicts
              from (select c.ord,
                           (case when c.actor_rev is null then 2
                                 when c.act = 5 then
                                     case when p.id is null then
                                              case when c.arg is null then 0
                                                   else may_hand_on(c.actor, (c.arg::jsonb ->> 'of')::uuid, c.text is null) end
                                          when p.author <> c.actor then 5
                                          when p.removed then 3
                                          when p.text = coalesce(c.text, '') and p.extra is not distinct from c.arg::jsonb then 1
                                          when p.first_digest = digest_of(coalesce(c.text, ''), c.arg::jsonb) then 1
                                          else 5 end
                                 when p.id is null then 3
                                 when p.author = c.actor or (c.act = 7 and c.actor_role > 0) then
                                     case when p.removed then case c.act when 7 then 1 else 3 end
                                          when c.act = 7 then 0
                                          when p.text = c.text and p.extra is not distinct from changed_extra(p.extra, c.arg::jsonb)
                                          then 1
                                          when c.if_rev <> p.rev then 8
                                          else 0 end
                                 when p.removed or not sees(c.actor, p.author, p.audience, p.mentioned) then 3
                                 else 4 end)::smallint as verdict
                      from unnest(acts, actors, ids, texts, if_revs, actor_revs, actor_roles, args) with ordinality
                           c (act, actor, id, text, if_rev, actor_rev, actor_role, arg, ord)
                      left join posts p on p.id = c.id
                     where c.act in (5, 6, 7)) d;
        end if;
        if has_comments then
            select ords || array_agg(d.ord), verdicts || array_agg(d.verdict) into ords, verdicts
              from (select c.ord,
                           (case when c.actor_rev is null then 2
                                 when c.act = 8 then
                                     case when p.id is null or p.removed
                                               or p.author <> c.actor and not sees(c.actor, p.author, p.audience, p.mentioned)
                                          then 3
                                          when m.id is not null then
                                              case when m.author <> c.actor then 5
                                                   when m.removed then 3
                                                   when m.post <> c.post or m.parent is distinct from c.parent then 5
                                                   when m.text = c.text then 1
                                                   when m.first_digest = sha256(convert_to(c.text, 'UTF8')) then 1
                                                   else 5 end
                                          when c.parent is null then 0
                                          when a.id is null or a.post <> c.post or a.removed
                                               or a.author <> c.actor and blocks_between(c.actor, a.author)
                                          then 3
                                          when a.depth >= deepest then 9
                                          else 0 end
                                 when m.id is null then 3
                                 when m.author = c.actor or (c.act = 10 and c.actor_role > 0) then
                                     case when m.removed then case c.act when 10 then 1 else 3 end
                                          when c.act = 10 then 0
                                          when m.text = c.text then 1
                                          when c.if_rev <> m.rev then 8
                                          else 0 end
                                 when m.removed then 3
                                 else 4 end)::smallint as verdict
                      from unnest(acts, actors, ids, texts, if_revs, on_posts, parents, actor_revs, actor_roles) with ordinality
                           c (act, actor, id, text, if_rev, post, parent, actor_rev, actor_role, ord)
                      left join comments m on m.id = c.id
                      left join posts p on p.id = c.post
                      left join comments a on a.id = c.parent
                     where c.act in (8, 9, 10)) d;
        end if;
        if has_sessions then
            select ords || array_agg(d.ord), verdicts || array_agg(d.verdict) into ords, verdicts
              from (select c.ord,
                           (case when c.actor_rev is null then 2
                                 when c.id is null then
                                     case when exists (select from sessions l
                                                        where l.user_id = c.actor and l.revoked_ms is null)
                                          then 0 else 1 end
                                 when s.id is null then 3
                                 when s.revoked_ms is not null then 1
                                 when row_number() over (partition by c.id order by c.ord) > 1 then 1
                                 else 0 end)::smallint as verdict
                      from unnest(acts, actors, ids, actor_revs) with ordinality c (act, actor, id, actor_rev, ord)
                      left join sessions s on s.id = c.id and s.user_id = c.actor
                     where c.act = 11) d;
        end if;
    end if;

    -- Who is suspended may take back what they did, and end their log-ins.
    if not asked_again and exists (select from unnest(standings) s where s > 0) then
        verdicts := array(select case when standings[v.ord] > 0 and acts[v.ord] not in (4, 7, 10, 11) and v.verdict <> 2 then 12 else v.verdict end
                            from unnest(ords, verdicts) with ordinality v (ord, verdict, nth) order by v.nth);
    end if;

    -- Number what will be done, in the order of the commands.
    select array_agg(n.verdict), array_agg(case when n.verdict = 0 then head + n.nth end), max(n.nth),
           bool_or(n.verdict < 2 and not (n.verdict = 0 and acts[n.ord] = 5 and args[n.ord] is null))
      into verdicts, seqs, done, rejoin
      from (select v.ord, v.verdict, count(*) filter (where v.verdict = 0) over (order by v.ord) as nth
              from unnest(ords, verdicts) v (ord, verdict)
             order by v.ord) n;
    if not has_deeds and coalesce(cardinality(verdicts), 0) <> cardinality(acts) then
        raise exception 'unknown act' using errcode = 'invalid_parameter_value';
    end if;
    done := coalesce(done, 0);
    verdicts := coalesce(verdicts, '{}');
    if asked_again then
        -- What was done then is so already; told from the tables as they are now.
        verdicts := array_replace(verdicts, 0::smallint, 1::smallint);
        rejoin := true;
        done := 0;
    end if;

    -- Write.
    if done > 0 then
        if has_posts then
            insert into posts (id, author, text, seq, rev, created_ms)
            select c.id, c.actor, c.text, c.seq, c.seq, now_ms
              from unnest(acts, actors, ids, texts, seqs, args) c (act, actor, id, text, seq, arg)
             where c.act = 5 and c.seq is not null and c.arg is null;
            if has_extras then
                perform write_posts_with_extras(acts, actors, ids, texts, args, seqs, now_ms);
            end if;
            if acts && array[6, 7]::smallint[] then
                perform change_posts(acts, ids, texts, args, seqs, now_ms);
            end if;
        end if;
        if has_comments then
            perform write_comments(acts, actors, ids, texts, on_posts, parents, seqs, now_ms);
            perform count_comments(acts, ids, on_posts, seqs);
        end if;
        if has_users then
            perform write_users(acts, actors, texts, bios, handles, emails, hashes, seqs, now_ms);
        end if;
        if has_follows then
            perform write_follows(acts, actors, ids, seqs);
        end if;
        if has_sessions then
            update sessions s set revoked_ms = coalesce(s.revoked_ms, now_ms), rev = coalesce(s.rev, c.seq)
              from unnest(acts, actors, ids, seqs) c (act, actor, id, seq)
             where c.act = 11 and c.seq is not null and s.user_id = c.actor and s.id = coalesce(c.id, s.id)
               and s.revoked_ms is null;
        end if;
        insert into journal (seq, kind, subject, object, actor, at_ms)
        select c.seq, c.act,
               case when c.act between 5 and 10 then c.id else c.actor end,
               case when c.act in (3, 4, 11) then c.id end,
               c.actor, now_ms
          from unnest(acts, actors, ids, seqs) c (act, actor, id, seq)
         where c.seq is not null;
    end if;
    -- One after the other: each sees what those before it did, and may write several entries, of which the last is its own.
    if has_deeds and not asked_again then
        for nth in 1 .. cardinality(acts) loop
            continue when acts[nth] < 20;
            next_entry := head + done + 1;
            if actor_revs[nth] is null then
                verdict_then := 2;
            elsif standings[nth] > 0 and acts[nth] not in (21, 23, 25, 27, 28, 29, 30) then
                verdict_then := 12;
            else
                select d.verdict, d.last into strict verdict_then, last_entry
                  from carry_out(acts[nth], next_entry, now_ms, actors[nth], ids[nth], on_posts[nth], args[nth]::jsonb) d;
            end if;
            verdicts[nth] := verdict_then;
            if verdict_then = 0 then
                seqs[nth] := last_entry;
                done := last_entry - head;
                insert into journal (seq, kind, subject, object, actor, at_ms)
                values (last_entry, acts[nth], coalesce(ids[nth], actors[nth]), on_posts[nth], actors[nth], now_ms);
            else
                seqs[nth] := null;
            end if;
        end loop;
    end if;
    if has_notes and done > 0 then
        notes_after := head + done;
        done := done + write_notes(acts, actors, ids, args, seqs, notes_after, now_ms);
    end if;
    if done > 0 then
        update journal_head h set seq = head + done;
    end if;

    -- Also where nothing was done: a lost statement that wakes up later must not do what its writer has heard to be refused.
    if not asked_again then
        insert into writers as w (writer, batch, head, verdicts, at_ms)
        values (of_writer, of_batch, head, verdicts, now_ms)
        on conflict (writer) do update
           set batch = excluded.batch, head = excluded.head, verdicts = excluded.verdicts, at_ms = excluded.at_ms;
    end if;

    -- Answer. New posts and refusals need no second look at the tables. Of what was done before and removed since,
    -- the command tells the text and `seqs` the rev.
    return query
    select c.ord, c.verdict, c.seq, life, now_ms, c.actor_rev, c.actor_handle, c.actor_name,
           c.actor, c.seq, now_ms, null::bigint, null::text,
           null::uuid, null::uuid, null::smallint, null::text, null::smallint, null::text, null::text, null::text, null::boolean
      from unnest(acts, actors, verdicts, seqs, actor_revs, actor_handles, actor_names, args) with ordinality
           c (act, actor, verdict, seq, actor_rev, actor_handle, actor_name, arg, ord)
     where c.verdict > 1 or (c.verdict = 0 and c.act = 5 and c.arg is null);
    if rejoin and has_posts then
        return query
        -- A deed of the same batch may have changed it once more, by an entry of its own.
        select c.ord, c.verdict, case when c.verdict = 0 or p.removed and c.act <> 7 then c.seq else p.rev end, life, now_ms,
               c.actor_rev, c.actor_handle, c.actor_name,
               p.author, p.seq, p.created_ms, p.edited_ms, case when c.verdict = 1 then p.text end,
               null::uuid, null::uuid, null::smallint, null::text, null::smallint,
               p.extra::text, scope_of(p.audience, p.widest, p.mentioned, p.tags, p.tagged, p.of_post)::text, null::text, null::boolean
          from unnest(acts, ids, verdicts, seqs, actor_revs, actor_handles, actor_names, args) with ordinality
               c (act, id, verdict, seq, actor_rev, actor_handle, actor_name, arg, ord)
          join posts p on p.id = c.id
         where c.verdict < 2 and (c.act in (6, 7) or (c.act = 5 and (c.verdict = 1 or c.arg is not null)));
    end if;
    if has_comments then
        return query
        select c.ord, c.verdict, case when m.removed and c.act <> 10 then c.seq else m.rev end, life, now_ms,
               c.actor_rev, c.actor_handle, c.actor_name,
               m.author, m.seq, m.created_ms, m.edited_ms, case when c.verdict = 1 then m.text end,
               m.post, m.parent, m.depth, null::text, null::smallint, null::text, null::text, null::text, null::boolean
          from unnest(acts, ids, verdicts, seqs, actor_revs, actor_handles, actor_names) with ordinality
               c (act, id, verdict, seq, actor_rev, actor_handle, actor_name, ord)
          join comments m on m.id = c.id
         where c.verdict < 2 and c.act in (8, 9, 10);
    end if;
    if has_users then
        return query
        select c.ord, c.verdict, u.rev, life, now_ms, u.rev, u.handle, u.name,
               u.id, u.seq, u.created_ms, null::bigint, null::text,
               null::uuid, null::uuid, null::smallint, u.bio, u.role, null::text, null::text, null::text, null::boolean
          from unnest(acts, actors, verdicts) with ordinality c (act, actor, verdict, ord)
          join users u on u.id = c.actor
         where c.verdict < 2 and c.act in (1, 2);
    end if;
    if has_follows or has_sessions then
        return query
        select c.ord, c.verdict,
               coalesce(c.seq, f.rev, s.rev,
                        (select max(l.rev) from sessions l where c.act = 11 and c.id is null and l.user_id = c.actor), 0),
               life, now_ms, null::bigint, null::text, null::text,
               c.actor, null::bigint, null::bigint, null::bigint, null::text,
               null::uuid, null::uuid, null::smallint, null::text, null::smallint, null::text, null::text, null::text, null::boolean
          from unnest(acts, actors, ids, verdicts, seqs) with ordinality c (act, actor, id, verdict, seq, ord)
          left join follows f on c.act in (3, 4) and f.follower = c.actor and f.followee = c.id
          left join sessions s on c.act = 11 and s.id = c.id
         where c.verdict < 2 and c.act in (3, 4, 11);
    end if;
    if has_deeds then
        return query
        select c.ord, c.verdict, coalesce(case c.verdict when 0 then c.seq end, s.rev, c.seq, 0), life, now_ms, null::bigint, null::text, null::text,
               c.actor, null::bigint, null::bigint, null::bigint, null::text,
               s.id, null::uuid, null::smallint, null::text, null::smallint, null::text, null::text, s.extra, s.removed
          from unnest(acts, actors, ids, on_posts, verdicts, seqs) with ordinality c (act, actor, id, object, verdict, seq, ord)
          left join lateral own_state(c.act, c.actor, coalesce(c.id, c.actor), c.object) s on true
         where c.verdict < 2 and c.act >= 20 and c.act not in (38, 39);
    end if;
    if acts && array[38, 39]::smallint[] then
        return query
        select c.ord, c.verdict, case when c.verdict = 0 or p.removed then c.seq else p.rev end, life, now_ms,
               c.actor_rev, c.actor_handle, c.actor_name,
               p.author, p.seq, p.created_ms, p.edited_ms, p.text,
               null::uuid, null::uuid, null::smallint, null::text, null::smallint,
               p.extra::text, scope_of(p.audience, p.widest, p.mentioned, p.tags, p.tagged, p.of_post)::text,
               null::text, null::boolean
          from unnest(acts, ids, verdicts, seqs, actor_revs, actor_handles, actor_names) with ordinality
               c (act, id, verdict, seq, actor_rev, actor_handle, actor_name, ord)
          join posts p on p.id = c.id
         where c.verdict < 2 and c.act in (38, 39);
    end if;
    if notes_after < head + done then
        return query
        select null::bigint, 0::smallint, j.seq, life, now_ms, null::bigint, null::text, null::text,
               j.actor, null::bigint, null::bigint, null::bigint, null::text,
               s.id, null::uuid, null::smallint, null::text, null::smallint, null::text, null::text, s.extra, s.removed
          from journal j
          join notification_states s on s.id = j.subject
         where j.seq > notes_after and j.seq <= head + done;
    end if;
end
$$;
