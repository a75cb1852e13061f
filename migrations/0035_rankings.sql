-- Why: `top:day` and `top:week`, which must stand still while somebody reads them. So they are rankings made once for the whole cluster and kept
-- for a quarter of an hour: a page is a stretch of one of them, on whichever node it is asked for.
--
-- A ranking holds public posts only. Who may see which of them, and wants to, is asked for each reader and page: it says in which order, not what.

-- The order in which things were first added to posts: the posts to rank are found by it, and not by looking through all posts there are.
alter table post_counts add column nth bigint generated always as identity;
create index post_counts_newest on post_counts (nth);

create table rankings (
    id      bigint   not null generated always as identity,
    -- Days looked back.
    span    smallint not null,
    made_ms bigint   not null,
    -- The best first.
    posts   uuid[]   not null,
    constraint rankings_pk primary key (id),
    constraint rankings_span check (span in (1, 7))
);
create index rankings_newest on rankings (span, id);

-- The ranking to begin with: the newest, made anew if it has grown old, by one at a time; the others take the one before meanwhile.
-- A reaction counts 1, a comment 2, a post that hands it on 3, and all of them less the older the post is. Of the 20,000 posts to which something
-- was first added last.
create function ranking_now(of_span smallint, fresh_ms bigint, kept_ms bigint) returns bigint
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    newest record;
    made   bigint;
begin
    select r.id, r.made_ms into newest from rankings r where r.span = of_span order by r.id desc limit 1;
    if newest.made_ms > clock_ms() - fresh_ms then
        return newest.id;
    end if;
    if newest.id is not null then
        if not pg_try_advisory_xact_lock(794350034, of_span) then
            return newest.id;
        end if;
    else
        perform pg_advisory_xact_lock(794350034, of_span);
    end if;
    -- Somebody may have made one while this waited.
    select r.id, r.made_ms into newest from rankings r where r.span = of_span order by r.id desc limit 1;
    if newest.made_ms > clock_ms() - fresh_ms then
        return newest.id;
    end if;
    insert into rankings (span, made_ms, posts)
    select of_span, clock_ms(), coalesce(array_agg(b.id order by b.score desc, b.seq desc), '{}')
      from (select p.id, p.seq,
                   k.points / power((clock_ms() - p.created_ms) / 3600000.0 + 2, case of_span when 1 then 1.2 else 0.6 end) as score
              from (select c.post,
                           2 * c.comments + 3 * (c.reposts + c.quotes) + (select sum(r) from unnest(c.reactions) r) as points
                      from post_counts c order by c.nth desc limit 20000) k
              join posts p on p.id = k.post
             where k.points > 0 and not p.removed and p.audience = 0 and p.created_ms > clock_ms() - of_span * 86400000::bigint
             order by score desc, p.seq desc
             limit 500) b
    returning id into made;
    delete from rankings r where r.span = of_span and r.made_ms < clock_ms() - kept_ms;
    return made;
end
$$;
