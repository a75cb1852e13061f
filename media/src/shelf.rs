//! Where the bytes lie: a folder, or any object store that speaks S3. A picture's place is made of its id alone.
//! Must never be given a path by anybody, nor hand out what is no picture (whoever else may write there).

use std::fmt;
use std::future::Future;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetResult, ObjectStore, ObjectStoreExt};
use secrecy::SecretString;
use tidings_protocol::ids::MediaId;
use tidings_protocol::media::MediaType;
use tokio::sync::OnceCell;

use crate::limits::SHELF_PATIENCE_MS;
use crate::picture::{self, Variant};

/// As many bytes as tell what a file is.
const MAGIC_BYTES: usize = 16;

/// Where pictures are kept.
#[derive(Clone, Debug)]
pub enum Place {
    /// A folder, made when the first picture comes. With several nodes, one that all of them share.
    Folder(PathBuf),
    /// A bucket.
    S3(S3),
}

/// A bucket of an object store.
#[derive(Clone, Debug)]
pub struct S3 {
    /// Its name.
    pub bucket: String,
    /// What all names in it begin with; may be empty.
    pub prefix: String,
    /// The service, such as `http://127.0.0.1:9000`; Amazon's own if absent.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// The name of the key that may write there.
    pub key_id: Option<String>,
    /// The key.
    pub key: Option<SecretString>,
}

/// The place cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadPlace {
    /// Neither a folder nor a bucket.
    #[error("must be a folder, or a bucket such as `s3://name/prefix`")]
    Unknown,
    /// Built without it.
    #[error("this binary was built without S3 (cargo feature `s3`)")]
    WithoutS3,
    /// The object store's settings make no sense.
    #[error("the object store cannot be used: {0}")]
    ObjectStore(String),
}

/// A file could not be put, read or erased.
#[derive(Debug, thiserror::Error)]
pub enum ShelfFault {
    /// The folder.
    #[error("the folder {}: {cause}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The object store, or the folder as one.
    #[error("{0}")]
    Store(#[from] object_store::Error),
    /// It did not answer in time.
    #[error("no answer in time")]
    Slow,
    /// What lies there is no picture of ours.
    #[error("a file in the place of a picture is none")]
    Foreign,
}

/// A file about to be handed out.
pub struct Shown {
    /// What it is.
    pub media_type: MediaType,
    /// How large.
    pub bytes: u64,
    /// Another one for other content, ready for `ETag`.
    pub tag: String,
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes, io::Error>>,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown")
            .field("media_type", &self.media_type)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Place {
    /// A folder's path, or `s3://bucket/prefix`, whose other settings are still to be filled in.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Self, BadPlace> {
        match text.split_once("://") {
            None if !text.is_empty() => Ok(Self::Folder(text.into())),
            Some(("s3", rest)) => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
                if bucket.is_empty() || !bucket.bytes().all(good) {
                    return Err(BadPlace::Unknown);
                }
                Ok(Self::S3(S3 {
                    bucket: bucket.to_owned(),
                    prefix: prefix.trim_end_matches('/').to_owned(),
                    endpoint: None,
                    region: "us-east-1".to_owned(),
                    key_id: None,
                    key: None,
                }))
            }
            None | Some(_) => Err(BadPlace::Unknown),
        }
    }
}

/// The files of all pictures.
pub(crate) struct Shelf {
    prefix: String,
    kind: Kind,
}

enum Kind {
    Folder { root: PathBuf, opened: OnceCell<LocalFileSystem> },
    Objects(Box<dyn ObjectStore>),
}

impl Shelf {
    /// At a place. A folder is not touched yet.
    pub(crate) fn at(place: Place) -> Result<Self, BadPlace> {
        match place {
            Place::Folder(root) => {
                Ok(Self { prefix: String::new(), kind: Kind::Folder { root, opened: OnceCell::new() } })
            }
            Place::S3(s3) => Ok(Self { prefix: s3.prefix.clone(), kind: Kind::Objects(bucket(s3)?) }),
        }
    }

    async fn store(&self) -> Result<&dyn ObjectStore, ShelfFault> {
        match &self.kind {
            Kind::Objects(objects) => Ok(&**objects),
            Kind::Folder { root, opened } => {
                let folder = opened.get_or_try_init(|| async { open_folder(root) }).await?;
                Ok(folder)
            }
        }
    }

    /// Puts one file there, whole or not at all. Again, it takes the place of the first.
    pub(crate) async fn put(&self, id: MediaId, variant: Variant, bytes: Bytes) -> Result<(), ShelfFault> {
        let store = self.store().await?;
        timed(store.put(&self.path(id, variant), bytes.into())).await?;
        Ok(())
    }

    /// One file; none if it is not there.
    pub(crate) async fn get(&self, id: MediaId, variant: Variant) -> Result<Option<Shown>, ShelfFault> {
        let store = self.store().await?;
        match timed(store.get(&self.path(id, variant))).await {
            Ok(found) => shown(found).await.map(Some),
            Err(ShelfFault::Store(object_store::Error::NotFound { .. })) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Erases all files of a picture, and what a node that was killed amid a write has left of them.
    pub(crate) async fn erase(&self, id: MediaId) -> Result<(), ShelfFault> {
        let store = self.store().await?;
        for variant in Variant::ALL {
            match timed(store.delete(&self.path(id, variant))).await {
                Ok(()) | Err(ShelfFault::Store(object_store::Error::NotFound { .. })) => {}
                Err(fault) => return Err(fault),
            }
        }
        if let Kind::Folder { root, .. } = &self.kind {
            let path = root.join(shard(id)).join(id.to_string());
            return tokio::task::spawn_blocking(move || remove_folder(path)).await.unwrap_or(Err(ShelfFault::Slow));
        }
        Ok(())
    }

    fn path(&self, id: MediaId, variant: Variant) -> Path {
        let (shard, id) = (shard(id), id.to_string());
        self.prefix.split('/').filter(|part| !part.is_empty()).chain([&*shard, &*id, variant.name()]).collect()
    }
}

/// The last digits: the first ones of a UUIDv7 are the time, and all of a day would come into one folder.
fn shard(id: MediaId) -> String {
    format!("{:02x}", id.0.as_bytes()[15])
}

/// Makes and opens the folder, for this user alone.
fn open_folder(root: &std::path::Path) -> Result<LocalFileSystem, ShelfFault> {
    let fault = |cause| ShelfFault::Folder { path: root.to_owned(), cause };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(fault)?;
    let folder = LocalFileSystem::new_with_prefix(root)?;
    // What has been answered must outlive a power cut (P10).
    Ok(folder.with_fsync(true).with_automatic_cleanup(true))
}

/// Removes a folder with all that is in it.
fn remove_folder(path: PathBuf) -> Result<(), ShelfFault> {
    match std::fs::remove_dir_all(&path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(ShelfFault::Folder { path, cause }),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Looks at the first bytes, and hands them on with the rest.
async fn shown(found: GetResult) -> Result<Shown, ShelfFault> {
    let bytes = found.meta.size;
    let tag = match &found.meta.e_tag {
        Some(tag) => format!("\"{}\"", tag.trim_start_matches("W/").trim_matches('"')),
        None => format!("\"{:x}-{bytes:x}\"", found.meta.last_modified.timestamp_micros()),
    };
    let mut rest = found.into_stream();
    let mut start = BytesMut::new();
    while start.len() < MAGIC_BYTES {
        match timed(rest.try_next()).await? {
            Some(part) => start.extend_from_slice(&part),
            None => break,
        }
    }
    let media_type = picture::sniff(&start).map_err(|_| ShelfFault::Foreign)?;
    let stream = stream::iter([Ok(start.freeze())]).chain(rest.map_err(io::Error::other)).boxed();
    Ok(Shown { media_type, bytes, tag, stream })
}

async fn timed<T>(work: impl Future<Output = object_store::Result<T>>) -> Result<T, ShelfFault> {
    match tokio::time::timeout(Duration::from_millis(SHELF_PATIENCE_MS), work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(ShelfFault::Slow),
    }
}

#[cfg(feature = "s3")]
fn bucket(s3: S3) -> Result<Box<dyn ObjectStore>, BadPlace> {
    use object_store::aws::AmazonS3Builder;
    use secrecy::ExposeSecret;

    // Never from the environment: settings have one reader.
    let mut builder = AmazonS3Builder::new().with_bucket_name(s3.bucket).with_region(s3.region);
    if let Some(endpoint) = s3.endpoint {
        builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
    }
    if let (Some(id), Some(key)) = (s3.key_id, s3.key) {
        builder = builder.with_access_key_id(id).with_secret_access_key(key.expose_secret());
    }
    let bucket = builder.build().map_err(|fault| BadPlace::ObjectStore(fault.to_string()))?;
    Ok(Box::new(bucket))
}

#[cfg(not(feature = "s3"))]
fn bucket(_: S3) -> Result<Box<dyn ObjectStore>, BadPlace> {
    Err(BadPlace::WithoutS3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and the rest of it";

    fn id() -> MediaId {
        MediaId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00ab))
    }

    async fn read(shelf: &Shelf, variant: Variant) -> Option<Vec<u8>> {
        let shown = shelf.get(id(), variant).await.unwrap()?;
        let parts: Vec<Bytes> = shown.stream.try_collect().await.unwrap();
        let all = parts.concat();
        assert_eq!(all.len() as u64, shown.bytes);
        Some(all)
    }

    #[tokio::test]
    async fn what_is_put_is_found_and_erased_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("made/when/needed");
        let shelf = Shelf::at(Place::Folder(root.clone())).unwrap();
        assert!(!root.exists());
        assert_eq!(read(&shelf, Variant::Full).await, None);
        shelf.put(id(), Variant::Full, Bytes::from_static(PNG)).await.unwrap();
        shelf.put(id(), Variant::Full, Bytes::from_static(PNG)).await.unwrap();
        assert_eq!(read(&shelf, Variant::Full).await.as_deref(), Some(PNG));
        assert_eq!(read(&shelf, Variant::Tiny).await, None);
        // As a node leaves it that was killed amid a write.
        std::fs::write(root.join("ab").join(id().to_string()).join("320#1"), "half").unwrap();
        shelf.erase(id()).await.unwrap();
        shelf.erase(id()).await.unwrap();
        assert_eq!(read(&shelf, Variant::Full).await, None);
        assert!(!root.join("ab").join(id().to_string()).exists());
    }

    #[tokio::test]
    async fn p5_what_is_no_picture_is_not_handed_out() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::at(Place::Folder(folder.path().to_owned())).unwrap();
        for foreign in [&b"<html><script>"[..], b"", b"\x89PN"] {
            shelf.put(id(), Variant::Full, Bytes::from_static(foreign)).await.unwrap();
            assert!(matches!(shelf.get(id(), Variant::Full).await, Err(ShelfFault::Foreign)));
        }
    }

    #[test]
    fn places_are_folders_or_buckets() {
        assert!(matches!(Place::parse("/var/lib/pictures"), Ok(Place::Folder(_))));
        let Ok(Place::S3(s3)) = Place::parse("s3://pictures/of/all/") else { panic!("a bucket") };
        assert_eq!((&*s3.bucket, &*s3.prefix), ("pictures", "of/all"));
        for wrong in ["", "s3://", "s3:///x", "s3://Big/", "http://host/", "s3://a b"] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }
}
