//! What a post costs in the AWS SDK, and each part of it that can be switched off: `cargo bench -p windi-local --bench sdk`.
//!
//! The SDK builds, signs and sends a post to an HTTP client that answers at once, so that only its own work is measured.
//! Each setting is compared with the SDK's defaults and our time limits, in alternating blocks, on one thread.

#![expect(clippy::unwrap_used, reason = "a benchmark ends where something unexpected happens")]

mod support;

use std::time::Instant;

use aws_config::identity::IdentityCache;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_runtime::user_agent::UserAgentInterceptor;
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_sdk_apigatewaymanagement::config::{Builder, Config, ConfigBag, Credentials, Intercept};
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::disable_interceptor;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use support::median;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BLOCKS: usize = 40;
const POSTS: usize = 500;
const ENDPOINT: &str = "http://127.0.0.1:9/ws";

/// Answers every request with 200.
#[derive(Debug, Clone)]
struct Echo;

impl HttpClient for Echo {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Self)
    }
}

impl HttpConnector for Echo {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::empty())))
    }
}

/// The endpoint without the rules that lead to it.
#[derive(Debug)]
struct Fixed(Endpoint);

impl ResolveEndpoint for Fixed {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(self.0.clone()))
    }
}

#[derive(Debug)]
struct NoUserAgent;

impl Intercept for NoUserAgent {
    fn name(&self) -> &'static str {
        "NoUserAgent"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state().store_put(disable_interceptor::<UserAgentInterceptor>("measured"));
        Ok(())
    }
}

fn defaults() -> Builder {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(std::time::Duration::from_secs(1))
        .operation_timeout(std::time::Duration::from_secs(3));
    Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "bench"))
        .endpoint_url(ENDPOINT)
        .timeout_config(timeouts.build())
        .http_client(Echo)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let unstalled = |config: Builder| config.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let uncached = |config: Builder| config.identity_cache(IdentityCache::no_cache());
    let fixed = |config: Builder| config.endpoint_resolver(Fixed(Endpoint::builder().url(ENDPOINT).build()));
    let nameless = |config: Builder| config.interceptor(NoUserAgent);
    let unskewed = |config: Builder| config.disable_clock_skew_correction(true);
    let untimed = |config: Builder| config.timeout_config(TimeoutConfig::disabled());
    let variants: [(&str, Builder); 7] = [
        ("no stalled-stream protection", unstalled(defaults())),
        ("no identity cache", uncached(defaults())),
        ("fixed endpoint", fixed(defaults())),
        ("no user agent", nameless(defaults())),
        ("no clock-skew correction", unskewed(defaults())),
        ("no time limits", untimed(defaults())),
        ("all of these", untimed(unskewed(nameless(fixed(uncached(unstalled(defaults()))))))),
    ];
    let usual = Client::from_conf(defaults().build());
    println!("{:32} {:>8} {:>8} {:>6}", "a post, µs", "default", "without", "ratio");
    for (what, config) in variants {
        let other = Client::from_conf(config.build());
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..BLOCKS {
            with.push(block(&usual).await);
            without.push(block(&other).await);
        }
        let (with, without) = (median(with), median(without));
        println!("{what:32} {with:8.1} {without:8.1} {:6.2}", without / with);
    }
}

/// Posts, and returns how long one took, in microseconds.
async fn block(client: &Client) -> f64 {
    let body = Blob::new(vec![b'x'; 300]);
    let start = Instant::now();
    for _ in 0..POSTS {
        client.post_to_connection().connection_id("TXzPWdnOjoECGjA=").data(body.clone()).send().await.unwrap();
    }
    start.elapsed().as_secs_f64() * 1e6 / POSTS as f64
}
