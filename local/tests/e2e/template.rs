//! The template, the binaries and the local gateway know the same functions.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::net::TcpListener;
use windi_functions::Function;
use windi_local::gateway::{Gateway, Limits};
use windi_local::invoke::Invoker;
use windi_local::template::Template;

use crate::harness::{TEMPLATE, World};

#[test]
fn the_template_the_binaries_and_the_handlers_are_the_same_functions() {
    let template = Template::load(TEMPLATE.as_ref()).unwrap();
    let in_template: BTreeSet<String> = template.functions.values().map(|function| function.name.clone()).collect();
    let handlers: BTreeSet<String> = Function::ALL.iter().map(|function| function.name().to_owned()).collect();
    let doors = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/src/bin")).unwrap();
    let doors: BTreeSet<String> =
        doors.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(in_template, handlers);
    assert_eq!(doors, handlers);
    // And the entry in the template is called like the function.
    for (id, function) in &template.functions {
        assert_eq!(function.name.replace('_', ""), id.to_ascii_lowercase());
    }
}

#[tokio::test]
async fn a_route_to_a_function_nobody_built_is_an_error_at_start_that_names_it() {
    let world = World::new().await;
    let text = std::fs::read_to_string(TEMPLATE).unwrap().replace("Binary: history", "Binary: prehistory");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let template = Template::load(file.path()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let invoker = Invoker::InProcess(Arc::clone(&world.app));
    let error = Gateway::start(listener, template, invoker, Limits::default(), None).unwrap_err().to_string();
    let line = std::fs::read_to_string(file.path()).unwrap().lines().position(|line| line.contains("prehistory"));
    assert!(error.contains("\"prehistory\"") && error.contains("GET /messages/history/{chat_id}"), "{error}");
    // The resource's properties begin one line below its name, where its `Type` and `Metadata` are.
    let at: usize =
        error.strip_prefix(&format!("{}:", file.path().display())).unwrap().split(':').next().unwrap().parse().unwrap();
    assert!(line.unwrap().abs_diff(at) <= 2, "{error}");
}
