-- Why: tokens for programs: good for what they were made for and nothing else, until somebody takes them back. A token is a log-in without a
-- refresh token: what ends log-ins ends tokens, by the same entries of the journal.

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

-- Whether a user is a bot of this owner's.
create function is_bot_of(of_owner uuid, which uuid) returns boolean
language plpgsql stable
as $$
begin
    return exists (select from users u
                    where u.id = which and u.extra -> 'bot' ->> 'owner' = of_owner::text
                      and not coalesce((u.extra -> 'bot' ->> 'stopped')::boolean, false));
end
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
