//! Who may do what: every kind of caller × every operation × a chat that exists and one that does not.
//!
//! The table is the specification. A cell is the HTTP status; for an operation over the socket it is the status that
//! corresponds to the outcome, where 401 is a refused handshake. A logged-in caller who is not in the chat gets the
//! same answer, byte for byte, for both chats; so does everybody for the chat that does not exist.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::files::{gif, picture, stored};
use crate::harness::{Device, Person, World, text};

const CALLERS: [&str; 8] = ["anonymous", "expired", "logged_out", "owner", "admin", "member", "ex_member", "stranger"];

/// Each line has an operation, then the status for each of [`CALLERS`].
const TABLE: &str = "
    get                401 401 401 200 200 200 404 404
    changes            401 401 401 200 200 200 404 404
    history            401 401 401 200 200 200 404 404
    search             401 401 401 200 200 200 404 404
    send               401 401 401 201 201 201 404 404
    edit_anothers      401 401 401 403 403 403 404 404
    delete_anothers    401 401 401 200 200 403 404 404
    read               401 401 401 200 200 200 404 404
    send_file          401 401 401 201 201 201 404 404
    reply              401 401 401 201 201 201 404 404
    forward_from       401 401 401 201 201 201 404 404
    forward_to         401 401 401 201 201 201 404 404
    react              401 401 401 200 200 200 404 404
    report             401 401 401 204 204 204 404 404
    report_entry       401 401 401 403 403 403 404 404
    pin                401 401 401 200 200 403 404 404
    unpin              401 401 401 200 200 403 404 404
    edit_entry         401 401 401 403 403 403 404 404
    delete_entry       401 401 401 403 403 403 404 404
    rename             401 401 401 200 200 403 404 404
    picture            401 401 401 200 200 403 404 404
    rules              401 401 401 200 200 403 404 404
    dissolve           401 401 401 204 403 403 404 404
    settings           401 401 401 200 200 200 404 404
    create_invite      401 401 401 201 201 403 404 404
    revoke_invite      401 401 401 204 204 403 404 404
    list_invites       401 401 401 200 200 403 404 404
    add_member         401 401 401 201 201 403 404 404
    change_role        401 401 401 200 403 403 404 404
    remove_member      401 401 401 200 200 403 404 404
    ws_sendMessage     401 401 401 200 200 200 404 404
    ws_markRead        401 401 401 200 200 200 404 404
    ws_typing          401 401 401 200 200 200 404 404
    ws_joinChat        401 401 401 200 200 200 404 404
    ws_leaveChat       401 401 401 200 200 200 200 200
";

const NO_CHAT: &str = "0199a1b2-0000-7000-8000-000000000001";

struct Cast {
    owner: Person,
    admin: Person,
    member: Person,
    ex_member: Person,
    author: Person,
    newcomer: Person,
    callers: Vec<Person>,
    /// A chat of each person's own, with a message in it.
    own_chats: BTreeMap<String, String>,
    /// A file of each person's own.
    files: BTreeMap<String, String>,
}

impl Cast {
    async fn new(world: &World) -> Self {
        let [owner, admin, member, ex_member, stranger, author, newcomer, leaver] =
            world.people(["owner", "admin", "member", "ex_member", "stranger", "author", "newcomer", "leaver"]).await;
        let caller = crate::harness::tokens().check(&member.token).await.unwrap();
        let expired = crate::harness::tokens().issue_at(caller, chrono::Utc::now().timestamp() - 3600).unwrap();
        // Both belong to `member`, who is in every chat: only the token is bad.
        let expired = member.with_token(&expired);
        let anonymous = member.with_token("");
        assert_eq!(leaver.call(Method::POST, "/auth/logout", None).await.0, 204);
        let callers =
            vec![anonymous, expired, leaver, owner.clone(), admin.clone(), member.clone(), ex_member.clone(), stranger];
        let (mut own_chats, mut files) = (BTreeMap::new(), BTreeMap::new());
        for person in [&owner, &admin, &member, &ex_member, &callers[7]] {
            let chat_id = person.group("Own", &[]).await;
            person.say(&chat_id, "own words").await;
            own_chats.insert(person.id.clone(), chat_id);
            let id = stored(world, person, picture("a.gif", &gif(1, 1), 1, 1), gif(1, 1)).await;
            files.insert(person.id.clone(), id);
        }
        Self { owner, admin, member, ex_member, author, newcomer, callers, own_chats, files }
    }

    /// That of whoever a bad token belonged to is as good as any.
    fn own_chat(&self, caller: &Person) -> &str {
        self.own_chats.get(&caller.id).unwrap_or(&self.own_chats[&self.owner.id])
    }

    /// Creates a group with one message by the author.
    async fn chat(&self) -> String {
        let leaver = &self.callers[2];
        let chat_id =
            self.owner.group("Matrix", &[&self.admin, &self.member, &self.ex_member, &self.author, leaver]).await;
        self.author.say(&chat_id, "the author's words").await;
        let admin = format!("/chats/{chat_id}/members/{}", self.admin.id);
        assert_eq!(self.owner.call(Method::PATCH, &admin, Some(json!({"role": "admin"}))).await.0, 200);
        let ex_member = format!("/chats/{chat_id}/members/{}", self.ex_member.id);
        assert_eq!(self.ex_member.call(Method::DELETE, &ex_member, None).await.0, 200);
        chat_id
    }

    /// The path of a new link into a chat.
    async fn invite(&self, chat_id: &str) -> String {
        let (_, invite) = self.owner.post(&format!("/chats/{chat_id}/invites"), json!({})).await;
        let code = invite["code"].as_str().filter(|_| invite.get("uses").is_some()).unwrap_or("x");
        format!("/chats/{chat_id}/invites/{code}")
    }

    async fn attempt(&self, caller: &Person, operation: &str, chat_id: &str) -> (u16, Value) {
        if let Some(action) = operation.strip_prefix("ws_") {
            return over_socket(caller, action, chat_id).await;
        }
        let author = &self.author.id;
        let (method, path, body) = match operation {
            "get" => (Method::GET, format!("/chats/{chat_id}"), None),
            "changes" => (Method::GET, format!("/chats/{chat_id}/changes"), None),
            "history" => (Method::GET, format!("/messages/history/{chat_id}"), None),
            "search" => (Method::GET, format!("/messages/search?q=words&chat_id={chat_id}"), None),
            "send" => (Method::POST, "/messages".to_owned(), Some(json!({"chat_id": chat_id, "text": "x"}))),
            "edit_anothers" => (Method::PATCH, format!("/messages/{chat_id}/1"), Some(json!({"text": "y"}))),
            "delete_anothers" => (Method::DELETE, format!("/messages/{chat_id}/1"), None),
            "read" => (Method::POST, format!("/messages/{chat_id}/1/read"), None),
            "send_file" => {
                let file_id = self.files.get(&caller.id).unwrap_or(&self.files[&self.owner.id]);
                (Method::POST, "/messages".to_owned(), Some(json!({"chat_id": chat_id, "file_ids": [file_id]})))
            }
            "picture" => (Method::PATCH, format!("/chats/{chat_id}"), Some(json!({"picture_id": null}))),
            "reply" => {
                let body = json!({"chat_id": chat_id, "text": "x", "reply_to_id": 1});
                (Method::POST, "/messages".to_owned(), Some(body))
            }
            "forward_from" => (
                Method::POST,
                format!("/messages/{chat_id}/1/forward"),
                Some(json!({"chat_id": self.own_chat(caller)})),
            ),
            "forward_to" => {
                let own = self.own_chat(caller);
                (Method::POST, format!("/messages/{own}/1/forward"), Some(json!({"chat_id": chat_id})))
            }
            "react" => (Method::PUT, format!("/messages/{chat_id}/1/reactions"), Some(json!({"reactions": ["👍"]}))),
            "report" => (Method::POST, format!("/messages/{chat_id}/1/report"), Some(json!({"reason": "spam"}))),
            "report_entry" => (Method::POST, format!("/messages/{chat_id}/2/report"), Some(json!({}))),
            "pin" => (Method::PUT, format!("/messages/{chat_id}/1/pin"), None),
            "unpin" => (Method::DELETE, format!("/messages/{chat_id}/1/pin"), None),
            "edit_entry" => (Method::PATCH, format!("/messages/{chat_id}/2"), Some(json!({"text": "y"}))),
            "delete_entry" => (Method::DELETE, format!("/messages/{chat_id}/2"), None),
            "rules" => (Method::PATCH, format!("/chats/{chat_id}"), Some(json!({"posting": "admins"}))),
            "dissolve" => (Method::DELETE, format!("/chats/{chat_id}"), None),
            "settings" => (Method::PATCH, format!("/chats/{chat_id}/settings"), Some(json!({"archived": true}))),
            "create_invite" => (Method::POST, format!("/chats/{chat_id}/invites"), Some(json!({}))),
            "revoke_invite" => (Method::DELETE, self.invite(chat_id).await, None),
            "list_invites" => (Method::GET, format!("/chats/{chat_id}/invites"), None),
            "rename" => (Method::PATCH, format!("/chats/{chat_id}"), Some(json!({"name": "New"}))),
            "add_member" => {
                (Method::POST, format!("/chats/{chat_id}/members"), Some(json!({"user_id": self.newcomer.id})))
            }
            "change_role" => {
                (Method::PATCH, format!("/chats/{chat_id}/members/{author}"), Some(json!({"role": "admin"})))
            }
            "remove_member" => (Method::DELETE, format!("/chats/{chat_id}/members/{author}"), None),
            other => panic!("no such operation: {other}"),
        };
        caller.call(method, &path, body).await
    }
}

async fn over_socket(caller: &Person, action: &str, chat_id: &str) -> (u16, Value) {
    let mut device: Device = match caller.try_device().await {
        Ok(device) => device,
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => return (response.status().as_u16(), Value::Null),
        Err(error) => panic!("{error}"),
    };
    let data = match action {
        "sendMessage" => json!({"chat_id": chat_id, "text": "x", "client_message_id": "k"}),
        "markRead" => json!({"chat_id": chat_id, "message_id": 1}),
        "typing" => json!({"chat_id": chat_id, "is_typing": true}),
        _ => json!({"chat_id": chat_id}),
    };
    device.send(json!({"action": action, "request_id": "r", "data": data})).await;
    // Typing gets no answer when it is allowed.
    let mut told = if action == "typing" { device.drain().await } else { vec![answer_to(&mut device, "r").await] };
    let error = told.iter().position(|frame| frame["type"] == "error").map(|at| told.remove(at));
    match error {
        None => (200, Value::Null),
        Some(error) => (if error["data"]["code"] == "chat_not_found" { 404 } else { 400 }, error),
    }
}

async fn answer_to(device: &mut Device, request_id: &str) -> Value {
    loop {
        let frame = device.next().await;
        if frame["request_id"] == request_id {
            return frame;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_may_do_exactly_what_the_table_says() {
    let world = World::new().await;
    let cast = Cast::new(&world).await;
    let mut wrong = Vec::new();
    for line in TABLE.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut cells = line.split_whitespace();
        let operation = cells.next().unwrap();
        let expected: Vec<u16> = cells.map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(expected.len(), CALLERS.len());
        for ((name, caller), expected) in CALLERS.iter().zip(&cast.callers).zip(expected) {
            let chat_id = cast.chat().await;
            let (status, there) = cast.attempt(caller, operation, &chat_id).await;
            let (status_nowhere, nowhere) = cast.attempt(caller, operation, NO_CHAT).await;
            let expected_nowhere = if expected == 401 || operation == "ws_leaveChat" { expected } else { 404 };
            if (status, status_nowhere) != (expected, expected_nowhere) {
                wrong.push(format!(
                    "{operation} by {name}: {status} and {status_nowhere}, not {expected} and {expected_nowhere}"
                ));
            }
            if expected == 404 && without_request_id(there) != without_request_id(nowhere) {
                wrong.push(format!("{operation} by {name}: the answers tell the two chats apart"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn without_request_id(mut body: Value) -> String {
    if body["request_id"] != "r" {
        body["request_id"] = Value::Null;
    }
    body.to_string()
}

#[tokio::test]
async fn what_needs_no_chat_still_needs_a_good_token() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    alice.call(Method::POST, "/auth/logout", None).await;
    let anonymous = alice.with_token("");
    for (method, path) in [
        (Method::GET, "/auth/me"),
        (Method::GET, "/export"),
        (Method::GET, "/files?ids=0199a1b2-0000-7000-8000-000000000001"),
        (Method::POST, "/files"),
        (Method::POST, "/files/0199a1b2-0000-7000-8000-000000000001/done"),
        (Method::GET, "/users?search=a"),
        (Method::PATCH, "/users/me"),
        (Method::GET, "/users/0199a1b2-0000-7000-8000-000000000001"),
        (Method::GET, "/users/presence"),
        (Method::GET, "/users/blocked"),
        (Method::PUT, "/users/0199a1b2-0000-7000-8000-000000000001/block"),
        (Method::DELETE, "/users/0199a1b2-0000-7000-8000-000000000001/block"),
        (Method::GET, "/invites/x"),
        (Method::POST, "/invites/x"),
        (Method::GET, "/chats/unread"),
        (Method::GET, "/chats"),
        (Method::POST, "/chats"),
        (Method::GET, "/messages/search?q=a"),
        (Method::GET, "/auth/sessions"),
        (Method::DELETE, "/auth/sessions/x"),
        (Method::POST, "/auth/password"),
        (Method::GET, "/push/key"),
        (Method::PUT, "/push/subscription"),
        (Method::DELETE, "/push/subscription"),
        (Method::POST, "/users/me/email"),
        (Method::POST, "/users/me/email/confirm"),
        (Method::POST, "/auth/logout"),
    ] {
        for caller in [&anonymous, &alice] {
            let (status, body) = caller.call(method.clone(), path, None).await;
            assert_eq!((status, text(&body["code"])), (401, "unauthorized".to_owned()), "{method} {path}");
        }
    }
}
