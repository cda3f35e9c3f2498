//! Demo data, created through the public API: five people, three chats and some messages.
//!
//! Idempotent: a second run finds the accounts by their email addresses, the private chats by their two members, the
//! group by its name and the messages by their `client_message_id`.

use std::collections::HashMap;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// Username and name of each person.
pub const PEOPLE: [(&str, &str); 5] =
    [("alice", "Alice"), ("bob", "Bob"), ("charlie", "Charlie"), ("diana", "Diana"), ("eve", "Eve")];
/// The same for everybody.
pub const PASSWORD: &str = "password123";

const GROUP: &str = "Friends";

/// Why the demo data could not be created.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The request failed, or its answer was not JSON.
    #[error("demo data: {0}")]
    Http(#[from] reqwest::Error),
    /// The answer had an unexpected status.
    #[error("demo data: {what} returned {status}: {body}")]
    Answer {
        /// Method and path.
        what: String,
        status: StatusCode,
        body: Value,
    },
}

/// Creates what does not exist yet. `base` is the HTTP API's URL, without a slash at the end.
pub async fn fill(base: &str) -> Result<(), DemoError> {
    let api = Api { client: Client::builder().no_proxy().build()?, base: base.to_owned() };
    let mut tokens = HashMap::new();
    let mut ids = HashMap::new();
    for (username, name) in PEOPLE {
        let email = format!("{username}@example.com");
        let account = json!({"name": name, "username": username, "email": email, "password": PASSWORD});
        api.call(Method::POST, "/auth/register", None, Some(account), &[409]).await?;
        let login = json!({"username": username, "password": PASSWORD});
        let answer = api.call(Method::POST, "/auth/login", None, Some(login), &[]).await?;
        let token = text(&answer["access_token"]);
        let me = api.call(Method::GET, "/auth/me", Some(&token), None, &[]).await?;
        ids.insert(username, text(&me["id"]));
        tokens.insert(username, token);
    }
    let private = |other: &str| json!({"kind": "private", "user_id": ids[other]});
    let with_bob = api.call(Method::POST, "/chats", Some(&tokens["alice"]), Some(private("bob")), &[]).await?;
    let with_diana = api.call(Method::POST, "/chats", Some(&tokens["charlie"]), Some(private("diana")), &[]).await?;
    let friends = match group(&api, &tokens["alice"]).await? {
        Some(chat_id) => chat_id,
        None => {
            let others: Vec<_> = PEOPLE.iter().skip(1).map(|(username, _)| &ids[username]).collect();
            let group = json!({"kind": "group", "name": GROUP, "member_ids": others});
            text(&api.call(Method::POST, "/chats", Some(&tokens["alice"]), Some(group), &[]).await?["id"])
        }
    };
    let with_bob = text(&with_bob["id"]);
    let with_diana = text(&with_diana["id"]);
    let messages = [
        (&with_bob, "alice", "Hi Bob! Is this thing on?"),
        (&with_bob, "bob", "Loud and clear."),
        (&with_bob, "alice", "Open it on your phone too: every device gets every message."),
        (&with_diana, "charlie", "Diana, are you coming tonight?"),
        (&with_diana, "diana", "On my way."),
        (&friends, "alice", "Welcome, everybody!"),
        (&friends, "eve", "Hello from Eve."),
        (&friends, "charlie", "Numbers without holes, I hear?"),
        (&friends, "bob", "1, 2, 3, 4. So it seems."),
    ];
    for (number, (chat_id, sender, words)) in messages.into_iter().enumerate() {
        let message = json!({"chat_id": chat_id, "text": words, "client_message_id": format!("demo-{number}")});
        api.call(Method::POST, "/messages", Some(&tokens[sender]), Some(message), &[]).await?;
    }
    Ok(())
}

/// The id of the demo's group, if it exists.
async fn group(api: &Api, token: &str) -> Result<Option<String>, DemoError> {
    let list = api.call(Method::GET, "/chats?limit=100", Some(token), None, &[]).await?;
    let chats = list["chats"].as_array().cloned().unwrap_or_default();
    Ok(chats.iter().find(|chat| chat["name"] == GROUP).map(|chat| text(&chat["id"])))
}

struct Api {
    client: Client,
    base: String,
}

impl Api {
    /// Returns the body if the status is a success or one of `also`.
    async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
        also: &[u16],
    ) -> Result<Value, DemoError> {
        let what = format!("{method} {path}");
        let mut request: RequestBuilder = self.client.request(method, format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status();
        let body = response.json().await?;
        if status.is_success() || also.contains(&status.as_u16()) {
            Ok(body)
        } else {
            Err(DemoError::Answer { what, status, body })
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
