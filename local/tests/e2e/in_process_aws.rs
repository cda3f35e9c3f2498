//! The AWS SDKs reach DynamoDB and the gateway of the same process without a socket.

use std::sync::Arc;

use chrono::Utc;
use sam_gateway::gateway::{self, Gateway};
use sam_gateway::template::Template;
use tokio::net::TcpListener;
use windi_backing::dynamodb::DynamoDb;
use windi_local::app::App;
use windi_local::in_process::InProcess;
use windi_local::in_process_aws::InProcessAws;
use windi_shared::connections::{Address, Connection};
use windi_shared::ids::{ChatId, ConnectionId, SessionId, UserId};

use crate::harness::TEMPLATE;
use crate::road::settings;

/// Nothing listens there.
const NOWHERE: &str = "127.0.0.1:9";

async fn app(dynamodb_endpoint: &str, aws: InProcessAws) -> App {
    let database = format!("postgres://nobody@{NOWHERE}/none");
    let settings = settings(database, dynamodb_endpoint.to_owned(), NOWHERE.parse().unwrap(), 1).await;
    App::new(settings, aws).unwrap()
}

#[tokio::test]
async fn connections_are_listed_without_a_socket() {
    let dynamodb = DynamoDb::start().await.unwrap();
    app(dynamodb.endpoint(), InProcessAws::default()).await.connections.create_table().await.unwrap();
    let connections = app(&format!("http://{NOWHERE}"), InProcessAws::new(dynamodb.direct())).await.connections;
    let user_id = UserId::new();
    let connection = |id: &str| Connection {
        id: ConnectionId(id.to_owned()),
        user_id,
        session_id: SessionId::new(),
        at: Utc::now().timestamp_millis(),
    };
    let (first, second) = (connection("first="), connection("second="));
    assert_eq!(connections.remember(Address::User(user_id), &first).await.unwrap(), []);
    let listed = connections.remember(Address::User(user_id), &second).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&first));
    assert!(!connections.forget(Address::User(user_id), &[&first.id]).await.unwrap().was_last);
    assert_eq!(connections.of_users(&[user_id]).await.unwrap(), [second]);
    // Anything else is asked over the network, and whatever is refused.
    assert!(connections.create_table().await.is_err());
    let chat_id = ChatId::new();
    assert!(connections.is_typing_news(chat_id, user_id, true).await.unwrap());
    assert!(connections.is_typing_news(chat_id, user_id, true).await.is_err());
    let connections = app(dynamodb.endpoint(), InProcessAws::new(dynamodb.direct())).await.connections;
    assert!(!connections.is_typing_news(chat_id, user_id, true).await.unwrap());
}

#[tokio::test]
async fn posts_reach_the_gateway_without_a_socket_for_as_long_as_it_is_there() {
    let app = Arc::new(app(&format!("http://{NOWHERE}"), InProcessAws::default()).await);
    let nobody = ConnectionId("nobody=".to_owned());
    assert!(app.push.posts().close(&nobody).await.is_err(), "there is no gateway yet");
    let template = Template::load(TEMPLATE.as_ref()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let functions = Arc::new(InProcess::new(Arc::clone(&app)));
    let gateway = Gateway::start(listener, template, functions, gateway::Settings::default()).unwrap();
    app.aws.connect(gateway.management());
    // A connection that does not exist counts as closed.
    app.push.posts().close(&nobody).await.unwrap();
    gateway.stop().await;
    assert!(app.push.posts().close(&nobody).await.is_err(), "the gateway has stopped");
}
