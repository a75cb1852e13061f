//! A short campaign: three nodes under load, examined while parts of them are killed, paused, cut off and confused (P1–P5, P8, P10).
//! Must never assert how fast: that is what the long campaign's report tells.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops right there")]

use std::{env, path::PathBuf, time::Duration};

use anyhow::Result;
use tidings_campaign::{account::Account, campaign::Campaign, examiner::Load, round::Kind, world::Plan};
use tidings_testkit::harness;

/// Other seeds try other things; a failure tells its own.
const SEED: &str = "TIDINGS_CAMPAIGN_SEED";

fn campaign(kind: Kind, seconds: u64) -> Result<Vec<Account>> {
    let server = PathBuf::from(env!("CARGO_BIN_EXE_tidings"));
    let keep = server.with_file_name("campaign");
    let harness = harness(&server)?;
    let campaign = Campaign {
        plan: Plan { server, nodes: 3, clocks: true },
        load: Load { harness, people: 8, clients: 16, rate: 60, recover: 10, patience: Duration::from_secs(120) },
        rounds: 1,
        seed: env::var(SEED).map_or(Ok(1), |seed| seed.parse())?,
        seconds,
        kinds: vec![kind],
        fresh_every: 1,
        long: false,
        keep,
        keep_all: false,
    };
    campaign.run(|_| {})
}

/// Nothing was wrong, everything that was to be broken was, and enough was tried for that to mean something.
fn holds(kind: Kind, seconds: u64, faults: usize) {
    let accounts = campaign(kind, seconds).unwrap();
    for account in &accounts {
        let (seed, wrongs) = (account.seed, account.wrongs(20).join("\n"));
        assert!(account.is_good(), "seed {seed}, kept in {:?}:\n{wrongs}", account.kept);
        assert!(account.book.len() >= faults, "only {} faults", account.book.len());
        assert!(account.acknowledged > 500, "only {} changes were acknowledged", account.acknowledged);
        assert!(
            account.recoveries.iter().any(|recovery| recovery.delivered_ms.is_some()),
            "nobody heard anything again"
        );
    }
}

#[test]
fn the_promises_hold_while_node_redis_and_postgres_are_killed_again_and_again() {
    holds(Kind::Kills, 25, 6);
}

#[test]
fn the_promises_hold_while_several_faults_come_together() {
    holds(Kind::Combos, 40, 8);
}
