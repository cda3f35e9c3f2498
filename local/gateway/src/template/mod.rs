//! Reads the SAM template: the HTTP routes from the functions' `HttpApi` events, and the WebSocket routes, authorizer
//! and route selection expression from `AWS::Serverless::WebSocketApi`.
//!
//! Only what the gateway needs is read. If any of that is missing or wrong, the error names the line. An access
//! restriction that the gateway cannot enforce, such as a JWT authorizer, is an error too: ignoring it would open the
//! API to everybody.

mod function;
mod http;
mod node;
mod websocket;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use saphyr::LoadableYamlNode as _;

pub use self::function::{Function, NamedBy};
pub use self::http::HttpApi;
use self::node::{At, Names, Node, Read, entries, find, get, scalar, text_of, wrong};
pub use self::websocket::{Authorizer, Route, WebSocketApi};

/// Everything the gateway reads from the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub path: PathBuf,
    /// The functions by logical id.
    pub functions: BTreeMap<String, Function>,
    pub http: HttpApi,
    pub websocket: Option<Arc<WebSocketApi>>,
}

/// Why a template cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("cannot read {path}: {1} (run in the project's directory, or pass the template's path with --template)", path = .0.display())]
    Missing(PathBuf, #[source] std::io::Error),
    /// The file is not YAML, or something in it cannot be served.
    #[error("{}:{line}: {problem}", .path.display())]
    Wrong {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        problem: String,
    },
}

impl Template {
    /// Reads the file and names the functions by [`NamedBy::Binary`].
    pub fn load(path: &Path) -> Result<Self, TemplateError> {
        Self::load_with(path, NamedBy::default(), &[])
    }

    /// Reads the file, names the functions as `named_by` says and gives values to the template's parameters; those
    /// without one have their `Default`.
    pub fn load_with(path: &Path, named_by: NamedBy, parameters: &[(String, String)]) -> Result<Self, TemplateError> {
        let text = std::fs::read_to_string(path).map_err(|e| TemplateError::Missing(path.to_owned(), e))?;
        let mut template = Self::parse(&text, named_by, parameters).map_err(|at| Self::wrong(path, at))?;
        path.clone_into(&mut template.path);
        Ok(template)
    }

    /// Checks that the functions of all routes and of the authorizer exist.
    ///
    /// # Errors
    /// [`TemplateError::Wrong`] for the first one that does not.
    pub fn check(&self, exists: impl Fn(&str) -> bool) -> Result<(), TemplateError> {
        let http = self.http.routes.iter().map(|route| (route.key(), &route.function));
        let socket = self.websocket.iter().flat_map(|api| {
            let routes = api.routes.iter().map(|(key, route)| (format!("WebSocket route {key}"), &route.function));
            routes.chain(api.authorizer.iter().map(|authorizer| ("authorizer".to_owned(), &authorizer.function)))
        });
        let Some((route, name)) = http.chain(socket).find(|(_, function)| !exists(function)) else { return Ok(()) };
        let line = self.functions.values().find(|function| function.name == *name).map_or(1, |function| function.line);
        let problem = format!("{route}: the function {name:?} does not exist");
        Err(Self::wrong(&self.path, At(line, problem)))
    }

    fn wrong(path: &Path, At(line, problem): At) -> TemplateError {
        TemplateError::Wrong { path: path.to_owned(), line, problem }
    }

    fn parse(text: &str, named_by: NamedBy, parameters: &[(String, String)]) -> Read<Self> {
        let documents = Node::load_from_str(text).map_err(|e| At(e.marker().line(), e.to_string()))?;
        let root = documents.first().ok_or_else(|| At(1, "the template is empty".to_owned()))?;
        let names = Names::of(root, parameters)?;
        let global = |section| find(root, "Globals").and_then(|globals| find(globals, section));
        if let Some(node) = global("WebSocketApi") {
            return Err(wrong(node, "Globals of a WebSocketApi are not read; write them in the resource itself"));
        }
        let globals = global("HttpApi");
        let (mut functions, mut apis, mut sockets) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut responses = BTreeSet::new();
        for (id, resource) in entries(get(root, "Resources")?)? {
            match text_of(get(resource, "Type")?)? {
                "AWS::Serverless::Function" => {
                    let binary = binary(resource).filter(|_| named_by == NamedBy::Binary);
                    let function = Function { name: binary.unwrap_or_else(|| id.to_owned()), line: line(resource) };
                    functions.insert(id.to_owned(), (function, find(resource, "Properties")));
                }
                "AWS::Serverless::HttpApi" => apis.push(resource),
                "AWS::Serverless::WebSocketApi" => sockets.push((id, resource)),
                "AWS::ApiGatewayV2::RouteResponse" => {
                    responses.insert(websocket::responding_route(resource)?);
                }
                _ => {}
            }
        }
        if let Some(second) = apis.get(1).or_else(|| sockets.get(1).map(|(_, second)| second)) {
            return Err(wrong(
                second,
                "a second API of this kind; the local gateway serves one HttpApi and one WebSocketApi",
            ));
        }
        let properties = apis.first().and_then(|api| find(api, "Properties"));
        let mut http = HttpApi::read(properties, globals, &names)?;
        for (function, properties) in functions.values() {
            if let Some(events) = properties.and_then(|properties| find(properties, "Events")) {
                http.add_routes(function, events, &names)?;
            }
        }
        let functions = functions.into_iter().map(|(id, (function, _))| (id, function)).collect();
        let websocket = sockets.first().map(|(id, api)| WebSocketApi::read(id, api, &names, &functions, &responses));
        Ok(Self { path: PathBuf::new(), http, websocket: websocket.transpose()?.map(Arc::new), functions })
    }
}

fn binary(resource: &Node<'_>) -> Option<String> {
    scalar(find(find(find(resource, "Metadata")?, "BuildProperties")?, "Binary")?)
}

fn line(node: &Node<'_>) -> usize {
    node.span.start.line()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: hello } }
    Properties:
      Events:
        A: { Type: HttpApi, Properties: { Method: get, Path: '/hello/{name}' } }
        B: { Type: Schedule }
  Socket:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      StageName: ws
      RouteSelectionExpression: $request.body.action
      Auth: { AuthType: CUSTOM, AuthArn: { Fn::GetAtt: [Hello, Arn] } }
      Routes:
        $connect: { FunctionArn: !GetAtt Hello.Arn }
        sendMessage: { FunctionArn: !GetAtt Hello.Arn }
";

    fn refusal(template: &str) -> (usize, String) {
        let At(line, problem) = Template::parse(template, NamedBy::Binary, &[]).expect_err("should be refused");
        (line, problem)
    }

    #[test]
    fn routes_functions_and_the_authorizer_are_read() {
        let template = Template::parse(GOOD, NamedBy::Binary, &[])
            .map_err(|At(line, problem)| format!("{line}: {problem}"))
            .expect("a valid template");
        assert_eq!(template.http.routes[0].key(), "GET /hello/{name}");
        let socket = template.websocket.expect("a WebSocket API");
        assert_eq!((socket.stage.as_str(), socket.routes["sendMessage"].function.as_str()), ("ws", "hello"));
        assert_eq!(socket.authorizer.as_ref().expect("an authorizer").function, "hello");
        let template = Template::parse(GOOD, NamedBy::LogicalId, &[]).expect("a valid template");
        assert_eq!(template.http.routes[0].function, "Hello");
    }

    #[test]
    fn conditions_choose_and_parameters_have_the_values_they_are_given() {
        let template = format!(
            "{GOOD}  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: {{ AllowOrigins: !If [Foreign, [!Ref Origin], !Ref AWS::NoValue], MaxAge: 1 }}
Parameters:
  Origin: {{ Default: '' }}
Conditions:
  Ours: !Equals [!Ref Origin, '']
  Foreign: !And [!Not [!Condition Ours], {{ Fn::Or: [{{ Condition: Ours }}, !Not [{{ Condition: Ours }}]] }}]
"
        );
        let origins = |parameters: &[(&str, &str)]| {
            let parameters: Vec<_> =
                parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let template = Template::parse(&template, NamedBy::Binary, &parameters);
            template
                .map(|template| template.http.cors.expect("a CORS configuration").origins)
                .map_err(|At(_, problem)| problem)
        };
        assert_eq!(origins(&[]), Ok(Vec::new()));
        assert_eq!(origins(&[("Origin", "https://a.example")]), Ok(vec!["https://a.example".to_owned()]));
        let circle = template.replace("!Equals [!Ref Origin, '']", "!Not [!Condition Ours]");
        let At(_, problem) = Template::parse(&circle, NamedBy::Binary, &[]).expect_err("should be refused");
        assert!(problem.contains("depends on itself"), "{problem}");
        assert!(origins(&[("Origins", "x")]).is_err_and(|problem| problem.ends_with("the parameters are Origin")));
    }

    #[test]
    fn what_cannot_be_served_is_named_with_its_line() {
        for (from, to, line, says) in [
            ("sendMessage:", "send_message:", 18, "not alphanumeric"),
            (
                "FunctionArn: !GetAtt Hello.Arn }\n        send",
                "FunctionArn: !GetAtt Nobody.Arn }\n        send",
                17,
                "no function \"Nobody\"",
            ),
            ("StageName: ws", "StageName: !Ref Stage", 13, "\"Stage\" has no value"),
            ("StageName: ws", "StageName: !ImportValue Stage", 13, "!ImportValue is not understood"),
            ("Path: '/hello/{name}'", "Path: 'hello'", 8, "must begin with /"),
            ("Method: get, ", "", 8, "Method is missing"),
            ("Method: get, ", "Method: get, Auth: { Authorizer: Jwt }, ", 8, "not served locally"),
            (
                "!GetAtt Hello.Arn }\n        send",
                "!GetAtt Hello.Arn, ApiKeyRequired: true }\n        send",
                17,
                "not served locally",
            ),
            ("$request.body.action", "$request.header.action", 14, "$request.body"),
            ("Resources:", "Globals: { WebSocketApi: { Auth: { AuthType: CUSTOM } } }\nResources:", 2, "are not read"),
        ] {
            let (at, problem) = refusal(&GOOD.replace(from, to));
            assert!(at == line && problem.contains(says), "{to}: line {at}: {problem}");
        }
        assert_eq!(refusal("a: 1\nb: ]").0, 2);
        let cors = "CorsConfiguration: { AllowOrigins: ['*'], AllowCredentials: true }";
        let api = format!("{GOOD}  Api:\n    Type: AWS::Serverless::HttpApi\n    Properties:\n      {cors}\n");
        let (line, problem) = refusal(&api);
        assert!(line == 22 && problem.contains("AllowCredentials"), "{line}: {problem}");
    }
}
