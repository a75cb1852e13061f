-- Why: pictures are shown: in posts, up to four, each in one post at a time; and as the face of a profile. What shows a picture holds it
-- (`media.used`), and lets it go when it is gone, by triggers, whatever removes it.
--
-- In `posts.extra` is `media`: `id`, `alt`, and of what is kept `type`, `width`, `height`; in `users.extra` the id of the `avatar`.

-- A post of pictures alone has no text either, and is no repost.
create or replace function may_hand_on(actor uuid, target uuid, without_words boolean) returns smallint
language plpgsql stable
as $$
begin
    return (case when target is null then 0
                 when not exists (select from posts p
                                   where p.id = target and not p.removed and p.audience = 0 and (p.text <> '' or p.of_post is null)
                                     and (p.author = actor or not blocks_between(actor, p.author)))
                 then 3
                 when without_words and exists (select from posts p
                                                 where p.author = actor and p.of_post = target and p.text = '' and not p.removed)
                 then 5
                 else 0 end)::smallint;
end
$$;

-- The pictures a post shows or is to show, in their order.
create function pictures_of(extra jsonb) returns uuid[]
language sql immutable
as $$ select array(select (m ->> 'id')::uuid from jsonb_array_elements(extra -> 'media') with ordinality e (m, nth) order by e.nth) $$;

-- What is told of the pictures besides what their author says: as they are kept.
create function with_pictures(extra jsonb) returns jsonb
language sql stable
as $$
    select case when extra ? 'media' then
               extra || jsonb_build_object('media', (
                   select jsonb_agg(e.p || jsonb_build_object(
                              'type', (array['image/png', 'image/jpeg', 'image/webp', 'image/gif'])[m.type + 1],
                              'width', m.width, 'height', m.height) order by e.nth)
                     from jsonb_array_elements(extra -> 'media') with ordinality e (p, nth)
                     join media m on m.id = (e.p ->> 'id')::uuid))
           else extra end
$$;

create function decide_posts(
    acts smallint[], actors uuid[], ids uuid[], texts text[], if_revs bigint[], args text[], actor_revs bigint[],
    actor_roles smallint[], now_ms bigint
)
returns table (of_ords bigint[], of_verdicts smallint[])
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    all_ords     bigint[];
    all_verdicts smallint[];
    pictured     boolean;
begin
    select array_agg(d.ord), array_agg(d.verdict), bool_or(d.pictured) into all_ords, all_verdicts, pictured
      from (
            select c.ord,
                (case when c.actor_rev is null then 2
                      when c.act = 5 then
                          case when p.id is null then
                                   case when c.arg is null or c.arg not like '%"of"%' then 0
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
                      else 4 end)::smallint as verdict,
                -- No JSON is read for it where there is none.
                c.act = 5 and c.arg like '%"media"%' as pictured
           from unnest(acts, actors, ids, texts, if_revs, actor_revs, actor_roles, args) with ordinality
                c (act, actor, id, text, if_rev, actor_rev, actor_role, arg, ord)
           left join posts p on p.id = c.id
          where c.act in (5, 6, 7)) d;
    if pictured then
        -- In one order, so that two who want the same pictures do not wait for each other. Nobody condemns them until this is committed.
        perform from media m
          where m.id in (select i from unnest(args, acts) a (arg, act) cross join lateral unnest(pictures_of(a.arg::jsonb)) i where a.act = 5)
          order by m.id for update;
        all_verdicts := array(
            select case when v.verdict = 0 and acts[v.ord] = 5 and v.ord in (
                            select w.ord
                              from (select o.ord, i.id, row_number() over (partition by i.id order by o.ord) as turn
                                      from unnest(all_ords, all_verdicts) o (ord, verdict)
                                     cross join lateral unnest(pictures_of(args[o.ord]::jsonb)) i (id)
                                     where o.verdict = 0 and acts[o.ord] = 5) w
                              left join media m on m.id = w.id and m.owner = actors[w.ord] and m.kind = 1 and m.state = 1 and m.used = 0
                             where m.id is null or w.turn > 1)
                        then 18 else v.verdict end
              from unnest(all_ords, all_verdicts) with ordinality v (ord, verdict, nth) order by v.nth);
    end if;
    return query select all_ords, all_verdicts;
end
$$;

create or replace function write_posts_with_extras(
    acts smallint[], actors uuid[], ids uuid[], texts text[], args text[], seqs bigint[], now_ms bigint
)
returns void
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    with new as (
        insert into posts (id, author, text, seq, rev, created_ms, extra, audience, widest, mentioned, tags, tagged, of_post, first_digest)
        select c.id, c.actor, coalesce(c.text, ''), c.seq, c.seq, now_ms,
               x.extra, x.audience, x.audience, x.mentioned, x.tags, x.tags, x.of_post, x.first_digest
          from unnest(acts, actors, ids, texts, seqs, args) c (act, actor, id, text, seq, arg)
         cross join lateral (select c.arg::jsonb as asked offset 0) a
         cross join lateral (
               select case when a.asked ? 'media' then with_pictures(a.asked) else a.asked end as extra,
                      audience_of(a.asked) as audience,
                      case when a.asked ? 'visibility' and audience_of(a.asked) > 0 then people_of(a.asked) end as mentioned,
                      case when a.asked ? 'tags' then
                          (select array_agg(distinct t ->> 'tag') from jsonb_array_elements(a.asked -> 'tags') t) end as tags,
                      (a.asked ->> 'of')::uuid as of_post,
                      -- What is kept is more than what was asked: the same asked again is known by this.
                      case when a.asked ? 'media' then digest_of(coalesce(c.text, ''), a.asked) end as first_digest
               offset 0) x
         where c.act = 5 and c.seq is not null and c.arg is not null
        returning id, seq, tags)
    insert into post_tags (tag, seq, post)
    select t.tag, n.seq, n.id from new n cross join lateral unnest(n.tags) t (tag);
    update media m set used = m.used + 1
      from unnest(acts, seqs, args) c (act, seq, arg)
     cross join lateral unnest(pictures_of(c.arg::jsonb)) i (id)
     where c.act = 5 and c.seq is not null and c.arg like '%"media"%' and m.id = i.id;
    perform count_handed_on(array_agg(c.id), 1)
       from unnest(acts, ids, seqs, args) c (act, id, seq, arg)
      where c.act = 5 and c.seq is not null and c.arg like '%"of"%' and c.arg::jsonb ? 'of';
end
$$;

create function let_pictures_go() returns trigger
language plpgsql
as $$
begin
    perform media_let_go(pictures_of(old.extra));
    return null;
end
$$;
create trigger posts_let_pictures_go after update of extra on posts for each row
    when (old.extra ? 'media' and not coalesce(new.extra ? 'media', false)) execute function let_pictures_go();
create trigger posts_gone_let_pictures_go after delete on posts for each row
    when (old.extra ? 'media') execute function let_pictures_go();

-- Whether somebody may have this face from now on; nobody condemns it until that is committed.
create function may_wear(actor uuid, wanted text, worn text) returns boolean
language plpgsql volatile
as $$
begin
    if wanted is null or wanted = worn then
        return true;
    end if;
    perform from media m where m.id = wanted::uuid and m.owner = actor and m.kind = 0 and m.state = 1 for update;
    return found;
end
$$;

create function wear_face() returns trigger
language plpgsql
as $$
begin
    if new.extra ? 'avatar' and not media_take(new.id, 0::smallint, array[(new.extra ->> 'avatar')::uuid]) then
        raise exception 'no such picture' using errcode = 'foreign_key_violation';
    end if;
    if old.extra ? 'avatar' then
        perform media_let_go(array[(old.extra ->> 'avatar')::uuid]);
    end if;
    return null;
end
$$;
create trigger users_wear_face after update of extra on users for each row
    when (old.extra ->> 'avatar' is distinct from new.extra ->> 'avatar') execute function wear_face();
