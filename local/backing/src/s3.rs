//! S3 in this process: the wire protocol on a loopback port, with the objects as files below a directory.
//!
//! `s3s` speaks the protocol, checks signatures and what they cover; `s3s-fs` keeps the objects. Only whoever knows the key can do
//! anything, so the port may also be reached from elsewhere, through [`Service::call`].

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{Request, Response};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The environment variable that gives the AWS SDKs the URL of S3.
pub const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL_S3";
/// The only bucket. The first part of the path of every object's URL.
pub const BUCKET: &str = "store";
/// The id of the only key.
pub const KEY_ID: &str = "local";
/// The objects below this are deleted when they are older than [`UNUSED_AFTER`], as the lifecycle rule in the template does.
const UNUSED: &str = "new";
const UNUSED_AFTER: Duration = Duration::from_secs(24 * 3600);
const SWEPT_EVERY: Duration = Duration::from_secs(3600);

/// Why S3 could not be started.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    #[error("cannot listen on a loopback port: {0}")]
    Listen(std::io::Error),
    #[error("{path}: {1}", path = .0.display())]
    Files(PathBuf, #[source] std::io::Error),
    #[error("cannot keep objects in {path}: {1}", path = .0.display())]
    Open(PathBuf, String),
}

/// An S3 with one bucket. Dropping it stops the server.
#[derive(Debug)]
pub struct S3 {
    endpoint: String,
    authority: http::HeaderValue,
    service: Service,
    server: JoinHandle<()>,
}

/// What answers requests, without the server in front of it.
#[derive(Clone)]
pub struct Service(Arc<S3Service>);

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Service")
    }
}

impl Service {
    /// Answers a request. One without a valid signature is refused before its body is read.
    pub async fn call<B>(&self, request: Request<B>) -> Response<s3s::Body>
    where
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        let request = request.map(s3s::Body::http_body_unsync);
        match self.0.call(request).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(?error, "The store failed.");
                let mut answer = Response::new(s3s::Body::empty());
                *answer.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
                answer
            }
        }
    }
}

impl S3 {
    /// Starts one whose objects are below `directory`, on a free port.
    ///
    /// # Errors
    /// If the directory cannot be made or there is no free port.
    pub async fn start(directory: &Path, secret_key: &str) -> Result<Self, S3Error> {
        let bucket = directory.join(BUCKET);
        std::fs::create_dir_all(&bucket).map_err(|e| S3Error::Files(bucket.clone(), e))?;
        let unused = bucket.join(UNUSED);
        delete_unused(&unused).map_err(|e| S3Error::Files(bucket.clone(), e))?;
        let objects = FileSystem::new(directory).map_err(|e| S3Error::Open(directory.to_owned(), format!("{e:?}")))?;
        let mut service = S3ServiceBuilder::new(objects);
        service.set_auth(SimpleAuth::from_single(KEY_ID, secret_key));
        let service = Service(Arc::new(service.build()));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(S3Error::Listen)?;
        let authority = listener.local_addr().map_err(S3Error::Listen)?.to_string();
        let served = service.clone();
        let server = tokio::spawn(async move {
            tokio::join!(serve(listener, served), sweep(&unused));
        });
        let endpoint = format!("http://{authority}");
        let authority =
            http::HeaderValue::from_str(&authority).map_err(|e| S3Error::Open(directory.to_owned(), e.to_string()))?;
        Ok(Self { endpoint, authority, service, server })
    }

    /// Its URL, for `endpoint_url`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What answers its requests, and the `Host` header that they must have whatever they came by: it is signed.
    pub fn service(&self) -> (Service, http::HeaderValue) {
        (self.service.clone(), self.authority.clone())
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, service: Service) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let service = service.clone();
        let answer = service_fn(move |request: Request<hyper::body::Incoming>| {
            let service = service.clone();
            async move { Ok::<_, Infallible>(service.call(request).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

async fn sweep(directory: &Path) {
    loop {
        tokio::time::sleep(SWEPT_EVERY).await;
        if let Err(error) = delete_unused(directory) {
            tracing::warn!(%error, "Uploads that were never finished could not be deleted.");
        }
    }
}

fn delete_unused(directory: &Path) -> std::io::Result<()> {
    let files = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        files => files?,
    };
    let now = SystemTime::now();
    for file in files {
        let file = file?;
        let age = now.duration_since(file.metadata()?.modified()?).unwrap_or_default();
        if file.file_type()?.is_file() && age > UNUSED_AFTER {
            std::fs::remove_file(file.path())?;
        }
    }
    Ok(())
}
