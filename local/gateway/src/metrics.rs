//! What the gateway counts. The names are those of Prometheus: totals, and seconds.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use http::{Method, StatusCode};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder};
use serde_json::Value;

use crate::invoke::InvokeError;
use crate::routes::HttpRoute;

const REQUESTS: &str = "http_requests_total";
const REQUEST_SECONDS: &str = "http_request_duration_seconds";
const INVOCATIONS: &str = "function_invocations_total";
const INVOCATION_SECONDS: &str = "function_duration_seconds";
const FRAMES: &str = "websocket_frames_total";
const HANDSHAKES: &str = "websocket_handshakes_total";
const SOCKETS: &str = "websocket_connections";
const CALLS: &str = "connections_calls_total";

/// Whether anybody will ask: labels cost allocations.
static ON: AtomicBool = AtomicBool::new(false);

/// Upper bounds of the histograms' buckets, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Counts from now on, and serves the counts at `http://<address>/metrics`. Until then nothing is counted.
///
/// # Errors
/// If the address cannot be listened on, or metrics are served already.
pub fn serve(address: SocketAddr) -> Result<(), BuildError> {
    PrometheusBuilder::new().with_http_listener(address).set_buckets(&BUCKETS)?.install()?;
    ON.store(true, Ordering::Relaxed);
    describe_counter!(REQUESTS, "Requests to the HTTP API, by route and status.");
    describe_histogram!(REQUEST_SECONDS, "How long requests to the HTTP API took, by route.");
    describe_counter!(INVOCATIONS, "Invocations of functions, by outcome: ok, failed or timed_out.");
    describe_histogram!(INVOCATION_SECONDS, "How long functions took to answer.");
    describe_counter!(FRAMES, "Frames from clients, by route.");
    describe_counter!(HANDSHAKES, "Handshakes of sockets, by status.");
    describe_gauge!(SOCKETS, "Open sockets.");
    describe_counter!(CALLS, "Calls of @connections, by method and status. A POST is a push to one device.");
    Ok(())
}

pub(crate) fn request(route: &HttpRoute, status: StatusCode, start: Instant) {
    if !ON.load(Ordering::Relaxed) {
        return;
    }
    counter!(REQUESTS, "route" => route.key(), "status" => status.as_u16().to_string()).increment(1);
    histogram!(REQUEST_SECONDS, "route" => route.key()).record(start.elapsed());
}

pub(crate) fn invocation<E>(function: &str, outcome: &Result<Result<Value, InvokeError>, E>, start: Instant) {
    if !ON.load(Ordering::Relaxed) {
        return;
    }
    let outcome = match outcome {
        Ok(Ok(_)) => "ok",
        // A token that is not good.
        Ok(Err(error)) if error.is_unauthorized() => "ok",
        Ok(Err(_)) => "failed",
        Err(_) => "timed_out",
    };
    counter!(INVOCATIONS, "function" => function.to_owned(), "outcome" => outcome).increment(1);
    histogram!(INVOCATION_SECONDS, "function" => function.to_owned()).record(start.elapsed());
}

pub(crate) fn frame(route: Option<&str>) {
    if !ON.load(Ordering::Relaxed) {
        return;
    }
    counter!(FRAMES, "route" => route.unwrap_or("none").to_owned()).increment(1);
}

pub(crate) fn handshake(status: StatusCode) {
    if !ON.load(Ordering::Relaxed) {
        return;
    }
    counter!(HANDSHAKES, "status" => status.as_u16().to_string()).increment(1);
}

pub(crate) fn sockets(number: usize) {
    if !ON.load(Ordering::Relaxed) {
        return;
    }
    gauge!(SOCKETS).set(number as f64);
}

pub(crate) fn connections_call(method: &Method, status: StatusCode) {
    if !ON.load(Ordering::Relaxed) {
        return;
    }
    counter!(CALLS, "method" => method.to_string(), "status" => status.as_u16().to_string()).increment(1);
}
