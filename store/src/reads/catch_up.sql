-- What has changed in somebody's feeds since $6, inclusive: each entity once, as it is now, in the order of `rev`; or any $7 of them, which is
-- then one more than wanted and means that a snapshot is the shorter answer.
--   $1 whose home, $2 whose me, $3 whether global, $4 the users and $5 the posts whose feeds are asked for.
-- What has been created since lies at the end of its author's (or the whole) index by `seq`; what has changed since lies in the indexes by
-- `rev`, which hold changed rows only. So the cost follows what is found, not how long ago $6 was.
with context as materialized (
    select h.seq as as_of, h.floor, (select journal_epoch()) as epoch,
           exists(select from follows f where f.follower = $1 and f.rev >= $6) as restart_home
      from journal_head h
), authors as materialized (
    select f.followee as id from follows f, context c
     where f.follower = $1 and f.active and not c.restart_home
    union select $1::uuid from context c where $1 is not null and not c.restart_home
    union select unnest($4::uuid[])
), changed_posts as materialized (
    (select n.id, n.rev from authors a cross join lateral (
         (select p.id, p.rev from posts p
           where p.author = a.id and not p.removed and p.seq >= $6 and p.rev = p.seq
           limit $7)
         union all
         (select p.id, p.rev from posts p
           where p.author = a.id and p.rev <> p.seq and p.rev >= $6 limit $7)) n limit $7)
    union
    (select p.id, p.rev from posts p
      where $3 and not p.removed and p.seq >= $6 and p.rev = p.seq limit $7)
    union
    (select p.id, p.rev from posts p
      where $3 and p.rev <> p.seq and p.rev >= $6 limit $7)
    union
    select p.id, p.rev from posts p where p.id = any($5::uuid[]) and p.rev >= $6
), changed_comments as materialized (
    select n.id, n.rev from unnest($5::uuid[]) w (post) cross join lateral (
         (select m.id, m.rev from comments m
           where m.post = w.post and m.seq >= $6 and m.rev = m.seq limit $7)
         union all
         (select m.id, m.rev from comments m
           where m.post = w.post and m.rev <> m.seq and m.rev >= $6 limit $7)) n limit $7
), changed as (
    select s.* from changed_posts n
      join post_states s on s.id = n.id
    union all
    select s.* from changed_comments n join comment_states s on s.id = n.id
    union all
    select s.* from (select id from authors union select $2::uuid where $2::uuid is not null) n
      join user_states s on s.id = n.id and s.rev >= $6
    union all
    select s.* from follow_states s where s.id = $2 and s.rev >= $6
)
select c.as_of as "as_of!", c.floor as "floor!", c.epoch as "epoch!", c.restart_home as "restart_home!",
       s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
       s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role
  from context c
  left join lateral (select * from changed where $6 >= c.floor limit $7) s on true
 order by s.rev
