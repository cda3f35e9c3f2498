//! `mail`: what SES is asked, and what the log learns of its refusals.

use std::error::Error as _;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use windi_functions::letters;
use windi_functions::mail::Mail;
use windi_shared::Error;
use windi_shared::auth::code::Code;
use windi_shared::fields::Email;

use crate::harness::sdk_config;

/// A fake SES: what it was asked, and the status that it answers with.
#[derive(Clone)]
struct Ses {
    asked: Arc<Mutex<Vec<Value>>>,
    status: u16,
}

impl Ses {
    /// The road to a new one.
    async fn serve(status: u16) -> (Self, Mail) {
        let ses = Self { asked: Arc::default(), status };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().route("/v2/email/outbound-emails", post(take)).with_state(ses.clone());
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        let from = Email::new("messenger@example.com").unwrap();
        (ses, Mail::through_ses(&sdk_config(&url), from))
    }
}

async fn take(State(ses): State<Ses>, body: String) -> axum::response::Response {
    ses.asked.lock().unwrap().push(serde_json::from_str(&body).unwrap());
    let (kind, body) = match ses.status {
        200 => ("", r#"{"MessageId": "m"}"#),
        _ => ("MessageRejected", r#"{"message": "Email address is not verified: ann@example.com"}"#),
    };
    axum::response::Response::builder().status(ses.status).header("x-amzn-errortype", kind).body(body.into()).unwrap()
}

#[tokio::test]
async fn ses_is_given_a_plain_text_for_one_address() {
    let (ses, mail) = Ses::serve(200).await;
    let code = Code::read("ABCD-EFGH").unwrap();
    let letter = letters::forgotten(&code);
    mail.send(&Email::new("Ann@bücher.example").unwrap(), letter.clone()).await.unwrap();
    let asked = ses.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["FromEmailAddress"], "messenger@example.com");
    assert_eq!(asked[0]["Destination"], json!({"ToAddresses": ["Ann@xn--bcher-kva.example"]}));
    let simple = &asked[0]["Content"]["Simple"];
    assert_eq!(simple["Subject"]["Data"], letter.subject);
    assert_eq!(simple["Body"], json!({"Text": {"Data": letter.text, "Charset": "UTF-8"}}));
    assert!(letter.text.contains("Your code: ABCD-EFGH\n"));
}

#[tokio::test]
async fn a_refusal_of_ses_is_logged_without_the_address() {
    let (_, mail) = Ses::serve(400).await;
    let error = mail.send(&Email::new("ann@example.com").unwrap(), letters::moved()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("MessageRejected") && !cause.contains("example.com"), "{cause}");
}
