//! The functions in this process: the handlers linked in, each event through the same code that `lambda_http::run` and
//! `lambda_runtime::run` use.

use std::convert::Infallible;
use std::sync::Arc;

use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Body, Request, Response, service_fn};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt as _;
use windi_functions::push::Push;
use windi_functions::{
    Function, authorize, chats, connect, default, disconnect, focus, health, history, login, mark_read, members,
    messages, register, search, send_message, session, typing, users,
};
use windi_shared::auth::Tokens;
use windi_shared::connections::Connections;
use windi_shared::db::PgPool;

use super::InvokeError;

/// Every client any function uses. On AWS each function has just its own.
#[derive(Debug)]
pub struct App {
    /// PostgreSQL.
    pub db: PgPool,
    /// Signing keys.
    pub tokens: Tokens,
    /// DynamoDB.
    pub connections: Connections,
    /// `@connections`.
    pub push: Push,
}

/// Runs a handler in a task of its own, so that a panic is its failure alone, as in a Lambda environment.
///
/// # Errors
/// [`InvokeError`].
pub async fn invoke(app: Arc<App>, function: &str, event: Value) -> Result<Value, InvokeError> {
    let function = Function::named(function).ok_or_else(|| InvokeError::Unknown(function.to_owned()))?;
    match tokio::spawn(async move { dispatch(app, function, event).await }).await {
        Ok(outcome) => outcome,
        Err(panic) => Err(InvokeError::Function { kind: "Runtime.Panic".to_owned(), message: panic.to_string() }),
    }
}

/// Exhaustive: a function without a local road does not compile.
async fn dispatch(app: Arc<App>, function: Function, event: Value) -> Result<Value, InvokeError> {
    // A macro and not a closure: the compiler cannot see that a closure's future over borrowed clients is `Send`.
    macro_rules! http {
        ($handler:path, $($client:ident),*) => {
            over_http(event, move |request| {
                let app = app.clone();
                async move { Ok::<_, Infallible>($handler($(&app.$client,)* request).await) }
            })
            .await
        };
    }
    macro_rules! socket {
        ($handler:path, $($client:ident),*) => {
            answer($handler($(&app.$client,)* read(event)?).await)
        };
    }
    match function {
        Function::Authorize => socket!(authorize::handle, db, tokens),
        Function::Chats => http!(chats::handle, db, tokens, push),
        Function::Connect => socket!(connect::handle, db, push),
        Function::Default => socket!(default::handle, db, push),
        Function::Disconnect => socket!(disconnect::handle, db, push),
        Function::Focus => socket!(focus::handle, db, push),
        Function::Health => http!(health::handle, db, connections),
        Function::History => http!(history::handle, db, tokens),
        Function::Login => http!(login::handle, db, tokens),
        Function::MarkRead => socket!(mark_read::handle, db, push),
        Function::Members => http!(members::handle, db, tokens, push),
        Function::Messages => http!(messages::handle, db, tokens, push),
        Function::Register => http!(register::handle, db),
        Function::Search => http!(search::handle, db, tokens),
        Function::SendMessage => socket!(send_message::handle, db, push),
        Function::Session => http!(session::handle, db, tokens, push),
        Function::Typing => socket!(typing::handle, db, push),
        Function::Users => http!(users::handle, db, tokens),
    }
}

/// An HTTP handler behind `lambda_http`'s own adapter: headers, base64 and query are read and written by the real code.
///
/// `Adapter` and `LambdaRequest` are public but undocumented; they are used here and nowhere else.
async fn over_http<A>(event: Value, handler: impl Fn(Request) -> A + Send) -> Result<Value, InvokeError>
where
    A: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    let request: LambdaRequest = read(event)?;
    answer(Adapter::from(service_fn(handler)).oneshot(LambdaEvent::new(request, Context::default())).await)
}

fn read<T: DeserializeOwned>(event: Value) -> Result<T, InvokeError> {
    serde_json::from_value(event).map_err(|e| failed("Runtime.UnmarshalError", e))
}

fn answer<T: Serialize>(outcome: Result<T, impl Into<Diagnostic>>) -> Result<Value, InvokeError> {
    match outcome {
        Ok(answer) => serde_json::to_value(answer).map_err(|e| failed("Runtime.MarshalError", e)),
        Err(error) => {
            let Diagnostic { error_type, error_message } = error.into();
            Err(InvokeError::Function { kind: error_type, message: error_message })
        }
    }
}

fn failed(kind: &str, error: impl std::fmt::Display) -> InvokeError {
    InvokeError::Function { kind: kind.to_owned(), message: error.to_string() }
}
