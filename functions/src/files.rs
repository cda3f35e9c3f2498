//! `POST /files`, `POST /files/{file_id}/done`, `GET /files`: announces a file and returns where to put its contents, checks them,
//! and returns where to get them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use imagesize::ImageType;
use lambda_http::{Body, Request, Response};
use windi_shared::auth::Tokens;
use windi_shared::db::rates::{self, Deed};
use windi_shared::db::{Database, files};
use windi_shared::file_fields::{MAX_FILE_BYTES, MAX_PIXELS, MAX_SIDE};
use windi_shared::ids::FileId;
use windi_shared::protocol::{AnnouncedFile, FileInfo, FileLinks, NewFile};
use windi_shared::{Error, Result};

use crate::door;
use crate::http_api::{self, Answer};
use crate::store::Store;

/// The longest side of a preview, in pixels.
const MAX_PREVIEW_SIDE: usize = 32;
/// How many files that nobody has any more each announcement deletes.
const MAX_FORGOTTEN: i64 = 10;

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let tokens = door.tokens().await?;
        let store = door.store().await?;
        door.http(|request| handle(&db, &tokens, &store, request)).await
    })
}

pub async fn handle(db: &Database, tokens: &Tokens, store: &Store, request: Request) -> Response<Body> {
    http_api::respond(&request, async {
        match http_api::route(&request).as_str() {
            "POST /files" => announce(db, tokens, store, &request).await,
            "POST /files/{file_id}/done" => done(db, tokens, store, &request).await,
            "GET /files" => links(db, tokens, store, &request).await,
            route => http_api::unknown_route(route),
        }
    })
    .await
}

async fn announce(db: &Database, tokens: &Tokens, store: &Store, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let new: NewFile = http_api::read_json(request)?;
    check(&new)?;
    rates::take(db, me, Deed::Upload).await?;
    let file = files::announce(db, me, &new).await?;
    let upload = store.upload(&file).await?;
    // Nothing runs by itself here, so whoever adds something takes something away.
    if let Err(error) = clean(db, store).await {
        error.log();
    }
    http_api::created(&AnnouncedFile { file, upload })
}

/// Deletes some of what nobody has any more.
async fn clean(db: &Database, store: &Store) -> Result<()> {
    let doomed = files::doomed(db, MAX_FORGOTTEN).await?;
    store.forget(&doomed).await?;
    files::forget(db, &doomed).await
}

/// What does not depend on the contents.
fn check(new: &NewFile) -> Result<()> {
    let NewFile { content_type, size, width, height, preview, .. } = new;
    if !(1..=MAX_FILE_BYTES).contains(size) {
        return Err(Error::field("size", format!("must be from 1 to {MAX_FILE_BYTES}")));
    }
    let is_picture = PICTURES.iter().any(|(name, _)| *name == content_type.as_str());
    match (is_picture, *width, *height) {
        (true, Some(width), Some(height)) => {
            if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
                return Err(Error::field("width", format!("must be from 1 to {MAX_SIDE}, like the height")));
            }
            if i64::from(width) * i64::from(height) > MAX_PIXELS {
                return Err(Error::field("width", format!("makes more than {MAX_PIXELS} pixels with this height")));
            }
        }
        (true, ..) => return Err(Error::field("width", "is required for a picture, with its height")),
        (false, None, None) if preview.is_none() => {}
        (false, ..) => return Err(Error::field("width", "is for pictures, and so are height and preview")),
    }
    if let Some(preview) = preview {
        let measured = BASE64_STANDARD.decode(preview.as_str()).ok().and_then(|bytes| measure(&bytes));
        if measured.is_none_or(|(_, width, height)| width.max(height) > MAX_PREVIEW_SIDE) {
            return Err(Error::field("preview", "must be a JPEG, PNG, GIF or WebP of at most 32 by 32 pixels"));
        }
    }
    Ok(())
}

/// The types that are pictures here: those that every browser shows and whose size their first bytes tell.
const PICTURES: [(&str, ImageType); 4] = [
    ("image/jpeg", ImageType::Jpeg),
    ("image/png", ImageType::Png),
    ("image/gif", ImageType::Gif),
    ("image/webp", ImageType::Webp),
];

/// The type and the size of the picture that begins with these bytes.
fn measure(bytes: &[u8]) -> Option<(ImageType, usize, usize)> {
    let kind = imagesize::image_type(bytes).ok()?;
    let size = imagesize::blob_size(bytes).ok()?;
    Some((kind, size.width, size.height))
}

async fn done(db: &Database, tokens: &Tokens, store: &Store, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let id: FileId = http_api::path_parameter(request, "file_id").ok_or(Error::FileNotFound)?;
    let (file, is_ready) = files::announced(db, me, id).await?;
    if is_ready {
        return http_api::ok(&file);
    }
    let head = store.keep(id).await?;
    if let Err(error) = compare(&file, &head) {
        files::doom(db, id).await?;
        return Err(error);
    }
    files::set_ready(db, id).await?;
    tracing::info!(bytes = file.size, content_type = file.content_type, "Stored a file.");
    http_api::ok(&file)
}

/// Whether contents that begin with `head` are what was announced. The length and the type that the uploader named are the store's
/// to check.
fn compare(file: &FileInfo, head: &[u8]) -> Result<()> {
    let (Some(width), Some(height)) = (file.width, file.height) else { return Ok(()) };
    let announced = PICTURES.iter().find(|(name, _)| *name == file.content_type).map(|(_, kind)| kind);
    let (kind, real_width, real_height) = measure(head).ok_or(Error::FileRefused("it is not a picture"))?;
    if Some(&kind) != announced {
        return Err(Error::FileRefused("it is a picture of another type"));
    }
    let is = |width, height| (usize::try_from(width), usize::try_from(height)) == (Ok(real_width), Ok(real_height));
    // A camera that was held upright writes a picture that lies on its side, and says so; people see it upright.
    if !is(width, height) && !is(height, width) {
        return Err(Error::FileRefused("the picture has another size"));
    }
    Ok(())
}

async fn links(db: &Database, tokens: &Tokens, store: &Store, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let ids: Option<String> = http_api::query(request, "ids")?;
    let ids = ids.ok_or_else(|| Error::field("ids", "is required"))?;
    let mut links = Vec::new();
    for file in files::visible(db, me, &http_api::ids(&ids)?).await? {
        links.push(store.download(&file).await?);
    }
    http_api::ok(&FileLinks { links })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(value: serde_json::Value) -> Result<()> {
        check(&serde_json::from_value(value).map_err(Error::internal)?)
    }

    #[test]
    fn a_picture_has_a_size_and_nothing_else_has() {
        let picture = |width: i32, height: i32| {
            new(
                serde_json::json!({"name": "a.png", "content_type": "image/png", "size": 9, "width": width, "height": height}),
            )
        };
        assert!(picture(1, 1).is_ok() && picture(8000, 5000).is_ok());
        for (width, height) in [(0, 1), (1, -1), (12_001, 1), (8001, 5000)] {
            assert!(picture(width, height).is_err(), "{width} x {height}");
        }
        let file = |name: &str, kind: &str| new(serde_json::json!({"name": name, "content_type": kind, "size": 9}));
        assert!(file("a.txt", "text/plain").is_ok());
        assert!(file("a.png", "image/png").is_err(), "no size");
        assert!(file("a.svg", "image/svg+xml").is_ok(), "not a picture here");
        for name in ["", "a/b", "..\\b", "..", ".", "a\u{202e}b", "a\nb", "\u{0}"] {
            assert!(file(name, "text/plain").is_err(), "{name:?}");
        }
        for kind in ["", "text", "text/", "/plain", "text/plain; charset=utf-8", "text/pl ain", "text/plain\r\nx: y"] {
            assert!(file("a", kind).is_err(), "{kind:?}");
        }
        let with_size =
            serde_json::json!({"name": "a", "content_type": "text/plain", "size": 9, "width": 1, "height": 1});
        assert!(new(with_size).is_err());
        for size in [0, -1, MAX_FILE_BYTES + 1] {
            assert!(
                new(serde_json::json!({"name": "a", "content_type": "text/plain", "size": size})).is_err(),
                "{size}"
            );
        }
    }

    #[test]
    fn a_preview_is_a_tiny_picture() {
        let gif = |width: u8| [b"GIF89a".as_slice(), &[width, 0, 1, 0, 0, 0, 0, 0x3b]].concat();
        let with = |preview: &str| {
            new(serde_json::json!({"name": "a.png", "content_type": "image/png", "size": 9, "width": 1, "height": 1,
                "preview": preview}))
        };
        assert!(with(&BASE64_STANDARD.encode(gif(32))).is_ok());
        assert!(with(&BASE64_STANDARD.encode(gif(33))).is_err());
        assert!(with("bm90IGEgcGljdHVyZQ==").is_err());
        assert!(with("!!!!").is_err());
    }
}
