//! How a call is described.

use utoipa::openapi::schema::{KnownFormat, SchemaFormat};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema as _, ToSchema};
use windi_shared::error::ErrorKind::{self, *};
use windi_shared::ids::{ChatId, FileId, SessionId, UserId};

use super::schemas::Shape;
use crate::http_api::MAX_PAGE;

/// The section of files.
pub const FILES: &str = "Files";

pub const JSON: &str = "application/json";

/// A body that a call takes or returns.
pub struct Body {
    pub media_type: &'static str,
    /// `None` for a file.
    pub shape: Option<Shape>,
    /// The kind of its examples in `docs/protocol.md`.
    pub example: &'static str,
}

/// An answer of a call that is no error of ours.
pub struct Answer {
    pub status: u16,
    pub what: &'static str,
    pub body: Option<Body>,
}

pub struct Parameter {
    pub name: &'static str,
    pub what: &'static str,
    pub schema: RefOr<Schema>,
    pub required: bool,
}

/// A call, by the method and the path of its route.
pub struct Call {
    pub method: &'static str,
    pub path: &'static str,
    /// Its name in generated clients.
    pub id: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    /// Whether it needs a token.
    pub secured: bool,
    pub query: Vec<Parameter>,
    pub bodies: Vec<Body>,
    pub answers: Vec<Answer>,
    pub errors: Vec<ErrorKind>,
}

impl Call {
    /// A call that needs a token and asks the database.
    pub(super) fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        let errors = vec![Unauthorized, InvalidField, Internal, Unavailable];
        let (query, bodies, answers) = (Vec::new(), Vec::new(), Vec::new());
        Self { method, path, id, tag, summary, secured: true, query, bodies, answers, errors }
    }

    /// A call that serves a file of this build.
    pub(super) fn file(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        media_type: &'static str,
        what: &'static str,
    ) -> Self {
        let mut call = Self::new("GET", path, id, FILES, summary).without_token();
        call.errors = vec![Internal];
        let body = Body { media_type, shape: None, example: "" };
        call.answers.push(Answer { status: 200, what, body: Some(body) });
        call.answers.push(Answer { status: 304, what: "The file that the client has, by its `ETag`.", body: None });
        call
    }

    pub(super) fn without_token(mut self) -> Self {
        self.secured = false;
        self.errors.retain(|error| *error != Unauthorized);
        self
    }

    pub(super) fn takes<T: ToSchema>(self, example: &'static str) -> Self {
        self.takes_as::<T>(JSON, example)
    }

    pub(super) fn takes_as<T: ToSchema>(mut self, media_type: &'static str, example: &'static str) -> Self {
        if self.bodies.is_empty() {
            self.errors.extend([MalformedJson, PayloadTooLarge, UnsupportedMediaType]);
        }
        self.bodies.push(Body { media_type, shape: Some(Shape::of::<T>()), example });
        self
    }

    pub(super) fn returns<T: ToSchema>(mut self, status: u16, what: &'static str, example: &'static str) -> Self {
        let body = Body { media_type: JSON, shape: Some(Shape::of::<T>()), example };
        self.answers.push(Answer { status, what, body: Some(body) });
        self
    }

    pub(super) fn done(mut self, what: &'static str) -> Self {
        self.answers.push(Answer { status: 204, what, body: None });
        self
    }

    pub(super) fn query(mut self, name: &'static str, schema: impl Into<RefOr<Schema>>, what: &'static str) -> Self {
        self.query.push(Parameter { name, what, schema: schema.into(), required: false });
        self
    }

    pub(super) fn must(mut self) -> Self {
        if let Some(parameter) = self.query.last_mut() {
            parameter.required = true;
        }
        self
    }

    pub(super) fn refuses(mut self, errors: &[ErrorKind]) -> Self {
        self.errors.extend(errors);
        self
    }

    /// The variables of its path.
    pub fn path_parameters(&self) -> Vec<Parameter> {
        let names = self.path.split(['{', '}']).skip(1).step_by(2);
        names.map(|name| path_parameter(name.trim_end_matches('+'))).collect()
    }
}

fn path_parameter(name: &'static str) -> Parameter {
    let (schema, what): (RefOr<Schema>, _) = match name {
        "message_id" => (number(1), "The message's number in the chat."),
        "chat_id" => (ChatId::schema(), "The chat."),
        "user_id" => (UserId::schema(), "The person."),
        "file_id" => (FileId::schema(), "The file."),
        "session_id" => (SessionId::schema(), "The session."),
        "code" => (text("").into(), "The link's code."),
        _ => (text("").into(), "As the page names it."),
    };
    Parameter { name, what, schema, required: true }
}

pub(super) fn number(least: i64) -> RefOr<Schema> {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    number.format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64))).minimum(Some(least)).into()
}

pub(super) const UUID: &str = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

pub(super) fn text(pattern: &str) -> ObjectBuilder {
    let pattern = Some(pattern.to_owned()).filter(|pattern| !pattern.is_empty());
    ObjectBuilder::new().schema_type(Type::String).pattern(pattern)
}

pub(super) fn flag() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

/// A page's size.
pub(super) fn limit(default: i64) -> RefOr<Schema> {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MAX_PAGE));
    number.default(Some(default.into())).into()
}
