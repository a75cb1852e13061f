-- What has changed in somebody's feeds since $6, inclusive: each entity once, as it is now, in the order of `rev`; or any $7 of them, which is
-- then one more than wanted and means that a snapshot is the shorter answer.
--   $1 whose home, $2 whose me, $3 whether global, $4 the users, $5 the posts and $9 the hashtags whose feeds are asked for, $10 whose notifications, $11 for which
--   moderator cases; $8 for whom.
--   $12 whether the firehose: all comments and profiles besides the posts. $13 the lists.
-- Who may see what of it is not asked here: that is decided where it is told, by what is known of the viewer then.
-- What has been created since lies at the end of its author's (or the whole) index by `seq`; what has changed since lies in the indexes by
-- `rev`, which hold changed rows only. So the cost follows what is found, not how long ago $6 was.
with context as materialized (
    select h.seq as as_of, h.floor, (select journal_epoch()) as epoch,
           exists(select from follows f where f.follower = $8 and f.rev >= $6) as restart_circle,
           exists(select from blocks k where k.blocker = $8 and k.rev >= $6)
           or exists(select from blocks k where k.blocked = $8 and k.rev >= $6)
           or exists(select from mutes m where m.muter = $8 and m.rev >= $6) as restart_all,
           coalesce((select u.rights_rev >= $6 or u.role = 0 or u.standing > 0 from users u where u.id = $11), false) as restart_mod,
           cardinality($13::uuid[]) > 0 and exists(select from list_members m where m.owner = $8 and m.rev >= $6) as restart_lists,
           array(select l.id from lists l where l.id = any($13::uuid[]) and l.owner = $8 and not l.removed) as lists
      from journal_head h
), authors as materialized (
    select f.followee as id from follows f, context c
     where f.follower = $1 and f.active and not c.restart_circle
    union select $1::uuid from context c where $1 is not null and not c.restart_circle
    union select unnest($4::uuid[])
    union select m.member from context c join list_members m on m.list = any(c.lists) and m.active
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
    (select p.id, p.rev from post_tags t join posts p on p.id = t.post
      where t.tag = any($9::text[]) and t.seq >= $6 and p.rev = p.seq limit $7)
    union
    (select p.id, p.rev from posts p
      where p.tagged && $9::text[] and p.rev <> p.seq and p.rev >= $6 limit $7)
    union
    select p.id, p.rev from posts p where p.id = any($5::uuid[]) and p.rev >= $6
), changed_comments as materialized (
    (select n.id, n.rev from unnest($5::uuid[]) w (post) cross join lateral (
         (select m.id, m.rev from comments m
           where m.post = w.post and m.seq >= $6 and m.rev = m.seq limit $7)
         union all
         (select m.id, m.rev from comments m
           where m.post = w.post and m.rev <> m.seq and m.rev >= $6 limit $7)) n limit $7)
    union
    (select m.id, m.rev from comments m where $12 and m.seq >= $6 and m.rev = m.seq limit $7)
    union
    (select m.id, m.rev from comments m where $12 and m.rev <> m.seq and m.rev >= $6 limit $7)
), changed as (
    select s.* from changed_posts n
      join post_states s on s.id = n.id
    union all
    select s.* from changed_comments n join comment_states s on s.id = n.id
    union all
    select s.* from (select id from authors union select $2::uuid where $2::uuid is not null) n
      join user_states s on s.id = n.id and s.rev >= $6
    union all
    select s.* from user_states s where $12 and s.rev >= $6 and s.id not in (select id from authors)
      and s.id is distinct from $2
    union all
    select s.* from follow_states s where s.id = $2 and s.rev >= $6
    union all
    select s.* from own_changes($2, $6) s where $2::uuid is not null
    union all
    select s.* from notification_changes($10, $6) s where $10::uuid is not null
    union all
    select s.* from context c join case_states s on s.rev >= $6 where $11::uuid is not null and not c.restart_mod
    union all
    select s.* from own_marks($2, $6, $7) s where $2::uuid is not null
)
select c.as_of as "as_of!", c.floor as "floor!", c.epoch as "epoch!", c.restart_circle as "restart_circle!",
       c.restart_all as "restart_all!", c.restart_mod as "restart_mod!", c.restart_lists as "restart_lists!", c.lists as "lists!",
       s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
       s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
       s.extra, s.scope
  from context c
  left join lateral (select * from changed where $6 >= c.floor limit $7) s on true
 order by s.rev
