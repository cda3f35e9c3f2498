//! Files: announced, put into the store, checked, sent, and got by those who may.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::answers::code;
use crate::harness::{Person, World, text};

/// A GIF that says it has this size; the store and whoever checks it read no further.
pub fn gif(width: u16, height: u16) -> Vec<u8> {
    let mut gif = b"GIF89a".to_vec();
    gif.extend(width.to_le_bytes());
    gif.extend(height.to_le_bytes());
    gif.extend([0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b]);
    gif
}

pub fn picture(name: &str, contents: &[u8], width: u16, height: u16) -> Value {
    json!({"name": name, "content_type": "image/gif", "size": contents.len(), "width": width, "height": height})
}

/// The absolute form of a link.
fn absolute(world: &World, url: &Value) -> String {
    let url = text(url);
    if url.starts_with('/') { format!("{}{url}", world.base) } else { url }
}

/// Puts contents where the answer to an announcement says.
async fn put(world: &World, announced: &Value, contents: Vec<u8>) -> Response {
    let upload = &announced["upload"];
    assert_eq!(upload["method"], "PUT");
    let mut request = world.http.put(absolute(world, &upload["url"])).body(contents);
    for (name, value) in upload["headers"].as_object().unwrap() {
        request = request.header(name, text(value));
    }
    request.send().await.unwrap()
}

async fn announce(who: &Person, file: Value) -> Value {
    let (status, announced) = who.post("/files", file).await;
    assert_eq!(status, 201, "{announced}");
    announced
}

async fn finish(who: &Person, id: &str) -> (u16, Value) {
    who.call(Method::POST, &format!("/files/{id}/done"), None).await
}

/// A file in the store, ready to be sent.
pub async fn stored(world: &World, who: &Person, file: Value, contents: Vec<u8>) -> String {
    let announced = announce(who, file).await;
    assert_eq!(put(world, &announced, contents).await.status(), 200);
    let id = text(&announced["file"]["id"]);
    let (status, file) = finish(who, &id).await;
    assert_eq!((status, &file), (200, &announced["file"]));
    id
}

async fn send(who: &Person, chat_id: &str, words: Option<&str>, file_ids: &[&str], key: &str) -> (u16, Value) {
    let mut body = json!({"chat_id": chat_id, "file_ids": file_ids, "client_message_id": key});
    if let Some(words) = words {
        body["text"] = json!(words);
    }
    who.post("/messages", body).await
}

/// Where this person gets a file, if they may.
async fn link(who: &Person, id: &str) -> Option<Value> {
    let links = who.get(&format!("/files?ids={id}")).await;
    links["links"].as_array().unwrap().first().map(|link| link["url"].clone())
}

#[tokio::test]
async fn what_is_sent_is_got_by_the_members_and_by_nobody_else() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let mut bobs = bob.device().await;
    let contents = gif(3, 2);
    let mut announced = picture("Ünser Bild.gif", &contents, 3, 2);
    announced["preview"] = json!(BASE64_STANDARD.encode(gif(1, 1)));
    let id = stored(&world, &alice, announced.clone(), contents.clone()).await;
    assert!(link(&alice, &id).await.is_some(), "it is hers");
    assert_eq!(link(&bob, &id).await, None, "it is in no chat yet");

    let (status, sent) = send(&alice, &chat_id, None, &[&id], "k").await;
    let mut file = announced.clone();
    file["id"] = json!(id);
    assert_eq!((status, &sent["text"], &sent["files"]), (201, &json!(""), &json!([file])));
    assert_eq!(bobs.next_of("new_message").await["data"], sent);
    assert_eq!(bob.history(&chat_id).await, std::slice::from_ref(&sent));
    assert_eq!(send(&alice, &chat_id, None, &[&id], "k").await, (200, sent));
    assert_eq!(code(&send(&alice, &chat_id, Some("x"), &[&id], "k").await), (409, "idempotency_conflict"));

    for person in [&alice, &bob] {
        let got = world.http.get(absolute(&world, &link(person, &id).await.unwrap())).send().await.unwrap();
        assert_eq!(got.status(), 200);
        assert_eq!(got.headers()["content-type"], "image/gif");
        let disposition = got.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert_eq!(disposition, "attachment; filename*=UTF-8''%C3%9Cnser%20Bild%2Egif");
        assert_eq!(got.bytes().await.unwrap(), contents);
    }
    assert_eq!(link(&charlie, &id).await, None);
    assert_eq!(code(&send(&bob, &chat_id, None, &[&id], "k").await), (404, "file_not_found"), "it is not his");
    assert_eq!(code(&finish(&bob, &id).await), (404, "file_not_found"));
}

#[tokio::test]
async fn a_link_shows_nothing_but_what_it_was_made_for_and_not_for_long() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let page = b"<script>alert(1)</script>".to_vec();
    let file = json!({"name": "page.html", "content_type": "text/html", "size": page.len()});
    let id = stored(&world, &alice, file, page).await;
    let other = announce(&alice, json!({"name": "b", "content_type": "text/plain", "size": 1})).await;
    assert_eq!(send(&alice, &chat_id, Some("look"), &[&id], "k").await.0, 201);
    let url = absolute(&world, &link(&bob, &id).await.unwrap());
    let got = world.http.get(&url).send().await.unwrap();
    assert_eq!(got.headers()["content-type"], "application/octet-stream", "a page is not a page here");
    assert!(got.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    if url.starts_with(&world.base) {
        assert_eq!(got.headers()["content-security-policy"], "sandbox; default-src 'none'");
        assert_eq!(got.headers()["x-content-type-options"], "nosniff");
    }
    let refused = async |method: Method, url: String| {
        let status = world.http.request(method.clone(), &url).body("x").send().await.unwrap().status().as_u16();
        assert!([400, 403].contains(&status), "{method} {url}: {status}");
    };
    let (path, query) = url.split_once('?').unwrap();
    refused(Method::GET, path.to_owned()).await;
    refused(Method::PUT, url.clone()).await;
    refused(Method::DELETE, url.clone()).await;
    refused(Method::GET, format!("{}?{query}", path.replace(&id, &text(&other["file"]["id"])))).await;
    for (part, changed) in [
        ("X-Amz-Expires=300", "X-Amz-Expires=3000000"),
        ("response-content-type=application%2Foctet-stream", "response-content-type=text%2Fhtml"),
        ("attachment", "inline"),
    ] {
        assert!(url.contains(part), "{url}");
        refused(Method::GET, url.replacen(part, changed, 1)).await;
    }
    // The same link an hour ago.
    let date = url.split("X-Amz-Date=").nth(1).unwrap().split('&').next().unwrap();
    let long_ago = (chrono::Utc::now() - Duration::from_secs(3600)).format("%Y%m%dT%H%M%SZ").to_string();
    refused(Method::GET, url.replace(date, &long_ago)).await;
    // Listing, and writing where nobody has allowed it.
    let root = format!("{}/", path.split_once("/kept/").unwrap().0);
    refused(Method::GET, root.clone()).await;
    refused(Method::PUT, format!("{root}kept/anything")).await;
}

#[tokio::test]
async fn the_store_takes_exactly_what_was_announced_and_only_once() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    let file = json!({"name": "a.txt", "content_type": "text/plain", "size": 5});
    let announced = announce(&alice, file.clone()).await;
    let id = text(&announced["file"]["id"]);
    assert_eq!(code(&finish(&alice, &id).await), (409, "not_uploaded"));
    for wrong in ["", "1234", "123456", &"x".repeat(1_000_000)] {
        let status = put(&world, &announced, wrong.as_bytes().to_vec()).await.status();
        assert!([400, 403].contains(&status.as_u16()), "{} bytes: {status}", wrong.len());
    }
    let mut other = announced.clone();
    other["upload"]["headers"]["content-type"] = json!("text/html");
    assert_eq!(put(&world, &other, b"12345".to_vec()).await.status(), 403);
    assert_eq!(code(&finish(&alice, &id).await), (409, "not_uploaded"));
    assert_eq!(put(&world, &announced, b"12345".to_vec()).await.status(), 200);
    assert_eq!(put(&world, &announced, b"54321".to_vec()).await.status(), 412, "it is there already");
    assert_eq!(finish(&alice, &id).await.0, 200);
    assert_eq!(finish(&alice, &id).await.0, 200, "an answer may be lost");
    // Whoever keeps the link may put something there again, which changes nothing of what was checked.
    put(&world, &announced, b"54321".to_vec()).await;
    let chat_id = alice.group("Notes", &[]).await;
    assert_eq!(send(&alice, &chat_id, None, &[&id], "k").await.0, 201);
    let got = world.http.get(absolute(&world, &link(&alice, &id).await.unwrap())).send().await.unwrap();
    assert_eq!(got.text().await.unwrap(), "12345");
}

#[tokio::test]
async fn a_picture_is_what_it_says() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    let contents = gif(3, 2);
    let png_of_50000 = [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(),
        &50_000u32.to_be_bytes(),
        &50_000u32.to_be_bytes(),
        &[8, 6, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let png =
        json!({"name": "a.png", "content_type": "image/png", "size": png_of_50000.len(), "width": 5, "height": 5});
    for (file, contents) in [
        // A bomb that says it is small.
        (png.clone(), png_of_50000.clone()),
        (picture("a.gif", &contents, 30, 2), contents.clone()),
        (
            json!({"name": "a.jpg", "content_type": "image/jpeg", "size": contents.len(), "width": 3, "height": 2}),
            contents,
        ),
        (picture("a.gif", b"no picture", 3, 2), b"no picture".to_vec()),
    ] {
        let announced = announce(&alice, file.clone()).await;
        assert_eq!(put(&world, &announced, contents).await.status(), 200, "the store does not look into it");
        let id = text(&announced["file"]["id"]);
        assert_eq!(code(&finish(&alice, &id).await), (422, "file_refused"), "{file}");
        let chat_id = alice.group("Notes", &[]).await;
        assert_eq!(code(&send(&alice, &chat_id, None, &[&id], "k").await), (404, "file_not_found"));
        assert_eq!(code(&finish(&alice, &id).await), (404, "file_not_found"), "what was refused is gone");
    }
    // One that says what it is is refused before anybody has it.
    let mut honest = png;
    (honest["width"], honest["height"]) = (json!(50_000), json!(50_000));
    assert_eq!(code(&alice.post("/files", honest).await), (422, "invalid_field"));
    for (name, value) in [
        ("name", json!("../../etc/passwd")),
        ("name", json!("a\\b")),
        ("size", json!(25 * 1024 * 1024 + 1)),
        ("content_type", json!("text/html\r\nx: y")),
    ] {
        let mut file = json!({"name": "a", "content_type": "text/plain", "size": 1});
        file[name] = value;
        assert_eq!(code(&alice.post("/files", file).await), (422, "invalid_field"));
    }
}

#[tokio::test]
async fn whoever_is_out_gets_nothing_more_and_what_is_deleted_is_gone() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let group = alice.group("Group", &[&bob, &charlie]).await;
    let other = bob.group("Other", &[]).await;
    let id = stored(&world, &alice, picture("a.gif", &gif(3, 2), 3, 2), gif(3, 2)).await;
    assert_eq!(send(&alice, &group, Some("look"), &[&id], "k").await.0, 201);
    assert!(link(&charlie, &id).await.is_some());
    let removed = format!("/chats/{group}/members/{}", charlie.id);
    assert_eq!(alice.call(Method::DELETE, &removed, None).await.0, 200);
    assert_eq!(link(&charlie, &id).await, None);

    // A forward takes the file along, and has it for as long as it is there.
    let at = bob.get(&format!("/chats/{group}")).await["last_message_id"].as_i64().unwrap() - 1;
    let (status, copy) = bob.post(&format!("/messages/{group}/{at}/forward"), json!({"chat_id": other})).await;
    assert_eq!((status, &copy["files"][0]["id"]), (201, &json!(id)), "{copy}");
    let reply = json!({"chat_id": group, "text": "nice", "reply_to_id": at});
    assert_eq!(bob.post("/messages", reply).await.1["reply_to"]["files"], 1);
    assert_eq!(alice.call(Method::DELETE, &format!("/messages/{group}/{at}"), None).await.0, 200);
    assert_eq!(link(&alice, &id).await, None, "she is not in the other chat");
    let url = absolute(&world, &link(&bob, &id).await.unwrap());
    assert_eq!(world.http.get(&url).send().await.unwrap().status(), 200);
    let (_, gone) = bob.call(Method::DELETE, &format!("/messages/{other}/{}", copy["id"]), None).await;
    assert_eq!((&gone["text"], gone.get("files")), (&Value::Null, None));
    assert_eq!(link(&bob, &id).await, None);
    assert_eq!(code(&send(&alice, &group, None, &[&id], "again").await), (404, "file_not_found"));
    // Whoever uploads next takes it out of the store.
    announce(&bob, json!({"name": "b", "content_type": "text/plain", "size": 1})).await;
    assert_eq!(world.http.get(&url).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn the_files_of_a_send_are_its_senders_and_not_too_many() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let file = json!({"name": "a.txt", "content_type": "text/plain", "size": 1});
    let first = stored(&world, &alice, file.clone(), b"1".to_vec()).await;
    let second = stored(&world, &alice, file.clone(), b"2".to_vec()).await;
    let not_there = text(&announce(&alice, file).await["file"]["id"]);
    let unknown = uuid::Uuid::now_v7().to_string();
    for ids in [&[&*not_there][..], &[&unknown], &[&first, &not_there]] {
        assert_eq!(code(&send(&alice, &chat_id, None, ids, "k").await), (404, "file_not_found"));
    }
    let many: Vec<_> = (0..11).map(|_| uuid::Uuid::now_v7().to_string()).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    for ids in [&[][..], &[&*first, &*first], &many] {
        assert_eq!(code(&send(&alice, &chat_id, Some("x"), ids, "k").await), (422, "invalid_field"));
    }
    assert_eq!(code(&alice.post("/messages", json!({"chat_id": chat_id})).await), (422, "invalid_field"));
    // In the order that was asked for, over the socket too; a refused send has taken no number.
    let mut alices = alice.device().await;
    let data = json!({"chat_id": chat_id, "text": "both", "file_ids": [second, first], "client_message_id": "k"});
    alices.send(json!({"action": "sendMessage", "data": data})).await;
    let sent = alices.next_of("new_message").await["data"].clone();
    assert_eq!((&sent["files"][0]["id"], &sent["files"][1]["id"]), (&json!(second), &json!(first)));
    assert_eq!(sent["id"], 1);
    // A file that was sent may be sent again by whom it belongs to, and its text may be edited.
    assert_eq!(send(&alice, &chat_id, None, &[&first], "again").await.0, 201);
    let edit = alice.call(Method::PATCH, &format!("/messages/{chat_id}/1"), Some(json!({"text": "edited"}))).await.1;
    assert_eq!((&edit["text"], &edit["files"]), (&json!("edited"), &sent["files"]));
}

#[tokio::test]
async fn a_person_and_a_group_show_a_picture() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let group = alice.group("Group", &[&bob]).await;
    let mut bobs = bob.device().await;
    let face = stored(&world, &alice, picture("a.gif", &gif(3, 3), 3, 3), gif(3, 3)).await;
    let (status, account) = alice.call(Method::PATCH, "/users/me", Some(json!({"avatar_id": face}))).await;
    assert_eq!((status, &account["avatar_id"]), (200, &json!(face)));
    assert_eq!(bobs.next_of("member_updated").await["data"]["member"]["avatar_id"], json!(face));
    assert_eq!(bob.get(&format!("/users/{}", alice.id)).await["avatar_id"], json!(face));
    assert!(link(&charlie, &face).await.is_some(), "everybody sees it");

    let logo = stored(&world, &alice, picture("b.gif", &gif(4, 4), 4, 4), gif(4, 4)).await;
    let path = format!("/chats/{group}");
    let change = json!({"picture_id": logo});
    assert_eq!(code(&bob.call(Method::PATCH, &path, Some(change.clone())).await), (403, "forbidden"));
    let (status, chat) = alice.call(Method::PATCH, &path, Some(change)).await;
    assert_eq!((status, &chat["picture_id"]), (200, &json!(logo)));
    let told = bobs.next_of("chat_updated").await;
    assert_eq!(told["data"]["chat"]["picture_id"], json!(logo));
    assert_eq!(told["data"]["entry"]["event"], json!({"type": "picture_changed"}));
    assert_eq!(bob.get("/chats").await["chats"][0]["picture_id"], json!(logo));
    assert!(link(&bob, &logo).await.is_some());
    assert_eq!(link(&charlie, &logo).await, None, "only members see it");

    // One place for one picture, of a modest size, and a picture at all.
    assert_eq!(code(&alice.call(Method::PATCH, "/users/me", Some(json!({"avatar_id": logo}))).await).0, 422);
    let large = stored(&world, &alice, picture("c.gif", &gif(1025, 1), 1025, 1), gif(1025, 1)).await;
    assert_eq!(code(&alice.call(Method::PATCH, "/users/me", Some(json!({"avatar_id": large}))).await).0, 422);
    let file = json!({"name": "a.txt", "content_type": "text/plain", "size": 1});
    let words = stored(&world, &alice, file, b"1".to_vec()).await;
    assert_eq!(code(&alice.call(Method::PATCH, "/users/me", Some(json!({"avatar_id": words}))).await).0, 422);
    let theft = bob.call(Method::PATCH, "/users/me", Some(json!({"avatar_id": face}))).await;
    assert_eq!(code(&theft), (404, "file_not_found"));

    let (_, account) = alice.call(Method::PATCH, "/users/me", Some(json!({"avatar_id": null}))).await;
    assert_eq!(account.get("avatar_id"), None);
    assert_eq!(link(&charlie, &face).await, None, "nobody shows it any more");
    let (_, chat) = alice.call(Method::PATCH, &path, Some(json!({"picture_id": null}))).await;
    assert_eq!(chat.get("picture_id"), None);
    assert_eq!(link(&bob, &logo).await, None);
}
