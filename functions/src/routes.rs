//! The list of HTTP routes.
//!
//! API Gateway serves `template.yaml`; this list is what the functions know of it. With it they refuse query parameters
//! that a route does not take and answer a wrong method with the allowed ones. A test compares the two.

#[derive(Debug)]
pub struct Route {
    pub method: &'static str,
    /// The path as the template spells it, such as `/chats/{chat_id}`.
    pub path: &'static str,
    /// The query parameters the route takes.
    pub query: &'static [&'static str],
}

/// The query of a route that ignores it: browsers and those who share links append to it.
const ANY: &[&str] = &["*"];

impl Route {
    /// Whether the route takes this query parameter.
    pub fn takes(&self, parameter: &str) -> bool {
        self.query == ANY || self.query.contains(&parameter)
    }
}

const fn route(method: &'static str, path: &'static str, query: &'static [&'static str]) -> Route {
    Route { method, path, query }
}

pub const ROUTES: &[Route] = &[
    route("POST", "/auth/register", &[]),
    route("POST", "/auth/login", &[]),
    route("POST", "/auth/refresh", &[]),
    route("POST", "/auth/logout", &[]),
    route("POST", "/auth/password", &[]),
    route("POST", "/auth/forgot", &[]),
    route("POST", "/auth/reset", &[]),
    route("GET", "/auth/sessions", &[]),
    route("DELETE", "/auth/sessions/{session_id}", &[]),
    route("GET", "/auth/me", &[]),
    route("PATCH", "/users/me", &[]),
    route("POST", "/users/me/delete", &[]),
    route("POST", "/users/me/email", &[]),
    route("POST", "/users/me/email/confirm", &[]),
    route("GET", "/users", &["search", "ids", "limit", "after"]),
    route("GET", "/users/{user_id}", &[]),
    route("GET", "/users/presence", &[]),
    route("GET", "/users/blocked", &["limit", "after"]),
    route("PUT", "/users/{user_id}/block", &[]),
    route("DELETE", "/users/{user_id}/block", &[]),
    route("GET", "/chats", &["limit", "after", "hidden"]),
    route("POST", "/chats", &[]),
    route("GET", "/chats/unread", &[]),
    route("GET", "/chats/{chat_id}", &[]),
    route("PATCH", "/chats/{chat_id}", &[]),
    route("DELETE", "/chats/{chat_id}", &[]),
    route("PATCH", "/chats/{chat_id}/settings", &[]),
    route("GET", "/chats/{chat_id}/changes", &["after", "limit"]),
    route("POST", "/chats/{chat_id}/members", &[]),
    route("PATCH", "/chats/{chat_id}/members/{user_id}", &[]),
    route("DELETE", "/chats/{chat_id}/members/{user_id}", &[]),
    route("POST", "/chats/{chat_id}/invites", &[]),
    route("GET", "/chats/{chat_id}/invites", &[]),
    route("DELETE", "/chats/{chat_id}/invites/{code}", &[]),
    route("GET", "/invites/{code}", &[]),
    route("POST", "/invites/{code}", &[]),
    route("POST", "/messages", &[]),
    route("PATCH", "/messages/{chat_id}/{message_id}", &[]),
    route("DELETE", "/messages/{chat_id}/{message_id}", &[]),
    route("POST", "/messages/{chat_id}/{message_id}/read", &[]),
    route("POST", "/messages/{chat_id}/{message_id}/forward", &[]),
    route("POST", "/messages/{chat_id}/{message_id}/report", &[]),
    route("PUT", "/messages/{chat_id}/{message_id}/reactions", &[]),
    route("PUT", "/messages/{chat_id}/{message_id}/pin", &[]),
    route("DELETE", "/messages/{chat_id}/{message_id}/pin", &[]),
    route("GET", "/messages/search", &["q", "chat_id", "limit", "after"]),
    route("GET", "/messages/history/{chat_id}", &["limit", "offset", "before", "after"]),
    route("GET", "/export", &["limit", "after"]),
    route("POST", "/files", &[]),
    route("GET", "/files", &["ids"]),
    route("POST", "/files/{file_id}/done", &[]),
    route("GET", "/push/key", &[]),
    route("PUT", "/push/subscription", &[]),
    route("DELETE", "/push/subscription", &[]),
    route("GET", "/health", &[]),
    route("GET", "/", ANY),
    route("GET", "/config.json", &[]),
    route("GET", "/docs", ANY),
    route("GET", "/sw.js", ANY),
    route("GET", "/openapi.json", ANY),
    route("GET", "/asyncapi.json", ANY),
    route("GET", "/web/{version}/{file+}", ANY),
];

/// The route for a method and a path as the template spells it. `HEAD` is a `GET` whose answer has no body.
pub fn find(method: &str, path: &str) -> Option<&'static Route> {
    let method = if method == "HEAD" { "GET" } else { method };
    ROUTES.iter().find(|route| route.path == path && route.method == method)
}

/// The methods of a path, in the form of an `Allow` header.
pub fn allowed(path: &str) -> String {
    let methods = ROUTES.iter().filter(|route| route.path == path).map(|route| route.method);
    let methods: Vec<_> =
        methods.flat_map(|method| if method == "GET" { vec!["GET", "HEAD"] } else { vec![method] }).collect();
    methods.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_allowed_where_get_is() {
        assert_eq!(allowed("/chats"), "GET, HEAD, POST");
        assert_eq!(find("HEAD", "/chats").map(|route| route.method), Some("GET"));
        assert!(find("HEAD", "/messages").is_none() && find("PUT", "/chats").is_none());
    }
}
