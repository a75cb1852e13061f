//! Bad lines: partitions, black holes one way, late and narrow links, dribble, connections cut, reset or half gone.
//! All of it by the chaos proxies; no process is touched.

use std::time::Duration;

use anyhow::Result;
use rand::RngExt as _;
use tidings_testkit::{Blow, Counts, Door, Proxy, Way, Weather};

use super::{Fault, Luck, Part};
use crate::world::World;

/// Which links.
#[derive(Clone, Copy, Debug)]
enum Links {
    /// Of clients to all nodes, or to one.
    Clients(Option<usize>),
    /// Of all nodes to Redis, or of one.
    Redis(Option<usize>),
    /// Of all nodes to Postgres, or of one.
    Postgres(Option<usize>),
}

impl Links {
    fn of(self, world: &World) -> Vec<&Proxy> {
        let (Self::Clients(one) | Self::Redis(one) | Self::Postgres(one)) = self;
        let members = world.members.iter().enumerate().filter(|(number, _)| one.is_none_or(|one| one == *number));
        members
            .map(|(_, member)| match self {
                Self::Clients(_) => &member.clients,
                Self::Redis(_) => &member.redis,
                Self::Postgres(_) => &member.postgres,
            })
            .collect()
    }

    fn claims(self, nodes: usize) -> Vec<Part> {
        match self {
            Self::Clients(Some(one)) => vec![Part::Node(one)],
            Self::Clients(None) => (0..nodes).map(Part::Node).collect(),
            // A node that is dead or stands still sends nothing that could be held up.
            Self::Redis(one) => one.map(Part::Node).into_iter().chain([Part::Redis]).collect(),
            Self::Postgres(one) => one.map(Part::Node).into_iter().chain([Part::Postgres]).collect(),
        }
    }

    fn whose(self) -> String {
        let (what, one) = match self {
            Self::Clients(one) => ("clients", one),
            Self::Redis(one) => ("Redis", one),
            Self::Postgres(one) => ("Postgres", one),
        };
        one.map_or_else(|| format!("all nodes and {what}"), |one| format!("node {one} and {what}"))
    }

    fn sum(self, world: &World, count: fn(&Counts) -> u64) -> u64 {
        self.of(world).into_iter().map(|link| count(&link.counts())).sum()
    }
}

/// Links that are bad for a while.
struct Sky {
    row: &'static str,
    kind: &'static str,
    links: Links,
    way: Way,
    weather: Weather,
    length: Duration,
    nodes: usize,
    before: u64,
}

impl Sky {
    /// Bytes that met it.
    fn met(&self, world: &World) -> u64 {
        self.links.sum(world, if self.weather.hold { |counts| counts.held } else { |counts| counts.slowed })
    }
}

impl Fault for Sky {
    fn row(&self) -> &'static str {
        self.row
    }

    fn kind(&self) -> &'static str {
        self.kind
    }

    fn name(&self) -> String {
        let way = match self.way {
            Way::Up => ", upwards",
            Way::Down => ", downwards",
            Way::Both => "",
        };
        format!("{} between {}{way} for {:?}", self.kind, self.links.whose(), self.length)
    }

    fn claims(&self) -> Vec<Part> {
        let mut claims = self.links.claims(self.nodes);
        if matches!(self.links, Links::Clients(_)) {
            // Without Postgres there is little to tell clients.
            claims.push(Part::Postgres);
        }
        claims
    }

    fn length(&self) -> Duration {
        self.length
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        self.before = self.met(world);
        for link in self.links.of(world) {
            link.set(self.way, self.weather);
        }
        Ok(())
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        let bytes = self.met(world) - self.before;
        Ok((bytes > 0).then(|| format!("met by the first {bytes} bytes")))
    }

    fn heal(&mut self, world: &mut World) -> Result<()> {
        for link in self.links.of(world) {
            link.calm();
        }
        Ok(())
    }
}

/// One node or all.
fn one_or_all(luck: &mut Luck) -> Option<usize> {
    let one = luck.node();
    luck.rng.random_bool(0.6).then_some(one)
}

fn any_way(luck: &mut Luck) -> Way {
    luck.one_of(&[Way::Both, Way::Both, Way::Up, Way::Down])
}

/// Nothing passes between Redis and a node, or all nodes; both ways, or one.
pub(super) fn redis_partition(luck: &mut Luck) -> Box<dyn Fault> {
    let longest = if luck.long { 6_000 } else { 3_000 };
    Box::new(Sky {
        row: "F2",
        kind: "partition",
        links: Links::Redis(one_or_all(luck)),
        way: any_way(luck),
        weather: Weather::black_hole(),
        length: luck.millis(1_000..longest),
        nodes: luck.nodes,
        before: 0,
    })
}

/// Redis is late, unevenly, so that rumours come long after the truth.
pub(super) fn redis_late(luck: &mut Luck) -> Box<dyn Fault> {
    let weather = Weather::late(luck.millis(20..300), luck.millis(1..300));
    Box::new(Sky {
        row: "F3",
        kind: "late link",
        links: Links::Redis(one_or_all(luck)),
        way: any_way(luck),
        weather,
        length: luck.millis(1_000..3_000),
        nodes: luck.nodes,
        before: 0,
    })
}

/// Redis behind a narrow line: rumours pile up.
pub(super) fn redis_narrow(luck: &mut Luck) -> Box<dyn Fault> {
    Box::new(Sky {
        row: "F3",
        kind: "narrow link",
        links: Links::Redis(one_or_all(luck)),
        way: any_way(luck),
        weather: Weather::narrow(luck.one_of(&[5_000, 20_000])),
        length: luck.millis(1_000..3_000),
        nodes: luck.nodes,
        before: 0,
    })
}

/// All connections of one node to Postgres hang; the others work on.
pub(super) fn postgres_partition(luck: &mut Luck) -> Box<dyn Fault> {
    let one = luck.node();
    let longest = if luck.long { 6_000 } else { 3_000 };
    Box::new(Sky {
        row: "F8",
        kind: "partition from Postgres",
        links: Links::Postgres(Some(one)),
        way: any_way(luck),
        weather: Weather::black_hole(),
        length: luck.millis(500..longest),
        nodes: luck.nodes,
        before: 0,
    })
}

/// Postgres is far away.
pub(super) fn postgres_late(luck: &mut Luck) -> Box<dyn Fault> {
    let weather = Weather::late(luck.millis(5..80), luck.millis(1..40));
    Box::new(Sky {
        row: "F8",
        kind: "late link to Postgres",
        links: Links::Postgres(one_or_all(luck)),
        way: Way::Both,
        weather,
        length: luck.millis(1_000..2_500),
        nodes: luck.nodes,
        before: 0,
    })
}

/// Clients that can hardly read: a few bytes a second, or a byte at a time.
pub(super) fn clients_narrow(luck: &mut Luck) -> Box<dyn Fault> {
    let (kind, weather) = luck.one_of(&[
        ("narrow link of clients", Weather::narrow(2_000)),
        ("dribble to clients", Weather::dribble(500)),
        ("black hole before clients", Weather::black_hole()),
    ]);
    Box::new(Sky {
        row: "F16",
        kind,
        links: Links::Clients(Some(luck.node())),
        way: any_way(luck),
        weather: weather.one_in(luck.one_of(&[1, 2])),
        length: luck.millis(1_000..3_500),
        nodes: luck.nodes,
        before: 0,
    })
}

/// Connections of clients that end, each in its way.
struct Struck {
    row: &'static str,
    kind: &'static str,
    links: Links,
    blow: Blow,
    one_in: u64,
    /// Whether nobody gets in again for a while.
    shut: Option<Duration>,
    nodes: usize,
    hit: usize,
}

impl Fault for Struck {
    fn row(&self) -> &'static str {
        self.row
    }

    fn kind(&self) -> &'static str {
        self.kind
    }

    fn name(&self) -> String {
        let shut = self.shut.map_or_else(String::new, |shut| format!(", and no way back for {shut:?}"));
        format!("{} between {}, one in {}{shut}", self.kind, self.links.whose(), self.one_in)
    }

    fn claims(&self) -> Vec<Part> {
        self.links.claims(self.nodes)
    }

    fn length(&self) -> Duration {
        self.shut.unwrap_or_default()
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        if self.shut.is_some() {
            self.links.of(world).into_iter().try_for_each(|link| link.door(Door::Shut))?;
        }
        Ok(())
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        // Clients may all be elsewhere at the moment.
        let strike = |link: &Proxy| link.strike(self.blow, self.one_in);
        self.hit += self.links.of(world).into_iter().map(strike).sum::<usize>();
        Ok((self.hit > 0).then(|| format!("{} connections were hit", self.hit)))
    }

    fn heal(&mut self, world: &mut World) -> Result<()> {
        if self.shut.is_some() {
            self.links.of(world).into_iter().try_for_each(|link| link.door(Door::Open))?;
        }
        Ok(())
    }
}

/// All clients of all nodes lose their lines in one moment.
pub(super) fn clients_cut(luck: &mut Luck) -> Box<dyn Fault> {
    let (kind, blow) = luck.one_of(&[("cut", Blow::Cut), ("reset", Blow::Reset)]);
    Box::new(Struck {
        row: "F17",
        kind,
        links: Links::Clients(None),
        blow,
        one_in: 1,
        shut: None,
        nodes: luck.nodes,
        hit: 0,
    })
}

/// One node cannot be reached by clients, though it is well.
pub(super) fn clients_shut_out(luck: &mut Luck) -> Box<dyn Fault> {
    Box::new(Struck {
        row: "F17",
        kind: "shut door",
        links: Links::Clients(Some(luck.node())),
        blow: Blow::Reset,
        one_in: 1,
        shut: Some(luck.millis(300..1_500)),
        nodes: luck.nodes,
        hit: 0,
    })
}

/// Lines whose other side is gone without a word.
pub(super) fn clients_half_open(luck: &mut Luck) -> Box<dyn Fault> {
    Box::new(Struck {
        row: "F15",
        kind: "half-open lines",
        links: Links::Clients(Some(luck.node())),
        blow: Blow::HalfOpen,
        one_in: luck.one_of(&[1, 2, 3]),
        shut: None,
        nodes: luck.nodes,
        hit: 0,
    })
}

/// The nodes' lines to Redis, or to Postgres, are torn.
pub(super) fn inner_links_cut(luck: &mut Luck) -> Box<dyn Fault> {
    let one = one_or_all(luck);
    let (row, kind, links) = luck.one_of(&[
        ("F2", "reset towards Redis", Links::Redis(one)),
        ("F8", "reset towards Postgres", Links::Postgres(one)),
    ]);
    let blow = luck.one_of(&[Blow::Cut, Blow::Reset]);
    Box::new(Struck { row, kind, links, blow, one_in: 1, shut: None, nodes: luck.nodes, hit: 0 })
}
