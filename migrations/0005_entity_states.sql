-- Why: what a client may see of an entity, in one shape for snapshots, catch-up and the journal, so that they cannot differ (P4).
--
-- kind: 1 user  2 follow  3 post  4 comment. `object` is a comment's post or a follow's followee.

create view user_states as
select 1::smallint as kind, u.id, u.rev, u.seq, false as removed,
       u.id as author, u.rev as author_rev, u.handle, u.name,
       null::text as text, u.created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, u.bio, u.role
  from users u;

create view follow_states as
select 2::smallint as kind, f.follower as id, f.rev, f.rev as seq, not f.active as removed,
       f.follower as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       f.followee as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role
  from follows f;

create view post_states as
select 3::smallint as kind, p.id, p.rev, p.seq, p.removed,
       p.author, u.rev as author_rev, u.handle, u.name,
       p.text, p.created_ms, p.edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role
  from posts p join users u on u.id = p.author;

create view comment_states as
select 4::smallint as kind, m.id, m.rev, m.seq, m.removed,
       m.author, u.rev as author_rev, u.handle, u.name,
       m.text, m.created_ms, m.edited_ms,
       m.post as object, m.parent, m.depth, null::text as bio, null::smallint as role
  from comments m join users u on u.id = m.author;
