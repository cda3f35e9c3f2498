//! The three APIs on one port: HTTP at the root, the WebSocket API under its stage, `@connections` under that.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::access::Access;
use crate::answers::{json, message};
use crate::faults::Faults;
use crate::invoke::Functions;
use crate::management::Management;
use crate::neighbour::{self, Neighbour};
use crate::sockets::Sockets;
use crate::state::{Limits, Peer, Shared};
use crate::template::Template;
use crate::websocket_api::{self, handshake};
use crate::{http_api, listener, management};

/// The path where the faults are read and changed, if the gateway was started with any.
pub const TEST_API: &str = "/@faults";

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// How to serve, apart from what the template says.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub limits: Limits,
    /// If it is given, even with nothing in it yet, the faults can be read and changed at [`TEST_API`].
    pub faults: Option<Faults>,
    pub access: Access,
    pub neighbour: Option<Arc<dyn Neighbour>>,
}

impl Gateway {
    /// Serves the template on `listener`.
    ///
    /// # Errors
    /// If a route's function does not exist, or if the listener has no local address.
    pub fn start(
        listener: TcpListener,
        template: Template,
        functions: Arc<dyn Functions>,
        settings: Settings,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        template.check(|function| functions.knows(function))?;
        let Settings { limits, faults, access, neighbour } = settings;
        let address = listener.local_addr()?;
        let (stop, shutdown) = watch::channel(false);
        let shared = Arc::new(Shared {
            template,
            functions,
            sockets: Sockets::default(),
            limits,
            access,
            neighbour,
            port: address.port(),
            alive: Arc::new(()),
            under_way: Arc::new(()),
            test_api: faults.is_some(),
            faults: Mutex::new(faults.unwrap_or_default()),
            shutdown: shutdown.clone(),
        });
        let served = shared.clone();
        let answer = move |address, request| answer(served.clone(), address, request);
        let server = tokio::spawn(listener::serve(listener, shared.limits.request, shutdown, answer));
        Ok(Self { shared, address, stop, server })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn sockets(&self) -> &Sockets {
        &self.shared.sockets
    }

    /// `@connections`, for functions in this process.
    pub fn management(&self) -> Management {
        Management::new(&self.shared)
    }

    /// How many frames of clients wait for a function or are being handled by one. At 0, everything that clients asked
    /// for over sockets has been done.
    pub fn frames_under_way(&self) -> usize {
        Arc::strong_count(&self.shared.under_way) - 1
    }

    /// Stops listening, closes every socket with 1001 and calls its `$disconnect`. Requests under way and clients get
    /// two seconds to finish.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let ended = async {
            // If the task panicked, it has ended too.
            let _ = (&mut self.server).await;
            while Arc::strong_count(&self.shared.alive) > 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(2), ended).await.is_err() {
            self.server.abort();
        }
    }
}

async fn answer(shared: Arc<Shared>, address: SocketAddr, request: Request<Body>) -> Response<Body> {
    if let Some(neighbour) = shared.neighbour.as_ref().filter(|one| request.uri().path().starts_with(one.prefix())) {
        let answered = tokio::time::timeout(neighbour::LIMIT, neighbour.answer(request)).await;
        return answered.unwrap_or_else(|_| refused(StatusCode::REQUEST_TIMEOUT));
    }
    let (parts, body) = request.into_parts();
    let peer = Peer { client: shared.access.client(address.ip(), &parts.headers), port: shared.port };
    let is_function = shared.access.is_function(address.ip(), &parts.headers);
    if let Some(api) = &shared.template.websocket {
        if websocket_api::is_upgrade(&parts.headers) {
            if parts.uri.path().strip_prefix('/') != Some(&api.stage) {
                return message(StatusCode::FORBIDDEN, "Forbidden");
            }
            return handshake::open(shared.clone(), api.clone(), Request::from_parts(parts, body), peer).await;
        }
        if let Some((stage, id)) = management::target(parts.uri.path()) {
            if stage != api.stage || !is_function {
                return management::forbidden();
            }
            return match read(&shared, body).await {
                Ok(body) => management::answer(&shared, &parts.method, &parts.headers, &id, &body).await,
                Err(StatusCode::PAYLOAD_TOO_LARGE) => management::too_large(),
                Err(status) => refused(status),
            };
        }
    }
    let body = match read(&shared, body).await {
        Ok(body) => body,
        Err(status) => return refused(status),
    };
    if shared.test_api && is_function && parts.uri.path() == TEST_API {
        return test_api(&shared, &parts.method, &body);
    }
    http_api::answer(&shared, parts, body, peer).await
}

/// The body, if all of it arrives in time and it is not too large.
async fn read(shared: &Shared, body: Body) -> Result<Bytes, StatusCode> {
    match tokio::time::timeout(shared.limits.request, axum::body::to_bytes(body, http_api::MAX_REQUEST)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// The answer to a request that could not be read; the connection cannot be used for another.
fn refused(status: StatusCode) -> Response<Body> {
    let text = if status == StatusCode::REQUEST_TIMEOUT { "Request Timeout" } else { "Request Entity Too Large" };
    let mut response = message(status, text);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// `GET` returns the faults, `PUT` replaces them. Leaving a field out turns that fault off.
fn test_api(shared: &Shared, method: &Method, body: &[u8]) -> Response<Body> {
    if method == Method::PUT {
        let faults = serde_json::from_slice::<Faults>(body).map_err(|e| e.to_string());
        match faults.and_then(|faults| faults.check().map(|()| faults)) {
            Ok(faults) => shared.set_faults(faults),
            Err(problem) => return message(StatusCode::BAD_REQUEST, &problem),
        }
    } else if method != Method::GET {
        return message(StatusCode::METHOD_NOT_ALLOWED, "GET or PUT");
    }
    json(StatusCode::OK, &shared.faults())
}
