//! The WebSocket API: `AWS::Serverless::WebSocketApi`, and which of its routes have an
//! `AWS::ApiGatewayV2::RouteResponse`.

use std::collections::{BTreeMap, BTreeSet};

use super::function::Function;
use super::node::{Names, Node, Read, entries, find, get, get_att, reference, text_of, wrong};

type Functions = BTreeMap<String, Function>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketApi {
    /// The stage's name: the first segment of the path.
    pub stage: String,
    /// Stage variables, which the events of the handshake have.
    pub variables: BTreeMap<String, String>,
    /// The route selection expression, such as `$request.body.action`.
    pub selection: String,
    /// The routes by route key.
    pub routes: BTreeMap<String, Route>,
    pub authorizer: Option<Authorizer>,
}

/// The target of a route key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub function: String,
    /// Whether the route has a route response, which sends the body of the function's answer to the client.
    pub responds: bool,
}

/// A Lambda authorizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    pub function: String,
    /// Where the client's credentials are, such as `route.request.header.Authorization`. If any is missing, the answer
    /// is 401 and the authorizer is not called.
    pub identity_sources: Vec<String>,
}

impl WebSocketApi {
    /// Reads the API. `responses` holds the logical ids of the routes that have a `RouteResponse`.
    pub(super) fn read(
        id: &str,
        resource: &Node<'_>,
        names: &Names<'_>,
        functions: &Functions,
        responses: &BTreeSet<String>,
    ) -> Read<Self> {
        let properties = get(resource, "Properties")?;
        let mut routes = BTreeMap::new();
        for (key, route) in entries(get(properties, "Routes")?)? {
            let special = ["$connect", "$disconnect", "$default"].contains(&key);
            if !special && !key.chars().all(|c| c.is_ascii_alphanumeric()) {
                // aws-sam-translator builds logical ids from route keys.
                return Err(wrong(route, format!("the route key {key:?} is not alphanumeric, which SAM requires")));
            }
            for unserved in ["ApiKeyRequired", "RequestModels", "RequestParameters", "ModelSelectionExpression"] {
                if let Some(node) = find(route, unserved) {
                    return Err(wrong(node, format!("{unserved} of a WebSocket route is not served locally")));
                }
            }
            let function = function_behind(get(route, "FunctionArn")?, functions)?;
            let responds = responses.contains(&route_id(id, key));
            routes.insert(key.to_owned(), Route { function, responds });
        }
        let selection = get(properties, "RouteSelectionExpression")?;
        crate::selection::check(text_of(selection)?).map_err(|problem| wrong(selection, problem))?;
        Ok(Self {
            // SAM's default.
            stage: find(properties, "StageName").map_or(Ok("default".to_owned()), |node| names.text(node))?,
            variables: find(properties, "StageVariables").map_or(Ok(Default::default()), |node| names.texts(node))?,
            selection: text_of(selection)?.to_owned(),
            routes,
            authorizer: find(properties, "Auth").map_or(Ok(None), |auth| authorizer(auth, names, functions))?,
        })
    }
}

/// The logical id SAM gives a route (websocket_api_generator.py). Like Python's `capitalize`, it puts the rest of the
/// key in lower case.
fn route_id(api: &str, key: &str) -> String {
    let mut letters = key.trim_start_matches('$').chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let rest = letters.as_str().to_ascii_lowercase();
    format!("{api}{}{rest}Route", first.map(String::from).unwrap_or_default())
}

/// The logical id of the route that a `RouteResponse` belongs to.
pub(super) fn responding_route(resource: &Node<'_>) -> Read<String> {
    let properties = get(resource, "Properties")?;
    let key = get(properties, "RouteResponseKey")?;
    if text_of(key)? != "$default" {
        return Err(wrong(key, "the RouteResponseKey of a WebSocket API must be $default"));
    }
    let route = get(properties, "RouteId")?;
    let id = reference(route).ok_or_else(|| wrong(route, "only !Ref <Route> is understood here"))?;
    Ok(id.to_owned())
}

fn authorizer(auth: &Node<'_>, names: &Names<'_>, functions: &Functions) -> Read<Option<Authorizer>> {
    let kind = get(auth, "AuthType")?;
    match text_of(kind)? {
        "NONE" => return Ok(None),
        "CUSTOM" => {}
        other => return Err(wrong(kind, format!("AuthType {other} is not served locally; use CUSTOM or NONE"))),
    }
    let identity_sources = find(auth, "IdentitySource").map_or(Ok(Vec::new()), |node| names.list(node))?;
    Ok(Some(Authorizer { function: function_behind(get(auth, "AuthArn")?, functions)?, identity_sources }))
}

/// The function that `!GetAtt Name.Arn`, in any of its spellings, refers to.
fn function_behind(node: &Node<'_>, functions: &Functions) -> Read<String> {
    let id = get_att(node).ok_or_else(|| wrong(node, "only !GetAtt <Function>.Arn is understood here"))?;
    let name = id.strip_suffix(".Arn").unwrap_or(&id);
    let function = functions.get(name);
    function
        .map(|function| function.name.clone())
        .ok_or_else(|| wrong(node, format!("the template has no function {name:?}")))
}
