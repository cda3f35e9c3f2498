//! The schemas of the types, for both documents.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use strum::VariantArray as _;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};
use windi_shared::error::ErrorKind;
use windi_shared::protocol::ErrorBody;

use super::prose;

/// What both documents are called.
pub const TITLE: &str = "WinDI Messenger";

/// A type's schema with the name it has among the others, and those it refers to.
pub struct Shape {
    pub name: String,
    pub schema: RefOr<Schema>,
    pub others: Vec<(String, RefOr<Schema>)>,
}

impl Shape {
    pub fn of<T: ToSchema>() -> Self {
        let mut others = Vec::new();
        T::schemas(&mut others);
        Self { name: T::name().into_owned(), schema: T::schema(), others }
    }
}

/// The schemas of a document, by name.
#[derive(Default)]
pub struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    /// Adds what the server sends. Returns a reference to it.
    pub fn answer(&mut self, shape: Shape) -> Value {
        let reference = json!({"$ref": format!("#/components/schemas/{}", shape.name)});
        self.add(shape.others);
        self.add([(shape.name, shape.schema)]);
        reference
    }

    /// Adds what a client sends. Returns a reference to it.
    pub fn request(&mut self, shape: Shape) -> Value {
        let name = shape.name.clone();
        let reference = self.answer(shape);
        // An object with a field that nobody knows is refused. Its type says so, but not the variants of an enum.
        let variants = self.0.get_mut(&name).and_then(|schema| schema.get_mut("oneOf")?.as_array_mut());
        variants.into_iter().flatten().for_each(|variant| variant["additionalProperties"] = false.into());
        reference
    }

    pub fn add(&mut self, schemas: impl IntoIterator<Item = (String, RefOr<Schema>)>) {
        for (name, schema) in schemas {
            let mut schema = json!(schema);
            explain(&mut schema);
            if name == "SendMessage" {
                // What cannot be derived.
                schema["properties"]["file_ids"]["uniqueItems"] = json!(true);
            }
            self.0.insert(name, schema);
        }
    }

    pub fn finish(mut self) -> Value {
        self.answer(Shape::of::<ErrorBody>());
        let kinds = ErrorKind::VARIANTS.iter();
        let rows: Vec<_> = kinds
            .map(|kind| format!("* {} `{}`: {}", kind.status(), kind.code(), prose::meaning(kind.code())))
            .collect();
        let codes: Vec<_> = ErrorKind::VARIANTS.iter().map(|kind| kind.code()).collect();
        let mut all = json!(self.0);
        all["ErrorBody"]["properties"]["code"] = json!({"$ref": "#/components/schemas/ErrorCode"});
        all["ErrorCode"] = json!({
            "type": "string",
            "description": format!("Stable: clients branch on it. With the HTTP status:\n\n{}", rows.join("\n")),
            // Not an enum: there may be more with time.
            "x-extensible-enum": codes,
        });
        all
    }
}

/// Makes descriptions of doc comments, without their links and line breaks.
fn explain(schema: &mut Value) {
    match schema {
        Value::Array(values) => values.iter_mut().for_each(explain),
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get_mut("description") {
                let paragraphs: Vec<_> = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
                *text = paragraphs.join("\n\n").replace("[`", "`").replace("`]", "`");
            }
            fields.values_mut().for_each(explain);
        }
        _ => {}
    }
}
