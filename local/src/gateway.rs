//! The faces on one port: HTTP at the root, the WebSocket API under its stage, `@connections` under that.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::serve::ListenerExt as _;
use http::{Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::events::Peer;
use crate::invoke::Invoker;
use crate::sockets::Sockets;
use crate::template::Template;
use crate::{http as http_face, management, websocket};

/// API Gateway's limits in time (its quotas page); shorter in tests that want to see them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a function may take to answer.
    pub integration: Duration,
    /// How long a socket may be silent in both directions.
    pub idle: Duration,
    /// How long a socket may live.
    pub life: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { integration: Duration::from_secs(29), idle: Duration::from_secs(600), life: Duration::from_secs(7200) }
    }
}

/// What all requests share.
#[derive(Debug)]
pub struct Shared {
    /// What to serve.
    pub template: Template,
    /// How functions are run.
    pub invoker: Invoker,
    /// Who is connected.
    pub sockets: Sockets,
    /// For how long.
    pub limits: Limits,
    /// The port in events.
    pub port: u16,
    /// Turns true when the gateway stops.
    pub shutdown: watch::Receiver<bool>,
}

/// A route whose function does not exist.
#[derive(Debug, thiserror::Error)]
#[error("the template's {route} goes to the function {function:?}, which does not exist")]
pub struct NoSuchFunction {
    route: String,
    function: String,
}

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Gateway {
    /// Serves the template on `listener`.
    ///
    /// # Errors
    /// [`NoSuchFunction`] if a route has none; otherwise that of the listener.
    pub fn start(
        listener: TcpListener,
        template: Template,
        invoker: Invoker,
        limits: Limits,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        check_functions(&template, &invoker)?;
        let address = listener.local_addr()?;
        let (stop, shutdown) = watch::channel(false);
        let shared = Arc::new(Shared {
            template,
            invoker,
            sockets: Sockets::default(),
            limits,
            port: address.port(),
            shutdown: shutdown.clone(),
        });
        let app = Router::new().fallback(answer).with_state(shared.clone());
        let listener = listener.tap_io(|stream| {
            // Small frames at once: Nagle's algorithm would hold them back for an acknowledgement.
            let _ = stream.set_nodelay(true);
        });
        let mut stopped = shutdown;
        let server = tokio::spawn(async move {
            let app = app.into_make_service_with_connect_info::<SocketAddr>();
            let until = async move {
                let _ = stopped.wait_for(|stopping| *stopping).await;
            };
            if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(until).await {
                tracing::error!(%error, "The gateway stopped serving.");
            }
        });
        Ok(Self { shared, address, stop, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The open sockets.
    pub fn sockets(&self) -> &Sockets {
        &self.shared.sockets
    }

    /// Closes every socket with 1001 and stops listening. Requests under way have two seconds to end.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        if tokio::time::timeout(Duration::from_secs(2), &mut self.server).await.is_err() {
            self.server.abort();
        }
    }
}

fn check_functions(template: &Template, invoker: &Invoker) -> Result<(), NoSuchFunction> {
    let http = template.http.iter().map(|route| (route.key(), &route.function));
    let socket = template.websocket.iter().flat_map(|api| {
        let routes = api.routes.iter().map(|(key, function)| (format!("WebSocket route {key}"), function));
        routes.chain(api.authorizer.iter().map(|authorizer| ("authorizer".to_owned(), &authorizer.function)))
    });
    match http.chain(socket).find(|(_, function)| !invoker.knows(function)) {
        Some((route, function)) => Err(NoSuchFunction { route, function: function.clone() }),
        None => Ok(()),
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response<Body> {
    let peer = Peer { address, port: shared.port };
    if let Some(api) = &shared.template.websocket {
        if request.uri().path().strip_prefix('/') == Some(&api.stage) && websocket::is_upgrade(request.headers()) {
            return websocket::open(shared.clone(), api.clone(), request, peer).await;
        }
        if let Some(id) = management::connection_id(request.uri().path(), &api.stage) {
            let (parts, body) = request.into_parts();
            return match axum::body::to_bytes(body, http_face::MAX_REQUEST).await {
                Ok(body) => management::answer(&shared.sockets, &parts.method, &parts.headers, &id, &body),
                Err(_) => http_face::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            };
        }
    }
    let (parts, body) = request.into_parts();
    match axum::body::to_bytes(body, http_face::MAX_REQUEST).await {
        Ok(body) => http_face::answer(&shared, parts, body, peer).await,
        Err(_) => http_face::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
    }
}
