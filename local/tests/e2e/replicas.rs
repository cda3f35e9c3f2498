//! The documented client rule against everything the network can do.
//!
//! Random sends, with files and without, replies, forwards, edits, deletions, reactions, pins, reads, renames, new pictures, joins and
//! membership changes run at the same time; some of the pushes are dropped, duplicated and shuffled. In the end every member's replica, built only by the rule in `docs/protocol.md`,
//! equals the database, and nobody has been sent anything from outside their membership.

use std::collections::BTreeMap;

use fastrand::Rng;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::files::{gif, picture, stored};
use crate::harness::{Device, Person, World, text};
use crate::road::{ROAD, Road};

/// Functions elsewhere take seconds for what takes milliseconds here.
fn runs() -> u64 {
    if *ROAD == Road::Elsewhere { 10 } else { 200 }
}
const ROUNDS: usize = 5;

/// What a client holds of one message.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    revision: i64,
    text: Value,
    event: Value,
    quote: Value,
    reactions: Value,
    files: Value,
}

/// What a client holds of one chat.
#[derive(Debug, Default, Clone, PartialEq)]
struct Replica {
    revision: i64,
    name: String,
    description: Value,
    posting: Value,
    /// Role, cursor and picture by member.
    members: BTreeMap<String, (String, i64, Value)>,
    messages: BTreeMap<i64, Kept>,
    pinned: Vec<i64>,
    /// Something was pushed whose predecessor is missing.
    behind: bool,
}

impl Replica {
    /// Applies the client's rule for a push.
    fn apply(&mut self, frame: &Value) {
        let data = &frame["data"];
        if frame["type"] == "message_read" {
            // No revision: cursors only move forward.
            self.moved(&text(&data["user_id"]), data["message_id"].as_i64().unwrap());
            return;
        }
        let revision = data["revision"].as_i64().unwrap();
        if revision <= self.revision {
            return;
        }
        if revision > self.revision + 1 {
            self.behind = true;
            return;
        }
        self.revision = revision;
        // The service entry that tells of the change.
        if data["entry"].is_object() {
            self.store(&data["entry"]);
        }
        match frame["type"].as_str().unwrap() {
            "new_message" | "message_edited" => self.store(data),
            "message_deleted" => {
                self.store(data);
                self.pinned.retain(|id| data["id"] != *id);
            }
            "message_reacted" => {
                let message = data["message_id"].as_i64().and_then(|id| self.messages.get_mut(&id));
                // Without the message, there is nothing to count: its page will bring them.
                if let Some(message) = message {
                    (message.reactions, message.revision) = (data["reactions"].clone(), revision);
                    if data["reactions"] == json!([]) {
                        message.reactions = Value::Null;
                    }
                }
            }
            "chat_created" => self.replace(&data["chat"]),
            "chat_updated" => self.describe(&data["chat"]),
            "member_added" | "member_updated" => self.seat(&data["member"]),
            "member_removed" => {
                self.members.remove(&text(&data["user_id"]));
            }
            other => panic!("unexpected {other}"),
        }
    }

    fn store(&mut self, message: &Value) {
        let id = message["id"].as_i64().unwrap();
        if !self.messages.contains_key(&id) && message["kind"] == "text" {
            // Whoever writes has read everything above.
            self.moved(&text(&message["sender_id"]), id);
        }
        let [text, event, quote, reactions, files] =
            ["text", "event", "reply_to", "reactions", "files"].map(|field| message[field].clone());
        let revision = message["revision"].as_i64().unwrap();
        self.messages.insert(id, Kept { revision, text, event, quote, reactions, files });
    }

    fn describe(&mut self, chat: &Value) {
        self.name = text(&chat["name"]);
        (self.description, self.posting) = (chat["description"].clone(), chat["posting"].clone());
        self.pinned = chat["pinned_message_ids"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    }

    fn moved(&mut self, user_id: &str, message_id: i64) {
        if let Some((_, cursor, _)) = self.members.get_mut(user_id) {
            *cursor = message_id.max(*cursor);
        }
    }

    fn seat(&mut self, member: &Value) {
        let cursor = member["last_read_id"].as_i64().unwrap();
        let seat = (text(&member["role"]), cursor, member["avatar_id"].clone());
        self.members.insert(text(&member["id"]), seat);
    }

    fn replace(&mut self, chat: &Value) {
        self.describe(chat);
        self.members.clear();
        for member in chat["members"].as_array().unwrap() {
            self.seat(member);
        }
    }

    /// Applies the client's rule for catching up; returns `false` if the person is no longer in the chat.
    async fn sync(&mut self, person: &Person, chat_id: &str) -> bool {
        loop {
            let path = format!("/chats/{chat_id}/changes?after={}&limit=7", self.revision);
            let (status, page) = person.call(Method::GET, &path, None).await;
            if status == 404 {
                return false;
            }
            assert_eq!(status, 200, "{page}");
            self.replace(&page["chat"]);
            for message in page["messages"].as_array().unwrap() {
                self.store(message);
            }
            self.replace(&page["chat"]);
            self.revision = page["revision"].as_i64().unwrap();
            self.behind = false;
            if page["has_more"] == false {
                return true;
            }
        }
    }

    /// Everything but the cursors, which have no revision and are therefore only as fresh as the last receipt or sync.
    fn without_cursors(&self) -> Self {
        let mut bare = self.clone();
        bare.members.values_mut().for_each(|(_, cursor, _)| *cursor = 0);
        bare
    }
}

/// A client: its replica, and everything it was ever sent.
struct Client<'a> {
    person: &'a Person,
    replica: Replica,
    received: Vec<Value>,
}

impl Client<'_> {
    /// Applies what has arrived, as a bad network would deliver it.
    async fn receive(&mut self, device: &mut Device, chat_id: &str, random: &mut Rng) {
        let frames = device.drain().await;
        let ours = frames.into_iter().filter(|frame| frame["data"]["chat_id"] == chat_id);
        let mut frames: Vec<Value> = ours.collect();
        self.received.extend(frames.clone());
        frames.retain(|_| random.u8(..100) < 80);
        let doubled: Vec<_> = frames.iter().filter(|_| random.u8(..100) < 15).cloned().collect();
        frames.extend(doubled);
        if random.bool() {
            random.shuffle(&mut frames);
        }
        for frame in &frames {
            self.replica.apply(frame);
        }
        if self.replica.behind && random.bool() {
            self.replica.sync(self.person, chat_id).await;
        }
    }
}

/// One random operation by somebody who may or may not be in the chat; it may be refused.
async fn act(person: &Person, file_id: &str, people: &[Person], chat_id: &str, link: &str, mut random: Rng) {
    let message = random.i64(1..12);
    let other = &people[random.usize(1..people.len())];
    let (method, path, body) = match random.u8(..23) {
        0..5 => (
            Method::POST,
            "/messages".to_owned(),
            Some(json!({"chat_id": chat_id, "text": format!("t{}", random.u16(..))})),
        ),
        12 => (
            Method::POST,
            "/messages".to_owned(),
            Some(json!({"chat_id": chat_id, "text": "@anna @olga", "reply_to_id": message})),
        ),
        13 => (Method::POST, format!("/messages/{chat_id}/{message}/forward"), Some(json!({"chat_id": chat_id}))),
        14 => {
            let chosen = &["👍", "🎉", "😀"][..random.usize(..3)];
            (Method::PUT, format!("/messages/{chat_id}/{message}/reactions"), Some(json!({"reactions": chosen})))
        }
        15 => (Method::PUT, format!("/messages/{chat_id}/{message}/pin"), None),
        16 => (Method::DELETE, format!("/messages/{chat_id}/{message}/pin"), None),
        17 => {
            let text = format!("about {}", random.u8(..));
            (Method::PATCH, format!("/chats/{chat_id}"), Some(json!({"description": text})))
        }
        18 => {
            let posting = if random.u8(..4) == 0 { "admins" } else { "everyone" };
            (Method::PATCH, format!("/chats/{chat_id}"), Some(json!({"posting": posting})))
        }
        19 => (Method::POST, format!("/invites/{link}"), None),
        20 => (Method::PATCH, "/users/me".to_owned(), Some(json!({"name": format!("name {}", random.u8(..))}))),
        21 => (Method::POST, "/messages".to_owned(), Some(json!({"chat_id": chat_id, "file_ids": [file_id]}))),
        22 => {
            let wanted = random.bool().then_some(file_id);
            (Method::PATCH, "/users/me".to_owned(), Some(json!({"avatar_id": wanted})))
        }
        5 => (
            Method::PATCH,
            format!("/messages/{chat_id}/{message}"),
            Some(json!({"text": format!("e{}", random.u16(..))})),
        ),
        6 => (Method::DELETE, format!("/messages/{chat_id}/{message}"), None),
        7 => (Method::POST, format!("/messages/{chat_id}/{message}/read"), None),
        8 => (Method::PATCH, format!("/chats/{chat_id}"), Some(json!({"name": format!("n{}", random.u8(..))}))),
        9 => (Method::POST, format!("/chats/{chat_id}/members"), Some(json!({"user_id": other.id}))),
        10 => (Method::DELETE, format!("/chats/{chat_id}/members/{}", other.id), None),
        _ => (
            Method::PATCH,
            format!("/chats/{chat_id}/members/{}", other.id),
            Some(json!({"role": if random.bool() { "admin" } else { "member" }})),
        ),
    };
    let (status, answer) = person.call(method, &path, body).await;
    assert!(status < 500, "{path}: {answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_replica_ends_equal_to_the_database() {
    let world = World::new().await;
    let people: Vec<Person> = world.people(["olga", "anna", "boris", "clara"]).await.into();
    let mut devices = Vec::new();
    for person in &people {
        devices.push(person.device().await);
    }
    // In a chat of its owner's own each, so that nothing that happens takes it away.
    let mut file_ids = Vec::new();
    for person in &people {
        let id = stored(&world, person, picture("a.gif", &gif(1, 1), 1, 1), gif(1, 1)).await;
        let own = person.group("Own", &[]).await;
        assert_eq!(person.post("/messages", json!({"chat_id": own, "file_ids": [id]})).await.0, 201);
        file_ids.push(id);
    }
    let mut lost_something = 0;
    for seed in 0..runs() {
        let mut random = Rng::with_seed(seed);
        let chat_id = people[0].group("Group", &[&people[1], &people[2]]).await;
        let (_, link) = people[0].post(&format!("/chats/{chat_id}/invites"), json!({})).await;
        let link = text(&link["code"]);
        let mut clients: Vec<_> =
            people.iter().map(|person| Client { person, replica: Replica::default(), received: Vec::new() }).collect();
        for _ in 0..ROUNDS {
            let deeds = people.iter().zip(&file_ids);
            let deeds: Vec<_> =
                deeds.map(|(person, id)| act(person, id, &people, &chat_id, &link, random.fork())).collect();
            join_all(deeds).await;
            for (client, device) in clients.iter_mut().zip(&mut devices) {
                client.receive(device, &chat_id, &mut random).await;
            }
        }
        let truth = truth(&people[0], &chat_id).await;
        let intervals = memberships(&clients[0], &truth);
        for client in &mut clients {
            let me = &client.person.id;
            let of_me = intervals.get(me).cloned().unwrap_or_default();
            for frame in &client.received {
                let revision = frame["data"]["revision"].as_i64();
                let inside = revision.is_none_or(|r| of_me.iter().any(|(from, to)| (*from..=*to).contains(&r)));
                assert!(inside, "seed {seed}: {me} was sent {frame} outside {of_me:?}");
            }
            let is_member = truth.members.contains_key(me);
            if is_member && !client.replica.behind && client.replica.revision == truth.revision {
                // It has missed no push, so it is complete without a sync.
                assert_eq!(client.replica.without_cursors(), truth.without_cursors(), "seed {seed}");
            } else {
                lost_something += 1;
            }
            assert_eq!(client.replica.sync(client.person, &chat_id).await, is_member, "seed {seed}");
            if is_member {
                assert_eq!(client.replica, truth, "seed {seed}");
            }
        }
    }
    assert!(lost_something > runs() / 2, "the network lost too little to prove anything: {lost_something}");
}

/// The database as the chat's owner reads it: the chat and its whole history.
async fn truth(owner: &Person, chat_id: &str) -> Replica {
    let mut truth = Replica::default();
    let chat = owner.get(&format!("/chats/{chat_id}")).await;
    for message in owner.history(chat_id).await {
        truth.store(&message);
    }
    truth.replace(&chat);
    truth.revision = chat["revision"].as_i64().unwrap();
    assert_eq!(
        truth.messages.keys().copied().collect::<Vec<_>>(),
        (1..=truth.messages.len() as i64).collect::<Vec<_>>()
    );
    truth
}

/// The first and last revision of each person's stays in the chat, removals included. They come from the pushes to the
/// owner, who was there all the time and must have received every push.
fn memberships(owner: &Client<'_>, truth: &Replica) -> BTreeMap<String, Vec<(i64, i64)>> {
    let mut frames: BTreeMap<i64, &Value> = BTreeMap::new();
    for frame in owner.received.iter().filter(|frame| frame["data"]["revision"].is_i64()) {
        frames.insert(frame["data"]["revision"].as_i64().unwrap(), frame);
    }
    assert_eq!(frames.keys().copied().collect::<Vec<_>>(), (1..=truth.revision).collect::<Vec<_>>());
    let mut intervals: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
    for (revision, frame) in frames {
        let data = &frame["data"];
        match frame["type"].as_str().unwrap() {
            "chat_created" => {
                for member in data["chat"]["members"].as_array().unwrap() {
                    intervals.entry(text(&member["id"])).or_default().push((revision, i64::MAX));
                }
            }
            "member_added" => intervals.entry(text(&data["member"]["id"])).or_default().push((revision, i64::MAX)),
            "member_removed" => intervals.get_mut(&text(&data["user_id"])).unwrap().last_mut().unwrap().1 = revision,
            _ => {}
        }
    }
    intervals
}
