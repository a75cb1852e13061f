//! What a session asks about what one has chosen oneself: who asks to follow one, lists, filters; and how wishes to change them become commands.
//! Must never answer anybody but their owner.

use bytes::Bytes;
use tidings_protocol::error::Refusal;
use tidings_protocol::filter::{FilterPut, Filters};
use tidings_protocol::ids::{ListId, RequestId, UserId};
use tidings_protocol::limits::{FILTERS, LIST_MEMBERS, LISTS};
use tidings_protocol::list::{ListCreate, ListPerson, Lists};
use tidings_protocol::position::Cursor;
use tidings_protocol::request::RequestPage;

use super::feeds::bounded;
use super::jobs::{not_found, place_in};
use super::methods::{entities, log_in_first};
use crate::command::{Act, Deed};
use crate::frame;
use crate::worker::Worker;

/// What somebody asks about their own.
#[derive(Clone, Copy, Debug)]
pub enum CircleJob {
    /// Who asks to follow one.
    Requests(Option<Cursor>, u16),
    /// One's lists.
    Lists,
    /// Who is in one of them.
    Members(ListId),
    /// One's filters.
    Filters,
}

/// Who asks to follow one.
///
/// # Errors
/// The page is too long.
pub(super) fn requests(page: RequestPage) -> Result<CircleJob, Refusal> {
    Ok(CircleJob::Requests(page.before, entities(page.limit)?))
}

pub(super) fn make_list(list: ListCreate) -> Act {
    Act::Deed(Deed::MakeList { list: list.id, name: list.name, most: LISTS })
}

pub(super) fn enlist(person: ListPerson, there: bool) -> Act {
    Act::Deed(Deed::Enlist { list: person.id, user: person.user, there, most: LIST_MEMBERS })
}

pub(super) fn put_filter(put: FilterPut) -> Act {
    let FilterPut { id, phrase, whole_word, until } = put;
    Act::Deed(Deed::PutFilter { filter: id, phrase, whole_word, until, most: FILTERS })
}

pub(super) async fn carry_out(
    worker: &Worker,
    viewer: Option<UserId>,
    id: RequestId,
    job: CircleJob,
) -> Result<Bytes, Refusal> {
    let user = viewer.ok_or_else(log_in_first)?;
    let (circle, framing) = (&worker.node.circle, worker.node.framing);
    match job {
        CircleJob::Requests(before, limit) => {
            let before = place_in(worker, before)?;
            Ok(frame::result(framing, id, bounded(circle.requests_page(user, before, limit)).await?))
        }
        CircleJob::Lists => {
            let lists = bounded(circle.lists(user)).await?;
            Ok(frame::result(framing, id, Lists { lists }))
        }
        CircleJob::Members(list) => {
            let members = bounded(circle.list_members(user, list)).await?.ok_or_else(not_found)?;
            Ok(frame::result(framing, id, members))
        }
        CircleJob::Filters => {
            let filters = bounded(circle.filters(user)).await?;
            Ok(frame::result(framing, id, Filters { filters }))
        }
    }
}
