-- Why: people report what should not be there, moderators see to it, whoever it was done to hears why and may object, and all of that is
-- written down where nobody can take it out again unnoticed.
--
-- Reports about one thing are a case, told to moderators on `mod` (entries of kind 71). What is done is an action, told to the person on
-- their `me` (kind 74), as the outcome is to those who reported (kind 70). Kind 79 tells the nodes that somebody looks after what others
-- write, or no longer does. Deeds:
--   70 report  71 claim a case  72 settle it  73 act  74 appeal  75 decide on an appeal  76 give a role  77 the end of a suspension
-- Verdicts besides those of 0023: 33 for moderators  26 claimed by another  27 not to them  28 no appeal  29 not to such a thing  30 so already
-- 31 an appeal is open  32 one's own decision

alter table users
    -- The entry by which they came to look after what others write, or ceased to.
    add column rights_rev      bigint not null default 0,
    -- When a suspension ends by itself.
    add column standing_until  bigint,
    -- What suspended or banned them.
    add column standing_action uuid;
create index users_suspended_until on users (standing_until) where standing = 1 and standing_until is not null;

-- All reports about one thing, until it is settled; later ones make another.
create table cases (
    id         uuid    not null default gen_random_uuid(),
    -- user, post or comment.
    kind       text    not null,
    thing      uuid    not null,
    -- Whose it is.
    whose      uuid    not null,
    -- The post it is on, of a comment.
    post       uuid,
    -- What it said when it was first reported, so that an edit or a deletion does not hide it. Erased some time after the case was settled.
    copy       jsonb,
    count      integer not null default 0,
    reasons    jsonb   not null default '{}',
    -- open, claimed or settled.
    state      text    not null default 'open',
    by_whom    uuid,
    claimed_ms bigint,
    -- acted or dismissed.
    outcome    text,
    opened_ms  bigint  not null,
    settled_ms bigint,
    -- Its place: the entry by which it was opened.
    seq        bigint  not null,
    rev        bigint  not null,
    constraint cases_pk primary key (id),
    constraint cases_kind check (kind in ('user', 'post', 'comment')),
    constraint cases_state check (state in ('open', 'claimed', 'settled'))
);
create unique index cases_unsettled_of on cases (thing) where state <> 'settled';
create index cases_unsettled on cases (seq) where state <> 'settled';
create index cases_settled on cases (seq) where state = 'settled';
create index cases_changed on cases (rev);
create index cases_with_copies on cases (settled_ms) where state = 'settled' and copy is not null;

create table reports (
    reporter uuid   not null,
    thing    uuid   not null,
    -- The client's.
    id       uuid   not null,
    of_case  uuid   not null,
    reason   text   not null,
    note     text,
    at_ms    bigint not null,
    outcome  text,
    rev      bigint not null,
    constraint reports_pk primary key (reporter, thing),
    constraint reports_id_key unique (id)
);
create index reports_of_case on reports (of_case, at_ms);
create index reports_by_day on reports (reporter, at_ms);
create index reports_changed on reports (reporter, rev);

create table actions (
    -- The moderator's client's.
    id           uuid    not null,
    of_case      uuid    not null,
    -- To whom.
    whose        uuid    not null,
    -- By whom; null: an operator.
    by_whom      uuid,
    act          text    not null,
    reason       text    not null,
    note         text,
    until_ms     bigint,
    at_ms        bigint  not null,
    ended        boolean not null default false,
    -- open, accepted or rejected; null: there is none.
    appeal       text,
    appeal_text  text,
    appeal_ms    bigint,
    appeal_by    uuid,
    appeal_reply text,
    rev          bigint  not null,
    constraint actions_pk primary key (id),
    constraint actions_act check (act in ('hide', 'unhide', 'delete', 'warn', 'suspend', 'ban', 'reinstate')),
    constraint actions_appeal check (appeal in ('open', 'accepted', 'rejected') and appeal_text is not null or appeal is null)
);
create index actions_of_case on actions (of_case, at_ms);
create index actions_of_user on actions (whose, rev);

-- A comment that a moderator has hidden is a tombstone like any other; what it said is here until it is shown again.
create table hidden_comments (
    comment      uuid not null,
    text         text not null,
    first_digest bytea,
    edited_ms    bigint,
    extra        jsonb,
    constraint hidden_comments_pk primary key (comment)
);

-- Who did what to whom, and why. Never a text or an address.
create table audit_log (
    n       bigint not null,
    at_ms   bigint not null,
    -- Null: an operator on the server's machine, or the time has come.
    actor   uuid,
    act     text   not null,
    -- user, post, comment, case or action.
    kind    text   not null,
    subject uuid   not null,
    reason  text,
    -- The hash of the line before; of the first: 32 zero bytes.
    prev    bytea  not null,
    -- SHA-256 of `prev` and the line as audit_line gives it.
    hash    bytea  not null,
    constraint audit_log_pk primary key (n),
    constraint audit_log_words check (act !~ '\|' and kind !~ '\|' and coalesce(reason, '') !~ '\|')
);

create function audit_log_stays() returns trigger
language plpgsql
as $$ begin raise exception 'the log is only ever added to' using errcode = 'insufficient_privilege'; end $$;

create trigger audit_log_stays before update or delete or truncate on audit_log
for each statement execute function audit_log_stays();

-- What is hashed. `tidings admin verify-log` makes the same of the columns by itself.
create function audit_line(n bigint, at_ms bigint, actor uuid, act text, kind text, subject uuid, reason text) returns text
language sql immutable
as $$
    select n || '|' || at_ms || '|' || coalesce(actor::text, '') || '|' || act || '|' || kind || '|' || subject || '|' || coalesce(reason, '')
$$;

create function note_audit(now_ms bigint, of_actor uuid, of_act text, of_kind text, of_subject uuid, of_reason text) returns void
language plpgsql volatile
as $$
declare
    before audit_log;
    number bigint;
    prev   bytea;
begin
    -- One after the other; whoever acts holds it already.
    perform from journal_head h for update;
    select l.* into before from audit_log l order by l.n desc limit 1;
    number := coalesce(before.n, 0) + 1;
    prev := coalesce(before.hash, decode(repeat('00', 32), 'hex'));
    insert into audit_log (n, at_ms, actor, act, kind, subject, reason, prev, hash)
    values (number, now_ms, of_actor, of_act, of_kind, of_subject, of_reason, prev,
            sha256(prev || convert_to(audit_line(number, now_ms, of_actor, of_act, of_kind, of_subject, of_reason), 'UTF8')));
end
$$;

-- What moderators delete by `post.delete` and `comment.delete` is a moderation act like any other: found out at the end of the transaction,
-- where the journal says who did it. An author's own deletion costs a look at one row.
create function note_removal() returns trigger
language plpgsql
as $$
declare
    of_kind text := case tg_table_name when 'posts' then 'post' else 'comment' end;
    by_whom uuid;
begin
    select j.actor into by_whom from journal j where j.seq = new.rev and j.kind in (7, 10) and j.subject = new.id;
    if by_whom <> new.author
       and not exists (select from hidden_comments h where h.comment = new.id)
       and not exists (select from audit_log l where l.n > (select max(m.n) - 2 from audit_log m) and l.subject = new.id and l.act = 'delete')
    then
        perform note_audit(clock_ms(), by_whom, 'delete', of_kind, new.id, null);
    end if;
    return null;
end
$$;

create constraint trigger posts_removed_by_others after update on posts deferrable initially deferred
for each row when (new.removed and not old.removed) execute function note_removal();
create constraint trigger comments_removed_by_others after update on comments deferrable initially deferred
for each row when (new.removed and not old.removed) execute function note_removal();

-- Seen by nobody but its author while a moderator hides it, whatever else it says.
create or replace function audience_of(extra jsonb) returns smallint
language sql immutable
as $$
    select (case when extra ? 'hidden' then 3
                 else case extra ->> 'visibility' when 'followers' then 1 when 'mentioned' then 2 when 'private' then 3 else 0 end
            end)::smallint
$$;

-- As clients see them.

create function author_json(of_user uuid) returns json
language sql stable
as $$ select json_build_object('id', u.id, 'rev', u.rev, 'handle', u.handle, 'name', u.name) from users u where u.id = of_user $$;

create function appeal_json(a actions) returns json
language sql stable
as $$
    select case when a.appeal is not null then
               json_build_object('state', a.appeal, 'text', a.appeal_text, 'at', a.appeal_ms, 'reply', a.appeal_reply) end
$$;

create view report_states as
select 70::smallint as kind, r.thing as id, r.rev, r.rev as seq, false as removed,
       r.reporter as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       json_strip_nulls(json_build_object(
           'id', r.id, 'rev', r.rev,
           'user', case c.kind when 'user' then c.thing end,
           'post', case c.kind when 'post' then c.thing when 'comment' then c.post end,
           'comment', case c.kind when 'comment' then c.thing end,
           'reason', r.reason, 'note', r.note, 'at', r.at_ms, 'outcome', r.outcome))::text as extra,
       null::text as scope
  from reports r join cases c on c.id = r.of_case;

create view action_states as
select 74::smallint as kind, a.id, a.rev, a.rev as seq, false as removed,
       a.whose as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       json_strip_nulls(json_build_object(
           'id', a.id, 'rev', a.rev, 'action', a.act,
           'user', case c.kind when 'user' then c.thing end,
           'post', case c.kind when 'post' then c.thing when 'comment' then c.post end,
           'comment', case c.kind when 'comment' then c.thing end,
           'reason', a.reason, 'note', a.note,
           'text', case when a.act = 'hide' and not a.ended then
                       (select h.text from hidden_comments h where h.comment = c.thing) end,
           'until', a.until_ms, 'at', a.at_ms, 'ended', case when a.ended then true end, 'appeal', appeal_json(a)))::text as extra,
       null::text as scope
  from actions a join cases c on c.id = a.of_case;

create view case_states as
select 71::smallint as kind, c.id, c.rev, c.seq, false as removed,
       c.whose as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       json_strip_nulls(json_build_object(
           'id', c.id, 'rev', c.rev, 'seq', c.seq,
           'user', case c.kind when 'user' then c.thing end,
           'post', case c.kind when 'post' then c.thing when 'comment' then c.post end,
           'comment', case c.kind when 'comment' then c.thing end,
           'author', author_json(c.whose), 'copy', c.copy, 'count', c.count, 'reasons', c.reasons,
           'state', c.state, 'by', author_json(c.by_whom), 'outcome', c.outcome, 'at', c.opened_ms, 'settled_at', c.settled_ms,
           'actions', (select json_agg(l.told order by l.at_ms desc, l.rev desc)
                         from (select a.at_ms, a.rev, json_build_object(
                                      'id', a.id, 'action', a.act, 'by', author_json(a.by_whom), 'reason', a.reason, 'note', a.note,
                                      'until', a.until_ms, 'at', a.at_ms, 'ended', case when a.ended then true end,
                                      'appeal', appeal_json(a)) as told
                                 from actions a where a.of_case = c.id
                                order by a.at_ms desc, a.rev desc limit 20) l)))::text as extra,
       null::text as scope
  from cases c;

create view rights_states as
select 79::smallint as kind, u.id, u.rights_rev as rev, u.rights_rev as seq, not (u.role > 0 and u.standing = 0) as removed,
       u.id as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       '{}'::text as extra, null::text as scope
  from users u;

-- Who may do what.

create function is_moderator(who uuid) returns boolean
language plpgsql stable
as $$
begin
    return exists (select from users u where u.id = who and u.role > 0 and u.standing = 0);
end
$$;

-- Not on oneself, nor on an admin; on a moderator only an admin.
create function may_act_on(who uuid, whom uuid) returns boolean
language sql stable
as $$
    select exists (select from users a, users b
                    where a.id = who and b.id = whom and a.id <> b.id and b.role <> 1 and (b.role = 0 or a.role = 1))
$$;

-- What there is to look after: whose it is, and what it says now. `whose` is null where there is no such thing (any more).
create function moderated(of_kind text, of_thing uuid, out whose uuid, out on_post uuid, out copy jsonb, out hidden boolean)
language plpgsql stable
as $$
begin
    if of_kind = 'user' then
        select u.id, null, jsonb_build_object('name', u.name, 'bio', nullif(u.bio, ''), 'created_at', u.created_ms), false
          into whose, on_post, copy, hidden
          from users u where u.id = of_thing;
    elsif of_kind = 'post' then
        select p.author, null,
               jsonb_build_object('text', p.text, 'warning', p.extra ->> 'warning', 'created_at', p.created_ms,
                                  'hidden', case when p.extra ? 'hidden' then true end),
               coalesce(p.extra ? 'hidden', false)
          into whose, on_post, copy, hidden
          from posts p where p.id = of_thing and not p.removed;
    else
        select m.author, m.post,
               jsonb_build_object('text', coalesce(h.text, m.text), 'created_at', m.created_ms,
                                  'hidden', case when h.comment is not null then true end),
               h.comment is not null
          into whose, on_post, copy, hidden
          from comments m left join hidden_comments h on h.comment = m.id
         where m.id = of_thing and (not m.removed or h.comment is not null);
    end if;
    copy := jsonb_strip_nulls(copy);
end
$$;

-- Whether somebody may report it: who sees it; also who has blocked its author.
create function may_report(who uuid, of_kind text, of_thing uuid) returns boolean
language plpgsql stable
as $$
begin
    if of_kind = 'user' then
        return exists (select from users u where u.id = of_thing)
           and not exists (select from blocks k where k.blocker = of_thing and k.blocked = who and k.active);
    elsif of_kind = 'post' then
        return exists (select from posts p
                        where p.id = of_thing and not p.removed
                          and (sees(who, p.author, p.audience, p.mentioned)
                               or p.audience = 0
                              and not exists (select from blocks k where k.blocker = p.author and k.blocked = who and k.active)));
    else
        return exists (select from comments m join posts p on p.id = m.post
                        where m.id = of_thing and not m.removed and not p.removed
                          and sees(who, p.author, p.audience, p.mentioned)
                          and not exists (select from blocks k where k.blocker = m.author and k.blocked = who and k.active));
    end if;
end
$$;

-- What the deeds are made of. Each takes the next free number of the journal and gives back the next that is free after it.

create function told_case(n bigint, now_ms bigint, of_case uuid) returns bigint
language plpgsql volatile
as $$
begin
    insert into journal (seq, kind, subject, actor, at_ms)
    select told_case.n, 71, c.id, c.whose, told_case.now_ms from cases c where c.id = of_case;
    update cases c set rev = told_case.n where c.id = of_case;
    return n + 1;
end
$$;

create function told_action(n bigint, now_ms bigint, of_action uuid) returns bigint
language plpgsql volatile
as $$
begin
    insert into journal (seq, kind, subject, actor, at_ms)
    select told_action.n, 74, a.id, a.whose, told_action.now_ms from actions a where a.id = of_action;
    update actions a set rev = told_action.n where a.id = of_action;
    return n + 1;
end
$$;

-- All who reported it hear what came of it.
create function settle_reports(n bigint, now_ms bigint, case_id uuid, to_outcome text) returns bigint
language plpgsql volatile
as $$
declare
    told bigint;
begin
    with numbered as (
        select r.reporter, r.thing, settle_reports.n - 1 + row_number() over (order by r.at_ms, r.reporter) as entry
          from reports r where r.of_case = case_id and r.outcome is null
    ), changed as (
        update reports r set outcome = to_outcome, rev = d.entry
          from numbered d where r.reporter = d.reporter and r.thing = d.thing
        returning r.rev, r.thing, r.reporter
    ), written as (
        insert into journal (seq, kind, subject, actor, at_ms)
        select c.rev, 70, c.thing, c.reporter, settle_reports.now_ms from changed c
        returning seq
    )
    select count(*) into told from written;
    return n + told;
end
$$;

-- The case about a thing that is not settled, or a new one.
create function open_case(n bigint, now_ms bigint, of_kind text, of_thing uuid, of_user uuid, on_post uuid, as_it_is jsonb) returns uuid
language plpgsql volatile
as $$
declare
    found_id uuid;
begin
    select c.id into found_id from cases c where c.thing = of_thing and c.state <> 'settled';
    if found_id is null then
        insert into cases (kind, thing, whose, post, copy, opened_ms, seq, rev)
        values (of_kind, of_thing, of_user, on_post, as_it_is, open_case.now_ms, open_case.n, open_case.n)
        returning id into found_id;
    end if;
    return found_id;
end
$$;

create function set_post_hidden(n bigint, now_ms bigint, which uuid, because text, by_whom uuid) returns bigint
language plpgsql volatile
as $$
begin
    perform count_handed_on(array[which], -1);
    update posts p
       set extra = x.extra, audience = audience_of(x.extra), widest = least(p.widest, audience_of(x.extra)),
           mentioned = case when audience_of(x.extra) > 0 or p.mentioned is not null
                            then coalesce(p.mentioned, people_of(p.extra)) end,
           rev = set_post_hidden.n, first_digest = coalesce(p.first_digest, digest_of(p.text, p.extra))
      from (select nullif(case when because is null then coalesce(o.extra, '{}') - 'hidden'
                               else coalesce(o.extra, '{}') || jsonb_build_object('hidden', because) end, '{}') as extra
              from posts o where o.id = which) x
     where p.id = which and not p.removed;
    if not found then
        perform count_handed_on(array[which], 1);
        return n;
    end if;
    perform count_handed_on(array[which], 1);
    insert into journal (seq, kind, subject, actor, at_ms) values (n, 6, which, by_whom, now_ms);
    return n + 1 + write_notes(array[6]::smallint[], array[by_whom], array[which], array[null]::text[], array[n], n, now_ms);
end
$$;

create function remove_comment(n bigint, now_ms bigint, of_comment uuid, by_whom uuid) returns bigint
language plpgsql volatile
as $$
declare
    had comments;
begin
    select m.* into had from comments m where m.id = of_comment;
    perform write_comments(array[10]::smallint[], array[by_whom], array[of_comment], array[null]::text[], array[had.post],
                           array[had.parent], array[n], now_ms);
    perform count_comments(array[10]::smallint[], array[of_comment], array[had.post], array[n]);
    insert into journal (seq, kind, subject, actor, at_ms) values (n, 10, of_comment, by_whom, now_ms);
    return n + 1 + write_notes(array[10]::smallint[], array[by_whom], array[of_comment], array[null]::text[], array[n], n, now_ms);
end
$$;

create function hide_comment(n bigint, now_ms bigint, of_comment uuid, by_whom uuid) returns bigint
language plpgsql volatile
as $$
begin
    insert into hidden_comments (comment, text, first_digest, edited_ms, extra)
    select m.id, m.text, m.first_digest, m.edited_ms, m.extra from comments m where m.id = of_comment and not m.removed;
    return remove_comment(n, now_ms, of_comment, by_whom);
end
$$;

create function show_comment(n bigint, now_ms bigint, of_comment uuid, by_whom uuid) returns bigint
language plpgsql volatile
as $$
declare
    on_post uuid;
begin
    update comments m set removed = false, text = h.text, first_digest = h.first_digest, edited_ms = h.edited_ms, extra = h.extra,
           rev = show_comment.n
      from hidden_comments h
     where m.id = of_comment and h.comment = m.id
    returning m.post into on_post;
    delete from hidden_comments h where h.comment = of_comment;
    if on_post is null then
        return n;
    end if;
    update post_counts k set comments = k.comments + 1 where k.post = on_post;
    insert into journal (seq, kind, subject, actor, at_ms) values (n, 9, of_comment, by_whom, now_ms);
    return n + 1;
end
$$;

create function remove_thing(n bigint, now_ms bigint, of_kind text, of_thing uuid, by_whom uuid) returns bigint
language plpgsql volatile
as $$
begin
    if of_kind = 'post' then
        perform change_posts(array[7]::smallint[], array[of_thing], array[null]::text[], array[null]::text[], array[n], now_ms);
        insert into journal (seq, kind, subject, actor, at_ms) values (n, 7, of_thing, by_whom, now_ms);
        return n + 1 + write_notes(array[7]::smallint[], array[by_whom], array[of_thing], array[null]::text[], array[n], n, now_ms);
    end if;
    -- A hidden one is gone already, but for what it said.
    delete from hidden_comments h where h.comment = of_thing;
    return case when found then n else remove_comment(n, now_ms, of_thing, by_whom) end;
end
$$;

create function set_thing_hidden(n bigint, now_ms bigint, of_kind text, of_thing uuid, because text, by_whom uuid) returns bigint
language plpgsql volatile
as $$
begin
    return case when of_kind = 'post' then set_post_hidden(n, now_ms, of_thing, because, by_whom)
                when because is null then show_comment(n, now_ms, of_thing, by_whom)
                else hide_comment(n, now_ms, of_thing, by_whom) end;
end
$$;

-- If whether they look after what others write is to change, says so.
create function told_rights(n bigint, now_ms bigint, of_user uuid, did boolean) returns bigint
language plpgsql volatile
as $$
begin
    if did = is_moderator(of_user) then
        return n;
    end if;
    update users u set rights_rev = told_rights.n where u.id = of_user;
    insert into journal (seq, kind, subject, actor, at_ms) values (n, 79, of_user, of_user, now_ms);
    return n + 1;
end
$$;

-- Suspends somebody, bans them, or neither any more. A ban ends all their log-ins, by one entry.
create function set_one_standing(n bigint, now_ms bigint, of_user uuid, to_standing smallint, until_ms bigint, by_action uuid) returns bigint
language plpgsql volatile
as $$
declare
    did boolean := is_moderator(of_user);
begin
    -- Nobody logs in meanwhile: see open_session.
    perform from accounts a where a.user_id = of_user for update;
    update users u set standing = to_standing, standing_until = set_one_standing.until_ms, standing_action = by_action where u.id = of_user;
    if to_standing = 2 then
        update sessions s set revoked_ms = set_one_standing.now_ms, rev = set_one_standing.n
         where s.user_id = of_user and s.revoked_ms is null;
        if found then
            insert into journal (seq, kind, subject, actor, at_ms) values (n, 11, of_user, of_user, now_ms);
            n := n + 1;
        end if;
    end if;
    return told_rights(n, now_ms, of_user, did);
end
$$;

-- What was done before is over. An open appeal against it has got what it wanted.
create function end_actions(n bigint, now_ms bigint, of_user uuid, of_acts text[], of_thing uuid, but_case uuid) returns bigint
language plpgsql volatile
as $$
declare
    had actions;
begin
    for had in
        select a.* from actions a join cases c on c.id = a.of_case
         where a.whose = of_user and a.act = any(of_acts) and not a.ended and c.thing = coalesce(of_thing, c.thing)
         order by a.at_ms, a.id
    loop
        update actions a set ended = true, appeal = case a.appeal when 'open' then 'accepted' else a.appeal end where a.id = had.id;
        n := told_action(n, now_ms, had.id);
        if had.of_case <> but_case then
            n := told_case(n, now_ms, had.of_case);
        end if;
    end loop;
    return n;
end
$$;

-- Carries an action out, all but the entry that tells the case.
create function moderate(
    n bigint, now_ms bigint, by_user uuid, action_id uuid, case_id uuid, of_act text, because text, with_note text, until_ms bigint
)
returns bigint
language plpgsql volatile
as $$
declare
    k  cases;
    -- Entries have an actor; an operator has no account.
    who uuid;
begin
    select c.* into strict k from cases c where c.id = case_id;
    who := coalesce(by_user, k.whose);
    if of_act = 'hide' then
        n := set_thing_hidden(n, now_ms, k.kind, k.thing, because, who);
    elsif of_act = 'unhide' then
        n := set_thing_hidden(n, now_ms, k.kind, k.thing, null, who);
        n := end_actions(n, now_ms, k.whose, array['hide'], k.thing, k.id);
    elsif of_act = 'delete' then
        n := remove_thing(n, now_ms, k.kind, k.thing, who);
        n := end_actions(n, now_ms, k.whose, array['hide'], k.thing, k.id);
    elsif of_act in ('suspend', 'ban', 'reinstate') then
        n := end_actions(n, now_ms, k.whose, array['suspend', 'ban'], null, k.id);
        n := set_user_standing(n, now_ms, k.whose,
                               (case of_act when 'suspend' then 1 when 'ban' then 2 else 0 end)::smallint,
                               until_ms, case when of_act <> 'reinstate' then action_id end);
    end if;
    insert into actions (id, of_case, whose, by_whom, act, reason, note, until_ms, at_ms, rev)
    values (action_id, k.id, k.whose, by_user, of_act, because, with_note, moderate.until_ms, moderate.now_ms, moderate.n);
    n := told_action(n, now_ms, action_id);
    n := settle_reports(n, now_ms, k.id, 'acted');
    update cases c
       set state = case when exists (select from actions a where a.of_case = k.id and a.appeal = 'open') then 'open' else 'settled' end,
           by_whom = by_user, outcome = 'acted', settled_ms = moderate.now_ms
     where c.id = k.id;
    if of_act in ('hide', 'unhide', 'delete') then
        perform note_audit(now_ms, by_user, of_act, k.kind, k.thing, because);
    else
        perform note_audit(now_ms, by_user, of_act, 'user', k.whose, because);
    end if;
    return n;
end
$$;

-- Gives a role. The last number it uses is that of the profile's change, whose entry is the caller's to write.
create function change_role(n bigint, now_ms bigint, by_user uuid, of_user uuid, to_role text, out last bigint)
language plpgsql volatile
as $$
declare
    did boolean := is_moderator(of_user);
begin
    update users u set role = case to_role when 'user' then 0 when 'admin' then 1 when 'moderator' then 2 end where u.id = of_user;
    last := told_rights(n, now_ms, of_user, did);
    update users u set rev = change_role.last where u.id = of_user;
    perform note_audit(now_ms, by_user, 'role ' || to_role, 'user', of_user, null);
end
$$;

-- The deeds.

-- 70
create function act_report(entry bigint, now_ms bigint, actor uuid, thing uuid, args jsonb, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
#variable_conflict use_variable
declare
    about   record;
    case_id uuid;
begin
    last := entry;
    if exists (select from reports r where r.reporter = actor and r.thing = act_report.thing) then
        verdict := 1;
        return;
    elsif exists (select from reports r where r.id = (args ->> 'id')::uuid) then
        verdict := 5;
        return;
    end if;
    select m.* into about from moderated(args ->> 'kind', thing) m;
    verdict := case
        when about.whose is null then 3
        when about.whose = actor then 10
        when not may_report(actor, args ->> 'kind', thing) then 3
        when (select count(*) from reports r where r.reporter = actor and r.at_ms > now_ms - 86400000) >= (args ->> 'most')::integer then 19
        else 0 end;
    if verdict > 0 then
        return;
    end if;
    case_id := open_case(entry, now_ms, args ->> 'kind', thing, about.whose, about.on_post, about.copy);
    update cases c
       set count = c.count + 1,
           reasons = c.reasons || jsonb_build_object(args ->> 'reason', coalesce((c.reasons ->> (args ->> 'reason'))::integer, 0) + 1)
     where c.id = case_id;
    last := told_case(entry, now_ms, case_id);
    insert into reports (reporter, thing, id, of_case, reason, note, at_ms, rev)
    values (actor, thing, (args ->> 'id')::uuid, case_id, args ->> 'reason', args ->> 'note', now_ms, last);
end
$$;

-- 71: one that was claimed half an hour ago may be taken over.
create function act_claim_case(entry bigint, now_ms bigint, actor uuid, of_case uuid, args jsonb, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
#variable_conflict use_variable
declare
    k       cases;
    release boolean := (args ->> 'release')::boolean;
    others  boolean;
begin
    last := entry;
    select c.* into k from cases c where c.id = of_case;
    others := k.state = 'claimed' and k.by_whom <> actor and k.claimed_ms > now_ms - 1800000
              and not exists (select from users u where u.id = actor and u.role = 1);
    verdict := case
        when not is_moderator(actor) then 33
        when k.id is null then 3
        when k.whose = actor then 27
        when k.state = 'settled' then 30
        when others then 26
        when release and k.state = 'open' then 1
        when not release and k.state = 'claimed' and k.by_whom = actor then 1
        else 0 end;
    if verdict = 0 then
        update cases c
           set state = case when release then 'open' else 'claimed' end, by_whom = case when not release then actor end,
               claimed_ms = case when not release then now_ms end, rev = entry
         where c.id = of_case;
        perform note_audit(now_ms, actor, case when release then 'release' else 'claim' end, 'case', of_case, null);
    end if;
end
$$;

-- 72
create function act_settle_case(entry bigint, now_ms bigint, actor uuid, of_case uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
#variable_conflict use_variable
declare
    k    cases;
    came text;
begin
    last := entry;
    select c.* into k from cases c where c.id = of_case;
    verdict := case
        when not is_moderator(actor) then 33
        when k.id is null then 3
        when k.whose = actor then 27
        when exists (select from actions a where a.of_case = k.id and a.appeal = 'open') then 31
        when k.state = 'settled' then 1
        else 0 end;
    if verdict = 0 then
        came := case when exists (select from actions a where a.of_case = k.id) then 'acted' else 'dismissed' end;
        last := settle_reports(entry, now_ms, k.id, came);
        update cases c
           set state = 'settled', by_whom = actor, outcome = came, settled_ms = now_ms, rev = last
         where c.id = k.id;
        perform note_audit(now_ms, actor, 'dismiss', 'case', k.id, null);
    end if;
end
$$;

-- 73
create function act_moderate(entry bigint, now_ms bigint, actor uuid, action_id uuid, args jsonb, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
#variable_conflict use_variable
declare
    had      actions;
    k        cases;
    about    record;
    of_act   text := args ->> 'action';
    until_ms bigint := (args ->> 'until')::bigint;
    stands   smallint;
begin
    last := entry;
    if not is_moderator(actor) then
        verdict := 33;
        return;
    end if;
    select a.* into had from actions a where a.id = action_id;
    if had.id is not null then
        verdict := case when had.by_whom = actor and had.act = of_act and had.reason = args ->> 'reason'
                             and had.note is not distinct from args ->> 'note' and had.until_ms is not distinct from until_ms
                        then 1 else 5 end;
        return;
    end if;
    if args ->> 'case' is not null then
        select c.* into k from cases c where c.id = (args ->> 'case')::uuid;
    else
        k.kind := args ->> 'kind';
        k.thing := (args ->> 'thing')::uuid;
    end if;
    select m.* into about from moderated(k.kind, k.thing) m;
    -- What is gone can still have its author spoken to.
    k.whose := coalesce(k.whose, about.whose);
    select u.standing into stands from users u where u.id = k.whose;
    verdict := case
        when k.whose is null then 3
        when not may_act_on(actor, k.whose) then 27
        when of_act in ('hide', 'unhide', 'delete') and k.kind = 'user' then 29
        when of_act in ('hide', 'unhide', 'delete') and about.whose is null then 3
        when until_ms is not null and (of_act <> 'suspend' or until_ms <= now_ms) then 29
        when of_act = 'hide' and about.hidden or of_act = 'unhide' and not about.hidden then 30
        when of_act = 'ban' and stands = 2 or of_act = 'reinstate' and stands = 0 then 30
        else 0 end;
    if verdict = 0 then
        k.id := coalesce(k.id, open_case(entry, now_ms, k.kind, k.thing, k.whose, about.on_post, about.copy));
        last := moderate(entry, now_ms, actor, action_id, k.id, of_act, args ->> 'reason', args ->> 'note', until_ms);
        update cases c set rev = last where c.id = k.id;
    end if;
end
$$;

-- 74
create function act_appeal(entry bigint, now_ms bigint, actor uuid, of_action uuid, args jsonb, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
#variable_conflict use_variable
declare
    had actions;
begin
    last := entry;
    select a.* into had from actions a where a.id = of_action;
    verdict := case
        when had.id is null or had.whose <> actor then 3
        when had.appeal_text = args ->> 'text' then 1
        when had.appeal is not null or had.ended or had.act in ('unhide', 'reinstate') then 28
        else 0 end;
    if verdict = 0 then
        update cases c set state = 'open', by_whom = null, claimed_ms = null, settled_ms = null where c.id = had.of_case;
        last := told_case(entry, now_ms, had.of_case);
        update actions a set appeal = 'open', appeal_text = args ->> 'text', appeal_ms = now_ms, rev = last where a.id = of_action;
        perform note_audit(now_ms, actor, 'appeal', 'action', of_action, null);
    end if;
end
$$;

-- 75
create function act_settle_appeal(entry bigint, now_ms bigint, actor uuid, of_action uuid, args jsonb, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
#variable_conflict use_variable
declare
    had     actions;
    k       cases;
    accept  boolean := (args ->> 'accept')::boolean;
    decided text := case when (args ->> 'accept')::boolean then 'accepted' else 'rejected' end;
begin
    last := entry;
    select a.* into had from actions a where a.id = of_action;
    verdict := case
        when not is_moderator(actor) then 33
        when had.id is null or had.appeal is null then 3
        when had.by_whom = actor then 32
        when not may_act_on(actor, had.whose) then 27
        when had.appeal = decided and had.appeal_by = actor then 1
        when had.appeal <> 'open' then 30
        else 0 end;
    if verdict > 0 then
        return;
    end if;
    select c.* into k from cases c where c.id = had.of_case;
    update actions a
       set appeal = decided, appeal_by = actor, appeal_reply = args ->> 'note', ended = a.ended or accept
     where a.id = of_action;
    if accept and not had.ended then
        if had.act = 'hide' then
            last := set_thing_hidden(last, now_ms, k.kind, k.thing, null, actor);
        elsif had.act in ('suspend', 'ban') and exists (select from users u where u.id = had.whose and u.standing_action = of_action) then
            last := set_user_standing(last, now_ms, had.whose, 0::smallint, null, null);
        end if;
    end if;
    last := told_action(last, now_ms, of_action);
    update cases c
       set state = case when exists (select from actions a where a.of_case = k.id and a.appeal = 'open') then 'open' else 'settled' end,
           by_whom = actor, outcome = 'acted', settled_ms = now_ms, rev = last
     where c.id = k.id;
    perform note_audit(now_ms, actor, 'appeal ' || decided, 'action', of_action, null);
end
$$;

-- 76
create function act_set_role(entry bigint, now_ms bigint, actor uuid, of_user uuid, args jsonb, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
#variable_conflict use_variable
declare
    had smallint;
begin
    last := entry;
    select u.role into had from users u where u.id = of_user;
    verdict := case
        when not exists (select from users u where u.id = actor and u.role = 1 and u.standing = 0) then 33
        when had is null then 3
        when of_user = actor or had = 1 then 27
        when had = case args ->> 'role' when 'user' then 0 when 'admin' then 1 when 'moderator' then 2 end then 1
        else 0 end;
    if verdict = 0 then
        last := change_role(entry, now_ms, actor, of_user, args ->> 'role');
    end if;
end
$$;

-- 77: every node asks for it when the time has come; the first one does it.
create function act_end_suspension(entry bigint, now_ms bigint, actor uuid, of_action uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
#variable_conflict use_variable
declare
    had actions;
begin
    last := entry;
    select a.* into had from actions a where a.id = of_action and a.whose = actor;
    if had.id is null then
        verdict := 3;
    elsif not exists (select from users u where u.id = actor and u.standing = 1 and u.standing_action = of_action
                                            and u.standing_until <= now_ms) then
        verdict := 1;
    else
        verdict := 0;
        last := set_user_standing(last, now_ms, actor, 0::smallint, null, null);
        last := told_case(last, now_ms, had.of_case);
        update actions a
           set ended = true, appeal = case a.appeal when 'open' then 'accepted' else a.appeal end, rev = last
         where a.id = of_action;
        perform note_audit(now_ms, null, 'suspension over', 'user', actor, null);
    end if;
end
$$;

create function carry_out_moderation(
    act smallint, entry bigint, now_ms bigint, actor uuid, thing uuid, args jsonb, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
begin
    case act
        when 70 then select d.verdict, d.last into verdict, last from act_report(entry, now_ms, actor, thing, args) d;
        when 71 then select d.verdict, d.last into verdict, last from act_claim_case(entry, now_ms, actor, thing, args) d;
        when 72 then select d.verdict, d.last into verdict, last from act_settle_case(entry, now_ms, actor, thing) d;
        when 73 then select d.verdict, d.last into verdict, last from act_moderate(entry, now_ms, actor, thing, args) d;
        when 74 then select d.verdict, d.last into verdict, last from act_appeal(entry, now_ms, actor, thing, args) d;
        when 75 then select d.verdict, d.last into verdict, last from act_settle_appeal(entry, now_ms, actor, thing, args) d;
        when 76 then select d.verdict, d.last into verdict, last from act_set_role(entry, now_ms, actor, thing, args) d;
        when 77 then select d.verdict, d.last into verdict, last from act_end_suspension(entry, now_ms, actor, thing) d;
        else raise exception 'unknown act' using errcode = 'invalid_parameter_value';
    end case;
end
$$;

create function own_state_moderation(act smallint, actor uuid, thing uuid)
returns setof block_states
language plpgsql stable
as $$
begin
    case act
        when 70 then return query select s.* from report_states s where s.author = actor and s.id = thing;
        when 71, 72 then return query select s.* from case_states s where s.id = thing;
        -- Named by what was done in it.
        when 73, 75 then
            return query select s.* from actions a join case_states s on s.id = a.of_case where a.id = thing;
        when 74, 77 then return query select s.* from action_states s where s.author = actor and s.id = thing;
        -- Told as a profile.
        when 76 then return query select s.* from user_states s where s.id = thing;
        when 79 then return query select s.* from rights_states s where s.id = thing;
        else return;
    end case;
end
$$;

-- Not in the snapshot of `me`, which has an end.
create function own_changes_moderation(of_user uuid, since bigint)
returns setof block_states
language plpgsql stable
as $$
begin
    if since > 0 then
        return query select s.* from report_states s where s.author = of_user and s.rev >= since;
        return query select s.* from action_states s where s.author = of_user and s.rev >= since;
    end if;
end
$$;

-- Who is suspended may object, and their suspension ends.
insert into suspended_may (act) values (74), (77);

-- What operators do on the server's machine, as before but for the log, and told to the person as what moderators do.

create or replace function set_role(of_handle text, to_role text)
returns bigint
language plpgsql volatile
as $$
declare
    whose uuid := user_called(of_handle);
    entry bigint;
    last  bigint;
begin
    if to_role not in ('user', 'moderator', 'admin') then
        raise exception 'no such role' using errcode = 'invalid_parameter_value';
    end if;
    select h.seq + 1 into strict entry from journal_head h for update;
    if exists (select from users u
                where u.id = whose and u.role = case to_role when 'user' then 0 when 'admin' then 1 when 'moderator' then 2 end) then
        return null;
    end if;
    last := change_role(entry, clock_ms(), null, whose, to_role);
    insert into journal (seq, kind, subject, actor, at_ms) values (last, 2, whose, whose, clock_ms());
    update journal_head h set seq = last;
    return last;
end
$$;

create or replace function set_standing(of_handle text, to_standing smallint)
returns table (changed boolean, ended integer)
language plpgsql volatile
as $$
declare
    whose     uuid;
    entry     bigint;
    now_ms    bigint;
    case_id   uuid;
    action_id uuid := gen_random_uuid();
    about     record;
begin
    select h.seq + 1 into strict entry from journal_head h for update;
    now_ms := clock_ms();
    whose := user_called(of_handle);
    if exists (select from users u where u.id = whose and u.standing = to_standing) then
        changed := false;
        ended := 0;
        return next;
        return;
    end if;
    changed := true;
    ended := case when to_standing = 2 then
                 (select count(*) from sessions s where s.user_id = whose and s.revoked_ms is null) else 0 end;
    select m.* into about from moderated('user', whose) m;
    case_id := open_case(entry, now_ms, 'user', whose, whose, null, about.copy);
    entry := moderate(entry, now_ms, null, action_id, case_id,
                      case to_standing when 0 then 'reinstate' when 1 then 'suspend' else 'ban' end, 'other', null, null);
    entry := told_case(entry, now_ms, case_id);
    update journal_head h set seq = entry - 1;
    return next;
end
$$;

create or replace function reset_password(of_handle text, new_hash text) returns bigint
language plpgsql volatile
as $$
declare
    whose uuid := user_called(of_handle);
begin
    perform from journal_head h for update;
    update accounts a set password_hash = new_hash where a.user_id = whose;
    perform note_audit(clock_ms(), null, 'reset password', 'user', whose, null);
    return log_out(whose);
end
$$;

create function log_out_by_operator(of_handle text) returns bigint
language plpgsql volatile
as $$
declare
    whose uuid := user_called(of_handle);
begin
    perform from journal_head h for update;
    perform note_audit(clock_ms(), null, 'log out', 'user', whose, null);
    return log_out(whose);
end
$$;

-- A hidden comment stays until it is shown again or its post goes.
create or replace function forget_comments(below bigint, from_rev bigint, most integer)
returns table (gone bigint, next_rev bigint)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    deleted bigint;
    seen    bigint;
    last    bigint;
begin
    select count(*), max(o.rev) into seen, last
      from (select m.rev from comments m
             where m.removed and m.rev >= from_rev and m.rev < below order by m.rev limit most) o;
    with old as materialized (
        select m.id, m.post from comments m where m.removed and m.rev between from_rev and last
    ), held as materialized (
        select distinct unnest(l.path) as id
          from comments l
         where not l.removed and l.depth > 0 and l.post in (select o.post from old o)
    )
    delete from comments m using old
     where m.id = old.id and m.id not in (select held.id from held)
       and not exists (select from hidden_comments h where h.comment = m.id);
    get diagnostics deleted = row_count;
    return query select deleted, case when seen = most then last + 1 end;
end
$$;

-- What settled cases remember of what was reported, `keep_ms` after they were: at most `most` of them.
create function forget_copies(keep_ms bigint, most integer) returns bigint
language plpgsql volatile
as $$
declare
    old  uuid[];
begin
    perform from journal_head h for update;
    old := array(select c.id from cases c
                  where c.state = 'settled' and c.copy is not null and c.settled_ms < clock_ms() - keep_ms
                  order by c.settled_ms limit most);
    update cases c set copy = null where c.id = any(old);
    update reports r set note = null where r.of_case = any(old) and r.note is not null;
    delete from hidden_comments h where not exists (select from comments m where m.id = h.comment);
    return cardinality(old);
end
$$;

-- What somebody has reported is theirs, too; who else did is not.
insert into exported (section, question) values
('reports', $$
    select r.id::text, jsonb_strip_nulls(jsonb_build_object('id', r.id, 'thing', r.thing, 'reason', r.reason, 'note', r.note, 'at', r.at_ms))
      from reports r
     where r.reporter = $1 and r.id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by r.id limit $3 $$);
