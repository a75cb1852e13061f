//! Pictures: where they are kept by the settings, and forgetting those that nothing shows.

use std::sync::Arc;
use std::time::Duration;

use tidings_actors::ports::MediaRows;
use tidings_media::{BadPlace, Gallery, NotOpened, Options, Place};

use crate::auth::{Purpose, Secret};
use crate::config::Config;

/// The folder of pictures in the data folder.
const FOLDER: &str = "media";
/// How often pictures that nothing shows are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// Opens the gallery as the settings say.
pub(super) fn open(config: &Config, secret: &Secret, rows: Arc<dyn MediaRows>) -> Result<Arc<Gallery>, NotOpened> {
    let options = Options {
        place: place(config)?,
        ticket_ms: u64::try_from(config.picture_ticket_ttl.as_millis()).unwrap_or(u64::MAX),
        painters: config.picture_painters,
        waiting: config.picture_queue,
    };
    let gallery = Gallery::open(options, rows, &secret.derive(Purpose::MediaTickets))?;
    Ok(Arc::new(gallery))
}

fn place(config: &Config) -> Result<Place, BadPlace> {
    let Some(given) = &config.media_store else {
        return Ok(Place::Folder(config.data_folder().join(FOLDER)));
    };
    let place = match Place::parse(given)? {
        Place::S3(mut s3) => {
            s3.endpoint = config.media_s3_endpoint.clone();
            s3.region = config.media_s3_region.clone();
            s3.key_id = config.media_s3_key_id.clone();
            s3.key = config.media_s3_key.clone();
            Place::S3(s3)
        }
        folder @ Place::Folder(_) => folder,
    };
    Ok(place)
}

/// Forgets now and then. All nodes do; who comes second finds nothing.
pub(super) async fn forget(gallery: Arc<Gallery>) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        match gallery.forget_unused().await {
            Ok(0) => {}
            Ok(pictures) => tracing::info!(pictures, "pictures that nothing showed are gone"),
            Err(fault) => tracing::warn!(%fault, "pictures that nothing shows could not be forgotten"),
        }
    }
}
