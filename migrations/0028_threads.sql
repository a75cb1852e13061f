-- Why: threads that are kept in order. The author of a post says who may comment on it and how fast, locks it, and folds comments away;
-- a thread is read branch by branch. Edits and deletions of what is there stay possible in every thread.
--
-- Who may comment is in `posts.extra` as `comments`; where it is not there, as the author's settings (`users.comments`) say at the time.
-- There as well `locked` (by whom) and `slow` (seconds). In `comments.extra` is `hidden`.

-- Direct answers to a comment, for reading and counting a branch.
create index comments_answering on comments (parent, seq) where parent is not null;

-- Who last commented when, in threads that are slow.
create table slow_comments (
    post    uuid   not null,
    user_id uuid   not null,
    at_ms   bigint not null,
    constraint slow_comments_pk primary key (post, user_id)
);
-- For forgetting: no pause is longer than an hour.
create index slow_comments_at on slow_comments (at_ms);

insert into suspended_may (act) values (60);

create or replace view comment_states as
select 4::smallint as kind, m.id, m.rev, m.seq, m.removed,
       m.author, u.rev as author_rev, u.handle, u.name,
       m.text, m.created_ms, m.edited_ms,
       m.post as object, m.parent, m.depth, null::text as bio, null::smallint as role,
       m.extra::text as extra,
       -- Whoever reads comments without their post, as `firehose` does, has to know who may see that.
       (select scope_of(p.audience, p.widest, null, null, null, null)::text from posts p where p.id = m.post and p.audience <> 0) as scope
  from comments m join users u on u.id = m.author;

-- How many direct answers a comment has, as many as its own pages hold, but at most `most`. What was removed and answered has its place.
create function answers_of(of_comment uuid, most bigint) returns bigint
language plpgsql stable
as $$
begin
    return (
        select count(*)
          from (select from comments m
                 where m.parent = of_comment and (not m.removed or exists (select from comments d where d.parent = m.id))
                 limit most) n);
end
$$;

-- Whether somebody else than its author may comment on a post: `who` as in users.comments, `mentions` as in posts.extra.
create function may_comment(actor uuid, author uuid, who smallint, mentions jsonb) returns boolean
language plpgsql stable
as $$
begin
    return case who
               when 0 then true
               when 1 then exists (select from follows f where f.follower = actor and f.followee = author and f.active)
               when 2 then exists (select from follows f where f.follower = author and f.followee = actor and f.active)
               else false end
        or who < 3 and exists (select from jsonb_array_elements(mentions) m
                                 join users u on u.handle = m ->> 'handle'
                                where u.id = actor);
end
$$;

-- Until when somebody has to wait in a slow thread; null if not at all.
create function slow_until(actor uuid, on_post uuid) returns bigint
language sql stable
as $$
    select k.at_ms + (p.extra ->> 'slow')::bigint * 1000
      from slow_comments k join posts p on p.id = k.post
     where k.post = on_post and k.user_id = actor
$$;

create function decide_comments(
    acts smallint[], actors uuid[], ids uuid[], texts text[], if_revs bigint[], on_posts uuid[], parents uuid[],
    args text[], actor_revs bigint[], actor_roles smallint[], deepest smallint, now_ms bigint
)
returns table (of_ords bigint[], of_verdicts smallint[])
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    all_ords     bigint[];
    all_verdicts smallint[];
    -- Which of them are by somebody who has to keep a thread's pace.
    slowed       boolean[];
begin
    select array_agg(d.ord), array_agg(d.verdict), array_agg(d.slowed) into all_ords, all_verdicts, slowed
      from (
            select c.ord,
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
                               when p.extra ? 'locked' then 16
                               when p.author <> c.actor and w.commenters > 0
                                    and not may_comment(c.actor, p.author, w.commenters, p.extra -> 'mentions')
                               then 16
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
                      else 4 end)::smallint as verdict,
                coalesce(c.act = 8 and p.extra ? 'slow' and p.author <> c.actor and c.actor_role = 0, false) as slowed
           from unnest(acts, actors, ids, texts, if_revs, on_posts, parents, actor_revs, actor_roles) with ordinality
                c (act, actor, id, text, if_rev, post, parent, actor_rev, actor_role, ord)
           left join comments m on m.id = c.id
           left join posts p on p.id = c.post
           left join comments a on a.id = c.parent
           left join lateral (
                select coalesce(case p.extra ->> 'comments'
                                    when 'everyone' then 0 when 'followers' then 1 when 'followed' then 2 when 'nobody' then 3 end,
                                u.comments)::smallint as commenters
                  from users u where u.id = p.author) w on true
          where c.act in (8, 9, 10)) d;
    if true = any(slowed) then
        -- Of several of one person in one thread the first takes its turn, if they have one.
        all_verdicts := array(
            select case when n.waits and (n.turn > 1 or slow_until(actors[n.ord], on_posts[n.ord]) > now_ms) then 17 else n.verdict end
              from (select v.*, v.slowed and v.verdict = 0 as waits,
                           row_number() over (
                               partition by actors[v.ord], on_posts[v.ord], v.slowed and v.verdict = 0 order by v.ord) as turn
                      from unnest(all_ords, all_verdicts, slowed) with ordinality v (ord, verdict, slowed, nth)) n
             order by n.nth);
    end if;
    if 10 = any(acts) then
        -- What a moderator had folded away, and its author deletes, comes back to nobody.
        delete from hidden_comments h using unnest(all_ords, all_verdicts) v (ord, verdict)
         where v.verdict = 1 and acts[v.ord] = 10 and h.comment = ids[v.ord];
    end if;
    return query select all_ords, all_verdicts;
end
$$;

create or replace function write_comments(
    acts smallint[], actors uuid[], ids uuid[], texts text[], on_posts uuid[], parents uuid[], seqs bigint[], now_ms bigint
)
returns void
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    insert into comments (id, post, parent, path, depth, author, text, seq, rev, created_ms)
    select c.id, c.post, c.parent,
           case when a.id is null then '{}' else a.path || a.id end, coalesce(a.depth + 1, 0),
           c.actor, c.text, c.seq, c.seq, now_ms
      from unnest(acts, actors, ids, texts, on_posts, parents, seqs) c (act, actor, id, text, post, parent, seq)
      left join comments a on a.id = c.parent
     where c.act = 8 and c.seq is not null;
    insert into slow_comments as k (post, user_id, at_ms)
    select distinct c.post, c.actor, now_ms
      from unnest(acts, actors, on_posts, seqs) c (act, actor, post, seq)
      join posts p on p.id = c.post
     where c.act = 8 and c.seq is not null and p.extra ? 'slow'
        on conflict on constraint slow_comments_pk do update set at_ms = excluded.at_ms;
    update comments m
       set text = c.text, rev = c.seq, edited_ms = now_ms,
           first_digest = coalesce(m.first_digest, sha256(convert_to(m.text, 'UTF8')))
      from unnest(acts, ids, texts, seqs) c (act, id, text, seq)
     where c.act = 9 and c.seq is not null and m.id = c.id;
    update comments m
       set text = null, first_digest = null, extra = null, removed = true, rev = c.seq
      from unnest(acts, ids, seqs) c (act, id, seq)
     where c.act = 10 and c.seq is not null and m.id = c.id;
end
$$;

-- What a deed about a thread leaves of its post: it is the post that changes.
create function set_thread(entry bigint, on_post uuid, to_extra jsonb) returns void
language sql volatile
as $$
    update posts p
       set extra = nullif(to_extra, '{}'), rev = entry, first_digest = coalesce(p.first_digest, digest_of(p.text, p.extra))
     where p.id = on_post
$$;

-- 60, 61: a thread is locked or not any more, by its author or a moderator. What a moderator has locked, its author does not unlock.
create function act_lock(entry bigint, actor uuid, on_post uuid, to_lock boolean, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
declare
    had    posts;
    -- As whom they act, and by whom it is locked.
    by_now text;
    by_had text;
begin
    last := entry;
    select p.* into had from posts p where p.id = on_post and not p.removed;
    by_had := had.extra ->> 'locked';
    by_now := case when is_moderator(actor)
                        and (had.author <> actor or by_had = 'moderator') then 'moderator'
                   when had.author = actor then 'author' end;
    if had.id is null or not sees(actor, had.author, had.audience, had.mentioned) then
        verdict := 3;
    elsif by_now is null then
        verdict := 4;
    elsif to_lock then
        if by_had = by_now or by_had = 'moderator' then
            verdict := 1;
        else
            verdict := 0;
            perform set_thread(entry, had.id, coalesce(had.extra, '{}') || jsonb_build_object('locked', by_now));
        end if;
    elsif by_had is null then
        verdict := 1;
    elsif by_had = 'moderator' and by_now <> 'moderator' then
        verdict := 4;
    else
        verdict := 0;
        perform set_thread(entry, had.id, had.extra - 'locked');
    end if;
end
$$;

-- 62
create function act_slow(entry bigint, actor uuid, on_post uuid, seconds integer, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
declare
    had posts;
begin
    last := entry;
    select p.* into had from posts p where p.id = on_post and not p.removed;
    if had.id is null or not sees(actor, had.author, had.audience, had.mentioned) then
        verdict := 3;
    elsif had.author <> actor and not is_moderator(actor) then
        verdict := 4;
    elsif coalesce((had.extra ->> 'slow')::integer, 0) = seconds then
        verdict := 1;
    else
        verdict := 0;
        if seconds = 0 then
            delete from slow_comments k where k.post = on_post;
        end if;
        perform set_thread(entry, had.id,
                           case seconds when 0 then had.extra - 'slow'
                                        else coalesce(had.extra, '{}') || jsonb_build_object('slow', seconds) end);
    end if;
end
$$;

-- 63
create function act_commenters(entry bigint, actor uuid, on_post uuid, who text, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
declare
    had posts;
begin
    last := entry;
    select p.* into had from posts p where p.id = on_post and not p.removed;
    if had.id is null or not sees(actor, had.author, had.audience, had.mentioned) then
        verdict := 3;
    elsif had.author <> actor then
        verdict := 4;
    elsif had.extra ->> 'comments' = who then
        verdict := 1;
    else
        verdict := 0;
        perform set_thread(entry, had.id, coalesce(had.extra, '{}') || jsonb_build_object('comments', who));
    end if;
end
$$;

-- 64, 65: a comment is folded away, or not any more, by the author of the post.
create function act_hide(entry bigint, actor uuid, of_comment uuid, to_hide boolean, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
declare
    had  comments;
    host posts;
begin
    last := entry;
    select m.* into had from comments m where m.id = of_comment and not m.removed;
    select p.* into host from posts p where p.id = had.post and not p.removed;
    if host.id is null or not sees(actor, host.author, host.audience, host.mentioned) then
        verdict := 3;
    elsif host.author <> actor then
        verdict := 4;
    elsif coalesce(had.extra ? 'hidden', false) = to_hide then
        verdict := 1;
    else
        verdict := 0;
        update comments m
           set extra = case when to_hide then coalesce(m.extra, '{}') || '{"hidden": true}' else nullif(m.extra - 'hidden', '{}') end,
               rev = entry
         where m.id = of_comment;
    end if;
end
$$;

create function carry_out_threads(
    act smallint, entry bigint, now_ms bigint, actor uuid, thing uuid, args jsonb, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
begin
    case act
        when 60, 61 then select d.verdict, d.last into verdict, last from act_lock(entry, actor, thing, act = 60) d;
        when 62 then
            select d.verdict, d.last into verdict, last from act_slow(entry, actor, thing, (args ->> 'seconds')::integer) d;
        when 63 then
            select d.verdict, d.last into verdict, last from act_commenters(entry, actor, thing, args ->> 'comments') d;
        when 64, 65 then select d.verdict, d.last into verdict, last from act_hide(entry, actor, thing, act = 64) d;
        else raise exception 'unknown act' using errcode = 'invalid_parameter_value';
    end case;
end
$$;

create function own_state_threads(act smallint, actor uuid, thing uuid)
returns setof block_states
language plpgsql stable
as $$
begin
    case
        when act between 60 and 63 then return query select s.* from post_states s where s.id = thing;
        when act in (64, 65) then return query select s.* from comment_states s where s.id = thing;
        else return;
    end case;
end
$$;
