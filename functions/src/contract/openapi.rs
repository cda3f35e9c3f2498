//! The HTTP API as OpenAPI 3.1.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use windi_shared::error::ErrorKind;
use windi_shared::protocol::GatewayError;

use super::call::{Body, Call, JSON, Parameter};
use super::calls;
use super::prose;
use super::schemas::{Schemas, Shape, TITLE};

const ABOUT: &str = "A serverless messenger: private and group chats, delivered in real time to every device. Its sockets are \
described in [asyncapi.json](/asyncapi.json).

To try the calls here, make an account with [register](#/Accounts/register), then choose **Authorize** and enter its username and password.

`HEAD` works wherever `GET` does. Any other method gets a 405 with the code `method_not_allowed` and an `Allow` header. A \
request is refused if it has a field or a query parameter that is not listed, except one for a file. Answers may get more \
fields with time, and there may be more error codes: treat those that you do not know by their status.";

const RETRY_AFTER: &str = "How many seconds to wait before trying again.";

/// The document.
pub fn openapi() -> Value {
    let mut schemas = Schemas::default();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for call in calls::all() {
        let path = call.path.replace("+}", "}");
        paths.entry(path).or_default().insert(call.method.to_ascii_lowercase(), operation(call, &mut schemas));
    }
    schemas.answer(Shape::of::<GatewayError>());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "Where this document came from"}],
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "securitySchemes": {
                "password": {
                    "type": "oauth2",
                    "description": "OAuth 2.0's password grant, with a username or an e-mail address.",
                    "flows": {"password": {"tokenUrl": "/auth/login", "scopes": {}}},
                },
                "token": {"type": "http", "scheme": "bearer", "description": "An `access_token`. It lives for 15 minutes."},
            },
        },
        "tags": calls::TAGS.map(|name| json!({"name": name})),
    })
}

fn operation(call: Call, schemas: &mut Schemas) -> Value {
    let parameters = call.path_parameters().into_iter().map(|it| parameter(it, "path"));
    let parameters: Vec<_> = parameters.chain(call.query.into_iter().map(|it| parameter(it, "query"))).collect();
    let mut refusals: BTreeMap<u16, Vec<ErrorKind>> = BTreeMap::new();
    for error in call.errors {
        refusals.entry(error.status()).or_default().push(error);
    }
    let refusals = refusals.into_iter().map(|(status, errors)| (status.to_string(), refusal(status, &errors)));
    let mut responses: BTreeMap<String, Value> = refusals.collect();
    for answer in call.answers {
        let mut response = json!({"description": answer.what});
        let links = links(call.method, call.path, answer.status);
        if !links.is_empty() {
            response["links"] = links.into();
        }
        if let Some(body) = answer.body {
            response["content"] = json!({body.media_type: content(body, |shape| schemas.answer(shape))});
        }
        responses.insert(answer.status.to_string(), response);
    }
    let mut operation = json!({
        "operationId": call.id,
        "tags": [call.tag],
        "summary": call.summary,
        "parameters": parameters,
        "responses": responses,
        "security": if call.secured { json!([{"password": []}, {"token": []}]) } else { json!([]) },
    });
    if !call.bodies.is_empty() {
        let bodies = call.bodies.into_iter();
        let bodies: Map<_, _> =
            bodies.map(|body| (body.media_type.to_owned(), content(body, |shape| schemas.request(shape)))).collect();
        operation["requestBody"] = json!({"required": true, "content": bodies});
    }
    operation
}

/// Which calls take what an answer has: the new chat, the new member, the message.
fn links(method: &str, path: &str, status: u16) -> Map<String, Value> {
    let given: &[(&str, &str)] = match (method, path, status) {
        ("POST", "/chats", 201) => &[("chat_id", "$response.body#/id")],
        ("POST", "/chats/{chat_id}/members", 201) => {
            &[("chat_id", "$request.path.chat_id"), ("user_id", "$response.body#/id")]
        }
        ("POST", "/messages", 201) => &[("chat_id", "$response.body#/chat_id"), ("message_id", "$response.body#/id")],
        _ => return Map::new(),
    };
    let takers = calls::all().into_iter().filter(|call| {
        let needed = call.path_parameters();
        needed.len() == given.len() && needed.iter().all(|needed| given.iter().any(|(name, _)| *name == needed.name))
    });
    let parameters: Map<_, _> = given.iter().map(|(name, place)| ((*name).to_owned(), json!(place))).collect();
    takers.map(|call| (call.id.to_owned(), json!({"operationId": call.id, "parameters": parameters}))).collect()
}

fn parameter(parameter: Parameter, place: &str) -> Value {
    let Parameter { name, what, schema, required } = parameter;
    json!({"name": name, "in": place, "description": what, "required": required, "schema": schema})
}

fn content(body: Body, mut add: impl FnMut(Shape) -> Value) -> Value {
    let Some(shape) = body.shape else { return json!({}) };
    let mut content = json!({"schema": add(shape)});
    let examples = prose::examples(body.example).into_iter().zip(1..);
    let examples: Map<_, _> =
        examples.map(|(value, at)| (format!("{}_{at}", body.example), json!({"value": value}))).collect();
    if !examples.is_empty() {
        content["examples"] = examples.into();
    }
    content
}

/// The answer with one of these errors, which have this status.
fn refusal(status: u16, errors: &[ErrorKind]) -> Value {
    let meanings: Vec<_> =
        errors.iter().map(|error| format!("* `{}`: {}", error.code(), prose::meaning(error.code()))).collect();
    let example = |error: &ErrorKind| {
        let value =
            json!({"code": error.code(), "message": prose::meaning(error.code()), "request_id": "JKJaXmPLvHcESHA="});
        (error.code().to_owned(), json!({"value": value}))
    };
    let examples: Map<_, _> = errors.iter().map(example).collect();
    let own = json!({"$ref": "#/components/schemas/ErrorBody"});
    // What API Gateway itself answers with these.
    let schema = match status {
        413 | 500 | 503 => json!({"anyOf": [own, {"$ref": "#/components/schemas/GatewayError"}]}),
        _ => own,
    };
    let mut response = json!({
        "description": meanings.join("\n"),
        "content": {JSON: {"schema": schema, "examples": examples}},
        // For programs; the description is for people.
        "x-codes": errors.iter().map(|error| error.code()).collect::<Vec<_>>(),
    });
    if [429, 503].contains(&status) {
        let schema = json!({"type": "integer", "minimum": 1});
        response["headers"] = json!({"Retry-After": {"description": RETRY_AFTER, "schema": schema}});
    }
    response
}
