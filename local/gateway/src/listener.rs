//! TCP connections, with HTTP/1 on each and a deadline for every request: a client that stops halfway through one must
//! not hold a connection forever.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::state::stopping;

/// How long to wait when the system has no descriptor left for a connection; some are closed all the time.
const BREATH: Duration = Duration::from_millis(100);

/// Answers requests until `stop` turns true, then finishes those in progress.
pub async fn serve<F>(
    listener: TcpListener,
    head_limit: Duration,
    mut stop: watch::Receiver<bool>,
    answer: impl Fn(SocketAddr, Request<Body>) -> F + Clone + Send + 'static,
) where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_limit);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = stopping(&mut stop) => break,
        };
        let (stream, address) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(%error, "A connection could not be accepted.");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        // Small frames must go out at once; Nagle's algorithm would hold them until an acknowledgement arrives.
        let _ = stream.set_nodelay(true);
        let answer = answer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answered = answer(address, request.map(Body::new));
            async move { Ok::<_, Infallible>(answered.await) }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut stop = stop.clone();
        connections.spawn(async move {
            let mut connection = pin!(connection);
            // An error is the client's: it has gone, has sent something other than HTTP, or has taken too long.
            tokio::select! {
                _ = connection.as_mut() => return,
                () = stopping(&mut stop) => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
