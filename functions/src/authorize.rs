//! The Lambda authorizer for `$connect`: decides whose socket this will be, from the token alone. `$connect` itself asks
//! the database whether the session is still alive, and has better words for a database that does not answer: an
//! authorizer can only fail, which is a 500.
//!
//! The token comes from `Sec-WebSocket-Protocol: windi, <token>` (all that browsers can set), from
//! `Authorization: Bearer <token>` (native clients), or from `?token=` (discouraged: URLs end up in logs).

use aws_lambda_events::apigw::{
    ApiGatewayCustomAuthorizerPolicy, ApiGatewayCustomAuthorizerRequestTypeRequest, ApiGatewayCustomAuthorizerResponse,
};
use aws_lambda_events::iam::{IamPolicyEffect, IamPolicyStatement};
use lambda_runtime::Diagnostic;
use serde_json::json;
use tracing::Instrument as _;
use windi_shared::auth::{Caller, Tokens};
use windi_shared::{Error, Result};

use crate::door;
use crate::http_api::bearer;
use crate::socket::SUBPROTOCOL;

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let tokens = door.tokens().await?;
        door.events(|event| handle(&tokens, event)).await
    })
}

/// Allows the connection. The context holds `user_id` and `session_id`, which API Gateway repeats on all its events.
///
/// # Errors
/// Exactly "Unauthorized", which API Gateway turns into a 401 (API Gateway developer guide, "Lambda authorizers"). A
/// failure of ours has another text and becomes a 500.
pub async fn handle(
    tokens: &Tokens,
    event: ApiGatewayCustomAuthorizerRequestTypeRequest,
) -> std::result::Result<ApiGatewayCustomAuthorizerResponse, Diagnostic> {
    let request_id = event.request_context.request_id.clone().unwrap_or_default();
    let span = tracing::error_span!("authorize", request_id);
    match caller(tokens, &event).instrument(span.clone()).await {
        Ok(caller) => Ok(allow(caller, event.method_arn.unwrap_or_default())),
        Err(error) => {
            let _entered = span.enter();
            tracing::info!(code = error.code(), "Refused a socket.");
            error.log();
            let error_message = match error {
                Error::Unauthorized => "Unauthorized".to_owned(),
                error => error.to_string(),
            };
            Err(Diagnostic { error_type: "AuthorizerError".to_owned(), error_message })
        }
    }
}

async fn caller(tokens: &Tokens, event: &ApiGatewayCustomAuthorizerRequestTypeRequest) -> Result<Caller> {
    tokens.check(&token(event).ok_or(Error::Unauthorized)?).await
}

fn token(event: &ApiGatewayCustomAuthorizerRequestTypeRequest) -> Option<String> {
    let header = |name: &str| event.headers.get(name).and_then(|value| value.to_str().ok());
    let offered = header("sec-websocket-protocol").and_then(offered_token);
    let token = offered
        .or_else(|| header("authorization").and_then(bearer))
        .or_else(|| event.query_string_parameters.first("token"));
    token.map(str::to_owned)
}

/// The token in `windi, <token>`.
fn offered_token(protocols: &str) -> Option<&str> {
    let mut offered = protocols.split(',').map(str::trim);
    offered
        .clone()
        .any(|protocol| protocol == SUBPROTOCOL)
        .then(|| offered.find(|protocol| *protocol != SUBPROTOCOL))?
}

fn allow(caller: Caller, method_arn: String) -> ApiGatewayCustomAuthorizerResponse {
    let mut statement = IamPolicyStatement::default();
    statement.action = vec!["execute-api:Invoke".to_owned()];
    statement.effect = IamPolicyEffect::Allow;
    statement.resource = vec![method_arn];
    let mut policy = ApiGatewayCustomAuthorizerPolicy::default();
    policy.version = Some("2012-10-17".to_owned());
    policy.statement = vec![statement];
    let mut response = ApiGatewayCustomAuthorizerResponse::default();
    response.principal_id = Some(caller.user_id.to_string());
    response.policy_document = policy;
    response.context = json!({"user_id": caller.user_id, "session_id": caller.session_id});
    response
}

#[cfg(test)]
mod tests {
    use super::offered_token;

    #[test]
    fn a_browser_offers_its_token_beside_the_protocol() {
        assert_eq!(offered_token("windi, abc"), Some("abc"));
        assert_eq!(offered_token("abc,windi"), Some("abc"));
        assert_eq!(offered_token("windi"), None);
        assert_eq!(offered_token("chat, abc"), None);
    }
}
