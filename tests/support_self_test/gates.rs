use std::time::Duration;

use crate::support::{Gate, McpServer, Timeline};

#[test]
fn a_gate_opens_once_and_for_all_its_clones() {
    let gate = Gate::named("the door");
    assert!(!gate.is_open() && !gate.wait_at_most(Duration::from_millis(10)));
    let other = gate.clone();
    std::thread::scope(|scope| {
        scope.spawn(|| other.open());
        gate.wait();
    });
    assert!(gate.is_open());
    assert_eq!(format!("{gate:?}"), "the gate `the door`");
}

#[test]
fn a_gate_is_waited_for_in_a_task_too() {
    let gate = Gate::named("the door");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    std::thread::scope(|scope| {
        scope.spawn(|| gate.open());
        runtime.block_on(gate.opened());
    });
}

#[test]
fn the_timeline_puts_both_sides_into_one_order() {
    let server = McpServer::legacy().run();
    let timeline = Timeline::of_this_test();
    timeline.log("client", "x".repeat(1_000));
    server.stop();
    let position = |text: &str| timeline.position(text).expect("an entry");
    assert!(position("listens") < position("xxx") && position("xxx") < position("stopped"));
    let entries = timeline.entries();
    assert_eq!((entries[0].who, entries[1].who), ("server", "client"));
    assert!(entries[1].what.ends_with("… and 600 bytes more"), "{}", entries[1].what);
    assert!(entries.is_sorted_by_key(|entry| entry.at));
}

#[test]
fn a_long_timeline_forgets_its_beginning() {
    let timeline = Timeline::new();
    (0..20_001).for_each(|number| timeline.log("client", number.to_string()));
    let entries = timeline.entries();
    assert_eq!((entries.len(), entries[0].what.as_str()), (10_001, "10000"));
}
