//! Owns how a connection to Redis is made, for either direction. Must never wait longer than its patience, and never
//! hold more of what arrives than its bounds: the driver hands each message over at once, and what does not fit is dropped.

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, IntoConnectionInfo, ProtocolVersion, PushInfo, PushKind, RedisError, RedisResult,
    Value,
};
use tokio::sync::mpsc;

use super::BadRedisUrl;
use crate::budget::{Budget, Share};
use crate::limits::{CONNECT_PATIENCE, PING_PATIENCE, PUBLISH_PATIENCE, RAW_QUEUE};
use crate::sealed::Seal;
use crate::spoken::Spoken;
use crate::tally::{Dropped, Tally};

/// Which Redis, and which channel on it.
#[derive(Clone, Debug)]
pub struct Redis {
    client: Client,
    pub channel: String,
}

/// A message off the connection, not looked at yet.
#[derive(Debug)]
pub struct Raw {
    pub bytes: Vec<u8>,
    _share: Share,
}

/// A subscribed connection.
pub struct Line {
    /// For pings.
    pub connection: MultiplexedConnection,
    /// Messages; ends when the connection does.
    pub raw: mpsc::Receiver<Raw>,
}

impl Redis {
    pub fn parse(url: &str, channel: String) -> Result<Self, BadRedisUrl> {
        let address = url.into_connection_info().map_err(|_| BadRedisUrl)?;
        // Pushes beside replies, so that a subscribed connection can be pinged, need RESP3 (Redis 6 and later).
        let settings = address.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(address.set_redis_settings(settings)).map_err(|_| BadRedisUrl)?;
        Ok(Self { client, channel })
    }

    /// A connection to publish on.
    pub async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_PATIENCE))
            .set_response_timeout(Some(PUBLISH_PATIENCE));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// A connection that is subscribed to the channel.
    pub async fn subscribe<T: Spoken>(&self, seal: &Seal, tally: &Tally) -> RedisResult<Line> {
        let (to_ear, raw) = mpsc::channel(RAW_QUEUE);
        let budget = Budget::new(T::WAITING_BYTES);
        let (seal, tally) = (seal.clone(), tally.clone());
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_PATIENCE))
            .set_response_timeout(Some(PING_PATIENCE))
            .set_push_sender(move |push: PushInfo| {
                if let Some(bytes) = payload(push) {
                    hand_over::<T>(bytes, &to_ear, &budget, &seal, &tally);
                }
                Ok::<(), RedisError>(())
            });
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        connection.subscribe(&self.channel).await?;
        Ok(Line { connection, raw })
    }
}

/// Called by the driver for each message; must be quick and never block.
fn hand_over<T: Spoken>(bytes: Vec<u8>, to_ear: &mpsc::Sender<Raw>, budget: &Budget, seal: &Seal, tally: &Tally) {
    if seal.is_own::<T>(&bytes) {
        tally.own_skipped();
    } else if bytes.len() > T::MOST_BYTES {
        tally.forged();
    } else {
        let taken = budget.take(bytes.len()).is_some_and(|share| {
            let raw = Raw { bytes, _share: share };
            to_ear.try_send(raw).is_ok()
        });
        if !taken {
            tally.dropped(Dropped::RawQueue, 1);
        }
    }
}

/// The second field of `message, channel, payload` without its first; anything else is not for us.
fn payload(push: PushInfo) -> Option<Vec<u8>> {
    let PushInfo { kind, mut data } = push;
    match (kind, data.pop()) {
        (PushKind::Message, Some(Value::BulkString(bytes))) => Some(bytes),
        _ => None,
    }
}
