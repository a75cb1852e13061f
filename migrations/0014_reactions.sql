-- Why: what people leave on posts. Reactions, one by each user to each post; bookmarks, which nobody else sees; and how many there are of
-- everything that is added to a post, kept by commit_batch so that a post with a million reactions is told as fast as one with none.
--
-- Pinned posts, at most three of each user.
--
-- A reaction or a bookmark is one user's own: told on their `me` alone, and kept as a tombstone for as long as the journal is. A post that is
-- deleted takes the ones to it along when its own tombstone goes.

-- The reactions there are; numbered from 1 by their place, which never changes.
create function emoji_words() returns text[]
language sql immutable
as $$ select array['like', 'love', 'laugh', 'wow', 'sad', 'angry', 'thanks', 'party'] $$;

create function emoji_number(word text) returns smallint
language plpgsql immutable
as $$
declare
    number smallint := array_position(emoji_words(), word);
begin
    if number is null then
        raise exception 'no such reaction' using errcode = 'invalid_parameter_value';
    end if;
    return number;
end
$$;

create table reactions (
    user_id uuid     not null,
    post    uuid     not null,
    -- Null: taken back, a tombstone.
    emoji   smallint,
    rev     bigint   not null,
    constraint reactions_pk primary key (user_id, post),
    constraint reactions_emoji check (emoji between 1 and 8)
);
-- Catch-up of `me`.
create index reactions_changed on reactions (user_id, rev);
-- For going along with the post.
create index reactions_of_post on reactions (post);
create index reactions_tombstones on reactions (rev) where emoji is null;

create table bookmarks (
    user_id uuid    not null,
    post    uuid    not null,
    -- False: a tombstone.
    active  boolean not null,
    rev     bigint  not null,
    constraint bookmarks_pk primary key (user_id, post)
);
-- Catch-up of `me`, and one's bookmarks, newest first.
create index bookmarks_changed on bookmarks (user_id, rev);
create index bookmarks_of_post on bookmarks (post);
create index bookmarks_tombstones on bookmarks (rev) where not active;

-- Kept by commit_batch. A post to which nothing was ever added has no row.
create table post_counts (
    post      uuid     not null,
    -- Not removed.
    comments  bigint   not null default 0,
    -- Public, and not removed: without words, and with.
    reposts   bigint   not null default 0,
    quotes    bigint   not null default 0,
    -- By the number of the emoji.
    reactions bigint[] not null default '{0,0,0,0,0,0,0,0}',
    constraint post_counts_pk primary key (post),
    constraint post_counts_not_negative check (
        comments >= 0 and reposts >= 0 and quotes >= 0 and cardinality(reactions) = 8 and 0 <= all (reactions)
    )
)
-- A row changes with each reaction: room on its page keeps each change heap-only.
with (fillfactor = 50);

insert into post_counts (post, comments)
select m.post, count(*) from comments m where not m.removed group by m.post;

-- After a batch's comments have been written.
create function count_comments(acts smallint[], ids uuid[], on_posts uuid[], seqs bigint[])
returns void
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    insert into post_counts as k (post, comments)
    select c.post, count(*)
      from unnest(acts, on_posts, seqs) c (act, post, seq)
     where c.act = 8 and c.seq is not null
     group by c.post
        on conflict on constraint post_counts_pk do update set comments = k.comments + excluded.comments;
    update post_counts k set comments = k.comments - d.removed
      from (select m.post, count(*) as removed
              from unnest(acts, ids, seqs) c (act, id, seq)
              join comments m on m.id = c.id
             where c.act = 10 and c.seq is not null
             group by m.post) d
     where k.post = d.post;
end
$$;

-- Adds posts, as they are now, to the numbers of what they hand on, or (`by` -1) takes them out.
create function count_handed_on(ids uuid[], by integer)
returns void
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    if ids is null then
        return;
    end if;
    insert into post_counts as k (post, reposts, quotes)
    select p.of_post, 0, 0
      from unnest(ids) c (id)
      join posts p on p.id = c.id
      join posts o on o.id = p.of_post
     where by > 0 and not p.removed and p.audience = 0 and not o.removed
     group by p.of_post
        on conflict on constraint post_counts_pk do nothing;
    update post_counts k
       set reposts = k.reposts + by * d.reposts, quotes = k.quotes + by * d.quotes
      from (select p.of_post,
                   count(*) filter (where p.text = '') as reposts,
                   count(*) filter (where p.text <> '') as quotes
              from unnest(ids) c (id)
              join posts p on p.id = c.id
             where p.of_post is not null and not p.removed and p.audience = 0
             group by p.of_post) d
     where k.post = d.of_post;
end
$$;

create function count_reaction(of_post uuid, number smallint, by integer)
returns void
language plpgsql volatile
as $$
begin
    if by > 0 then
        insert into post_counts (post) values (of_post) on conflict on constraint post_counts_pk do nothing;
    end if;
    -- Where the post is gone there is no row.
    update post_counts k set reactions[number] = k.reactions[number] + by where k.post = of_post;
end
$$;

-- Whether somebody may see a post that is there.
create function sees_post(viewer uuid, which uuid) returns boolean
language sql stable
as $$
    select exists (select from posts p
                    where p.id = which and not p.removed and sees(viewer, p.author, p.audience, p.mentioned))
$$;

-- Whether somebody's reaction to a post stands.
create function has_reacted(of_user uuid, to_post uuid) returns boolean
language sql stable
as $$ select exists (select from reactions r where r.user_id = of_user and r.post = to_post and r.emoji is not null) $$;

-- 24
create function act_react(
    entry bigint, actor uuid, of_post uuid, number smallint, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
declare
    had smallint;
begin
    last := entry;
    if not sees_post(actor, of_post) then
        verdict := 3;
        return;
    end if;
    select r.emoji into had from reactions r where r.user_id = actor and r.post = of_post;
    if had = number then
        verdict := 1;
        return;
    end if;
    verdict := 0;
    insert into reactions (user_id, post, emoji, rev) values (actor, of_post, number, entry)
        on conflict on constraint reactions_pk do update set emoji = excluded.emoji, rev = excluded.rev;
    if had is not null then
        perform count_reaction(of_post, had, -1);
    end if;
    perform count_reaction(of_post, number, 1);
end
$$;

-- 25: also of a post that one may see no longer.
create function act_unreact(entry bigint, actor uuid, of_post uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
declare
    had smallint;
begin
    last := entry;
    select r.emoji into had from reactions r where r.user_id = actor and r.post = of_post;
    if had is null then
        verdict := 1;
        return;
    end if;
    verdict := 0;
    update reactions r set emoji = null, rev = entry where r.user_id = actor and r.post = of_post;
    perform count_reaction(of_post, had, -1);
end
$$;

-- 26
create function act_bookmark(entry bigint, actor uuid, of_post uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
begin
    last := entry;
    if not sees_post(actor, of_post) then
        verdict := 3;
    elsif exists (select from bookmarks b where b.user_id = actor and b.post = of_post and b.active) then
        verdict := 1;
    else
        verdict := 0;
        insert into bookmarks (user_id, post, active, rev) values (actor, of_post, true, entry)
            on conflict on constraint bookmarks_pk do update set active = true, rev = excluded.rev;
    end if;
end
$$;

-- 27
create function act_unbookmark(entry bigint, actor uuid, of_post uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
begin
    last := entry;
    update bookmarks b set active = false, rev = entry where b.user_id = actor and b.post = of_post and b.active;
    verdict := case when found then 0 else 1 end;
end
$$;

-- Posts that their authors show before all others: few, so that people find them.
create index posts_pinned on posts (author) where extra ? 'pinned';

-- What a pin or its end leaves of a post: it is the post that changes.
create function set_pinned(entry bigint, of_post uuid, to_extra jsonb) returns void
language sql volatile
as $$
    update posts p
       set extra = to_extra, rev = entry, first_digest = coalesce(p.first_digest, digest_of(p.text, p.extra))
     where p.id = set_pinned.of_post
$$;

-- 38
create function act_pin(entry bigint, actor uuid, of_post uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
declare
    had posts;
begin
    last := entry;
    select p.* into had from posts p where p.id = act_pin.of_post and not p.removed;
    if had.id is null or not sees(actor, had.author, had.audience, had.mentioned) then
        verdict := 3;
    elsif had.author <> actor then
        verdict := 4;
    elsif coalesce(had.extra ? 'pinned', false) then
        verdict := 1;
    elsif had.audience > 0 then
        verdict := 13;
    elsif (select count(*) from posts p where p.author = actor and p.extra ? 'pinned') >= 3 then
        verdict := 14;
    else
        verdict := 0;
        perform set_pinned(entry, had.id, coalesce(had.extra, '{}') || '{"pinned": true}');
    end if;
end
$$;

-- 39
create function act_unpin(entry bigint, actor uuid, of_post uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
declare
    had posts;
begin
    last := entry;
    select p.* into had from posts p where p.id = act_unpin.of_post and not p.removed;
    if had.id is null or not sees(actor, had.author, had.audience, had.mentioned) then
        verdict := 3;
    elsif had.author <> actor then
        verdict := 4;
    elsif not coalesce(had.extra ? 'pinned', false) then
        verdict := 1;
    else
        verdict := 0;
        perform set_pinned(entry, had.id, nullif(had.extra - 'pinned', '{}'));
    end if;
end
$$;

create view reaction_states as
select 24::smallint as kind, r.post as id, r.rev, r.rev as seq, r.emoji is null as removed,
       r.user_id as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       json_strip_nulls(json_build_object('rev', r.rev, 'post', r.post, 'emoji', (emoji_words())[r.emoji]))::text as extra,
       null::text as scope
  from reactions r;

create view bookmark_states as
select 26::smallint as kind, b.post as id, b.rev, b.rev as seq, not b.active as removed,
       b.user_id as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       json_build_object('rev', b.rev, 'post', b.post)::text as extra,
       null::text as scope
  from bookmarks b;

-- What somebody has left on posts and changed since, at most `most` of each kind. Not in the snapshot of `me`, which has an end.
create function own_marks(of_user uuid, since bigint, most bigint)
returns setof block_states
language sql stable
as $$
    (select s.* from reaction_states s where s.author = of_user and s.rev >= since limit most)
    union all
    (select s.* from bookmark_states s where s.author = of_user and s.rev >= since limit most)
$$;

-- Marks taken back below the floor, at most `most` of each: as forget_ended_follows.
create function forget_ended_marks(below bigint, most integer)
returns bigint
language plpgsql volatile
as $$
declare
    gone  bigint;
    gone2 bigint;
begin
    perform from journal_head h for update;
    with old as materialized (select r.user_id, r.post from reactions r where r.emoji is null and r.rev < below limit most)
    delete from reactions r using old where r.user_id = old.user_id and r.post = old.post;
    get diagnostics gone = row_count;
    with old as materialized (select b.user_id, b.post from bookmarks b where not b.active and b.rev < below limit most)
    delete from bookmarks b using old where b.user_id = old.user_id and b.post = old.post;
    get diagnostics gone2 = row_count;
    return greatest(gone, gone2);
end
$$;

-- Marks on posts whose tombstones are about to go, at most `most` of each.
create function forget_marks_of_removed(below bigint, most integer)
returns bigint
language plpgsql volatile
as $$
declare
    gone  bigint;
    gone2 bigint;
begin
    with old as materialized (
        select r.user_id, r.post from posts p join reactions r on r.post = p.id
         where p.removed and p.rev < below limit most)
    delete from reactions r using old where r.user_id = old.user_id and r.post = old.post;
    get diagnostics gone = row_count;
    with old as materialized (
        select b.user_id, b.post from posts p join bookmarks b on b.post = p.id
         where p.removed and p.rev < below limit most)
    delete from bookmarks b using old where b.user_id = old.user_id and b.post = old.post;
    get diagnostics gone2 = row_count;
    return greatest(gone, gone2);
end
$$;
