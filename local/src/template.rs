//! What `template.yaml` says: the HTTP routes from the functions' `HttpApi` events, the WebSocket routes, authorizer and
//! route selection expression from `AWS::Serverless::WebSocketApi`.
//!
//! Only what the gateway needs is read; what it does need must be there and make sense, or the error names the line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};

use crate::routes::HttpRoute;

/// Everything the gateway takes from the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Logical id and function name (`BuildProperties.Binary`) of every function.
    pub functions: BTreeMap<String, String>,
    /// Every HTTP route.
    pub http: Vec<HttpRoute>,
    /// The WebSocket API, if there is one.
    pub websocket: Option<Arc<WebSocketApi>>,
}

/// A WebSocket API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketApi {
    /// The stage's name: the first segment of the path.
    pub stage: String,
    /// Such as `$request.body.action`.
    pub selection: String,
    /// Function name by route key.
    pub routes: BTreeMap<String, String>,
    /// Who says whether a socket may open.
    pub authorizer: Option<Authorizer>,
}

/// A Lambda authorizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// Its name.
    pub function: String,
    /// Where its token comes from, such as `route.request.header.Authorization`; if any is missing the answer is 401
    /// without asking.
    pub identity_sources: Vec<String>,
}

/// A template that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// There is none.
    #[error("cannot read {path}: {1} (run from the project's directory, or name the template with --template)", path = .0.display())]
    Missing(PathBuf, #[source] std::io::Error),
    /// It is not YAML, or says something that cannot be served.
    #[error("{}:{line}: {problem}", .path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// What and why.
        problem: String,
    },
}

/// A problem and its line; the path is added on the way out.
struct At(usize, String);
type Read<T> = Result<T, At>;
type Node<'a> = MarkedYaml<'a>;

impl Template {
    /// Reads the file.
    ///
    /// # Errors
    /// [`TemplateError`], naming the line.
    pub fn load(path: &Path) -> Result<Self, TemplateError> {
        let text = std::fs::read_to_string(path).map_err(|e| TemplateError::Missing(path.to_owned(), e))?;
        Self::parse(&text).map_err(|At(line, problem)| TemplateError::Wrong { path: path.to_owned(), line, problem })
    }

    fn parse(text: &str) -> Read<Self> {
        let documents = Node::load_from_str(text).map_err(|e| At(e.marker().line(), e.to_string()))?;
        let root = documents.first().ok_or_else(|| At(1, "the template is empty".to_owned()))?;
        let resources = get(root, "Resources")?;
        let mut template = Self { functions: BTreeMap::new(), http: Vec::new(), websocket: None };
        for (id, resource) in entries(resources)? {
            if text_of(get(resource, "Type")?)? == "AWS::Serverless::Function" {
                template.functions.insert(id.to_owned(), binary(resource)?);
            }
        }
        for (id, resource) in entries(resources)? {
            match text_of(get(resource, "Type")?)? {
                "AWS::Serverless::Function" => template.add_http_routes(id, resource)?,
                "AWS::Serverless::WebSocketApi" if template.websocket.is_some() => {
                    return Err(wrong(resource, "a second WebSocketApi; the local gateway serves one"));
                }
                "AWS::Serverless::WebSocketApi" => {
                    template.websocket = Some(Arc::new(template.websocket_api(resource)?))
                }
                _ => {}
            }
        }
        Ok(template)
    }

    fn add_http_routes(&mut self, id: &str, resource: &Node<'_>) -> Read<()> {
        let Some(events) = find(resource, "Properties").and_then(|properties| find(properties, "Events")) else {
            return Ok(());
        };
        for (_, event) in entries(events)? {
            if text_of(get(event, "Type")?)? != "HttpApi" {
                continue;
            }
            let properties = get(event, "Properties")?;
            let method = text_of(get(properties, "Method")?)?;
            let path = get(properties, "Path")?;
            let route = HttpRoute::new(method, text_of(path)?, &self.functions[id]).map_err(|e| wrong(path, e))?;
            if self.http.iter().any(|other| other.key() == route.key()) {
                return Err(wrong(path, format!("the route {} is there twice", route.key())));
            }
            self.http.push(route);
        }
        Ok(())
    }

    fn websocket_api(&self, resource: &Node<'_>) -> Read<WebSocketApi> {
        let properties = get(resource, "Properties")?;
        let mut routes = BTreeMap::new();
        for (key, route) in entries(get(properties, "Routes")?)? {
            let special = ["$connect", "$disconnect", "$default"].contains(&key);
            if !special && !key.chars().all(|c| c.is_ascii_alphanumeric()) {
                // aws-sam-translator makes logical ids of route keys.
                return Err(wrong(route, format!("the route key {key:?} is not alphanumeric, which SAM refuses")));
            }
            routes.insert(key.to_owned(), self.function_behind(get(route, "FunctionArn")?)?);
        }
        let selection = get(properties, "RouteSelectionExpression")?;
        crate::selection::check(text_of(selection)?).map_err(|e| wrong(selection, e))?;
        Ok(WebSocketApi {
            // SAM's own default.
            stage: find(properties, "StageName").map_or(Ok("default"), text_of)?.to_owned(),
            selection: text_of(selection)?.to_owned(),
            routes,
            authorizer: find(properties, "Auth").map_or(Ok(None), |auth| self.authorizer(auth))?,
        })
    }

    fn authorizer(&self, auth: &Node<'_>) -> Read<Option<Authorizer>> {
        let kind = get(auth, "AuthType")?;
        match text_of(kind)? {
            "NONE" => return Ok(None),
            "CUSTOM" => {}
            other => return Err(wrong(kind, format!("AuthType {other} is not served locally; CUSTOM and NONE are"))),
        }
        let mut identity_sources = Vec::new();
        if let Some(sources) = find(auth, "IdentitySource") {
            for source in sources.data.as_sequence().ok_or_else(|| wrong(sources, "must be a list"))? {
                identity_sources.push(text_of(source)?.to_owned());
            }
        }
        Ok(Some(Authorizer { function: self.function_behind(get(auth, "AuthArn")?)?, identity_sources }))
    }

    /// The function that `!GetAtt Name.Arn` (in any of its spellings) means.
    fn function_behind(&self, node: &Node<'_>) -> Read<String> {
        let id = get_att(node).ok_or_else(|| wrong(node, "only !GetAtt <Function>.Arn is understood here"))?;
        let name = id.strip_suffix(".Arn").unwrap_or(&id);
        let function = self.functions.get(name);
        function.cloned().ok_or_else(|| wrong(node, format!("the template has no function {name:?}")))
    }
}

fn binary(resource: &Node<'_>) -> Read<String> {
    let metadata = get(resource, "Metadata")?;
    Ok(text_of(get(get(metadata, "BuildProperties")?, "Binary")?)?.to_owned())
}

/// `!GetAtt A.Arn`, `Fn::GetAtt: [A, Arn]` or `Fn::GetAtt: A.Arn`, as `A.Arn`.
fn get_att(node: &Node<'_>) -> Option<String> {
    let argument = match &node.data {
        YamlData::Tagged(tag, argument) if tag.suffix == "GetAtt" => argument,
        YamlData::Mapping(_) => find(node, "Fn::GetAtt")?,
        _ => return None,
    };
    match argument.data.as_sequence() {
        None => argument.data.as_str().map(str::to_owned),
        Some(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(|part| part.data.as_str()).collect();
            parts.map(|parts| parts.join("."))
        }
    }
}

fn find<'a, 'b>(node: &'a Node<'b>, key: &str) -> Option<&'a Node<'b>> {
    node.data.as_mapping_get(key)
}

fn get<'a, 'b>(node: &'a Node<'b>, key: &str) -> Read<&'a Node<'b>> {
    find(node, key).ok_or_else(|| wrong(node, format!("{key} is missing here")))
}

fn entries<'a>(node: &'a Node<'_>) -> Read<Vec<(&'a str, &'a Node<'a>)>> {
    let mapping = node.data.as_mapping().ok_or_else(|| wrong(node, "must be a mapping"))?;
    mapping.iter().map(|(key, value)| Ok((text_of(key)?, value))).collect()
}

fn text_of<'a>(node: &'a Node<'_>) -> Read<&'a str> {
    match &node.data {
        YamlData::Value(Scalar::String(text)) => Ok(text),
        YamlData::Tagged(tag, _) => {
            Err(wrong(node, format!("!{} is not understood here; the local gateway needs the text itself", tag.suffix)))
        }
        _ => Err(wrong(node, "must be text")),
    }
}

fn wrong(node: &Node<'_>, problem: impl Into<String>) -> At {
    At(node.span.start.line(), problem.into())
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
        let At(line, problem) = Template::parse(template).expect_err("should be refused");
        (line, problem)
    }

    #[test]
    fn routes_functions_and_the_authorizer_are_read() {
        let template = Template::parse(GOOD).map_err(|At(line, problem)| format!("{line}: {problem}")).expect("good");
        assert_eq!(template.http[0].key(), "GET /hello/{name}");
        let socket = template.websocket.expect("a WebSocket API");
        assert_eq!((socket.stage.as_str(), socket.routes["sendMessage"].as_str()), ("ws", "hello"));
        assert_eq!(socket.authorizer.as_ref().expect("an authorizer").function, "hello");
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
            ("StageName: ws", "StageName: !Ref Stage", 13, "!Ref is not understood"),
            ("Path: '/hello/{name}'", "Path: 'hello'", 8, "must begin with /"),
            ("Method: get, ", "", 8, "Method is missing"),
            ("$request.body.action", "action", 14, "$request.body"),
        ] {
            let (at, problem) = refusal(&GOOD.replace(from, to));
            assert!(at == line && problem.contains(says), "{to}: line {at}: {problem}");
        }
        assert_eq!(refusal("a: 1\nb: ]").0, 2);
    }
}
