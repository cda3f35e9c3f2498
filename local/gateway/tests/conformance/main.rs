//! Does the local gateway behave like API Gateway? There is one test for each fact that a client or a function can
//! observe, named after it.
//!
//! The facts come from the API Gateway developer guide and from logs of the real service. `docs/gateway.md` names the
//! source of each.

#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod harness;

mod authorizer;
mod connections;
mod cors;
mod events;
mod faults;
mod frames;
mod handshake;
mod http;
mod lifetime;

/// `docs/gateway.md` names the test that checks a fact; that test must exist.
#[test]
fn the_document_names_tests_that_exist() {
    let document = include_str!("../../../../docs/gateway.md");
    let names = document.split('`').filter_map(|quoted| quoted.split_once("::")).filter(|(module, _)| *module != "AWS");
    let mut checked = 0;
    for (module, test) in names {
        let file = format!("{}/tests/conformance/{module}.rs", env!("CARGO_MANIFEST_DIR"));
        let code = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file}: {e}"));
        // The document may cut a name short.
        let beginning = test.trim_end_matches('*').split('…').next().unwrap();
        assert!(code.contains(&format!("fn {beginning}")), "{module}::{test}");
        checked += 1;
    }
    assert!(checked > 40, "{checked}");
}
