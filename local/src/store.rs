//! The S3 of this process behind the gateway's port: the page and its files need only one address, whatever stands before it.

use std::pin::Pin;

use axum::body::Body;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    CONTENT_SECURITY_POLICY, HOST, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Request, Response, StatusCode};
use sam_gateway::neighbour::Neighbour;
use windi_backing::s3::{BUCKET, S3, Service};

/// What the paths of all objects begin with.
pub const PREFIX: &str = "/store/";
// The bucket is the first part of the path.
const _: () = assert!(PREFIX.len() == BUCKET.len() + 2);

/// The store as a neighbour of the APIs.
#[derive(Debug)]
pub struct Store {
    service: Service,
    host: HeaderValue,
}

impl Store {
    pub fn new(s3: &S3) -> Self {
        let (service, host) = s3.service();
        Self { service, host }
    }

    async fn serve(&self, mut request: Request<Body>) -> Response<Body> {
        let is_preflight = request.method() == Method::OPTIONS;
        let mut answer = if is_preflight {
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            answer
        } else {
            // It is signed, and clients come here by other names.
            request.headers_mut().insert(HOST, self.host.clone());
            self.service.call(request).await.map(Body::new)
        };
        for (name, value) in [
            // Nothing of a file runs as if it were the page's, should a browser ever show it.
            (CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // As the bucket in the template says: a link is all that is needed, from wherever.
            (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        ] {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        if is_preflight {
            for (name, value) in [
                (ACCESS_CONTROL_ALLOW_METHODS, "GET, PUT"),
                (ACCESS_CONTROL_ALLOW_HEADERS, "content-type, if-none-match"),
                (ACCESS_CONTROL_MAX_AGE, "3600"),
            ] {
                answer.headers_mut().insert(name, HeaderValue::from_static(value));
            }
        }
        answer
    }
}

impl Neighbour for Store {
    fn prefix(&self) -> &str {
        PREFIX
    }

    fn answer(&self, request: Request<Body>) -> Pin<Box<dyn Future<Output = Response<Body>> + Send + '_>> {
        Box::pin(self.serve(request))
    }
}
