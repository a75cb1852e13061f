//! One node in this process with a database of its own, and a client that asks it.

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tidings::app::{App, Running};
use tidings::config::Config;
use tidings_testkit::{Database, Postgres};

/// A good password.
pub const PASSWORD: &str = "correct horse battery";

/// A running node.
pub struct House {
    pub running: Running,
    pub client: Client,
    // Last: the node goes first.
    database: Option<Database>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

/// Settings for tests: quick hashes, a free port, no limits in the way.
pub fn settings(database_url: &str) -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        database_url: Some(database_url.into()),
        secret: Some("a secret of tests, thirty-two and more".into()),
        bcrypt_cost: 4,
        workers: 1,
        drain_ms: 1_000,
        signups_per_minute_per_ip: 10_000,
        logins_per_minute_per_ip: 10_000,
        logins_per_minute_per_account: 10_000,
        logins_per_minute: 100_000,
        refreshes_per_minute_per_ip: 10_000,
        ..Config::default()
    }
}

impl House {
    pub async fn open() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let database = Postgres::shared().unwrap().fresh_database().unwrap();
        let house = Self::on(database.url(), change).await;
        Self { database: Some(database), ..house }
    }

    /// On a database that belongs to somebody else.
    pub async fn on(database_url: &str, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = settings(database_url);
        change(&mut config);
        let running = App::start(config).await.unwrap();
        Self { running, client: Client::new(), database: None }
    }

    pub fn database_url(&self) -> &str {
        self.database.as_ref().unwrap().url()
    }

    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.running.address))
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.ask(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.ask(Method::POST, path).json(body)).await
    }

    pub async fn sign_up(&self, handle: &str, password: &str) -> Answer {
        let email = format!("{handle}@example.org");
        self.post("/api/v1/users", &json!({ "handle": handle, "email": email, "password": password })).await
    }

    pub async fn log_in(&self, login: &str, password: &str) -> Answer {
        self.post("/api/v1/auth/login", &json!({ "login": login, "password": password })).await
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/api/v1/auth/refresh", &json!({ "refresh_token": token })).await
    }

    pub async fn log_out(&self, token: &str) -> Answer {
        self.post("/api/v1/auth/logout", &json!({ "refresh_token": token })).await
    }

    pub async fn close(self) {
        self.running.stop().await;
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let mut headers: Vec<(String, String)> =
        response.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    Answer { status: response.status(), headers, text: response.text().await.unwrap() }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|fault| panic!("{fault}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The answer is good; what it holds.
    #[track_caller]
    pub fn good(&self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.json()
    }

    /// The refresh token of a good answer.
    #[track_caller]
    pub fn refresh_token(&self) -> String {
        self.good()["refresh_token"].as_str().unwrap().to_owned()
    }

    /// The answer is a refusal of this kind, and has the form that all have.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str, field: Option<&str>) {
        let error = &self.json()["error"];
        assert_eq!((self.status.as_u16(), error["code"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!(error["field"].as_str(), field, "{self:?}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
        assert!(error["retry"].is_boolean());
    }
}
