//! The machine under random interleavings: whatever happens in whatever order, each request of the
//! client is answered once, and no tool is called twice that the server may have run.

use std::time::Duration;

use proptest::prelude::*;

use super::world::{End, Step, World, step};
use crate::jsonrpc::{Id, Message};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_is_answered_once_whatever_happens(
        steps in prop::collection::vec(step(), 1..150),
        read_only in any::<bool>(),
    ) {
        let mut world = World::new(read_only);
        let mut ended = false;
        for step in &steps {
            // What a client writes after its end of input can't be read.
            let from_client = matches!(
                step,
                Step::Initialize | Step::Initialized | Step::Request(_) | Step::ModernRequest(_)
                    | Step::Notification
                    | Step::Cancel(_) | Step::AnswerQuestion(_)
            );
            ended |= matches!(step, Step::EndOfInput);
            if world.finished || (ended && from_client) {
                continue;
            }
            world.step(step);
        }
        if world.finished {
            world.now += Duration::from_secs(2);
        }
        world.conclude();
    }
}

#[test]
fn a_defect_costs_the_request_that_met_it_its_answer_and_no_other() {
    let mut world = World::with_three_calls();
    world.step(&Step::Request(1));
    world.machine.memory.broken = true;
    world.ends("tools/list", End::Properly);
    let list = Id::from_json("4").unwrap();
    assert_eq!(world.answers.get(&list), Some(&1), "an error");
    world.ends("tools/call", End::Properly);
    assert_eq!(world.answers.len(), 3);
    world.conclude();
}

#[test]
fn a_defect_in_the_handshake_is_its_answer_and_the_client_may_open_again() {
    let mut world = World::new(false);
    world.machine.memory.broken = true;
    world.step(&Step::Initialize);
    world.step(&Step::Ends(0, End::Properly));
    assert_eq!(world.answers.len(), 1);
    world.step(&Step::Initialize);
    world.ends("initialize", End::Properly);
    assert!(world.open);
    world.conclude();
}

#[test]
fn requests_beyond_the_bound_are_refused_and_what_stands_behind_them_is_read() {
    let mut world = World::new(false);
    world.step(&Step::Initialize);
    for _ in 0..10 {
        world.step(&Step::Request(0));
    }
    assert_eq!(world.answers.len(), 4, "six wait");
    world.step(&Step::Cancel(1));
    world.step(&Step::Request(0));
    assert_eq!(world.answers.len(), 4, "the place of the cancelled one");
    world.conclude();
}

#[test]
fn a_request_opens_a_session_again_once_and_goes_along_when_others_do() {
    let mut world = World::with_three_calls();
    world.loses_session_of("1");
    world.opens_again();
    // Two was sent in the first session, three in the first, too: the second session is lost for each.
    world.loses_session_of("2");
    world.loses_session_of("3");
    world.loses_session_of("2");
    world.opens_again();
    world.loses_session_of("3");
    assert!(world.answers.values().sum::<usize>() == 1, "only `initialize` was answered");
    // It has had its turn, and this is the present session.
    world.loses_session_of("2");
    assert_eq!(world.answers.get(&Id::from_json("2").unwrap()), Some(&1));
    world.conclude();
}

#[test]
fn a_notification_that_met_a_lost_session_does_not_end_the_next_one() {
    let mut world = World::with_three_calls();
    world.step(&Step::Notification);
    world.loses_session_of("1");
    world.opens_again();
    let roots = Some("notifications/roots/list_changed");
    let sent = |world: &World| world.running.values().position(|(m, _)| m.method() == roots);
    world.step(&Step::Ends(sent(&world).unwrap(), End::SessionLost));
    assert_eq!(world.machine.session().map(|session| session.generation), Some(2));
    assert!(sent(&world).is_some(), "it is sent again in the new session");
    world.conclude();
}

#[test]
fn a_session_that_is_lost_twice_before_it_is_set_up_is_opened_again_later() {
    let mut world = World::with_three_calls();
    world.loses_session_of("1");
    for _ in 0..2 {
        world.ends("initialize", End::Properly);
        world.ends("notifications/initialized", End::SessionLost);
    }
    assert_eq!(world.answers.len(), 1, "only `initialize` was answered");
    world.step(&Step::Time(2_000));
    world.opens_again();
    world.loses_session_of("1");
    world.conclude();
}

#[test]
fn a_server_that_loses_every_session_at_once_is_asked_ever_less_often() {
    let mut world = World::with_three_calls();
    world.loses_session_of("1");
    let mut handshakes = 0;
    for _ in 0..600 {
        while world.running.values().any(|(m, _)| m.method() == Some("initialize")) {
            handshakes += 1;
            world.ends("initialize", End::Properly);
            world.ends("notifications/initialized", End::SessionLost);
        }
        world.step(&Step::Time(1_000));
    }
    assert!((3..=40).contains(&handshakes), "{handshakes} handshakes in ten minutes");
    world.conclude();
}

#[test]
fn notifications_that_no_server_takes_are_dropped_from_the_oldest_on() {
    let mut world = World::with_three_calls();
    world.step(&Step::Notification);
    let notice = |n: usize| {
        let data = "x".repeat(1 << 20);
        format!("{{\"method\":\"notifications/n{n}\",\"params\":{{\"d\":\"{data}\"}}}}")
    };
    (0..100).for_each(|n| world.client(&notice(n)));
    assert!(world.machine.notification_bytes <= 33 << 20, "bounded");
    let kept: Vec<_> = world.machine.notifications.iter().filter_map(Message::method).collect();
    assert_eq!(kept.last().copied(), Some("notifications/n99"), "the latest are kept");
    assert!(kept.len() > 25 && kept.len() < 40, "{}", kept.len());
    world.obey();
    world.conclude();
}
