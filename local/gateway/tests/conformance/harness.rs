//! A gateway with the test's template, in front of functions that the test plays itself. The gateway reaches them over
//! the same Invoke API as any others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::header::{HeaderMap, HeaderValue};
use sam_gateway::faults::Faults;
use sam_gateway::gateway::{Gateway, Settings};
use sam_gateway::invoke::host::Host;
use sam_gateway::state::Limits;
use sam_gateway::template::Template;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Longer than anything takes, so only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a function does when it is invoked.
#[derive(Clone)]
pub enum Answer {
    /// Answers with this.
    Json(Value),
    /// Fails, and reports it the way Lambda does.
    Fails(&'static str),
    /// Fails, and reports it the way `cargo lambda watch` does.
    FailsIn500(&'static str),
    /// Answers with something that is not JSON.
    Garbage,
    /// Never answers.
    Hangs,
    /// Posts `early` to the connection that invokes it, and returns the status of that post in a header.
    PostsToItself,
}

type Events = (mpsc::UnboundedSender<Value>, Arc<AsyncMutex<mpsc::UnboundedReceiver<Value>>>);

/// The functions that the test plays.
#[derive(Clone, Default)]
pub struct Functions {
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    events: Arc<Mutex<HashMap<String, Events>>>,
    base: Arc<Mutex<String>>,
}

impl Functions {
    /// Makes a function do this from now on. Otherwise it answers `{"statusCode": 200}`.
    pub fn set(&self, function: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(function.to_owned(), answer);
    }

    /// The next event of a function. Waits for one if there is none yet.
    pub async fn event(&self, function: &str) -> Value {
        let (_, events) = self.events_of(function);
        let mut events = events.lock().await;
        tokio::time::timeout(PATIENCE, events.recv()).await.expect("no event in time").unwrap()
    }

    /// The events that a function has received and the test has not taken yet.
    pub async fn events_so_far(&self, function: &str) -> Vec<Value> {
        let (_, events) = self.events_of(function);
        let mut events = events.lock().await;
        std::iter::from_fn(|| events.try_recv().ok()).collect()
    }

    fn events_of(&self, function: &str) -> Events {
        let new = || {
            let (sender, receiver) = mpsc::unbounded_channel();
            (sender, Arc::new(AsyncMutex::new(receiver)))
        };
        self.events.lock().unwrap().entry(function.to_owned()).or_insert_with(new).clone()
    }

    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/2015-03-31/functions/{name}/invocations", post(invoked))
            .layer(DefaultBodyLimit::disable())
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        format!("http://{address}")
    }
}

async fn invoked(State(functions): State<Functions>, Path(name): Path<String>, body: String) -> Response {
    let event: Value = serde_json::from_str(&body).unwrap();
    functions.events_of(&name).0.send(event.clone()).unwrap();
    let answer = functions.answers.lock().unwrap().get(&name).cloned();
    let failure = |message| json!({"errorType": "Error", "errorMessage": message}).to_string();
    match answer.unwrap_or(Answer::Json(json!({"statusCode": 200}))) {
        Answer::Json(value) => value.to_string().into_response(),
        Answer::Fails(message) => ([("X-Amz-Function-Error", "Unhandled")], failure(message)).into_response(),
        Answer::FailsIn500(message) => (http::StatusCode::INTERNAL_SERVER_ERROR, failure(message)).into_response(),
        Answer::Garbage => "not JSON".into_response(),
        Answer::Hangs => std::future::pending().await,
        Answer::PostsToItself => {
            let id = event["requestContext"]["connectionId"].as_str().unwrap();
            let base = functions.base.lock().unwrap().clone();
            let status = management(&base, reqwest::Method::POST, id, "early").await.status().as_u16();
            json!({"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": format!("got-{status}")}})
                .to_string()
                .into_response()
        }
    }
}

/// A gateway in front of such functions.
pub struct Stage {
    pub gateway: Gateway,
    pub functions: Functions,
    pub base: String,
    pub http: reqwest::Client,
}

/// One function for each route. `#more` can be replaced by more properties of the WebSocket API.
pub const TEMPLATE: &str = "
Resources:
  Connect: { Type: AWS::Serverless::Function }
  Disconnect: { Type: AWS::Serverless::Function }
  Send: { Type: AWS::Serverless::Function }
  Default: { Type: AWS::Serverless::Function }
  Authorize: { Type: AWS::Serverless::Function }
  Socket:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      StageName: prod
      RouteSelectionExpression: $request.body.action
      #more
      Routes:
        $connect: { FunctionArn: !GetAtt Connect.Arn }
        $disconnect: { FunctionArn: !GetAtt Disconnect.Arn }
        sendmessage: { FunctionArn: !GetAtt Send.Arn }
        $default: { FunctionArn: !GetAtt Default.Arn }
";

impl Stage {
    pub async fn new() -> Self {
        Self::with(TEMPLATE).await
    }

    pub async fn with(template: &str) -> Self {
        Self::with_limits(template, Limits::default()).await
    }

    pub async fn with_limits(template: &str, limits: Limits) -> Self {
        Self::with_all(template, limits, None).await
    }

    pub async fn with_all(template: &str, limits: Limits, faults: Option<Faults>) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), template).unwrap();
        let template = Template::load(file.path()).unwrap();
        let functions = Functions::default();
        let host = Arc::new(Host::new(&functions.serve().await).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        functions.base.lock().unwrap().clone_from(&base);
        let gateway =
            Gateway::start(listener, template, host, Settings { limits, faults, ..Settings::default() }).unwrap();
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { gateway, functions, base, http }
    }

    pub fn url(&self) -> String {
        format!("{}/prod", self.base.replace("http:", "ws:"))
    }

    pub async fn connect(&self) -> Socket {
        self.try_connect(&self.url(), &[]).await.unwrap()
    }

    pub async fn try_connect(&self, url: &str, headers: &[(&'static str, &str)]) -> Result<Socket, WsError> {
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (stream, response) = tokio_tungstenite::connect_async(request).await?;
        let headers = response.headers().clone();
        // The gateway chooses the id, and only functions see it, in their events.
        let connect = self.functions.events_so_far("Connect").await.pop();
        let id = connect.map(|event| text(&event["requestContext"]["connectionId"]));
        Ok(Socket { stream, headers, id: id.unwrap_or_default() })
    }

    /// The status and body of a refused handshake.
    pub async fn refused(&self, url: &str, headers: &[(&'static str, &str)]) -> (u16, String) {
        match self.try_connect(url, headers).await {
            Err(WsError::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                (response.status().as_u16(), String::from_utf8(body).unwrap())
            }
            Err(error) => panic!("refused without an answer: {error}"),
            Ok(_) => panic!("the handshake was accepted"),
        }
    }

    pub async fn management(
        &self,
        method: reqwest::Method,
        id: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Response {
        management(&self.base, method, id, body).await
    }
}

/// A call to `@connections`, as an SDK makes it.
async fn management(
    base: &str,
    method: reqwest::Method,
    id: &str,
    body: impl Into<reqwest::Body>,
) -> reqwest::Response {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.request(method, format!("{base}/prod/@connections/{}", id.replace('=', "%3D")));
    request.header("authorization", "AWS4-HMAC-SHA256 Credential=test").body(body).send().await.unwrap()
}

/// A client's WebSocket.
pub struct Socket {
    pub stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub headers: HeaderMap<HeaderValue>,
    pub id: String,
}

impl Socket {
    pub async fn send(&mut self, text: impl Into<String>) {
        self.stream.send(Message::text(text.into())).await.unwrap();
    }

    /// The next text frame.
    pub async fn text(&mut self) -> String {
        match self.next().await {
            Message::Text(text) => text.to_string(),
            other => panic!("not a text frame: {other:?}"),
        }
    }

    pub async fn next(&mut self) -> Message {
        tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("no frame in time").unwrap().unwrap()
    }

    /// The code and reason with which the server closes. Answers the closing frame, as every client does.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.next().await {
                while self.stream.next().await.is_some_and(|message| message.is_ok()) {}
                return frame.map_or((1005, String::new()), |frame| (frame.code.into(), frame.reason.to_string()));
            }
        }
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not text: {value}")).to_owned()
}
