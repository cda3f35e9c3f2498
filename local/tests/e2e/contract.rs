//! The contracts, `/openapi.json` and `/asyncapi.json`: every answer and every frame of every test is checked against
//! them, and they have everything that the template, the types and the errors have.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use reqwest::Method;
use sam_gateway::template::Template;
use serde_json::{Map, Value, json};
use strum::VariantArray as _;
use windi_functions::contract;
use windi_functions::routes::ROUTES;
use windi_shared::error::ErrorKind;

use crate::harness::{TEMPLATE, World};

static OPENAPI: LazyLock<Value> = LazyLock::new(contract::openapi);
static ASYNCAPI: LazyLock<Value> = LazyLock::new(|| contract::asyncapi("ws://localhost/ws"));

/// Panics unless the call is in the contract with this answer: its status, its error code and all its fields.
pub fn check_answer(method: &Method, url: &str, sent: Option<&Value>, status: u16, body: &Value) {
    let path = url.split('?').next().unwrap();
    let Some((template, calls)) = find(path) else {
        assert_eq!(*body, json!({"message": "Not Found"}), "{path} is in no contract");
        return;
    };
    let name = method.as_str().to_ascii_lowercase();
    let Some(call) = calls.get(&name) else {
        assert_eq!(body["code"], "method_not_allowed", "{method} {path} is in no contract: {status} {body}");
        return;
    };
    // A route asks for its query first, and refuses what it does not know.
    let response = &call["responses"][status.to_string()];
    assert!(response.is_object(), "{method} {template}: a {status} is not in the contract: {body}");
    let place = format!("paths/{template}/{name}");
    if let Some(codes) = response["x-codes"].as_array()
        && body.get("code").is_some()
    {
        assert!(codes.contains(&body["code"]), "{method} {template}: {} is not in the contract", body["code"]);
    }
    match response.get("content") {
        Some(content) => {
            if let Some(schema) = content["application/json"].get("schema") {
                matches(&format!("{place}/{status}"), &OPENAPI, schema, body);
            }
        }
        None => assert_eq!(body, "", "{method} {template}: a {status} has no body in the contract"),
    }
    if let (Some(sent), true) = (sent, (200..300).contains(&status)) {
        let schema = &call["requestBody"]["content"]["application/json"]["schema"];
        matches(&format!("{place}/request"), &OPENAPI, schema, sent);
    }
}

/// Panics unless the frame is in the contract.
pub fn check_frame(frame: &Value) {
    let Some(kind) = frame["type"].as_str() else {
        // The gateway's own.
        assert!(frame["message"].is_string(), "{frame}");
        return;
    };
    let payload = &ASYNCAPI["components"]["messages"][kind]["payload"];
    assert!(payload.is_object(), "{kind} is not in the contract: {frame}");
    matches(kind, &ASYNCAPI, payload, frame);
}

/// The path of the contract that a request's path has.
fn find(path: &str) -> Option<(&'static String, &'static Map<String, Value>)> {
    let matches = |template: &str| {
        let (mut names, mut parts) = (template.split('/'), path.split('/'));
        let same = names.by_ref().zip(parts.by_ref()).all(|(name, part)| name.starts_with('{') || name == part);
        same && template.matches('/').count() == path.matches('/').count()
    };
    let found = OPENAPI["paths"].as_object().unwrap().iter().filter(|(template, _)| matches(template));
    // `/messages/search` rather than one with a variable in that place.
    let found = found.min_by_key(|(template, _)| template.matches('{').count());
    found.map(|(template, calls)| (template, calls.as_object().unwrap()))
}

/// Panics unless the value has the schema, and no field that the schema does not list.
fn matches(place: &str, document: &Value, schema: &Value, value: &Value) {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let known = KNOWN.lock().unwrap().get(place).map(Arc::clone);
    let known = known.unwrap_or_else(|| {
        let validator = Arc::new(strict(document, schema));
        KNOWN.lock().unwrap().insert(place.to_owned(), Arc::clone(&validator));
        validator
    });
    let errors: Vec<_> = known.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{place} is not as in the contract: {errors:?} in {value}");
}

fn strict(document: &Value, schema: &Value) -> Validator {
    let mut schemas = document["components"]["schemas"].clone();
    let parts: BTreeSet<String> = schemas.as_object().unwrap().values().flat_map(parts).collect();
    for (_, schema) in schemas.as_object_mut().unwrap().iter_mut().filter(|(name, _)| !parts.contains(*name)) {
        close(schema);
    }
    let mut root = schema.clone();
    close(&mut root);
    root["components"] = json!({"schemas": schemas});
    jsonschema::draft202012::options().should_validate_formats(true).build(&root).unwrap()
}

/// Refuses the fields that an object's schema does not list, which the contract leaves open.
fn close(schema: &mut Value) {
    if schema.get("allOf").is_some() {
        schema["unevaluatedProperties"] = json!(false);
    } else if schema.get("properties").is_some() {
        schema["additionalProperties"] = json!(false);
    }
}

/// The names of the schemas of which this one is made.
fn parts(schema: &Value) -> Vec<String> {
    let parts = schema["allOf"].as_array().into_iter().flatten().filter_map(|part| part["$ref"].as_str());
    parts.filter_map(|path| path.rsplit('/').next()).map(str::to_owned).collect()
}

#[test]
fn openapi_has_every_route_with_its_query_and_every_error() {
    let template = Template::load(TEMPLATE.as_ref()).unwrap();
    let paths = OPENAPI["paths"].as_object().unwrap();
    let described: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, calls)| {
            calls.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let routes = template.http.routes.iter().filter(|route| route.method != "ANY");
    let served = routes.map(|route| (route.method.clone(), route.path.replace("+}", "}"))).collect();
    assert_eq!(described, served);
    for route in ROUTES.iter().filter(|route| !route.takes("surprise")) {
        let call = &paths[route.path][route.method.to_lowercase()];
        let parameters = call["parameters"].as_array().unwrap().iter();
        let query: BTreeSet<_> = parameters
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(query, route.query.iter().copied().collect(), "{} {}", route.method, route.path);
    }
    let mut ids = BTreeSet::new();
    for call in contract::calls::all() {
        assert!(ids.insert(call.id), "{} is there twice", call.id);
    }
}

#[test]
fn both_contracts_have_every_error_code_and_what_it_means() {
    for document in [&*OPENAPI, &*ASYNCAPI] {
        let description = document["components"]["schemas"]["ErrorCode"]["description"].as_str().unwrap();
        for kind in ErrorKind::VARIANTS {
            let line = format!("* {} `{}`: ", kind.status(), kind.code());
            let (_, meaning) = description.split_once(&line).unwrap_or_else(|| panic!("{line} is missing"));
            assert!(meaning.len() > 5 && !meaning.starts_with('\n'), "{line} has no meaning");
        }
    }
    // An error that no call has is one of the socket, or of a method that the contract does not list.
    let calls: BTreeSet<_> =
        contract::calls::all().into_iter().flat_map(|call| call.errors).map(ErrorKind::code).collect();
    let others = ErrorKind::VARIANTS.iter().map(|kind| kind.code()).filter(|code| !calls.contains(code));
    assert_eq!(
        others.collect::<BTreeSet<_>>(),
        ["method_not_allowed", "password_changed", "session_ended", "too_many_connections", "unknown_action"].into()
    );
}

#[test]
fn asyncapi_has_every_action_and_every_frame_with_an_example() {
    let template = Template::load(TEMPLATE.as_ref()).unwrap();
    let actions = template.websocket.unwrap();
    let actions = actions.routes.keys().filter(|key| !key.starts_with('$')).cloned();
    // `ping` is served by the default route.
    let actions: BTreeSet<_> = actions.chain(["ping".to_owned()]).collect();
    let operations = ASYNCAPI["operations"].as_object().unwrap();
    let received = operations.iter().filter(|(_, operation)| operation["action"] == "receive");
    assert_eq!(received.map(|(name, _)| name.clone()).collect::<BTreeSet<_>>(), actions);
    let frames = [
        "new_message",
        "message_edited",
        "message_deleted",
        "message_reacted",
        "message_read",
        "typing_indicator",
        "user_status",
        "chat_created",
        "chat_updated",
        "chat_dissolved",
        "chat_settings",
        "member_added",
        "member_updated",
        "member_removed",
        "chat_joined",
        "chat_left",
        "pong",
        "error",
    ];
    let pushes = operations["push"]["messages"].as_array().unwrap();
    assert_eq!(pushes.len(), frames.len());
    let messages = ASYNCAPI["components"]["messages"].as_object().unwrap();
    assert_eq!(messages.len(), frames.len() + actions.len());
    for (name, message) in messages {
        let examples = message["examples"].as_array().unwrap();
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            matches(&format!("example of {name}"), &ASYNCAPI, &message["payload"], &example["payload"]);
        }
    }
}

#[test]
fn every_example_of_openapi_has_its_schema() {
    let mut examples = 0;
    for (path, calls) in OPENAPI["paths"].as_object().unwrap() {
        for (method, call) in calls.as_object().unwrap() {
            let answers = call["responses"].as_object().unwrap().values().map(|response| &response["content"]);
            for content in answers.chain([&call["requestBody"]["content"]]).filter_map(Value::as_object) {
                for (at, content) in content.values().enumerate() {
                    for (name, example) in content["examples"].as_object().into_iter().flatten() {
                        let place = format!("{method} {path} {name} {at}");
                        matches(&place, &OPENAPI, &content["schema"], &example["value"]);
                        examples += 1;
                    }
                }
            }
        }
    }
    assert!(examples > 30, "{examples}");
    // A kind that `docs/protocol.md` does not have would leave a call without its examples.
    for call in contract::calls::all() {
        let bodies = call.answers.iter().filter_map(|answer| answer.body.as_ref());
        for body in call.bodies.iter().chain(bodies).filter(|body| !body.example.is_empty()) {
            assert!(!contract::prose::examples(body.example).is_empty(), "{}: {}", call.id, body.example);
        }
    }
}

#[tokio::test]
async fn the_contracts_are_served_with_where_the_socket_is() {
    let world = World::new().await;
    let (status, openapi) = world.call(Method::GET, "/openapi.json", None, None).await;
    assert_eq!((status, &openapi), (200, &*OPENAPI));
    let (status, asyncapi) = world.call(Method::GET, "/asyncapi.json", None, None).await;
    assert_eq!(status, 200);
    let here = &asyncapi["servers"]["here"];
    let url = format!(
        "{}://{}{}",
        here["protocol"].as_str().unwrap(),
        here["host"].as_str().unwrap(),
        here["pathname"].as_str().unwrap()
    );
    assert_eq!(url, world.socket_url());
    let (status, page) = world.call(Method::GET, "/docs", None, None).await;
    assert_eq!(status, 200);
    assert!(page.as_str().unwrap().contains("swagger-ui"), "{page}");
}
