//! `GET /`, `/docs`, `/sw.js`, `/config.json`, `/openapi.json`, `/asyncapi.json` and `/web/{version}/{file+}`: the browser
//! client, and the API's description.
//!
//! The files of `functions/web/` are in this function. A file's path begins with a version made of all their contents,
//! so that browsers may keep it for ever and never mix two versions; only the page itself is asked for again. In a debug
//! build the files are read from the disk: a change is there when the page is loaded again.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;
use lambda_http::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY,
};
use lambda_http::http::{HeaderName, StatusCode};
use lambda_http::{Body, Request, RequestExt as _, Response};
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};
use windi_shared::protocol::PageConfig;
use windi_shared::{Error, Result};

use crate::contract::call::JSON;
use crate::http_api::{self, Answer};
use crate::{contract, door, socket};

/// Where versions are below.
const PREFIX: &str = "/web/";
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Kept, but asked about before each use.
const ASK: &str = "no-cache";

#[derive(RustEmbed)]
#[folder = "web/"]
#[include = "index.html"]
#[include = "style.css"]
#[include = "manifest.json"]
#[include = "*.svg"]
#[include = "app.js"]
#[include = "sw.js"]
#[include = "docs.html"]
#[include = "docs.js"]
#[include = "app/*.js"]
#[include = "client/*.js"]
#[include = "i18n/*.js"]
#[include = "vendor/*.js"]
#[include = "vendor/*.css"]
#[include = "vendor/*/LICENSE*"]
#[exclude = "*node_modules/*"]
#[exclude = "*/tests/*"]
struct Files;

/// One version of all files.
struct Site {
    version: String,
    /// Everything that these name is a file of this version.
    pages: BTreeMap<&'static str, File>,
    files: BTreeMap<String, File>,
}

/// The pages, whose paths have no version.
const PAGES: [&str; 2] = ["index.html", "docs.html"];
/// Its path has no version either, because it is for all paths: a service worker is for those below its own.
const SERVICE_WORKER: &str = "sw.js";

struct File {
    bytes: Vec<u8>,
    /// Made when it is first asked for: whoever opens the page does not wait for the files of `/docs`. Empty if it is not worth
    /// it.
    gzip: OnceLock<Vec<u8>>,
    etag: String,
}

pub fn main() -> door::Outcome {
    door::run(|door| async move {
        let (websocket_url, files_origin) = (door.websocket_url(), door.files_origin());
        door.http(|request| handle(websocket_url.as_deref(), files_origin.as_deref(), request)).await
    })
}

/// `websocket_url` is where the page opens its socket, and `files_origin` where files are; by default on the page's own host.
pub async fn handle(websocket_url: Option<&str>, files_origin: Option<&str>, request: Request) -> Response<Body> {
    http_api::respond(&request, async { answer(websocket_url, files_origin.unwrap_or_default(), &request) }).await
}

fn answer(websocket_url: Option<&str>, files: &str, request: &Request) -> Result<Answer> {
    let websocket_url = websocket_url.map_or_else(|| own_websocket_url(request), str::to_owned);
    match http_api::route(request).as_str() {
        "GET /" => page("index.html", &websocket_url, files, request),
        "GET /docs" => page("docs.html", &websocket_url, files, request),
        "GET /sw.js" => service_worker(request),
        "GET /config.json" => http_api::ok(&PageConfig { web_socket_url: websocket_url }),
        "GET /openapi.json" => {
            static OPENAPI: LazyLock<File> = LazyLock::new(|| File::new(contract::openapi().to_string().into_bytes()));
            Ok(serve(request, &OPENAPI, JSON, ASK))
        }
        "GET /asyncapi.json" => {
            // There is one address behind most doors, so the last one's document is kept.
            static ASYNCAPI: Mutex<Option<(String, Arc<File>)>> = Mutex::new(None);
            let mut kept = ASYNCAPI.lock().unwrap_or_else(PoisonError::into_inner);
            let file = match &*kept {
                Some((url, file)) if *url == websocket_url => Arc::clone(file),
                _ => {
                    let file = Arc::new(File::new(contract::asyncapi(&websocket_url).to_string().into_bytes()));
                    Arc::clone(&kept.insert((websocket_url, file)).1)
                }
            };
            drop(kept);
            Ok(serve(request, &file, JSON, ASK))
        }
        "GET /web/{version}/{file+}" => file(request),
        route => http_api::unknown_route(route),
    }
}

fn page(name: &str, websocket_url: &str, files: &str, request: &Request) -> Result<Answer> {
    let site = site(true);
    let mut answer = serve(request, &site.pages[name], "text/html; charset=utf-8", ASK);
    let origin = websocket_url.rsplit_once('/').map_or(websocket_url, |(origin, _)| origin);
    for (name, value) in [
        // Nothing from elsewhere, nothing inline, and no frame around it. Some browsers do not count a socket as 'self'.
        (
            CONTENT_SECURITY_POLICY,
            format!(
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: {files}; \
                 connect-src 'self' {origin} {files}; \
                 manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            ),
        ),
        (REFERRER_POLICY, "no-referrer".to_owned()),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin".to_owned()),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()".to_owned()),
    ] {
        // A client's own Host header may be in it.
        answer.set(name, &value).map_err(|_| Error::field("host", "is not the name of a host"))?;
    }
    Ok(answer)
}

fn service_worker(request: &Request) -> Result<Answer> {
    let site = site(true);
    let file = site.files.get(SERVICE_WORKER).ok_or_else(|| Error::internal("there is no service worker"))?;
    Ok(serve(request, file, media_type(SERVICE_WORKER), ASK))
}

fn file(request: &Request) -> Result<Answer> {
    let parameters = request.path_parameters();
    let (version, name) =
        (parameters.first("version").unwrap_or_default(), parameters.first("file").unwrap_or_default());
    let site = site(false);
    // Another version's page must not get this one's files; it works again when it is loaded anew.
    let file = site.files.get(name).filter(|_| version == site.version).ok_or(Error::FileNotFound)?;
    Ok(serve(request, file, media_type(name), FOREVER))
}

fn serve(request: &Request, file: &File, kind: &'static str, keep: &'static str) -> Answer {
    let header =
        |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known = header(IF_NONE_MATCH).split(',').any(|etag| etag.trim().trim_start_matches("W/") == file.etag);
    let gzip = !known && header(ACCEPT_ENCODING).contains("gzip") && !file.gzip().is_empty();
    let mut answer = match (known, gzip) {
        (true, _) => Answer::new(StatusCode::NOT_MODIFIED, Body::Empty),
        (false, true) => Answer::new(StatusCode::OK, Body::Binary(file.gzip().to_vec())),
        (false, false) => Answer::new(StatusCode::OK, Body::Binary(file.bytes.clone())),
    };
    if gzip {
        answer.set_static(CONTENT_ENCODING, "gzip");
    }
    answer.set_static(CONTENT_TYPE, kind);
    answer.set_static(CACHE_CONTROL, keep);
    answer.set_static(VARY, "accept-encoding");
    // An etag is ours: hexadecimal in quotes.
    let _ = answer.set(ETAG, &file.etag);
    answer
}

/// The stage of the WebSocket API on the host that this request was for, which is so with the local gateway.
fn own_websocket_url(request: &Request) -> String {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let scheme = if header("x-forwarded-proto") == Some("https") { "wss" } else { "ws" };
    format!("{scheme}://{}/{}", header("host").unwrap_or("localhost"), socket::STAGE)
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/manifest+json",
        _ => "text/plain; charset=utf-8",
    }
}

/// What is in this build, or in a debug build what is on the disk now. Only a page is worth looking for changes, which
/// takes longer than answering: its files are those of its version.
fn site(for_page: bool) -> Arc<Site> {
    static SITE: Mutex<Option<(Changes, Arc<Site>)>> = Mutex::new(None);
    let changed = if cfg!(debug_assertions) && for_page { Some(changes()) } else { None };
    let mut site = SITE.lock().unwrap_or_else(PoisonError::into_inner);
    match &*site {
        Some((known, site)) if changed.as_ref().is_none_or(|changed| known == changed) => Arc::clone(site),
        _ => Arc::clone(&site.insert((changed.unwrap_or_default(), Arc::new(Site::read()))).1),
    }
}

/// When each file was last changed.
type Changes = Vec<Option<SystemTime>>;

fn changes() -> Changes {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/web"));
    Files::iter().map(|name| std::fs::metadata(directory.join(&*name)).ok()?.modified().ok()).collect()
}

impl Site {
    fn read() -> Self {
        let mut all = Sha256::new();
        let mut files = BTreeMap::new();
        for name in Files::iter() {
            let Some(file) = Files::get(&name) else { continue };
            all.update(name.as_bytes());
            all.update(file.metadata.sha256_hash());
            files.insert(name.into_owned(), File::new(file.data.into_owned()));
        }
        let version = hex(&all.finalize()[..8]);
        let page = |name: &'static str| {
            let html = files.get(name).map(|file: &File| String::from_utf8_lossy(&file.bytes)).unwrap_or_default();
            (name, File::new(html.replace("\"./", &format!("\"{PREFIX}{version}/")).into_bytes()))
        };
        Self { pages: PAGES.map(page).into(), version, files }
    }
}

impl File {
    fn new(bytes: Vec<u8>) -> Self {
        let etag = format!("\"{}\"", hex(&Sha256::digest(&bytes)[..8]));
        Self { bytes, gzip: OnceLock::new(), etag }
    }

    fn gzip(&self) -> &[u8] {
        self.gzip.get_or_init(|| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            let gzip = encoder.write_all(&self.bytes).and_then(|()| encoder.finish()).unwrap_or_default();
            if gzip.len() < self.bytes.len() { gzip } else { Vec::new() }
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
