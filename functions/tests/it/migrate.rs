//! The custom resource that applies the schema, asked and answered as by CloudFormation.

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::put;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use windi_backing::testing::empty_database;
use windi_functions::migrate::handle;
use windi_shared::config;
use windi_shared::db::{self, MIGRATOR};

/// Sends one request with `kind` and returns what CloudFormation gets. The first answer to it is lost.
async fn ask(kind: &str, url: Result<String, &str>) -> Value {
    let (tell, mut told) = mpsc::unbounded_channel();
    let tries = Arc::new(AtomicUsize::new(0));
    let bucket = move |headers: HeaderMap, body: String| {
        let (tell, tries) = (tell.clone(), Arc::clone(&tries));
        async move {
            if tries.fetch_add(1, Ordering::Relaxed) == 0 {
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            assert!(!headers.contains_key("content-type"), "the URL is signed without one");
            tell.send(serde_json::from_str::<Value>(&body).unwrap()).unwrap();
            StatusCode::OK
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/answer", put(bucket))).await });
    let event = json!({
        "RequestType": kind, "ResponseURL": format!("http://{address}/answer?X-Amz-Signature=x"), "StackId": "stack",
        "RequestId": "request", "LogicalResourceId": "Schema", "ResourceType": "Custom::Schema",
        "ResourceProperties": {"ServiceToken": "arn", "Version": "9"}, "PhysicalResourceId": "schema",
    });
    handle(async { url }, serde_json::from_value(event).unwrap()).await.unwrap();
    let answer = told.recv().await.unwrap();
    for (field, value) in [("StackId", "stack"), ("RequestId", "request"), ("LogicalResourceId", "Schema")] {
        assert_eq!(answer[field], value, "{answer}");
    }
    assert_eq!(answer["PhysicalResourceId"], "schema", "{answer}");
    answer
}

#[tokio::test]
async fn a_deployment_brings_the_schema_and_a_second_one_finds_it_there() {
    let url = empty_database(&MIGRATOR).await;
    for kind in ["Create", "Update"] {
        assert_eq!(ask(kind, Ok(url.clone())).await["Status"], "SUCCESS");
    }
    let db = db::connect(&config::database_at(url.clone()).unwrap()).unwrap();
    sqlx::query("select from messages").execute(&db).await.unwrap();
    assert_eq!(ask("Delete", Ok(url.clone())).await["Status"], "SUCCESS");
    sqlx::query("select from messages").execute(&db).await.unwrap();
    // What a rollback finds: a migration of the version after.
    sqlx::query("insert into _sqlx_migrations select 1000, 'later', installed_on, true, checksum, 1 from _sqlx_migrations limit 1")
        .execute(&db)
        .await
        .unwrap();
    assert_eq!(ask("Update", Ok(url)).await["Status"], "SUCCESS");
}

#[tokio::test]
async fn several_processes_at_once_bring_the_schema_once() {
    let url = empty_database(&MIGRATOR).await;
    let outcomes = tokio::join!(db::migrate(&url), db::migrate(&url), db::migrate(&url));
    assert!(outcomes.0.is_ok() && outcomes.1.is_ok() && outcomes.2.is_ok(), "{outcomes:?}");
}

#[tokio::test]
async fn what_an_attempt_before_has_left_half_done_or_unrecorded_does_no_harm() {
    let url = empty_database(&MIGRATOR).await;
    db::migrate(&url).await.unwrap();
    let db = db::connect(&config::database_at(url.clone()).unwrap()).unwrap();
    for valid in [true, false] {
        for statement in [
            // Those outside a transaction.
            "delete from _sqlx_migrations where version in (14, 15, 16, 23, 24, 35, 36, 37, 38)".to_owned(),
            format!("update pg_index set indisvalid = {valid} where indexrelid = 'chat_members_active'::regclass"),
        ] {
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&db).await.unwrap();
        }
        db::migrate(&url).await.unwrap();
        let indexes: Vec<(String, bool)> = sqlx::query_as(
            "select c.relname::text, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid
            where i.indrelid = 'chat_members'::regclass order by 1",
        )
        .fetch_all(&db)
        .await
        .unwrap();
        let indexes: Vec<_> = indexes.iter().map(|(name, valid)| (name.as_str(), *valid)).collect();
        assert_eq!(indexes, [("chat_members_active", true), ("chat_members_pkey", true)]);
    }
}

#[tokio::test]
async fn a_migration_that_fails_fails_the_deployment_with_its_reason() {
    let url = empty_database(&MIGRATOR).await;
    let db = db::connect(&config::database_at(url.clone()).unwrap()).unwrap();
    sqlx::query("create table messages (a int)").execute(&db).await.unwrap();
    let answer = ask("Create", Ok(url)).await;
    assert_eq!(answer["Status"], "FAILED");
    assert!(answer["Reason"].as_str().unwrap().contains("relation \"messages\" already exists"), "{answer}");

    let answer = ask("Update", Ok("mysql://u@h/d".to_owned())).await;
    assert_eq!(answer["Status"], "FAILED");
    let answer = ask("Update", Err("cannot read the secret x")).await;
    assert_eq!((&answer["Status"], &answer["Reason"]), (&json!("FAILED"), &json!("cannot read the secret x")));
}
