//! The browser client as a server of files; what it does in a browser is tested in `functions/web/tests`.

use std::collections::BTreeSet;

use reqwest::header::HeaderMap;

use crate::harness::World;

async fn get(world: &World, path: &str, headers: &[(&'static str, &str)]) -> (u16, HeaderMap, String) {
    let mut request = world.http.get(format!("{}{path}", world.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    // Compressed bodies are not text.
    (status, headers, String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned())
}

/// What is in double quotes and begins like a path.
fn quoted<'a>(text: &'a str, begins: &'a str) -> impl Iterator<Item = &'a str> {
    text.split('"').skip(1).step_by(2).filter(move |text| text.starts_with(begins))
}

#[tokio::test]
async fn the_page_names_only_files_that_are_served_and_may_be_kept() {
    let world = World::new().await;
    let (status, headers, page) = get(&world, "/?shared=link", &[]).await;
    assert_eq!(status, 200, "{page}");
    let policy = headers["content-security-policy"].to_str().unwrap();
    for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(
        (&headers["referrer-policy"], &headers["cache-control"]),
        (&"no-referrer".parse().unwrap(), &"no-cache".parse().unwrap())
    );

    let mut open: Vec<String> = quoted(&page, "/web/").map(str::to_owned).collect();
    let mut seen = BTreeSet::new();
    while let Some(path) = open.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let (status, headers, text) = get(&world, &path, &[]).await;
        assert_eq!(status, 200, "{path}");
        assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable", "{path}");
        if !path.ends_with(".js") {
            continue;
        }
        assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
        // Comments name types, which no browser loads.
        let code: String = text
            .lines()
            .filter(|line| line.starts_with("import ") || line.starts_with("export ") || line.starts_with("} from "))
            .collect();
        for import in quoted(&code, ".") {
            let url = reqwest::Url::parse(&format!("http://here{path}")).unwrap().join(import).unwrap();
            open.push(url.path().to_owned());
        }
    }
    assert!(seen.iter().any(|path| path.ends_with("/client/client.js")), "{seen:?}");
}

#[tokio::test]
async fn a_file_is_compressed_known_by_its_etag_and_missing_if_it_is_not_there() {
    let world = World::new().await;
    let (_, _, page) = get(&world, "/", &[]).await;
    let script = quoted(&page, "/web/").find(|path| path.ends_with("/app.js")).unwrap().to_owned();
    let (status, headers, _) = get(&world, &script, &[("accept-encoding", "br, gzip")]).await;
    assert_eq!((status, headers["content-encoding"].to_str().unwrap()), (200, "gzip"));
    let etag = headers["etag"].to_str().unwrap().to_owned();
    let (status, _, body) = get(&world, &script, &[("if-none-match", &etag)]).await;
    assert_eq!((status, body.as_str()), (304, ""));

    let version = script.split('/').nth(2).unwrap();
    let older = script.replace(version, "0123456789abcdef");
    let (status, _, body) = get(&world, &older, &[]).await;
    assert!(status == 404 && body.contains("file_not_found"), "{body}");
    for missing in ["nothing.js", "..%2fCargo.toml", "package.json", "node_modules/x.js", "tests/talk.test.js"] {
        let (status, _, body) = get(&world, &format!("/web/{version}/{missing}"), &[]).await;
        assert!(status == 404 && body.contains("file_not_found"), "{missing}: {body}");
    }
}
