//! What is measured, and by what budget it is judged.

mod course;
mod idle;
mod load;
mod one_call;
mod start;

use crate::Result;
use crate::budget::Budget::{self, AtMost, FloorPlus, FloorTimes, ShareOfFloor, Unbounded};
use crate::tools::BIG;

pub use course::{Course, Lab};

/// One experiment with one relay; it may give several numbers.
pub struct Trial {
    pub name: &'static str,
    pub metrics: &'static [Metric],
    /// How many samples of each contestant, on each kind of wire.
    pub repeat: usize,
    /// Whether the contestants run side by side: right where all of them only wait.
    pub side_by_side: bool,
    pub run: fn(&Course<'_>) -> Result<Sample>,
}

/// One number of a trial: a row of the report.
pub struct Metric {
    pub name: &'static str,
    pub unit: &'static str,
    pub budget: Budget,
}

/// A value for each metric; `None` where a contestant has no such thing.
pub type Sample = Vec<Option<f64>>;

/// The result of `big` in MB: ten to the sixth, as in all rows.
const N: f64 = BIG as f64 / 1e6;

/// What is to be counted as no growth: the allocator's pages come and go by a quarter of a megabyte between
/// 20,000 and 160,000 calls, without a trend. A leak of 25 bytes a call is above it.
const NO_GROWTH: f64 = 0.5;

/// All trials, in the order of the report.
pub static ALL: [Trial; 18] = [
    Trial {
        name: "start",
        repeat: 21,
        side_by_side: false,
        run: start::near,
        metrics: &[row("process start to `initialize` answered", "ms", FloorPlus(4.0))],
    },
    Trial {
        name: "far",
        repeat: 9,
        side_by_side: false,
        run: start::far,
        metrics: &[row("the same, server 50 ms away", "ms", FloorPlus(8.0))],
    },
    Trial {
        name: "latency",
        repeat: 7,
        side_by_side: false,
        run: one_call::latency,
        metrics: &[row("added latency per call, p50", "µs", FloorTimes(1.5))],
    },
    Trial {
        name: "eras",
        repeat: 5,
        side_by_side: false,
        run: one_call::modern,
        metrics: &[row(
            "added latency per call, client and server of 2026-07-28",
            "µs",
            FloorTimes(1.5),
        )],
    },
    Trial {
        name: "eras-to-modern",
        repeat: 5,
        side_by_side: false,
        run: one_call::to_modern,
        metrics: &[row("added latency per call, only the server of 2026-07-28", "µs", Unbounded)],
    },
    Trial {
        name: "eras-to-legacy",
        repeat: 5,
        side_by_side: false,
        run: one_call::to_legacy,
        metrics: &[row("added latency per call, only the client of 2026-07-28", "µs", Unbounded)],
    },
    Trial {
        name: "load",
        repeat: 5,
        side_by_side: false,
        run: load::sixty_four,
        metrics: &[
            row("calls per second, 64 in flight", "/s", ShareOfFloor(0.5)),
            row("processor time per 1,000 calls at that load", "ms", FloorTimes(2.0)),
            row("resident memory after 20,000 calls", "MB", AtMost(12.0)),
            row("its growth over the next 20,000", "MB", AtMost(NO_GROWTH)),
        ],
    },
    Trial {
        name: "notifications",
        repeat: 9,
        side_by_side: false,
        run: one_call::notifications,
        metrics: &[row("20,000 notifications in one answer, all delivered", "ms", FloorTimes(2.5))],
    },
    Trial {
        name: "crowd",
        repeat: 5,
        side_by_side: false,
        run: load::crowd,
        metrics: &[row("64 calls that take 500 ms, at once", "ms", AtMost(525.0))],
    },
    Trial {
        name: "beside",
        repeat: 5,
        side_by_side: false,
        run: one_call::beside_a_slow_one,
        metrics: &[row("an echo beside a 1 s call, worst of some 60", "ms", AtMost(5.0))],
    },
    Trial {
        name: "big-json",
        repeat: 3,
        side_by_side: false,
        run: one_call::big_json,
        metrics: &[row("peak memory for a 50 MB result, JSON", "MB", AtMost(N * 1.7 + 12.0))],
    },
    Trial {
        name: "big-events",
        repeat: 3,
        side_by_side: false,
        run: one_call::big_events,
        metrics: &[row(
            "peak memory for a 50 MB result, event stream",
            "MB",
            AtMost(N * 2.2 + 12.0),
        )],
    },
    Trial {
        name: "idle",
        repeat: 3,
        side_by_side: true,
        run: idle::after_list,
        metrics: &[
            row("resident memory, idle after `tools/list`", "MB", AtMost(7.0)),
            row("wakeups per second while idle", "/s", AtMost(0.0)),
        ],
    },
    Trial {
        name: "idle-stream",
        repeat: 3,
        side_by_side: true,
        run: idle::with_stream,
        metrics: &[row("wakeups per second while idle, GET stream open", "/s", AtMost(0.0))],
    },
    Trial {
        name: "end",
        repeat: 11,
        side_by_side: false,
        run: start::end,
        metrics: &[row("end of input to exit, nothing in flight", "ms", AtMost(20.0))],
    },
    Trial {
        name: "secure",
        repeat: 9,
        side_by_side: false,
        run: start::secure,
        metrics: &[
            row("https, no sign-in: process start to `initialize` answered", "ms", AtMost(60.0)),
            row("https, no sign-in: resident memory after `tools/list`", "MB", AtMost(10.0)),
        ],
    },
    Trial {
        name: "stored",
        repeat: 9,
        side_by_side: false,
        run: start::stored,
        metrics: &[
            row("https, stored token: process start to `initialize` answered", "ms", AtMost(60.0)),
            row("https, stored token: resident memory after `tools/list`", "MB", AtMost(10.0)),
        ],
    },
    Trial {
        name: "binary",
        repeat: 1,
        side_by_side: false,
        run: start::binary,
        metrics: &[row("binary, stripped", "MB", AtMost(6.0))],
    },
];

const fn row(name: &'static str, unit: &'static str, budget: Budget) -> Metric {
    Metric { name, unit, budget }
}
