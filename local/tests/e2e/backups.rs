//! `windi-local backup` and `windi-local restore`.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

use crate::lifecycle::{Program, call, command, start};

async fn tool(data: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut command = tokio::process::Command::from(command(data, "0"));
    let output = command.args(arguments).output().await.unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

async fn login(program: &Program) -> (String, String) {
    let login = json!({"username": "alice", "password": "password123"});
    let tokens = call(program, Method::POST, "/auth/login", None, Some(login)).await;
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    let chats = call(program, Method::GET, "/chats", Some(&token), None).await;
    (token, chats["chats"][0]["id"].as_str().unwrap().to_owned())
}

/// Two settings that the role has from the migrations.
const SETTINGS: &str = "select current_setting('statement_timeout') || ' ' || current_setting('jit')";

#[tokio::test]
async fn a_backup_under_load_holds_everything_acknowledged_before_it() {
    let (data, other, files) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = files.path().join("backup");
    let name = file.to_str().unwrap();
    let program = start(data.path(), &["--demo"]);
    let (token, chat_id) = login(&program).await;

    let (client, acknowledged, stop) =
        (Client::builder().no_proxy().build().unwrap(), Mutex::new(Vec::new()), AtomicBool::new(false));
    let sender = async |who: usize| {
        for number in 0.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let message = json!({"chat_id": chat_id, "text": "kept", "client_message_id": format!("{who}-{number}")});
            let request = client.post(format!("{}/messages", program.base)).bearer_auth(&token).json(&message);
            let message: Value = request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap();
            acknowledged.lock().unwrap().push(message);
        }
    };
    let backup = async {
        while acknowledged.lock().unwrap().len() < 100 {
            tokio::task::yield_now().await;
        }
        let before = acknowledged.lock().unwrap().clone();
        tool(data.path(), &["backup", name]).await.unwrap();
        stop.store(true, Ordering::Relaxed);
        before
    };
    let (before, _, _, _) = tokio::join!(backup, sender(1), sender(2), sender(3));
    assert!(acknowledged.lock().unwrap().len() > before.len(), "there was no load during the backup");
    // Never over a file or over other data.
    assert!(tool(data.path(), &["backup", name]).await.unwrap_err().contains("already exists"));
    let there = tempfile::tempdir().unwrap();
    let first = start(there.path(), &[]);
    assert!(tool(there.path(), &["restore", name]).await.unwrap_err().contains("another messenger is running"));
    first.end();
    program.end();

    tool(other.path(), &["restore", name]).await.unwrap();
    assert!(tool(other.path(), &["restore", name]).await.unwrap_err().contains("already"));
    let program = start(other.path(), &[]);
    let (token, chat_id) = login(&program).await;
    let mut restored = Vec::new();
    loop {
        let path = format!("/messages/history/{chat_id}?limit=100&after={}", restored.len());
        let page = call(&program, Method::GET, &path, Some(&token), None).await;
        restored.extend(page["messages"].as_array().unwrap().clone());
        if page["has_more"] == false {
            break;
        }
    }
    for message in &before {
        assert!(restored.iter().any(|other| other["id"] == message["id"] && other["client_message_id"] == message["client_message_id"]), "{message} is missing");
    }
    // It goes on where it was, with the settings of the role.
    let message = json!({"chat_id": chat_id, "text": "after"});
    let sent = call(&program, Method::POST, "/messages", Some(&token), Some(message)).await;
    assert_eq!(sent["id"], restored.len() + 1);
    let options = PgConnectOptions::new_without_pgpass().socket(&program.socket).username("windi").database("windi");
    let mut db = options.connect().await.unwrap();
    let settings: String = sqlx::query_scalar(SETTINGS).fetch_one(&mut db).await.unwrap();
    assert_eq!(settings, "5s off");
    program.end();
}

#[tokio::test]
async fn there_is_nothing_to_back_up_where_nothing_is() {
    let empty = tempfile::tempdir().unwrap();
    let file = empty.path().join("backup");
    let problem = tool(empty.path(), &["backup", file.to_str().unwrap()]).await.unwrap_err();
    assert!(problem.contains("there is no database in"), "{problem}");
    assert!(!file.exists());
}
