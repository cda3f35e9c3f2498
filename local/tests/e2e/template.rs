//! The template, the binaries and the local gateway know the same functions.

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::Method;
use sam_gateway::gateway::{Gateway, Settings};
use sam_gateway::routes::HttpRoute;
use sam_gateway::template::Template;
use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::{Value, json};
use strum::VariantArray as _;
use tokio::net::TcpListener;
use windi_functions::Function;
use windi_functions::routes::{ROUTES, Route};
use windi_local::in_process::InProcess;
use windi_shared::db::MIGRATOR;

use crate::harness::{TEMPLATE, World};

#[test]
fn the_template_the_binaries_and_the_handlers_are_the_same_functions() {
    let template = Template::load(TEMPLATE.as_ref()).unwrap();
    let in_template: BTreeSet<String> = template.functions.values().map(|function| function.name.clone()).collect();
    let handlers: BTreeSet<String> =
        Function::VARIANTS.iter().map(|function| <&str>::from(*function).to_owned()).collect();
    let doors = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/src/bin")).unwrap();
    let doors: BTreeSet<String> =
        doors.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(in_template, handlers);
    assert_eq!(doors, handlers);
    // The entry in the template also has the function's name.
    for (id, function) in &template.functions {
        assert_eq!(function.name.replace('_', ""), id.to_ascii_lowercase());
    }
}

/// The environment variables of a resource of the template, or of its `Globals`.
fn variables(node: &Yaml<'_>) -> BTreeSet<String> {
    let variables = node.as_mapping_get("Environment").and_then(|environment| environment.as_mapping_get("Variables"));
    let names = variables.and_then(Yaml::as_mapping).into_iter().flat_map(|variables| variables.keys());
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// The logical ids of a function's managed policies.
fn policies(properties: &Yaml<'_>) -> BTreeSet<String> {
    let Some(policies) = properties.as_mapping_get("Policies").and_then(Yaml::as_sequence) else {
        return BTreeSet::new();
    };
    let name = |policy: &Yaml<'_>| match policy {
        Yaml::Tagged(_, name) => name.as_str().unwrap().to_owned(),
        other => panic!("{other:?} is not a reference"),
    };
    policies.iter().map(name).collect()
}

/// What a function's `main` asks for, the variables this reads, and the policies it needs at least.
const CLIENTS: [(&str, &[&str], &[&str]); 10] = [
    ("door.database", &["DATABASE_URL"], &["ReadDatabaseSecret"]),
    ("door.tokens", &["JWT_SECRET"], &["ReadJwtSecret"]),
    ("door.mail", &["MAIL_FROM"], &["SendMail"]),
    ("door.web_push", &["PUSH_KEY", "VAPID_SUBJECT"], &["ReadPushKey"]),
    ("door.connections", &["CONNECTIONS_TABLE"], &["CheckConnections"]),
    (
        "door.store",
        &["FILES_BUCKET", "AWS_ENDPOINT_URL_S3", "FILES_ACCESS_KEY_ID", "FILES_SECRET_ACCESS_KEY", "FILES_PUBLIC_URL"],
        &["UseStore"],
    ),
    ("door.files_origin", &["FILES_ORIGIN"], &[]),
    ("door.websocket_url", &["WEBSOCKET_URL"], &[]),
    ("door.posts", &["CONNECTIONS_ENDPOINT"], &["PostToConnections"]),
    ("door.push", &["CONNECTIONS_TABLE", "CONNECTIONS_ENDPOINT"], &["FindConnections", "PostToConnections"]),
];

#[test]
fn every_function_gets_the_variables_and_secrets_it_reads_and_no_others() {
    let text = std::fs::read_to_string(TEMPLATE).unwrap();
    let template = &Yaml::load_from_str(&text).unwrap()[0];
    let everybodys = variables(&template["Globals"]["Function"]);
    assert_eq!(everybodys, ["AWS_ENDPOINT_URL_DYNAMODB".to_owned(), "RUST_LOG".to_owned()].into());
    let mut checked = 0;
    for (id, resource) in template["Resources"].as_mapping().unwrap() {
        if resource["Type"].as_str() != Some("AWS::Serverless::Function") {
            continue;
        }
        let id = id.as_str().unwrap();
        let binary = resource["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap();
        let source = format!("{}/../functions/src/{binary}.rs", env!("CARGO_MANIFEST_DIR"));
        let source = std::fs::read_to_string(source).unwrap();
        let (_, main) = source.split_once("\npub fn main() -> door::Outcome {").unwrap();
        let (main, _) = main.split_once("\n}\n").unwrap();
        let (own, policies) = (variables(&resource["Properties"]), policies(&resource["Properties"]));
        let asked = CLIENTS.iter().filter(|(client, _, _)| main.contains(client));
        let (mut reads, mut needs) = (BTreeSet::new(), BTreeSet::new());
        for (_, variables, policies) in asked {
            reads.extend(variables.iter().map(|name| (*name).to_owned()));
            needs.extend(policies.iter().map(|name| (*name).to_owned()));
        }
        assert_eq!(own, reads, "{id}");
        // These depend on what a function does with its clients; the deployment rehearsal watches that.
        let more = ["ChangeConnections", "CloseConnections"];
        let policies = policies.into_iter().filter(|policy| !more.contains(&policy.as_str())).collect();
        assert_eq!(needs, policies, "{id}");
        checked += 1;
    }
    assert_eq!(checked, Function::VARIANTS.len());
}

#[test]
fn the_schema_is_applied_before_the_functions_that_need_it_and_whenever_it_has_changed() {
    let text = std::fs::read_to_string(TEMPLATE).unwrap();
    let template = &Yaml::load_from_str(&text).unwrap()[0];
    let resources = &template["Resources"];
    let newest = MIGRATOR.iter().map(|migration| migration.version).max();
    assert_eq!(resources["Schema"]["Properties"]["Version"].as_integer(), newest);
    for (id, resource) in resources.as_mapping().unwrap() {
        let reads = resource.as_mapping_get("Properties").map(variables).is_some_and(|v| v.contains("DATABASE_URL"));
        let waits = resource.as_mapping_get("DependsOn").and_then(Yaml::as_str) == Some("Schema");
        assert_eq!(waits, reads && id.as_str() != Some("Migrate"), "{id:?}");
    }
}

#[test]
fn the_functions_know_the_routes_of_the_template() {
    let template = Template::load(TEMPLATE.as_ref()).unwrap();
    let (any, routes): (Vec<_>, Vec<_>) = template.http.routes.iter().partition(|route| route.method == "ANY");
    let served: BTreeSet<_> = routes.iter().map(|route| (route.method.as_str(), route.path.as_str())).collect();
    let known: BTreeSet<_> = ROUTES.iter().map(|route| (route.method, route.path)).collect();
    assert_eq!(served, known);
    // Every path has a route that sends all other methods to the function that serves the path.
    let functions = |routes: &[&HttpRoute]| -> BTreeSet<(String, String)> {
        routes.iter().map(|route| (route.path.clone(), route.function.clone())).collect()
    };
    assert_eq!(functions(&any), functions(&routes));
}

/// A path with its variables filled in.
fn path_of(route: &Route) -> String {
    let segments = route.path.split('/');
    let filled =
        segments.map(|segment| if segment.starts_with('{') { "0199a1b2-0000-7000-8000-000000000001" } else { segment });
    filled.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_of_the_template_has_an_arm_in_its_function() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    for route in ROUTES {
        let method: Method = route.method.parse().unwrap();
        let path = path_of(route);
        let (status, body) = world.call(method.clone(), &path, None, None).await;
        let missing = status == 404 && body["code"] != "file_not_found";
        assert!(status < 500 && !missing && status != 405, "{method} {path}: {status} {body}");
        if route.takes("surprise") {
            continue;
        }
        // A parameter that the route does not take is never ignored, no matter who asks.
        let (status, body) = alice.call(method.clone(), &format!("{path}?surprise=1"), None).await;
        assert_eq!((status, &body["code"]), (422, &json!("invalid_field")), "{method} {path}: {body}");
        assert!(body["message"].as_str().unwrap().starts_with("surprise: "), "{body}");
    }
    let template = Template::load(TEMPLATE.as_ref()).unwrap();
    let mut device = alice.device().await;
    for action in template.websocket.unwrap().routes.keys().filter(|key| !key.starts_with('$')) {
        let mut data = json!({"chat_id": "0199a1b2-0000-7000-8000-000000000001"});
        match action.as_str() {
            "sendMessage" => data["text"] = json!("x"),
            "markRead" => data["message_id"] = json!(1),
            "typing" => data["is_typing"] = json!(true),
            "ping" => data = json!({}),
            _ => {}
        }
        device.send(json!({"action": action, "data": data, "request_id": action})).await;
        // A function reached by mistake would not know the action.
        let answer = loop {
            let frame = device.next().await;
            if frame["request_id"] == action.as_str() {
                break frame;
            }
        };
        assert_ne!(answer["data"]["code"], "unknown_action", "{action}: {answer}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones_and_head_is_get_without_a_body() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    for route in ROUTES {
        let url = format!("{}{}", world.base, path_of(route));
        let has_put = ROUTES.iter().any(|other| other.path == route.path && other.method == "PUT");
        let wrong = if has_put { world.http.patch(&url) } else { world.http.put(&url) };
        let wrong = wrong.bearer_auth(&alice.token).send().await.unwrap();
        let allow = wrong.headers().get("allow").unwrap_or_else(|| panic!("{url}")).to_str().unwrap().to_owned();
        assert!(allow.split(", ").any(|method| method == route.method), "{url}: {allow}");
        let (status, body) = (wrong.status(), wrong.json::<Value>().await.unwrap());
        assert_eq!((status.as_u16(), &body["code"]), (405, &json!("method_not_allowed")), "{url}: {body}");
    }
    let head = world.http.head(format!("{}/health", world.base)).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.bytes().await.unwrap().len(), 0);
    let head = world.http.head(format!("{}/chats", world.base)).send().await.unwrap();
    assert_eq!(head.status(), 401);
    let head = world.http.head(format!("{}/messages", world.base)).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["allow"].to_str().unwrap()), (405, "POST"));
}

#[tokio::test]
async fn a_route_to_a_function_nobody_built_is_an_error_at_start_that_names_it() {
    let world = World::new().await;
    let text = std::fs::read_to_string(TEMPLATE).unwrap().replace("Binary: history", "Binary: prehistory");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let template = Template::load(file.path()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let functions = Arc::new(InProcess::new(Arc::clone(&world.app)));
    let error = Gateway::start(listener, template, functions, Settings::default()).unwrap_err().to_string();
    let line = std::fs::read_to_string(file.path()).unwrap().lines().position(|line| line.contains("prehistory"));
    assert!(error.contains("\"prehistory\"") && error.contains("GET /messages/history/{chat_id}"), "{error}");
    // The resource's properties begin one line below its name, where its `Type` and `Metadata` are.
    let at: usize =
        error.strip_prefix(&format!("{}:", file.path().display())).unwrap().split(':').next().unwrap().parse().unwrap();
    assert!(line.unwrap().abs_diff(at) <= 2, "{error}");
}
