-- Why: programs that listen to everything that is public, and catch up on it. A comment says itself where its post is not for everybody: nobody who
-- hears of it by the firehose has been asked whether they may see that post.

-- What the firehose has missed: new comments and changed profiles by their place in the journal; those of a post were found by the post.
create index comments_by_seq on comments (seq) where rev = seq;
create index comments_changed on comments (rev) where rev <> seq;

-- What 0030 calls for one who is sanctioned. Bots stand as their owners do: what is done to one is done to those of theirs that stand no worse
-- already. When it ends is the owner's affair.
create function set_user_standing(n bigint, now_ms bigint, of_user uuid, to_standing smallint, until_ms bigint, by_action uuid) returns bigint
language plpgsql volatile
as $$
declare
    was smallint;
    bot uuid;
begin
    select u.standing into was from users u where u.id = of_user;
    n := set_one_standing(n, now_ms, of_user, to_standing, until_ms, by_action);
    for bot in
        select u.id from bots_of(of_user) b join users u on u.id = b
         where u.standing < to_standing or u.standing = was
         order by u.seq
    loop
        n := set_one_standing(n, now_ms, bot, to_standing, null, null);
    end loop;
    return n;
end
$$;

-- And they go with their owners' accounts.
create function accounts_with(of_user uuid) returns setof uuid
language sql stable
as $$ select of_user union all select bots_of(of_user) $$;
