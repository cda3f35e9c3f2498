//! The JSON of every event, as AWS documents it and as logs of the real service show it: which keys exist, which are
//! omitted rather than null, and how each value is written.
//!
//! Sources: API Gateway developer guide, "Working with AWS Lambda proxy integrations for HTTP APIs" (payload 2.0),
//! "Integration requests in WebSocket APIs", "Create a Lambda REQUEST authorizer function" for WebSocket APIs.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use chrono::{DateTime, Utc};
use http::header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, USER_AGENT};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::aws::{ACCOUNT, HTTP_API, REGION, WEBSOCKET_API};
use crate::headers::text;
use crate::routes::Matched;
use crate::state::Peer;
use crate::template::HttpApi;

/// A request, connection or message id as API Gateway makes them: 11 random bytes in URL-safe base64, such as
/// `TXzPWdnOjoECGjA=`.
pub fn new_id() -> String {
    let mut bytes = [0; 11];
    // A system without randomness is beyond help, and a repeated id would be noticed at its first use.
    let _ = getrandom::fill(&mut bytes);
    URL_SAFE.encode(bytes)
}

/// The event of an HTTP route, payload format 2.0.
pub fn http(api: &HttpApi, request: &http::request::Parts, body: &[u8], matched: &Matched<'_>, peer: Peer) -> Value {
    let now = Utc::now();
    let key = matched.route.key();
    let host = text(&request.headers, HOST.as_str());
    let mut event = json!({
        "version": "2.0",
        "routeKey": key,
        "rawPath": request.uri.path(),
        "rawQueryString": request.uri.query().unwrap_or_default(),
        "headers": folded_headers(request, peer),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": HTTP_API,
            "domainName": host,
            "domainPrefix": host.split(['.', ':']).next(),
            "http": {
                "method": request.method.as_str(),
                "path": request.uri.path(),
                "protocol": "HTTP/1.1",
                "sourceIp": peer.client.address.to_string(),
                "userAgent": text(&request.headers, USER_AGENT.as_str()),
            },
            "requestId": new_id(),
            "routeKey": key,
            "stage": api.stage,
            "time": clf_time(now),
            "timeEpoch": now.timestamp_millis(),
        },
        "isBase64Encoded": false,
    });
    if !api.variables.is_empty() {
        event["stageVariables"] = json!(api.variables);
    }
    let cookies: Vec<_> = request.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
    if !cookies.is_empty() {
        event["cookies"] = cookies.iter().flat_map(|value| value.split(';')).map(str::trim).collect();
    }
    let query = multi_query(request.uri.query());
    if !query.is_empty() {
        event["queryStringParameters"] =
            query.into_iter().map(|(name, values)| (name, Value::String(values.join(",")))).collect();
    }
    if !matched.parameters.is_empty() {
        event["pathParameters"] =
            matched.parameters.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    }
    if !body.is_empty() {
        let as_text = std::str::from_utf8(body).ok().filter(|_| is_text(&request.headers));
        event["isBase64Encoded"] = as_text.is_none().into();
        event["body"] = as_text.map_or_else(|| STANDARD.encode(body), str::to_owned).into();
    }
    event
}

/// Whether an HTTP API passes a body of this type on as text. Anything else, including forms, is sent in base64.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = text(headers, CONTENT_TYPE.as_str()).to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/") || ["application/json", "application/javascript", "application/xml"].contains(&kind)
}

/// The headers with lower-case names, repeated ones joined by commas, plus those the gateway adds. Cookies are left
/// out: the event has them in a separate list.
fn folded_headers(request: &http::request::Parts, peer: Peer) -> Map<String, Value> {
    let mut folded = Map::new();
    for name in request.headers.keys().filter(|name| *name != COOKIE) {
        let values: Vec<_> = request.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        folded.insert(name.as_str().to_owned(), values.join(",").into());
    }
    for (name, value) in forwarded(peer) {
        folded.insert(name.to_ascii_lowercase(), value.into());
    }
    folded
}

fn forwarded(peer: Peer) -> [(&'static str, String); 4] {
    let trace = uuid::Uuid::new_v4().simple().to_string();
    [
        ("X-Amzn-Trace-Id", format!("Root=1-{:08x}-{}", Utc::now().timestamp(), &trace[..24])),
        ("X-Forwarded-For", peer.client.address.to_string()),
        ("X-Forwarded-Port", peer.port.to_string()),
        ("X-Forwarded-Proto", if peer.client.secure { "https" } else { "http" }.to_owned()),
    ]
}

/// What all events of one WebSocket connection have in common.
#[derive(Debug, Clone)]
pub struct Socket {
    pub connection_id: String,
    /// When the handshake began.
    pub connected_at: DateTime<Utc>,
    pub stage: String,
    /// Stage variables.
    pub variables: BTreeMap<String, String>,
    /// The `Host` header of the handshake.
    pub domain: String,
    pub peer: Peer,
    /// The `User-Agent` header of the handshake.
    pub user_agent: Option<String>,
    /// The authorizer's context, on every event from `$connect` on.
    pub authorizer: Option<Map<String, Value>>,
}

/// The handshake's headers, their names in mixed case as in API Gateway's events.
pub type HeaderList = Vec<(String, String)>;

impl Socket {
    fn context(&self, kind: &str, route_key: &str) -> Map<String, Value> {
        let now = Utc::now();
        let request_id = new_id();
        let mut identity = Map::new();
        if let Some(agent) = self.user_agent.as_ref().filter(|_| kind == "CONNECT") {
            identity.insert("userAgent".to_owned(), agent.as_str().into());
        }
        identity.insert("sourceIp".to_owned(), self.peer.client.address.to_string().into());
        let mut context = Map::from_iter(
            [
                ("routeKey", json!(route_key)),
                ("eventType", json!(kind)),
                // Equal to the request id in every real sample.
                ("extendedRequestId", json!(request_id)),
                ("requestTime", json!(clf_time(now))),
                ("messageDirection", json!("IN")),
                ("stage", json!(self.stage)),
                ("connectedAt", json!(self.connected_at.timestamp_millis())),
                ("requestTimeEpoch", json!(now.timestamp_millis())),
                ("identity", Value::Object(identity)),
                ("requestId", json!(request_id)),
                ("domainName", json!(self.domain)),
                ("connectionId", json!(self.connection_id)),
                ("apiId", json!(WEBSOCKET_API)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        if let Some(authorizer) = &self.authorizer {
            context.insert("authorizer".to_owned(), Value::Object(authorizer.clone()));
        }
        context
    }

    /// The ARN that the authorizer's policy allows or denies.
    pub fn method_arn(&self) -> String {
        format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{WEBSOCKET_API}/{}/$connect", self.stage)
    }

    /// The event of the Lambda authorizer. Unlike that of `$connect`, it has the `Connection` and `Upgrade` headers.
    pub fn authorize(&self, headers: &HeaderList, query: Option<&str>) -> Value {
        let mut event = self.handshake(headers, query);
        event.insert("type".to_owned(), "REQUEST".into());
        event.insert("methodArn".to_owned(), self.method_arn().into());
        event.entry("stageVariables").or_insert_with(|| json!({}));
        event.entry("queryStringParameters").or_insert_with(|| json!({}));
        event.entry("multiValueQueryStringParameters").or_insert_with(|| json!({}));
        event.insert("requestContext".to_owned(), Value::Object(self.context("CONNECT", "$connect")));
        Value::Object(event)
    }

    /// The event of `$connect`.
    pub fn connect(&self, headers: &HeaderList, query: Option<&str>) -> Value {
        let hop = |name: &str| name.eq_ignore_ascii_case("connection") || name.eq_ignore_ascii_case("upgrade");
        let headers = headers.iter().filter(|(name, _)| !hop(name)).cloned().collect();
        let mut event = self.handshake(&headers, query);
        event.insert("requestContext".to_owned(), Value::Object(self.context("CONNECT", "$connect")));
        event.insert("isBase64Encoded".to_owned(), false.into());
        Value::Object(event)
    }

    /// The headers and the query of the handshake. Without a query, its keys are omitted.
    fn handshake(&self, headers: &HeaderList, query: Option<&str>) -> Map<String, Value> {
        let mut single = Map::new();
        let mut multi: Map<String, Value> = Map::new();
        let added = forwarded(self.peer).map(|(name, value)| (name.to_owned(), value));
        for (name, value) in headers.iter().cloned().chain(added) {
            single.insert(name.clone(), value.clone().into());
            match multi.entry(name).or_insert_with(|| json!([])) {
                Value::Array(values) => values.push(value.into()),
                other => *other = json!([value]),
            }
        }
        let mut event = Map::new();
        event.insert("headers".to_owned(), Value::Object(single));
        event.insert("multiValueHeaders".to_owned(), Value::Object(multi));
        if !self.variables.is_empty() {
            event.insert("stageVariables".to_owned(), json!(self.variables));
        }
        let query = multi_query(query);
        if !query.is_empty() {
            let last = query.iter().map(|(name, values)| (name.clone(), json!(values.last()))).collect();
            let all = query.into_iter().map(|(name, values)| (name, json!(values))).collect();
            event.insert("queryStringParameters".to_owned(), Value::Object(last));
            event.insert("multiValueQueryStringParameters".to_owned(), Value::Object(all));
        }
        event
    }

    /// The event of a frame, which has neither headers nor a query.
    pub fn message(&self, route_key: &str, frame: &str) -> Value {
        let mut context = self.context("MESSAGE", route_key);
        context.insert("messageId".to_owned(), new_id().into());
        json!({"requestContext": context, "body": frame, "isBase64Encoded": false})
    }

    /// The event of `$disconnect`, with the fixed set of headers it has on AWS.
    pub fn disconnect(&self, code: u16, reason: &str) -> Value {
        let mut context = self.context("DISCONNECT", "$disconnect");
        context.insert("disconnectStatusCode".to_owned(), code.into());
        context.insert("disconnectReason".to_owned(), reason.into());
        let headers = [("Host", self.domain.as_str()), ("x-api-key", ""), ("X-Forwarded-For", ""), ("x-restapi", "")];
        json!({
            "headers": Map::from_iter(headers.map(|(name, value)| (name.to_owned(), json!(value)))),
            "multiValueHeaders": Map::from_iter(headers.map(|(name, value)| (name.to_owned(), json!([value])))),
            "requestContext": context,
            "isBase64Encoded": false,
        })
    }
}

/// The parameters of a query, decoded, in order of first appearance.
pub fn multi_query(query: Option<&str>) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        match found.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => values.push(value),
            None => found.push((name, vec![value])),
        }
    }
    found
}

/// Formats a time like `12/Mar/2020:19:03:58 +0000`.
fn clf_time(at: DateTime<Utc>) -> String {
    at.format("%d/%b/%Y:%H:%M:%S +0000").to_string()
}
