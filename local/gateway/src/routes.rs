//! Which function an HTTP request goes to, by API Gateway's order of precedence among routes.

use percent_encoding::percent_decode_str;

/// The key of the route for requests that match no other.
const DEFAULT: &str = "$default";

/// One route of an HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRoute {
    /// An HTTP method in capitals, or `ANY`.
    pub method: String,
    /// As the template spells it, such as `/chats/{chat_id}`, or `$default`.
    pub path: String,
    pub function: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Variable(String),
    /// `{proxy+}`: the rest of the path, at least one segment.
    Greedy(String),
}

/// The route a request matches, and the variables in its path.
#[derive(Debug, PartialEq, Eq)]
pub struct Matched<'a> {
    pub route: &'a HttpRoute,
    /// The name and decoded value of each variable.
    pub parameters: Vec<(String, String)>,
}

impl HttpRoute {
    /// Makes a route, if its method and path are valid.
    ///
    /// # Errors
    /// The reason why API Gateway would refuse it.
    pub fn new(method: &str, path: &str, function: &str) -> Result<Self, String> {
        let method = method.to_ascii_uppercase();
        if !["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"].contains(&method.as_str()) {
            return Err(format!("{method} is not a method of an HTTP API; ANY stands for all methods"));
        }
        let rest = path.strip_prefix('/').ok_or("the path must begin with /")?;
        let segments: Vec<_> = split(rest).map(segment).collect();
        if segments.iter().rev().skip(1).any(|segment| matches!(segment, Segment::Greedy(_))) {
            return Err("a greedy variable such as {proxy+} must be the last segment of the path".to_owned());
        }
        Ok(Self { method, path: path.to_owned(), function: function.to_owned(), segments })
    }

    /// The route for requests that match no other.
    pub fn default_route(function: &str) -> Self {
        let (method, path) = ("ANY".to_owned(), DEFAULT.to_owned());
        Self { method, path, function: function.to_owned(), segments: Vec::new() }
    }

    fn is_default(&self) -> bool {
        self.path == DEFAULT
    }

    /// The route key in events, such as `GET /chats/{chat_id}`, or `$default`.
    pub fn key(&self) -> String {
        if self.is_default() { DEFAULT.to_owned() } else { format!("{} {}", self.method, self.path) }
    }

    /// The path's variables, or `None` if the path does not match.
    fn parameters(&self, path: &[&str]) -> Option<Vec<(String, String)>> {
        if self.is_default() {
            return Some(Vec::new());
        }
        let mut found = Vec::new();
        let mut rest = path.iter();
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => {
                    rest.next().filter(|given| decode(given) == *text)?;
                }
                Segment::Variable(name) => {
                    let given = rest.next().filter(|given| !given.is_empty())?;
                    found.push((name.clone(), decode(given)));
                }
                Segment::Greedy(name) => {
                    let all: Vec<_> = rest.by_ref().map(|given| decode(given)).collect();
                    if all.is_empty() {
                        return None;
                    }
                    found.push((name.clone(), all.join("/")));
                }
            }
        }
        rest.next().is_none().then_some(found)
    }

    /// Smaller is more specific: literals before variables before greedy ones, segment by segment; a method before ANY;
    /// `$default` last.
    fn rank(&self) -> (bool, Vec<u8>, bool) {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Literal(_) => 0,
            Segment::Variable(_) => 1,
            Segment::Greedy(_) => 2,
        });
        (self.is_default(), segments.collect(), self.method == "ANY")
    }
}

/// The most specific of the routes that match, or `None` if none does.
pub fn choose<'a>(routes: &'a [HttpRoute], method: &str, path: &str) -> Option<Matched<'a>> {
    let path: Vec<_> = split(path.strip_prefix('/')?).collect();
    routes
        .iter()
        .filter(|route| route.method == method || route.method == "ANY")
        .filter_map(|route| Some(Matched { route, parameters: route.parameters(&path)? }))
        .min_by_key(|matched| matched.route.rank())
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(move |_| !path.is_empty())
}

fn segment(text: &str) -> Segment {
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        None => Segment::Literal(text.to_owned()),
        Some(name) => match name.strip_suffix('+') {
            Some(name) => Segment::Greedy(name.to_owned()),
            None => Segment::Variable(name.to_owned()),
        },
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Vec<HttpRoute> {
        ["GET /", "GET /chats", "POST /chats", "GET /chats/{chat_id}", "GET /chats/mine", "ANY /files/{proxy+}"]
            .iter()
            .map(|key| key.split_once(' ').expect("a method and a path"))
            .map(|(method, path)| HttpRoute::new(method, path, "f").expect("a valid route"))
            .collect()
    }

    fn chosen(method: &str, path: &str) -> Option<String> {
        let routes = routes();
        choose(&routes, method, path).map(|matched| format!("{} {:?}", matched.route.key(), matched.parameters))
    }

    #[test]
    fn the_most_specific_route_wins() {
        assert_eq!(chosen("GET", "/chats/mine").as_deref(), Some("GET /chats/mine []"));
        assert_eq!(chosen("GET", "/chats/7").as_deref(), Some(r#"GET /chats/{chat_id} [("chat_id", "7")]"#));
        assert_eq!(chosen("GET", "/").as_deref(), Some("GET / []"));
        assert_eq!(chosen("PUT", "/files/a/b%20c").as_deref(), Some(r#"ANY /files/{proxy+} [("proxy", "a/b c")]"#));
    }

    #[test]
    fn the_default_route_takes_what_is_left() {
        let mut routes = routes();
        routes.push(HttpRoute::default_route("rest"));
        let key = |method, path| choose(&routes, method, path).map(|matched| matched.route.key());
        assert_eq!(key("GET", "/chats/7").as_deref(), Some("GET /chats/{chat_id}"));
        assert_eq!(key("DELETE", "/chats").as_deref(), Some("$default"));
        assert_eq!(key("GET", "/nothing").as_deref(), Some("$default"));
    }

    #[test]
    fn what_matches_nothing_has_no_route() {
        for (method, path) in
            [("GET", "/nothing"), ("DELETE", "/chats"), ("GET", "/files"), ("GET", "/chats/1/2"), ("GET", "/chats/")]
        {
            assert_eq!(chosen(method, path), None, "{method} {path}");
        }
    }
}
