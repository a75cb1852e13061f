-- A page of somebody's `home`: $1 whose, $2 posts before this `seq`, $3 how many.
-- First the newest posts of everybody are looked through, about as many as the merge after it would touch: where those one follows write
-- often, they fill the page. Where they do not, the newest of each author are merged, some entries of an index for each.
-- `or` keeps the planner from making a join of `in`: a hashed set is asked once for each post.
-- Nobody follows whom they block, so only the muted are taken out.
with recent as materialized (
    select n.seq
      from (select p.seq, p.author, p.audience, p.mentioned from posts p
             where not p.removed and p.seq < $2
             order by p.seq desc
             limit (select 4 * count(*) from follows f where f.follower = $1 and f.active)) n
     where n.author = $1
        or (n.author in (select f.followee from follows f where f.follower = $1 and f.active
                         except select m.muted from mutes m where m.muter = $1 and m.active)
            and (n.audience < 2 or n.audience = 2 and $1 = any(n.mentioned)))
     order by n.seq desc limit $3
), page as materialized (
    select r.seq from recent r where (select count(*) from recent) >= $3
    union all
    (select n.seq
       from (select f.followee as author from follows f where f.follower = $1 and f.active
             except select m.muted from mutes m where m.muter = $1 and m.active
             union all select $1) a
      cross join lateral (
            select p.seq from posts p
             where p.author = a.author and not p.removed and p.seq < $2
               and (p.audience < 2 or p.author = $1 or p.audience = 2 and $1 = any(p.mentioned))
             order by p.seq desc limit $3) n
      where (select count(*) from recent) < $3
      order by n.seq desc limit $3)
)
select h.seq as as_of, (select journal_epoch()) as "epoch!",
       s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
       s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
       s.extra, s.scope
  from journal_head h
  join users v on v.id = $1
  left join page on true
  left join post_states s on s.seq = page.seq and not s.removed
 order by page.seq desc
