//! The list of chats: its order, which an index knows only roughly.

use serde_json::{Value, json};
use windi_functions::chats;
use windi_shared::db::MIGRATOR;

use crate::harness::{Person, Stage, http, read};

/// The ids of a person's chats, by pages of `limit`.
async fn listed(stage: &Stage, person: &Person, limit: usize) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), String::new());
    loop {
        let request = http(&format!("GET /chats?limit={limit}{after}"), Some(&person.token), None);
        let (status, page) = read(chats::handle(&stage.db, &stage.tokens, &stage.push, request).await);
        assert_eq!(status, 200, "{page}");
        let chats = page["chats"].as_array().unwrap();
        assert!(chats.len() <= limit);
        ids.extend(chats.iter().map(|chat| chat["id"].as_str().unwrap().to_owned()));
        match &page["next"] {
            Value::Null => return ids,
            next => after = format!("&after={}", next.as_str().unwrap()),
        }
        assert_eq!(chats.len(), limit, "a page is full if another one follows");
    }
}

/// Chats of `person`, active in the last five hours, some at the same moment; the index is up to an hour behind.
async fn add_chats(stage: &Stage, person: &Person, count: i32) {
    sqlx::query(
        "with made as (
            insert into chats (chat_id, kind, name, created_by, active_at)
            select gen_random_uuid(), 'group', 'chat ' || n, $1,
                date_trunc('minute', now()) - make_interval(mins => (n * 7919) % 300)
            from generate_series(1, $2) n returning chat_id
        )
        insert into chat_members (chat_id, user_id, role) select chat_id, $1, 'owner' from made",
    )
    .bind(person.caller.user_id.0)
    .bind(count)
    .execute(&stage.db)
    .await
    .unwrap();
    sqlx::query(
        "update chat_members m set active_at = c.active_at - random() * interval '59 minutes 59 seconds'
        from chats c where c.chat_id = m.chat_id",
    )
    .execute(&stage.db)
    .await
    .unwrap();
}

#[tokio::test]
async fn pages_of_any_size_make_up_the_list_in_the_order_of_activity() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    add_chats(&stage, &alice, 120).await;
    add_chats(&stage, &bob, 5).await;
    let sorted: Vec<uuid::Uuid> = sqlx::query_scalar(
        "select c.chat_id from chats c join chat_members m on m.chat_id = c.chat_id and m.user_id = $1
        order by c.active_at desc, c.chat_id desc",
    )
    .bind(alice.caller.user_id.0)
    .fetch_all(&stage.db)
    .await
    .unwrap();
    let sorted: Vec<String> = sorted.iter().map(ToString::to_string).collect();
    for limit in [1, 2, 7, 50, 100] {
        assert_eq!(listed(&stage, &alice, limit).await, sorted, "in pages of {limit}");
    }
}

#[tokio::test]
async fn a_send_brings_its_chat_to_the_top_whatever_the_index_knew() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    let chat_id = stage.private_chat(&alice, &bob).await;
    add_chats(&stage, &alice, 20).await;
    add_chats(&stage, &bob, 20).await;
    // As in a chat from before there was such a time; in one that was quiet; in one that was active just now; and with the
    // clock set back.
    for (number, known) in
        ["null", "now() - interval '3 days'", "now() - interval '1 minute'", "now() + interval '3 days'"]
            .into_iter()
            .enumerate()
    {
        for table in ["chats", "chat_members"] {
            sqlx::query(sqlx::AssertSqlSafe(format!("update {table} set active_at = {known} where chat_id = $1")))
                .bind(chat_id.parse::<uuid::Uuid>().unwrap())
                .execute(&stage.db)
                .await
                .unwrap();
        }
        let body = json!({"chat_id": chat_id, "text": "up", "client_message_id": number.to_string()});
        assert_eq!(stage.send(&alice, body).await.0, 201);
        for person in [&alice, &bob] {
            for limit in [1, 50] {
                let list = listed(&stage, person, limit).await;
                assert_eq!((list.len(), &list[0]), (21, &chat_id), "after {known}");
            }
        }
    }
}

#[tokio::test]
async fn a_busy_chat_is_moved_in_the_index_once_an_hour() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    let chat_id = stage.private_chat(&alice, &bob).await;
    let body = |key: &str| json!({"chat_id": chat_id, "text": "x", "client_message_id": key});
    let known = async || -> Vec<bool> {
        sqlx::query_scalar("select active_at > now() - interval '10 minutes' from chat_members")
            .fetch_all(&stage.db)
            .await
            .unwrap()
    };
    for (age, moved) in [("59 minutes", false), ("61 minutes", true)] {
        sqlx::query(sqlx::AssertSqlSafe(format!("update chat_members set active_at = now() - interval '{age}'")))
            .execute(&stage.db)
            .await
            .unwrap();
        stage.send(&alice, body(age)).await;
        assert_eq!(known().await, [moved, moved], "after {age}");
    }
}

#[tokio::test]
async fn a_refused_send_leaves_the_chat_as_it_was() {
    let stage = Stage::new().await;
    let (alice, bob, carol) = (stage.person("alice").await, stage.person("bob").await, stage.person("carol").await);
    let chat_id = stage.private_chat(&alice, &bob).await;
    let state = async || -> (i64, i64, String, i64) {
        sqlx::query_as(
            "select last_message_id, revision, active_at::text, (select sum(last_read_id)::int8 from chat_members) from chats",
        )
        .fetch_one(&stage.db)
        .await
        .unwrap()
    };
    let body = |text: &str, key: &str| json!({"chat_id": chat_id, "text": text, "client_message_id": key});
    let empty = state().await;
    assert_eq!(stage.send(&carol, body("x", "k")).await.0, 404);
    // The two times of a new chat are taken one after the other.
    let refused = state().await;
    assert_eq!((refused.0, refused.1, refused.3), (empty.0, empty.1, empty.3));
    assert_eq!(stage.send(&alice, body("x", "k")).await.0, 201);
    let one = state().await;
    assert_eq!(stage.send(&alice, body("x", "k")).await.0, 200);
    assert_eq!(stage.send(&alice, body("y", "k")).await.0, 409);
    assert_eq!(stage.send(&carol, body("x", "k")).await.0, 404);
    assert_eq!(state().await, one);
    let (status, second) = stage.send(&bob, body("z", "k")).await;
    assert_eq!((status, &second["id"], &second["revision"]), (201, &json!(2), &json!(3)));
}

#[tokio::test]
async fn chats_from_before_are_listed_once_the_migrations_have_run() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    let talked = stage.private_chat(&alice, &bob).await;
    stage.send(&alice, json!({"chat_id": talked, "text": "x", "client_message_id": "k"})).await;
    add_chats(&stage, &alice, 250).await;
    for table in ["chats", "chat_members"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("update {table} set active_at = null")))
            .execute(&stage.db)
            .await
            .unwrap();
    }
    assert_eq!(listed(&stage, &alice, 100).await.len(), 0);
    // What is refused meanwhile must not look filled in.
    let repeated = json!({"chat_id": talked, "text": "x", "client_message_id": "k"});
    assert_eq!(stage.send(&alice, repeated).await.0, 200);
    let groups: Vec<uuid::Uuid> = sqlx::query_scalar("select chat_id from chats where kind = 'group' limit 5")
        .fetch_all(&stage.db)
        .await
        .unwrap();
    for group in groups {
        let strangers = json!({"chat_id": group, "text": "x", "client_message_id": "k"});
        assert_eq!(stage.send(&bob, strangers).await.0, 404);
    }
    let fill = MIGRATOR.iter().find(|migration| migration.version == 14).unwrap();
    sqlx::raw_sql(fill.sql.clone()).execute(&stage.db).await.unwrap();
    let list = listed(&stage, &alice, 100).await;
    // The groups were made after the private chat, but its message is newer than its creation.
    assert_eq!(list.len(), 251);
    let (exact, known): (i64, i64) = sqlx::query_as(
        "select count(*), count(*) filter (where m.active_at = c.active_at)
        from chats c join chat_members m on m.chat_id = c.chat_id",
    )
    .fetch_one(&stage.db)
    .await
    .unwrap();
    assert_eq!(exact, known);
    let of_talked: bool =
        sqlx::query_scalar("select c.active_at = m.created_at from chats c join messages m on m.chat_id = c.chat_id")
            .fetch_one(&stage.db)
            .await
            .unwrap();
    assert!(of_talked);
}
