//! The REST part as a client sees it: one call, its answer or its refusal with the status.
//! Must never wait without a deadline.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tidings_protocol::error::Refusal;
use tidings_protocol::rest::RestError;
use tidings_testkit::Node;

use crate::line::PATIENCE;

/// One REST call.
pub async fn rest<R: DeserializeOwned>(node: &Node, path: &str, body: &Value) -> Result<R, (u16, Refusal)> {
    let (status, answer) = rest_raw(node, path, body).await;
    if (200..300).contains(&status) {
        let empty = if answer.is_empty() { "null" } else { &answer };
        return Ok(serde_json::from_str(empty).unwrap_or_else(|error| panic!("{path} answered {answer}: {error}")));
    }
    let refusal: RestError = serde_json::from_str(&answer)
        .unwrap_or_else(|error| panic!("{path} refused ({status}) with {answer}: {error}"));
    Err((status, refusal.error))
}

async fn rest_raw(node: &Node, path: &str, body: &Value) -> (u16, String) {
    let url = format!("{}/api/v1/{path}", node.url());
    let sending = reqwest::Client::new().post(url).json(body).send();
    let answer = tokio::time::timeout(PATIENCE, sending).await.expect("an answer in time").expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.text().await.expect("a whole answer"))
}
