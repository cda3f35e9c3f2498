//! The HTTP API: routes from the functions' `HttpApi` events, and the `CorsConfiguration`.

use std::collections::BTreeMap;

use saphyr::{Scalar, YamlData};

use super::function::Function;
use super::node::{At, Names, Node, Read, entries, find, get, scalar, text_of, wrong};
use crate::cors::Cors;
use crate::routes::HttpRoute;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpApi {
    /// The stage's name. Unless it is `$default`, it is the first segment of the path.
    pub stage: String,
    /// Stage variables, which every event has.
    pub variables: BTreeMap<String, String>,
    pub routes: Vec<HttpRoute>,
    pub cors: Option<Cors>,
}

impl HttpApi {
    /// Reads the API without its routes. If the template has no such resource, SAM makes one with the defaults.
    pub(super) fn read(properties: Option<&Node<'_>>, globals: Option<&Node<'_>>, names: &Names<'_>) -> Read<Self> {
        let property = |name: &str| {
            properties.and_then(|node| find(node, name)).or_else(|| globals.and_then(|node| find(node, name)))
        };
        for unserved in ["Auth", "DefinitionBody", "DefinitionUri"] {
            if let Some(node) = property(unserved) {
                return Err(wrong(node, format!("{unserved} of an HTTP API is not served locally")));
            }
        }
        Ok(Self {
            stage: property("StageName").map_or(Ok("$default".to_owned()), |node| names.text(node))?,
            variables: property("StageVariables").map_or(Ok(Default::default()), |node| names.texts(node))?,
            cors: match property("CorsConfiguration").map_or(Ok(None), |node| names.present(node))? {
                None => None,
                Some(node) => cors(node, names)?,
            },
            routes: Vec::new(),
        })
    }

    /// Adds the routes among the events of one function.
    pub(super) fn add_routes(&mut self, function: &Function, events: &Node<'_>, names: &Names<'_>) -> Read<()> {
        for (_, event) in entries(events)? {
            if text_of(get(event, "Type")?)? != "HttpApi" {
                continue;
            }
            let property = |name: &str| find(event, "Properties").and_then(|properties| find(properties, name));
            if let Some(auth) = property("Auth") {
                return Err(wrong(auth, "Auth of an HTTP route is not served locally"));
            }
            if let Some(version) =
                property("PayloadFormatVersion").filter(|node| scalar(node).as_deref() != Some("2.0"))
            {
                return Err(wrong(version, "only PayloadFormatVersion \"2.0\" is served locally"));
            }
            let (at, route) = match (property("Method"), property("Path")) {
                // SAM turns an event without a method and a path into the default route.
                (None, None) => (event, Ok(HttpRoute::default_route(&function.name))),
                (method, path) => {
                    let path = path.map_or_else(|| get(event, "Path"), Ok)?;
                    let method = method.map_or_else(|| get(event, "Method"), Ok)?;
                    (path, HttpRoute::new(&names.text(method)?, &names.text(path)?, &function.name))
                }
            };
            let route = route.map_err(|problem| wrong(at, problem))?;
            if self.routes.iter().any(|other| other.key() == route.key()) {
                return Err(wrong(at, format!("the route {} is defined twice", route.key())));
            }
            self.routes.push(route);
        }
        Ok(())
    }
}

fn cors(node: &Node<'_>, names: &Names<'_>) -> Read<Option<Cors>> {
    match &node.data {
        YamlData::Value(Scalar::Boolean(false)) => return Ok(None),
        // SAM reads this as every origin.
        YamlData::Value(Scalar::Boolean(true)) => {
            return Ok(Some(Cors { origins: vec!["*".to_owned()], ..Cors::default() }));
        }
        _ => {}
    }
    let list = |key: &str| find(node, key).map_or(Ok(Vec::new()), |node| names.list(node));
    let cors = Cors {
        origins: list("AllowOrigins")?,
        methods: list("AllowMethods")?,
        headers: list("AllowHeaders")?,
        exposed: list("ExposeHeaders")?,
        max_age: find(node, "MaxAge").and_then(scalar),
        credentials: find(node, "AllowCredentials").and_then(scalar).as_deref() == Some("true"),
    };
    for (key, value) in entries(node)? {
        if !["AllowOrigins", "AllowMethods", "AllowHeaders", "ExposeHeaders", "MaxAge", "AllowCredentials"]
            .contains(&key)
        {
            return Err(wrong(value, format!("{key:?} is not a key of CorsConfiguration")));
        }
    }
    if cors.credentials && cors.origins.iter().any(|origin| origin == "*") {
        return Err(At(node.span.start.line(), "AllowCredentials forbids the origin *; list the origins".to_owned()));
    }
    Ok(Some(cors))
}
