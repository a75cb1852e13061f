-- Why: what somebody chooses once and means for everything after.

alter table users
    -- Who may comment on one's posts where the post does not say: 0 everybody, 1 followers, 2 those whom the author follows, 3 nobody.
    add column comments smallint not null default 0,
    add constraint users_comments check (comments between 0 and 3);
