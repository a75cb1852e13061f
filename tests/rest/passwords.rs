//! Passwords: every byte counts, and nobody learns which part was wrong.

use std::time::{Duration, Instant};

use crate::house::{House, PASSWORD};

#[actix_rt::test]
async fn a_wrong_name_and_a_wrong_password_are_answered_alike() {
    let house = House::open().await;
    house.sign_up("ann", PASSWORD).await.good();
    let wrong = house.log_in("ann", "not the password").await;
    wrong.refused(401, "bad_credentials", None);
    for login in ["nobody", "nobody@example.org", "", "no\0body", &"x".repeat(5_000), "💥"] {
        let unknown = house.log_in(login, "not the password").await;
        let without_date = |headers: &[(String, String)]| -> Vec<(String, String)> {
            headers.iter().filter(|(name, _)| name != "date").cloned().collect()
        };
        assert_eq!((unknown.status, &unknown.text), (wrong.status, &wrong.text), "{login}");
        assert_eq!(without_date(&unknown.headers), without_date(&wrong.headers), "{login}");
    }
    house.close().await;
}

#[actix_rt::test]
async fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    // A real work factor: without the decoy an unknown name would be answered in a millisecond.
    let house = House::with(|config| config.bcrypt_cost = 9).await;
    house.sign_up("ann", PASSWORD).await.good();
    let mut quickest = [Duration::MAX; 2];
    for _ in 0..8 {
        for (login, best) in ["ann", "nobody"].into_iter().zip(&mut quickest) {
            let asked = Instant::now();
            house.log_in(login, "not the password").await.refused(401, "bad_credentials", None);
            *best = (*best).min(asked.elapsed());
        }
    }
    let [wrong, unknown] = quickest;
    // The machine is shared: only a difference that a decoy left out would make is looked for.
    assert!(unknown * 2 > wrong && wrong * 2 > unknown, "unknown {unknown:?}, wrong {wrong:?}");
    house.close().await;
}

#[actix_rt::test]
async fn every_byte_of_a_password_counts() {
    let house = House::open().await;
    let seventy_two = "x".repeat(72);
    let pairs = [
        ("long73", format!("{seventy_two}a"), format!("{seventy_two}b")),
        ("thousand", "y".repeat(1_000), "y".repeat(999)),
        ("nul", "before\0after".to_owned(), "before\0other".to_owned()),
        ("emoji", "🐎🔋📎✅".to_owned(), "🐎🔋📎❌".to_owned()),
        ("capital", "Password-one".to_owned(), "password-one".to_owned()),
        ("space", " password-one ".to_owned(), "password-one".to_owned()),
    ];
    for (handle, right, wrong) in pairs {
        house.sign_up(handle, &right).await.good();
        house.log_in(handle, &wrong).await.refused(401, "bad_credentials", None);
        house.log_in(handle, &right).await.good();
    }
    house.close().await;
}
