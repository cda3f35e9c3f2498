//! The socket as AsyncAPI 3.

use serde_json::{Map, Value, json};
use utoipa::PartialSchema as _;
use windi_shared::protocol::{ClientAction, ServerFrame};

use super::prose;
use super::schemas::{Schemas, Shape, TITLE};

const ABOUT: &str = "The messenger's WebSocket API, as the server sees it: it receives actions and sends frames. The HTTP API is \
described in [openapi.json](/openapi.json).

An action's answer carries its `request_id`, and goes to the connection that sent it. The other frames are pushes: they may \
arrive twice, late, in another order, or not at all. The revisions in them show what is missing, and \
`GET /chats/{chat_id}/changes` returns it. An action is refused if it has a field that is not listed. Frames may get more \
fields with time, and there may be more types of frames: ignore those that you do not know.

A socket lives for two hours at most, and for ten minutes without a frame.";

/// The frame that answers each action, besides `error`.
const ANSWERS: [(&str, Option<&str>); 6] = [
    ("sendMessage", Some("new_message")),
    ("markRead", Some("message_read")),
    ("typing", None),
    ("joinChat", Some("chat_joined")),
    ("leaveChat", Some("chat_left")),
    ("ping", Some("pong")),
];

/// The document. `url` is where sockets are opened, such as `wss://example.com/ws`.
pub fn asyncapi(url: &str) -> Value {
    let mut schemas = Schemas::default();
    schemas.add(Shape::of::<ClientAction>().others);
    schemas.add(Shape::of::<ServerFrame>().others);
    let actions = messages(&json!(ClientAction::schema()), "action", &prose::examples("client"));
    let frames = messages(&json!(ServerFrame::schema()), "type", &prose::examples("server"));
    let message = |name: &str| json!({"$ref": format!("#/channels/socket/messages/{name}")});
    let mut operations = Map::new();
    for (name, answer) in ANSWERS {
        let answers: Vec<_> = answer.into_iter().chain(["error"]).map(message).collect();
        let reply = json!({"channel": {"$ref": "#/channels/socket"}, "messages": answers});
        operations.insert(
            name.to_owned(),
            json!({"action": "receive", "channel": {"$ref": "#/channels/socket"}, "messages": [message(name)], "reply": reply}),
        );
    }
    let pushes: Vec<_> = frames.keys().map(|name| message(name)).collect();
    operations.insert(
        "push".to_owned(),
        json!({"action": "send", "channel": {"$ref": "#/channels/socket"}, "messages": pushes}),
    );
    let all: Map<String, Value> = actions.into_iter().chain(frames).collect();
    let references: Map<String, Value> =
        all.keys().map(|name| (name.clone(), json!({"$ref": format!("#/components/messages/{name}")}))).collect();
    let (protocol, rest) = url.split_once("://").unwrap_or(("wss", url));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": TITLE,
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"here": {
            "host": host,
            "pathname": format!("/{path}"),
            "protocol": protocol,
            "security": [{"$ref": "#/components/securitySchemes/token"}],
        }},
        "channels": {"socket": {"address": null, "title": "A device's socket", "messages": references}},
        "operations": operations,
        "components": {
            "messages": all,
            "schemas": schemas.finish(),
            "securitySchemes": {"token": {
                "type": "http",
                "scheme": "bearer",
                "description": "An access token, in the handshake: `Authorization: Bearer <token>`, or from browsers \
                    `Sec-WebSocket-Protocol: windi, <token>`.",
            }},
        },
    })
}

/// A message for each variant of a frame's schema, by the value of the field that tells them apart.
fn messages(schema: &Value, tag: &str, examples: &[Value]) -> Map<String, Value> {
    let variants = schema["oneOf"].as_array().into_iter().flatten();
    let message = |variant: &Value| {
        let name = variant["properties"][tag]["enum"][0].as_str()?;
        let mut payload = variant.clone();
        let description = payload.as_object_mut()?.remove("description");
        payload["properties"]["request_id"] = json!({
            "type": "string",
            "maxLength": 128,
            "description": match tag {
                "action" => "The client's own id for the request, at most 128 bytes, echoed in the answer.",
                _ => "The id of the request that this frame answers.",
            },
        });
        if tag == "action" {
            payload["additionalProperties"] = false.into();
        }
        if name == "ping" {
            payload["required"] = json!([tag]);
        }
        let examples =
            examples.iter().filter(|example| example[tag] == name).map(|example| json!({"payload": example}));
        let message = json!({
            "name": name,
            "title": name,
            "summary": description,
            "payload": payload,
            "examples": examples.collect::<Vec<_>>(),
        });
        Some((name.to_owned(), message))
    };
    variants.filter_map(message).collect()
}
