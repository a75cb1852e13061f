//! Who may ask for what: nobody, a token that is good for less, a log-in.

use super::*;

#[test]
fn a_narrow_token_is_refused_in_its_turn_and_a_log_in_is_not() {
    let door = Door::rich();
    let mut machine = Machine::default();
    machine.text(&HELLO.replace("good", "narrow"), &door);
    assert!(machine.greeted(Some(user(1))).is_empty());
    assert_eq!(brief(&machine.text(&reads(2), &door)), "run 2 Read");
    // Not before the answer to what was asked first.
    assert_eq!(brief(&machine.text(&writes(3), &door)), "");
    let running = Ticket(1);
    assert_eq!(brief(&machine.finished(running)), "refuse 3 forbidden");
    assert_eq!(brief(&machine.text(r#"{"id":4,"method":"session.list"}"#, &door)), "refuse 4 forbidden");
    let mut machine = live(&door, Some(user(1)));
    assert_eq!(brief(&machine.text(&writes(3), &door)), "run 3 Write");
}

#[test]
fn p5_nobody_sends_pictures_and_everybody_may_look() {
    let ask = |n: u64, method: &str| {
        let rest = r#""kind":"image","type":"image/png","bytes":9"#;
        format!(r#"{{"id":{n},"method":"media.{method}","params":{{"id":"{}",{rest}}}}}"#, id())
    };
    let door = Door::rich();
    let mut machine = live(&door, None);
    assert_eq!(brief(&machine.text(&ask(2, "ticket"), &door)), "refuse 2 unauthorized");
    assert_eq!(brief(&machine.text(&ask(3, "delete"), &door)), "refuse 3 unauthorized");
    assert_eq!(brief(&machine.text(&ask(4, "get"), &door)), "run 4 Read");
    let mut machine = live(&door, Some(user(1)));
    let before = door.points.get();
    let ticket = tickets(&machine.text(&ask(2, "ticket"), &door));
    assert_eq!(before - door.points.get(), points::CREATE);
    assert_eq!(brief(&machine.text(&ask(3, "get"), &door)), "", "what follows sees what came before");
    assert_eq!(brief(&machine.finished(ticket[0])), "run 3 Read");
}

#[test]
fn p5_only_who_is_logged_in_sees_who_is_here_and_of_so_many() {
    let door = Door::rich();
    let watches = |n: u64, people: u64| {
        let ids: Vec<String> = (0..people).map(|n| format!(r#""{}""#, user(n))).collect();
        format!(r#"{{"id":{n},"method":"presence.watch","params":{{"ids":[{}]}}}}"#, ids.join(","))
    };
    let shows = |n: u64| format!(r#"{{"id":{n},"method":"presence.set","params":{{"status":"idle"}}}}"#);
    let types = |n: u64| format!(r#"{{"id":{n},"method":"typing.send","params":{{"post":"{}"}}}}"#, id());
    let most = limits::PRESENCE_WATCHED as u64;
    let mut nobody = live(&door, None);
    for request in [watches(2, 1), shows(2), types(2)] {
        assert_eq!(brief(&nobody.text(&request, &door)), "refuse 2 unauthorized");
    }
    let mut ann = live(&door, Some(user(1)));
    assert_eq!(brief(&ann.text(&watches(2, most + 1), &door)), "refuse 2 limit_reached");
    let typing = ann.text(&types(3), &door);
    assert_eq!(brief(&typing), "run 3 Read");
    assert!(ann.text(&watches(4, most), &door).is_empty(), "in order: she may still be looked up");
    assert_eq!(brief(&ann.finished(tickets(&typing)[0])), "run 4 Sole");
    let before = door.points.get();
    for request in [watches(5, 1), shows(6), types(7)] {
        ann.text(&request, &door);
    }
    assert_eq!(before - door.points.get(), points::REACT + 2 * points::READ);
}

#[test]
fn notifications_are_ones_own_and_reading_them_says_which() {
    let ask = |method: &str, params: &str| format!(r#"{{"id":2,"method":"{method}","params":{params}}}"#);
    let many = (0..=limits::NOTIFICATIONS_READ_AT_ONCE).map(|_| format!(r#""{}""#, id())).collect::<Vec<_>>().join(",");
    let good = [
        (ask("notification.page", "{}"), "run 2 Read", points::READ),
        (ask("notification.seen", r#"{"up_to":3}"#), "run 2 Write", points::READ),
        (ask("notification.read", r#"{"up_to":3}"#), "run 2 Write", points::REACT),
        (ask("notification.read", &format!(r#"{{"ids":["{}"]}}"#, id())), "run 2 Write", points::REACT),
        (ask("marker.set", r#"{"feed":"home","seq":3}"#), "run 2 Write", points::REACT),
        (ask("notify.preferences", r#"{"follow":"nobody"}"#), "run 2 Write", points::EDIT),
    ];
    let door = Door::rich();
    for (request, runs, cost) in &good {
        let before = door.points.get();
        assert_eq!(brief(&live(&door, Some(user(1))).text(request, &door)), *runs, "{request}");
        assert_eq!(before - door.points.get(), *cost, "{request}");
        assert_eq!(brief(&live(&door, None).text(request, &door)), "refuse 2 unauthorized", "{request}");
    }
    for senseless in ["{}", r#"{"ids":[]}"#, &format!(r#"{{"ids":[{many}],"up_to":3}}"#)] {
        let refused = live(&door, Some(user(1))).text(&ask("notification.read", senseless), &door);
        assert_eq!(brief(&refused), "refuse 2 invalid", "{senseless}");
    }
    let refused = live(&door, Some(user(1))).text(&ask("notify.preferences", "{}"), &door);
    assert_eq!(brief(&refused), "refuse 2 invalid");
    let watch = live(&door, None).text(&ask("feed.subscribe", r#"{"feed":"notifications"}"#), &door);
    assert_eq!(brief(&watch), "refuse 2 unauthorized");
}

#[test]
fn p5_nobody_may_not_write_nor_watch_what_is_private() {
    let door = Door::rich();
    let mut machine = live(&door, None);
    assert_eq!(brief(&machine.text(&writes(2), &door)), "refuse 2 unauthorized");
    let home = r#"{"id":3,"method":"feed.subscribe","params":{"feed":"home"}}"#;
    assert_eq!(brief(&machine.text(home, &door)), "refuse 3 unauthorized");
    let page = r#"{"id":4,"method":"feed.page","params":{"feed":"me"}}"#;
    assert_eq!(brief(&machine.text(page, &door)), "refuse 4 unauthorized");
    assert_eq!(brief(&machine.text(r#"{"id":5,"method":"user.get"}"#, &door)), "refuse 5 unauthorized");
    let global = r#"{"id":6,"method":"feed.subscribe","params":{"feed":"global"}}"#;
    assert_eq!(brief(&machine.text(global, &door)), "run 6 Read");
}

#[test]
fn p5_whoever_cannot_be_told_from_one_logged_out_is_put_off() {
    let unsure = Door { sure: false, ..Door::rich() };
    let mut machine = live(&Door::rich(), Some(user(1)));
    for number in 2..2 + 2 * u64::from(REFUSALS_IN_A_ROW) {
        assert_eq!(brief(&machine.text(&writes(number), &unsure)), format!("refuse {number} unavailable"));
    }
    assert_eq!(brief(&machine.text(&reads(1), &Door::rich())), "run 1 Read", "and it is none of their fault");
    let mut nobody = live(&Door::rich(), None);
    assert_eq!(brief(&nobody.text(&reads(2), &unsure)), "run 2 Read", "who has not logged in cannot be logged out");
}
