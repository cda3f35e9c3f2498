//! A password that is forgotten, and a new e-mail address: with the codes that come by mail.

use reqwest::Method;
use serde_json::{Value, json};
use windi_shared::auth::code::{Code, Purpose};
use windi_shared::ids::UserId;

use crate::answers::code;
use crate::harness::{PASSWORD, Person, World};
use crate::road::{ROAD, Road};

const NEW_PASSWORD: &str = "another password";

impl World {
    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, None, Some(body)).await
    }

    /// Whether functions send mail on this road.
    async fn has_mail(&self) -> bool {
        let answer = self.post("/auth/forgot", json!({"email": "nobody@example.com"})).await;
        if code(&answer) == (501, "mail_disabled") {
            assert_eq!(*ROAD, Road::Elsewhere, "mail is off");
            eprintln!("NOT TRIED: the functions on this road send no mail");
            return false;
        }
        assert_eq!(answer.0, 204, "{answer:?}");
        true
    }

    /// All mails to an address, oldest first; `None` where they do not become files here.
    fn mails(&self, to: &str) -> Option<Vec<String>> {
        if *ROAD == Road::Elsewhere {
            return None;
        }
        let mut files: Vec<_> =
            std::fs::read_dir(&self.app.settings.mail.path).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        let mails = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
        Some(mails.filter(|mail| mail.contains(&format!("\r\nTo: {to}\r\n"))).collect())
    }

    /// The code in the latest mail. Where the mail does not come here, another code in its place.
    async fn code(&self, who: &Person, purpose: Purpose, to: &str) -> String {
        if let Some(mails) = self.mails(to) {
            let mail = mails.last().expect("a mail");
            let code = mail.lines().find_map(|line| line.strip_prefix("Your code: "));
            return code.expect("a code").trim().to_owned();
        }
        let (user_id, code) = (who.id.parse::<UserId>().unwrap(), Code::generate().unwrap());
        let put = sqlx::query("update codes set code_hash = $3 where user_id = $1 and purpose = $2");
        let put = put.bind(user_id.0).bind(<&str>::from(purpose)).bind(code.hash(user_id, purpose));
        assert_eq!(put.execute(&self.app.db).await.unwrap().rows_affected(), 1);
        code.readable()
    }
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_with_a_code_that_comes_by_mail() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    if !world.has_mail().await {
        return;
    }
    let mut device = alice.device().await;
    assert_eq!(world.post("/auth/forgot", json!({"email": "Alice@example.com"})).await.0, 204);
    let good = world.code(&alice, Purpose::Password, "alice@example.com").await;
    let reset = async |email: &str, code: &str| {
        let body = json!({"email": email, "code": code, "new_password": NEW_PASSWORD});
        world.post("/auth/reset", body).await
    };
    for (email, tried) in [("alice@example.com", "0000-0000"), ("nobody@example.com", good.as_str())] {
        assert_eq!(code(&reset(email, tried).await), (403, "invalid_code"));
    }
    assert_eq!(reset("alice@example.com", &good).await.0, 204);
    assert_eq!(device.dismissed().await, "password_changed");
    assert_eq!(alice.call(Method::GET, "/auth/me", None).await.0, 401);
    assert_eq!(code(&reset("alice@example.com", &good).await), (403, "invalid_code"));
    for (password, status) in [(PASSWORD, 401), (NEW_PASSWORD, 200)] {
        let login = json!({"email": "alice@example.com", "password": password});
        assert_eq!(world.post("/auth/login", login).await.0, status);
    }
}

#[tokio::test]
async fn a_new_address_is_used_once_it_is_confirmed() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    if !world.has_mail().await {
        return;
    }
    let change = async |email: &str, password: &str| {
        alice.post("/users/me/email", json!({"email": email, "password": password})).await
    };
    assert_eq!(code(&change("alice@example.org", "wrong password").await), (403, "wrong_password"));
    assert_eq!(change("bob@example.com", PASSWORD).await.0, 204);
    assert_eq!(change("alice@example.org", PASSWORD).await.0, 204);
    assert_eq!(alice.get("/auth/me").await["email"], "alice@example.com");
    let good = world.code(&alice, Purpose::Email, "alice@example.org").await;
    let confirm = async |who: &Person| who.post("/users/me/email/confirm", json!({"code": good})).await;
    assert_eq!(code(&confirm(&bob).await), (403, "invalid_code"));
    let (status, account) = confirm(&alice).await;
    assert_eq!((status, &account["email"]), (200, &json!("alice@example.org")));
    assert_eq!(alice.get("/auth/me").await, account);
    assert_eq!(code(&confirm(&alice).await), (403, "invalid_code"));
    if let (Some(bobs), Some(old)) = (world.mails("bob@example.com"), world.mails("alice@example.com")) {
        assert!(bobs.iter().all(|mail| !mail.contains("Your code")) && bobs.len() == 1, "{bobs:?}");
        assert!(old.len() == 1 && old[0].contains("Your e-mail address was changed"), "{old:?}");
    }
    // The old address is free, and no login any more.
    for (email, status) in [("alice@example.com", 401), ("alice@example.org", 200)] {
        let login = json!({"email": email, "password": PASSWORD});
        assert_eq!(world.post("/auth/login", login).await.0, status);
    }
    let again = json!({"name": "Other", "email": "alice@example.com", "password": PASSWORD});
    assert_eq!(world.post("/auth/register", again).await.0, 201);
}
