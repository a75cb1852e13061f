//! What a session does about pictures: leave to send one, what is known of one, deleting one. Their bytes never come by here.

use bytes::Bytes;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{MediaId, RequestId, UserId};
use tidings_protocol::media::{MediaDeleted, MediaGot, MediaTicket};

use crate::frame;
use crate::node::Node;

/// What somebody asks about pictures.
#[derive(Clone, Copy, Debug)]
pub enum MediaJob {
    /// Leave to send one.
    Ticket(UserId, MediaTicket),
    /// What is known of one.
    Get(MediaId),
    /// Delete one.
    Delete(UserId, MediaId),
}

/// Carries a job out and gives the answer's frame.
pub(super) async fn answer(node: &Node, id: RequestId, job: MediaJob) -> Bytes {
    carry_out(node, id, job).await.unwrap_or_else(|refusal| frame::error(node.framing, Some(id), refusal))
}

async fn carry_out(node: &Node, id: RequestId, job: MediaJob) -> Result<Bytes, Refusal> {
    let pictures = &node.pictures;
    match job {
        MediaJob::Ticket(owner, wish) => {
            let ticket = bounded(pictures.ticket(owner, wish)).await?;
            Ok(frame::result(node.framing, id, ticket))
        }
        MediaJob::Get(media) => {
            let media = bounded(pictures.get(media)).await?;
            Ok(frame::result(node.framing, id, MediaGot { media }))
        }
        MediaJob::Delete(owner, media) => {
            bounded(pictures.delete(owner, media)).await?;
            Ok(frame::result(node.framing, id, MediaDeleted { id: media }))
        }
    }
}

/// No session waits for ever: not even for an object store that does not answer.
async fn bounded<T>(work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let patience = std::time::Duration::from_millis(crate::limits::READ_PATIENCE_MS);
    let late = |_| Err(Refusal::new(ErrorCode::Unavailable, "it takes too long now").after_ms(1_000));
    tokio::time::timeout(patience, work).await.unwrap_or_else(late)
}
