//! Runs the functions in this process: the handlers are linked in, and each event goes through the same code that
//! `lambda_http::run` and `lambda_runtime::run` use.

use std::convert::Infallible;
use std::sync::Arc;

use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Body, Request, Response, service_fn};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use sam_gateway::invoke::{Functions, Invocation, InvokeError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use windi_functions::{
    Function, authorize, chats, connect, default, disconnect, files, focus, health, history, invites, login, mark_read,
    members, messages, migrate, recover, register, search, send_message, session, subscriptions, typing, users, web,
};

use crate::app::{App, Settings};
use crate::in_process_aws::InProcessAws;

/// How many frozen environments run at once; other invocations wait, which counts as theirs. On AWS each has its own
/// share of a processor, but here dozens at once would slow each other down until their posts exceed their time limits.
static ENVIRONMENTS: Semaphore = Semaphore::const_new(4);

/// The functions linked into this process.
#[derive(Debug, Clone)]
pub struct InProcess {
    app: Arc<App>,
}

impl InProcess {
    pub fn new(app: impl Into<Arc<App>>) -> Self {
        Self { app: app.into() }
    }
}

impl Functions for InProcess {
    fn knows(&self, function: &str) -> bool {
        function.parse::<Function>().is_ok()
    }

    fn invoke<'a>(&'a self, function: &'a str, event: Value, freeze: bool) -> Invocation<'a> {
        Box::pin(async move {
            let unknown = |_| InvokeError::NotRun(format!("there is no function {function:?}"));
            let function = function.parse().map_err(unknown)?;
            if freeze {
                invoke_and_freeze(self.app.settings.clone(), function, event).await
            } else {
                invoke(self.app.clone(), function, event).await
            }
        })
    }
}

/// Runs a handler in a separate task: a panic fails only this invocation, as in a Lambda environment, and the handler
/// keeps running when nobody waits for it any more.
async fn invoke(app: Arc<App>, function: Function, event: Value) -> Result<Value, InvokeError> {
    match tokio::spawn(async move { dispatch(app, function, event).await }).await {
        Ok(outcome) => outcome,
        Err(panic) => Err(failed("Runtime.Panic", panic)),
    }
}

/// Runs a handler in a new environment with new clients, which is frozen for good once the handler has answered: AWS
/// gives no time to anything a function leaves running after its answer, and may never thaw it again.
async fn invoke_and_freeze(settings: Settings, function: Function, event: Value) -> Result<Value, InvokeError> {
    // The semaphore is never closed.
    let turn = ENVIRONMENTS.acquire().await;
    let work = move || async move {
        // The turn ends with the environment, even if nobody waits for its answer any more.
        let _turn = turn;
        // Over the network, so that tests see work that AWS would cut off.
        let app = App::new(settings, InProcessAws::default()).map_err(|e| failed("Runtime.ExitError", e))?;
        dispatch(Arc::new(app), function, event).await
    };
    in_own_environment(work).await.unwrap_or_else(|panic| Err(failed("Runtime.Panic", panic)))
}

/// Runs the work on a thread and a runtime that end with it: tasks it has spawned are dropped, finished or not.
async fn in_own_environment<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T, String>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let environment = tokio::task::spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        let outcome = runtime.block_on(work());
        runtime.shutdown_background();
        Ok(outcome)
    });
    environment.await.unwrap_or_else(|panic| Err(panic.to_string()))
}

/// The match is exhaustive: the compiler rejects a missing function.
async fn dispatch(app: Arc<App>, function: Function, event: Value) -> Result<Value, InvokeError> {
    // A macro rather than a function: the compiler cannot see that a closure's future over borrowed clients is `Send`.
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
        Function::Authorize => socket!(authorize::handle, tokens),
        Function::Chats => http!(chats::handle, db, tokens, push),
        Function::Connect => socket!(connect::handle, db, push),
        Function::Default => answer(default::handle(&app.db, app.push.posts(), read(event)?).await),
        Function::Disconnect => socket!(disconnect::handle, db, push),
        Function::Files => http!(files::handle, db, tokens, store),
        Function::Focus => socket!(focus::handle, db, push),
        Function::Health => http!(health::handle, db, connections),
        Function::History => http!(history::handle, db, tokens),
        Function::Invites => http!(invites::handle, db, tokens, push),
        Function::Login => http!(login::handle, db, tokens),
        Function::MarkRead => socket!(mark_read::handle, db, push),
        Function::Members => http!(members::handle, db, tokens, push),
        Function::Messages => http!(messages::handle, db, tokens, push, web_push),
        Function::Migrate => {
            let url = std::future::ready(Ok::<_, Infallible>(app.settings.database.url.clone()));
            answer(migrate::handle(url, read(event)?).await)
        }
        Function::Recover => http!(recover::handle, db, tokens, push, mail),
        Function::Register => http!(register::handle, db),
        Function::Search => http!(search::handle, db, tokens),
        Function::SendMessage => socket!(send_message::handle, db, push, web_push),
        Function::Session => http!(session::handle, db, tokens, push),
        Function::Subscriptions => http!(subscriptions::handle, db, tokens, web_push),
        Function::Typing => socket!(typing::handle, db, push),
        Function::Users => http!(users::handle, db, tokens, push),
        Function::Web => {
            over_http(event, move |request| {
                let app = app.clone();
                async move { Ok::<_, Infallible>(web::handle(None, app.settings.files_origin(), request).await) }
            })
            .await
        }
    }
}

/// Calls an HTTP handler through `lambda_http`'s adapter, so headers, base64 and the query go through the real code.
///
/// `Adapter` and `LambdaRequest` are public but undocumented; they are used only here.
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

#[cfg(test)]
mod tests {
    use super::in_own_environment;

    #[tokio::test]
    async fn work_left_behind_does_not_run_once_the_answer_is_there() {
        let (tell, told) = tokio::sync::oneshot::channel();
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let answer = in_own_environment(|| async {
            tokio::spawn(async {
                let _ = released.await;
                let _ = tell.send("still running");
            });
            "answered"
        });
        assert_eq!(answer.await, Ok("answered"));
        let _ = release.send(());
        // The task was dropped, and its end of the channel with it.
        assert!(told.await.is_err());
    }
}
