//! Access tokens against forgery, over keys kept in memory.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::jwk::AlgorithmParameters;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tidings_actors::ports::{BadToken, KeptKey, SealedKey, SigningKeys, StoreFault, Tokens};
use tidings_protocol::ids::{SessionId, UserId};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{AccessTokens, KeyFault};

/// Keys in memory, all as young as they are said to be.
#[derive(Default)]
pub(super) struct MemoryKeys(Mutex<Vec<KeptKey>>);

#[async_trait]
impl SigningKeys for MemoryKeys {
    async fn signing_keys(&self) -> Result<Vec<KeptKey>, StoreFault> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn keep_signing_key(&self, key: &SealedKey, unless_younger_than_ms: u64) -> Result<bool, StoreFault> {
        let mut keys = self.0.lock().unwrap();
        if keys.iter().any(|kept| kept.age_ms < unless_younger_than_ms) {
            return Ok(false);
        }
        keys.insert(0, KeptKey { key: key.clone(), age_ms: 0 });
        Ok(true)
    }

    async fn forget_signing_key(&self, kid: &str) -> Result<(), StoreFault> {
        self.0.lock().unwrap().retain(|kept| kept.key.kid != kid);
        Ok(())
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn tokens_over(keys: &Arc<MemoryKeys>, secret: u8) -> Result<AccessTokens, KeyFault> {
    AccessTokens::start(keys.clone(), &Zeroizing::new([secret; 32]), 30 * DAY, DAY).await
}

async fn tokens() -> AccessTokens {
    tokens_over(&Arc::default(), 1).await.unwrap()
}

fn somebody() -> (UserId, SessionId) {
    (UserId(Uuid::now_v7()), SessionId(Uuid::now_v7()))
}

/// The parts of a token, decoded.
fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| BASE64.decode(part).unwrap());
    let mut json = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (json(), json())
}

/// Signs any header and claims with the server's own key.
fn forged(tokens: &AccessTokens, header: &Value, claims: &str) -> String {
    let ring = tokens.ring.load();
    let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &ring.current().signing, Algorithm::RS256).unwrap();
    format!("{message}.{signature}")
}

#[actix_rt::test]
async fn an_issued_token_says_who_and_until_when() {
    let tokens = tokens().await;
    let (user, session) = somebody();
    let (token, expires_at) = tokens.issue(user, session).unwrap();
    let claims = tokens.verify(&token).unwrap();
    assert_eq!((claims.user, claims.session, claims.expires_at), (user, session, Some(expires_at)));
}

#[actix_rt::test]
async fn nodes_that_share_keys_and_secret_trust_each_other() {
    let keys = Arc::default();
    let (one, two) = (tokens_over(&keys, 1).await.unwrap(), tokens_over(&keys, 1).await.unwrap());
    let (user, session) = somebody();
    let (token, _) = one.issue(user, session).unwrap();
    assert_eq!(two.verify(&token).unwrap().user, user);
    assert_eq!(keys.0.lock().unwrap().len(), 1);
}

#[actix_rt::test]
async fn a_node_with_another_secret_does_not_start() {
    let keys = Arc::default();
    tokens_over(&keys, 1).await.unwrap();
    let fault = tokens_over(&keys, 2).await.err().unwrap();
    assert!(matches!(fault, KeyFault::OtherSecret(_)));
    assert!(fault.to_string().contains("secret"), "{fault}");
}

#[actix_rt::test]
async fn keys_rotate_without_a_token_lost() {
    let keys: Arc<MemoryKeys> = Arc::default();
    let tokens = tokens_over(&keys, 1).await.unwrap();
    let (user, session) = somebody();
    let (old, _) = tokens.issue(user, session).unwrap();
    let age = |by: u64| keys.0.lock().unwrap().iter_mut().for_each(|kept| kept.age_ms += by);
    let reread = async || {
        let before = tokens.ring.load_full();
        tokens.ring.store(Arc::new(tokens.keeper.read(Some(&before)).await.unwrap()));
    };
    let day_ms = 24 * 3_600_000;
    age(31 * day_ms);
    reread().await;
    assert_eq!(tokens.public_keys().keys.len(), 2, "the next key is published");
    let kid = |token: &str| parts(token).0["kid"].as_str().unwrap().to_owned();
    assert_eq!(kid(&tokens.issue(user, session).unwrap().0), kid(&old), "but does not sign yet");
    age(10 * 60_000);
    reread().await;
    assert_ne!(kid(&tokens.issue(user, session).unwrap().0), kid(&old));
    assert!(tokens.verify(&old).is_ok());
    age(2 * day_ms);
    reread().await;
    assert_eq!(tokens.verify(&old), Err(BadToken::Invalid), "its key is forgotten, long after it ran out");
    assert_eq!(keys.0.lock().unwrap().len(), 1);
}

#[actix_rt::test]
async fn the_published_key_is_big_and_checks_tokens_elsewhere() {
    let tokens = tokens().await;
    let (user, session) = somebody();
    let (token, _) = tokens.issue(user, session).unwrap();
    let published: Value = serde_json::to_value(tokens.public_keys()).unwrap();
    assert_eq!(published["keys"][0]["alg"], "RS256");
    assert_eq!(published["keys"][0]["use"], "sig");
    assert!(published["keys"][0].get("d").is_none(), "no private part");
    let set = tokens.public_keys();
    let AlgorithmParameters::RSA(rsa) = &set.keys[0].algorithm else { panic!("not RSA") };
    assert!(BASE64.decode(&rsa.n).unwrap().len() * 8 >= 3072);
    let key = jsonwebtoken::DecodingKey::from_jwk(&set.keys[0]).unwrap();
    let mut rules = jsonwebtoken::Validation::new(Algorithm::RS256);
    rules.set_audience(&["tidings"]);
    let told = jsonwebtoken::decode::<Value>(&token, &key, &rules).unwrap();
    assert_eq!(told.claims["sub"], user.to_string());
}

#[actix_rt::test]
async fn claims_must_be_there_right_and_of_their_type() {
    let tokens = tokens().await;
    let (user, session) = somebody();
    let (header, good) = parts(&tokens.issue(user, session).unwrap().0);
    assert!(tokens.verify(&forged(&tokens, &header, &good.to_string())).is_ok());
    for claim in ["exp", "iat", "sub", "iss", "aud", "sid"] {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(claim);
        assert_eq!(
            tokens.verify(&forged(&tokens, &header, &claims.to_string())),
            Err(BadToken::Invalid),
            "without {claim}"
        );
    }
    let now = jsonwebtoken::get_current_timestamp();
    let wrong = [
        ("iss", json!("somebody")),
        ("aud", json!("somebody")),
        ("sub", json!("root")),
        ("sid", json!(7)),
        ("exp", json!("9999999999")),
        ("exp", json!(9_999_999_999.5)),
        ("exp", json!(-1)),
        ("exp", json!(u64::MAX)),
        ("iat", json!(now + 3_600)),
        ("nbf", json!(now + 3_600)),
    ];
    for (claim, value) in wrong {
        let mut claims = good.clone();
        claims[claim] = value.clone();
        assert_eq!(
            tokens.verify(&forged(&tokens, &header, &claims.to_string())),
            Err(BadToken::Invalid),
            "{claim} = {value}"
        );
    }
    let twice = good.to_string().replacen('{', &format!(r#"{{"sub":"{}","#, Uuid::now_v7()), 1);
    assert_eq!(tokens.verify(&forged(&tokens, &header, &twice)), Err(BadToken::Invalid));
    let more = format!("{good} ");
    assert!(tokens.verify(&forged(&tokens, &header, &format!("{more}x"))).is_err());
}

#[actix_rt::test]
async fn an_expired_token_is_told_apart_but_only_if_it_was_good() {
    let tokens = tokens().await;
    let (user, session) = somebody();
    let (header, mut claims) = parts(&tokens.issue(user, session).unwrap().0);
    let now = jsonwebtoken::get_current_timestamp();
    claims["iat"] = json!(now - 100);
    claims["exp"] = json!(now - 2);
    let token = forged(&tokens, &header, &claims.to_string());
    assert_eq!(tokens.verify(&token), Err(BadToken::Expired));
    let other = self::tokens().await;
    assert_eq!(other.verify(&token), Err(BadToken::Invalid));
}

#[actix_rt::test]
async fn a_token_cannot_choose_its_algorithm_or_key() {
    let tokens = tokens().await;
    let (user, session) = somebody();
    let (good, _) = tokens.issue(user, session).unwrap();
    let (header, claims) = parts(&good);
    let body = good.split('.').nth(1).unwrap();
    for alg in ["none", "None", "NONE", "", "HS256", "RS512", "PS256"] {
        let mut header = header.clone();
        header["alg"] = json!(alg);
        let head = BASE64.encode(header.to_string());
        assert_eq!(tokens.verify(&format!("{head}.{body}.")), Err(BadToken::Invalid), "{alg} unsigned");
        assert_eq!(
            tokens.verify(&forged(&tokens, &header, &claims.to_string())),
            Err(BadToken::Invalid),
            "{alg} signed"
        );
    }
    // The public key as the secret of an HMAC.
    let public = serde_json::to_vec(&tokens.public_keys().keys[0]).unwrap();
    let mut hmac = Header::new(Algorithm::HS256);
    hmac.kid = header["kid"].as_str().map(str::to_owned);
    let confused = jsonwebtoken::encode(&hmac, &claims, &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(tokens.verify(&confused), Err(BadToken::Invalid));
    let proposals = [
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("jwk", serde_json::to_value(&tokens.public_keys().keys[0]).unwrap()),
        ("crit", json!(["exp"])),
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("' or 1=1 --")),
        ("kid", json!("x".repeat(65_536))),
        ("kid", json!(null)),
        ("kid", json!(7)),
    ];
    for (field, value) in proposals {
        let mut header = header.clone();
        header[field] = value;
        assert_eq!(tokens.verify(&forged(&tokens, &header, &claims.to_string())), Err(BadToken::Invalid), "{field}");
    }
}

#[actix_rt::test]
async fn no_flipped_bit_goes_unnoticed() {
    let tokens = tokens().await;
    let (user, session) = somebody();
    let (good, _) = tokens.issue(user, session).unwrap();
    let good = good.into_bytes();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 7);
        if let Ok(text) = std::str::from_utf8(&bad) {
            assert_eq!(tokens.verify(text), Err(BadToken::Invalid), "byte {at}");
        }
    }
    for text in ["", ".", "..", "...", "a.b.c", "tr1_AAAA", "\0"] {
        assert_eq!(tokens.verify(text), Err(BadToken::Invalid), "{text}");
    }
    let good = String::from_utf8(good).unwrap();
    for text in [format!("{good}="), format!("{good}."), format!(" {good}"), format!("{good}\n"), good.to_uppercase()] {
        assert_eq!(tokens.verify(&text), Err(BadToken::Invalid), "{text}");
    }
}
