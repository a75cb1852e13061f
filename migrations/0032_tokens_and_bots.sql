-- Why: tokens for programs: good for what they were made for and nothing else, until somebody takes them back. A token is a log-in without a
-- refresh token: what ends log-ins ends tokens, by the same entries of the journal. And bots, which have no other log-ins.

create table api_tokens (
    -- The log-in that it is. Its id is made of the SHA-256 of the token's secret, which itself is never stored.
    session    uuid     not null,
    -- For people to know it by.
    name       text     not null,
    -- A bit for each: 1 read, 2 write, 4 mod, 8 firehose. The token says so too, under the deployment's key; here it is for showing.
    scopes     smallint not null,
    -- Null: never.
    expires_ms bigint,
    constraint api_tokens_pk primary key (session),
    constraint api_tokens_session foreign key (session) references sessions (id) on delete cascade,
    constraint api_tokens_scopes check (scopes between 1 and 15)
);
-- For forgetting.
create index api_tokens_expiry on api_tokens (expires_ms) where expires_ms is not null;

-- Whether a user is a bot of this owner's that has not been stopped.
create function is_bot_of(of_owner uuid, which uuid) returns boolean
language sql stable
as $$
    select exists (select from users u
                    where u.id = which and u.extra -> 'bot' ->> 'owner' = of_owner::text and not u.extra -> 'bot' ? 'stopped')
$$;

-- Makes a token for oneself or a bot of one's own. The journal's lock comes first: whoever bans, changes the password or stops the bot takes it.
-- verdict: 0 made, 1 the log-in that asks has ended, 2 no such bot, 3 as many as one may have, 4 only for moderators, 5 suspended or banned.
create function make_token(
    of_owner uuid, of_session uuid, for_user uuid, new_session uuid, new_name text, new_scopes smallint, new_expires bigint, most integer
)
returns table (verdict smallint, created_ms bigint)
language plpgsql volatile
as $$
declare
    now_ms bigint := clock_ms();
    owner  users;
begin
    perform from journal_head h for update;
    select u.* into owner from users u where u.id = of_owner;
    verdict := case
        when not exists (select from sessions s
                          where s.id = of_session and s.user_id = of_owner and s.revoked_ms is null) then 1
        when owner.standing > 0 then 5
        when for_user <> of_owner and not is_bot_of(of_owner, for_user) then 2
        when new_scopes & 4 <> 0 and not exists (select from users u where u.id = for_user and u.role > 0) then 4
        when (select count(*) from sessions s join api_tokens t on t.session = s.id
               where s.user_id = for_user and s.revoked_ms is null
                 and coalesce(t.expires_ms > now_ms, true)) >= most then 3
        else 0 end;
    created_ms := now_ms;
    if verdict = 0 then
        insert into sessions (id, user_id, opened_ms) values (new_session, for_user, now_ms);
        insert into api_tokens (session, name, scopes, expires_ms) values (new_session, new_name, new_scopes, new_expires);
    end if;
    return next;
end
$$;

-- As of 0011, but a token leads to a log-in as well.
create or replace function has_refresh_tokens(of_session uuid) returns boolean
language sql stable
as $$
    select exists (select from refresh_tokens t where t.session = of_session)
        or exists (select from api_tokens t where t.session = of_session)
$$;

-- As of 0021, but tokens are no log-ins to be ended because there are many: they are bounded by themselves.
create or replace function open_session(
    of_user uuid, new_session uuid, token bytea, life_ms bigint, by_device text, checked_hash text, most integer
)
returns boolean
language plpgsql volatile
as $$
declare
    live bigint;
begin
    select count(*) into live from sessions s
     where s.user_id = of_user and s.revoked_ms is null
       and not exists (select from api_tokens t where t.session = s.id);
    if live >= most then
        perform from journal_head h for update;
    end if;
    perform from accounts a where a.user_id = of_user and a.password_hash = coalesce(checked_hash, a.password_hash) for share;
    if not found then
        return false;
    end if;
    -- By a statement that begins after the lock: whoever bans them takes it, too.
    if exists (select from users u where u.id = of_user and u.standing = 2) then
        return false;
    end if;
    insert into sessions (id, user_id, opened_ms, device) values (new_session, of_user, clock_ms(), by_device);
    insert into refresh_tokens (hash, session, expires_ms) values (token, new_session, clock_ms() + life_ms);
    if live >= most then
        update sessions s set revoked_ms = clock_ms()
         where s.id in (select o.id from sessions o
                         where o.user_id = of_user and o.revoked_ms is null and o.id <> new_session
                           and not exists (select from api_tokens t where t.session = o.id)
                         order by coalesce(o.seen_ms, o.opened_ms) desc, o.id desc
                        offset most - 1);
    end if;
    return true;
end
$$;

-- Bots: users without an account. They have a profile like anybody's, which says whose they are, and nothing to log in with but tokens.

-- `-> 'bot' ->> 'owner'` of those that are one.
create index bots_by_owner on users ((extra -> 'bot' ->> 'owner')) where extra ? 'bot';

-- The bots of somebody that have not been stopped.
create function bots_of(of_owner uuid) returns setof uuid
language sql stable
as $$
    select u.id from users u
     where u.extra ? 'bot' and u.extra -> 'bot' ->> 'owner' = of_owner::text and not u.extra -> 'bot' ? 'stopped'
$$;

-- Acts: 80 bot.create  81 bot.delete. Verdicts: see 0003, 0013 and 0023.

create function act_bot_create(
    entry bigint, now_ms bigint, actor uuid, bot uuid, of_handle text, of_name text, most integer, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
declare
    known users;
begin
    select u.* into known from users u where u.id = bot;
    verdict := case
        when known.id is not null then
            case when known.extra -> 'bot' ->> 'owner' = actor::text and known.handle = of_handle then 1 else 5 end
        -- Nobody makes a crowd of them by making one of them make more.
        when exists (select from users u where u.id = actor and u.extra ? 'bot') then 4
        when (select count(*) from bots_of(actor)) >= most then 19
        when handle_is_taken(of_handle) then 6
        else 0 end;
    last := entry;
    if verdict = 0 then
        insert into users (id, handle, name, seq, rev, created_ms, extra)
        values (bot, of_handle, of_name, entry, entry, now_ms, jsonb_build_object('bot', jsonb_build_object('owner', actor)));
    end if;
end
$$;

-- Ends all log-ins of a user within a deed, by one entry where there are any. Returns the next free entry.
create function end_log_ins(entry bigint, now_ms bigint, of_user uuid) returns bigint
language plpgsql volatile
as $$
begin
    update sessions s set revoked_ms = now_ms, rev = entry where s.user_id = of_user and s.revoked_ms is null;
    if not found then
        return entry;
    end if;
    insert into journal (seq, kind, subject, actor, at_ms) values (entry, 11, of_user, of_user, now_ms);
    return entry + 1;
end
$$;

-- A bot that is stopped is never heard of again: its tokens end, and its profile says so. What it wrote stays.
create function act_bot_delete(entry bigint, now_ms bigint, actor uuid, bot uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
declare
    known users;
begin
    select u.* into known from users u where u.id = bot and u.extra -> 'bot' ->> 'owner' = actor::text;
    verdict := case when known.id is null then 3 when known.extra -> 'bot' ? 'stopped' then 1 else 0 end;
    if verdict = 0 then
        last := end_log_ins(entry, now_ms, bot);
        update users u set extra = jsonb_set(u.extra, '{bot,stopped}', 'true'), rev = last where u.id = bot;
    end if;
end
$$;

create function carry_out_bots(
    act smallint, entry bigint, now_ms bigint, actor uuid, thing uuid, args jsonb, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
begin
    case act
        when 80 then
            select d.verdict, d.last into verdict, last
              from act_bot_create(entry, now_ms, actor, thing, args ->> 'handle', args ->> 'name', (args ->> 'most')::integer) d;
        when 81 then select d.verdict, d.last into verdict, last from act_bot_delete(entry, now_ms, actor, thing) d;
        else raise exception 'unknown act' using errcode = 'invalid_parameter_value';
    end case;
end
$$;

create function own_state_bots(act smallint, actor uuid, thing uuid)
returns setof block_states
language sql stable
as $$ select s.* from user_states s where s.id = thing $$;

-- Taking something back.
insert into suspended_may (act) values (81);

