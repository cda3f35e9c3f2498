//! What the messenger uses of AWS, where it runs in this process: the requests that the AWS SDKs have built and signed
//! reach it as calls, without a socket in between. The SDKs' errors and retries apply as ever, and so do their time limits
//! to posts and to whatever goes over the network. An operation of DynamoDB is over before a limit could end it.

use std::sync::{Arc, OnceLock};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::HttpError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use sam_gateway::management::Management;
use windi_backing::dynamodb::Direct;

/// Before the name of an operation in the header `x-amz-target`.
const DYNAMODB_TARGET: &str = "DynamoDB_20120810.";

/// The services that run in this process. Those that do not are asked over the network.
#[derive(Debug, Clone, Default)]
pub struct InProcessAws {
    dynamodb: Option<Direct>,
    management: Arc<OnceLock<Management>>,
}

impl InProcessAws {
    pub fn new(dynamodb: Option<Direct>) -> Self {
        Self { dynamodb, management: Arc::default() }
    }

    /// Posts go straight to this gateway from now on, until it stops. The functions need their clients before the gateway
    /// can start. To be called once: a second gateway is ignored.
    pub fn connect(&self, gateway: Management) {
        let _ = self.management.set(gateway);
    }

    /// The client for requests to DynamoDB.
    pub fn dynamodb(&self, network: SharedHttpClient) -> SharedHttpClient {
        match &self.dynamodb {
            Some(direct) => SharedHttpClient::new(Client { service: Service::DynamoDb(direct.clone()), network }),
            None => network,
        }
    }

    /// The client for requests to `@connections`.
    pub fn management(&self, network: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Client { service: Service::Management(Arc::clone(&self.management)), network })
    }
}

#[derive(Debug, Clone)]
enum Service {
    DynamoDb(Direct),
    /// Empty until the gateway has started.
    Management(Arc<OnceLock<Management>>),
}

#[derive(Debug)]
struct Client {
    service: Service,
    network: SharedHttpClient,
}

#[derive(Debug)]
struct Connector {
    service: Service,
    network: SharedHttpConnector,
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let network = self.network.http_connector(settings, components);
        SharedHttpConnector::new(Connector { service: self.service.clone(), network })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        match &self.service {
            Service::DynamoDb(direct) => match ask(direct, &request) {
                Some(answer) => HttpConnectorFuture::ready(to_sdk(http::Response::new(answer.into()))),
                None => self.network.call(request),
            },
            Service::Management(gateway) => match gateway.get().cloned() {
                Some(gateway) => HttpConnectorFuture::new(post(gateway, request, self.network.clone())),
                None => self.network.call(request),
            },
        }
    }
}

fn ask(direct: &Direct, request: &HttpRequest) -> Option<Vec<u8>> {
    let operation = request.headers().get("x-amz-target")?.strip_prefix(DYNAMODB_TARGET)?;
    direct.call(operation, request.body().bytes()?)
}

async fn post(
    gateway: Management,
    request: HttpRequest,
    network: SharedHttpConnector,
) -> Result<HttpResponse, ConnectorError> {
    let Some(body) = request.body().bytes().map(Bytes::copy_from_slice) else { return network.call(request).await };
    let request = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?.map(|_| body);
    match gateway.call(&request).await {
        Some(answer) => to_sdk(answer),
        None => {
            let request =
                request.map(SdkBody::from).try_into().map_err(|e: HttpError| ConnectorError::user(e.into()))?;
            network.call(request).await
        }
    }
}

fn to_sdk(answer: http::Response<Bytes>) -> Result<HttpResponse, ConnectorError> {
    HttpResponse::try_from(answer.map(SdkBody::from)).map_err(|e| ConnectorError::user(e.into()))
}
