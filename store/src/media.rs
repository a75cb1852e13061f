//! What is known of pictures. Its own pool: pictures that come and go must not make anybody wait for a log-in or a feed.
//! Must never decide what a picture is, nor where its bytes lie.

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use tidings_actors::ports::{
    Condemned, Face, KnownMedia, MediaDigest, MediaRows, MediaState, Picture, StoreFault, Wished,
};
use tidings_protocol::ids::{MediaId, UserId};
use tidings_protocol::media::{MediaKind, MediaTicket, MediaType};
use uuid::Uuid;

use crate::shape::{seq, unexpected};
use crate::store::Store;
use crate::{faults, line};

/// Pictures forgotten in one statement.
const CHUNK: i32 = 500;

const fn kind_number(kind: MediaKind) -> i16 {
    match kind {
        MediaKind::Avatar => 0,
        MediaKind::Image => 1,
    }
}

const fn kind_of(number: i16) -> Option<MediaKind> {
    match number {
        0 => Some(MediaKind::Avatar),
        1 => Some(MediaKind::Image),
        _ => None,
    }
}

const fn type_number(media_type: MediaType) -> i16 {
    match media_type {
        MediaType::Png => 0,
        MediaType::Jpeg => 1,
        MediaType::Webp => 2,
        MediaType::Gif => 3,
    }
}

const fn type_of(number: i16) -> Option<MediaType> {
    match number {
        0 => Some(MediaType::Png),
        1 => Some(MediaType::Jpeg),
        2 => Some(MediaType::Webp),
        3 => Some(MediaType::Gif),
        _ => None,
    }
}

/// Sizes are below 2³¹ by the limits.
fn signed(size: u32) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}

fn signed_ms(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX / 2).min(i64::MAX / 2)
}

/// A row as it is stored.
#[derive(FromRow)]
struct MediaRow {
    owner: Uuid,
    kind: i16,
    state: i16,
    digest: Option<Vec<u8>>,
    r#type: Option<i16>,
    width: Option<i32>,
    height: Option<i32>,
    bytes: Option<i32>,
}

impl MediaRow {
    fn known(self) -> Option<KnownMedia> {
        let state = match self.state {
            0 => MediaState::Awaited,
            1 => self.kept()?,
            2 => MediaState::Condemned,
            _ => return None,
        };
        Some(KnownMedia { owner: UserId(self.owner), kind: kind_of(self.kind)?, state })
    }

    fn kept(&self) -> Option<MediaState> {
        let size = |stored: Option<i32>| stored.and_then(|size| u32::try_from(size).ok());
        let picture = Picture {
            media_type: type_of(self.r#type?)?,
            width: size(self.width)?,
            height: size(self.height)?,
            bytes: size(self.bytes)?,
        };
        let digest: MediaDigest = self.digest.as_deref()?.try_into().ok()?;
        Some(MediaState::Kept(picture, digest))
    }
}

impl Store {
    /// One statement that answers with one value.
    async fn media_value<T>(&self, question: Question<'_, T>) -> Result<T, StoreFault>
    where
        T: Send + Unpin,
        (T,): Send + Unpin + for<'r> FromRow<'r, PgRow>,
    {
        let mut line = self.media.line().await.map_err(faults::store)?;
        let answer = line::timed(self.media.patience(), question.fetch_one(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }
}

type Question<'q, T> = sqlx::query::QueryScalar<'q, sqlx::Postgres, T, sqlx::postgres::PgArguments>;

#[async_trait]
impl MediaRows for Store {
    async fn wish(&self, owner: UserId, wish: MediaTicket, day_bytes: u64) -> Result<Wished, StoreFault> {
        let question = sqlx::query_scalar::<_, i16>("select media_wish($1, $2, $3, $4, $5, $6)")
            .bind(wish.id.0)
            .bind(owner.0)
            .bind(kind_number(wish.kind))
            .bind(type_number(wish.media_type))
            .bind(signed(wish.bytes))
            .bind(signed_ms(day_bytes));
        match self.media_value(question).await? {
            0 => {}
            1 => return Ok(Wished::Taken),
            2 => return Ok(Wished::TooMuch),
            3 => return Ok(Wished::NoAccount),
            _ => return Err(unexpected("verdict")),
        }
        // Forgotten in between only if nobody used the ticket for a day.
        let known = self.media(wish.id).await?;
        Ok(known.map_or(Wished::Taken, |known| Wished::Granted(known.state)))
    }

    async fn media(&self, id: MediaId) -> Result<Option<KnownMedia>, StoreFault> {
        let question = sqlx::query_as::<_, MediaRow>(
            "select owner, kind, state, digest, type, width, height, bytes from media where id = $1",
        )
        .bind(id.0);
        let mut line = self.media.line().await.map_err(faults::store)?;
        let answer = line::timed(self.media.patience(), question.fetch_optional(line.open())).await;
        let row = line.settle(answer).map_err(faults::store)?;
        row.map(|row| row.known().ok_or_else(|| unexpected("picture"))).transpose()
    }

    async fn face(&self, user: UserId) -> Result<Option<Face>, StoreFault> {
        let question = sqlx::query_as::<_, (String, i64, Option<Uuid>)>(
            "select name, rev, (extra ->> 'avatar')::uuid from users where id = $1",
        )
        .bind(user.0);
        let mut line = self.media.line().await.map_err(faults::store)?;
        let answer = line::timed(self.media.patience(), question.fetch_optional(line.open())).await;
        let face = line.settle(answer).map_err(faults::store)?;
        face.map(|(name, rev, avatar)| Ok(Face { name, rev: seq(rev)?, avatar: avatar.map(MediaId) })).transpose()
    }

    async fn claim(&self, id: MediaId, picture: Picture, digest: MediaDigest) -> Result<bool, StoreFault> {
        let question = sqlx::query_scalar::<_, bool>(
            "with claimed as (
                 update media set digest = $2, type = $3, width = $4, height = $5, bytes = $6
                  where id = $1 and state = 0 and (digest is null or digest = $2)
                 returning id
             )
             select exists (select from claimed)",
        )
        .bind(id.0)
        .bind(digest.to_vec())
        .bind(type_number(picture.media_type))
        .bind(signed(picture.width))
        .bind(signed(picture.height))
        .bind(signed(picture.bytes));
        self.media_value(question).await
    }

    async fn kept(&self, id: MediaId) -> Result<bool, StoreFault> {
        let question = sqlx::query_scalar::<_, bool>(
            "with kept as (
                 update media set state = 1, idle_ms = case state when 0 then clock_ms() else idle_ms end
                  where id = $1 and state in (0, 1) and digest is not null
                 returning id
             )
             select exists (select from kept)",
        )
        .bind(id.0);
        self.media_value(question).await
    }

    async fn condemn(&self, owner: UserId, id: MediaId) -> Result<Condemned, StoreFault> {
        let question = sqlx::query_scalar::<_, i16>("select media_condemn($1, $2)").bind(owner.0).bind(id.0);
        match self.media_value(question).await? {
            0 => Ok(Condemned::Done),
            1 => Ok(Condemned::NotFound),
            2 => Ok(Condemned::Forbidden),
            3 => Ok(Condemned::Used),
            _ => Err(unexpected("verdict")),
        }
    }

    async fn condemned(&self, unused_ms: u64, grace_ms: u64) -> Result<Vec<MediaId>, StoreFault> {
        let question = sqlx::query("select media_forgettable($1, $2, $3) as id")
            .bind(signed_ms(unused_ms))
            .bind(signed_ms(grace_ms))
            .bind(CHUNK);
        let mut line = self.media.line().await.map_err(faults::store)?;
        let answer = line::timed(self.media.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        rows.iter().map(|row| row.try_get("id").map(MediaId).map_err(faults::store)).collect()
    }

    async fn forget_media(&self, ids: &[MediaId]) -> Result<(), StoreFault> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let question = sqlx::query("delete from media where id = any($1) and state = 2").bind(ids);
        let mut line = self.media.line().await.map_err(faults::store)?;
        let answer = line::timed(self.media.patience(), question.execute(line.open())).await;
        line.settle(answer).map_err(faults::store).map(drop)
    }
}
