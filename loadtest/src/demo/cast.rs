//! The made-up people of the demo: who they are, whom they follow, and the one password they share.
//! Must never hold what they say: that is `script.txt` and `phrases.txt`.

use tidings_protocol::ids::UserId;

/// Of all of them, printed for whoever wants to log in: a demo is not for secrets.
pub const PASSWORD: &str = "tidings-demo";
/// The one whose place is kept for the visitor: nobody speaks for her once the visitor can.
pub const SEAT: usize = 0;

/// One of them.
pub struct Member {
    /// Unique name.
    pub handle: &'static str,
    /// What they are called.
    pub name: &'static str,
    /// Their profile text.
    pub bio: &'static str,
    /// Whom they follow, by handle.
    pub follows: &'static [&'static str],
}

/// All of them. The first to sign up is the mark by which a later start knows its own community.
pub const MEMBERS: &[Member] = &[
    Member {
        handle: "mira",
        name: "Mira Solberg",
        bio: "Lives above a bicycle shop. Collects maps of places that do not exist.",
        follows: &["teo", "anouk", "bashir", "yuki", "ines", "olek", "priya"],
    },
    Member {
        handle: "teo",
        name: "Teo Marchetti",
        bio: "Baker, so: up before you, asleep before you. Father of Gregor (sourdough).",
        follows: &["mira", "anouk", "yuki", "bashir"],
    },
    Member {
        handle: "anouk",
        name: "Anouk Verbeek",
        bio: "Allotment 14, three hives, one pigeon too many. 🐝",
        follows: &["mira", "teo", "ines", "yuki"],
    },
    Member {
        handle: "bashir",
        name: "Bashir Qaderi",
        bio: "Repairs radios, clocks and anything that hums. Ready on Friday.",
        follows: &["mira", "priya", "olek", "teo", "yuki"],
    },
    Member {
        handle: "yuki",
        name: "Yuki Tanabe",
        bio: "Night nurse. Photographs one bench, every week. Two cats, both in charge.",
        follows: &["mira", "teo", "olek", "priya", "ines", "anouk"],
    },
    Member {
        handle: "ines",
        name: "Inês Carvalho",
        bio: "Teaches geography, swims in the sea all year. It is not cold. 🌊",
        follows: &["mira", "anouk", "olek"],
    },
    Member {
        handle: "olek",
        name: "Olek Zieliński",
        bio: "Drives the 4:52 and the 9:14. Birds from the cab window. Chess by post.",
        follows: &["mira", "ines", "bashir", "yuki", "priya"],
    },
    Member {
        handle: "priya",
        name: "Priya Raman",
        bio: "Writes programs by day, learns the cello by evening. Sorry, neighbours.",
        follows: &["mira", "bashir", "yuki", "teo"],
    },
];

/// Whose handle this is.
#[must_use]
pub fn number_of(handle: &str) -> Option<usize> {
    MEMBERS.iter().position(|member| member.handle == handle)
}

/// Which of them, by the ids that the server gave them.
#[must_use]
pub fn number_in(ids: &[UserId], id: UserId) -> Option<usize> {
    ids.iter().position(|known| *known == id)
}

#[cfg(test)]
mod tests {
    use tidings_protocol::limits::PASSWORD_BYTES;
    use tidings_protocol::text::{Bio, DisplayName, Handle};

    use super::*;

    #[test]
    fn everybody_may_sign_up_and_follows_people_who_are_there() {
        assert!(PASSWORD_BYTES.contains(&PASSWORD.len()));
        for member in MEMBERS {
            assert_eq!(Handle::parse(member.handle).unwrap().as_str(), member.handle);
            DisplayName::parse(member.name).unwrap();
            Bio::parse(member.bio).unwrap();
            assert!(member.follows.iter().all(|other| *other != member.handle && number_of(other).is_some()));
        }
        // The server's default is ten sign-ups a minute from one address, and a visitor wants to sign up too.
        assert!(MEMBERS.len() <= 8);
    }
}
