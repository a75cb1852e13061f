//! Who lives in the demo and what they say. Nobody here is or was real.

/// A member.
pub(super) struct Person {
    pub(super) handle: &'static str,
    pub(super) name: &'static str,
    pub(super) bio: &'static str,
    /// What they post, in turn.
    pub(super) posts: &'static [&'static str],
}

/// Everybody. Few enough for one minute's sign-ups of one address.
pub(super) const PEOPLE: [Person; 6] = [
    Person {
        handle: "ada",
        name: "Ada of the Bakery",
        bio: "Bread before dawn. Sourdough named Gerald.",
        posts: &[
            "Gerald doubled overnight. We may need a bigger jar. #sourdough",
            "First loaves out at 5:40. The street smells like a good decision.",
            "Somebody asked for a square croissant. I am thinking about it.",
            "Day-old rolls are free after six, as always. Bring a bag.",
        ],
    },
    Person {
        handle: "bruno",
        name: "Bruno",
        bio: "Night trains, paper maps.",
        posts: &[
            "The 22:14 leaves on time for once. Window seat, thermos, no plans. #nighttrain",
            "Woke up and there were mountains. Nobody warned me.",
            "Collected three station stamps today. The clerk at the last one drew me a cat instead.",
            "If your map has no coffee stain, have you been anywhere?",
        ],
    },
    Person {
        handle: "chiyo",
        name: "Chiyo",
        bio: "Repairs radios and sometimes patience.",
        posts: &[
            "A 1961 valve radio came in with a nest inside. The mouse had taste: shortwave. #repair",
            "Found the hum. It was a capacitor. It is always a capacitor.",
            "Reminder: photograph the wiring BEFORE you take it apart. Signed, me, too late.",
            "It plays! First thing we heard was the shipping forecast. Everyone went quiet.",
        ],
    },
    Person {
        handle: "dmitri",
        name: "Dmitri & the allotment",
        bio: "Plot 14. Courgettes against my will.",
        posts: &[
            "Free courgettes at the gate. Please. I am begging. #allotment",
            "The robin has decided the fork is his. I am using the other fork.",
            "Frost tonight, cover your beans.",
            "Weighed the pumpkin: 31 kg. Named it Treasurer.",
        ],
    },
    Person {
        handle: "esi",
        name: "Esi",
        bio: "Teaches the choir nobody auditions for.",
        posts: &[
            "Tonight: four altos, one bass, and a very confident dog. #choir",
            "We sang the hard bar eleven times and on the twelfth it flew.",
            "If you can hum on the bus you can sing with us. Thursdays, seven.",
            "Somebody left a trombone in the hall. Is this a threat?",
        ],
    },
    Person {
        handle: "finn",
        name: "Finn",
        bio: "Lighthouse, weather, knots.",
        posts: &[
            "Wind south-west six, rain later, good visibility until then. #weather",
            "Counted nine porpoises from the gallery. Ten if one was two.",
            "Knot of the day: the bowline. It holds, and it lets go when you ask.",
            "Lamp cleaned, log written, kettle on.",
        ],
    },
];

/// What one may answer to anything.
pub(super) const ANSWERS: [&str; 10] = [
    "This made my morning.",
    "Tell me more!",
    "I have so many questions.",
    "Save some for me.",
    "Photo or it did not happen.",
    "My grandmother would approve.",
    "That is the best news today.",
    "Same here, only wetter.",
    "I will bring tea.",
    "How did it end?",
];
