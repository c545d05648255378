//! Time, behind one door, so that a test can set it.

use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

/// How far the wall clock may run ahead of the monotonic one before the machine is taken to have slept.
/// Well above what a clock adjustment does, well below what closes a connection.
const SLEEP_THRESHOLD: Duration = Duration::from_secs(5);

/// Both clocks of a machine.
pub trait Clock: Send + Sync {
    /// Does not run while the machine sleeps (on Linux and macOS).
    fn monotonic(&self) -> Instant;
    /// Runs always.
    fn wall(&self) -> SystemTime;
}

/// The machine's own clocks.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn monotonic(&self) -> Instant {
        Instant::now()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A moment by the wall clock as it is written down: milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(u64);

impl Moment {
    /// So many whole seconds after 1970.
    pub fn from_unix_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Whole seconds since 1970.
    pub fn unix_seconds(self) -> u64 {
        self.0 / 1000
    }

    /// That much later.
    #[must_use]
    pub fn plus(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after an earlier one; zero if it was not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        Self(0).plus(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }
}

/// A span of time for a person.
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", (seconds + 30) / 60),
        7200..172_800 => format!("{} h", (seconds + 1800) / 3600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

/// Notices that the machine slept, when asked; it never wakes the process to find out.
pub struct SleepDetector<'a> {
    clock: &'a dyn Clock,
    monotonic: Instant,
    wall: SystemTime,
}

impl<'a> SleepDetector<'a> {
    /// Starts now.
    pub fn new(clock: &'a dyn Clock) -> Self {
        Self { clock, monotonic: clock.monotonic(), wall: clock.wall() }
    }

    /// Whether the machine slept since the last time that this was asked.
    pub fn slept(&mut self) -> bool {
        let (monotonic, wall) = (self.clock.monotonic(), self.clock.wall());
        let ran = monotonic.saturating_duration_since(self.monotonic);
        let passed = wall.duration_since(self.wall).unwrap_or_default();
        (self.monotonic, self.wall) = (monotonic, wall);
        passed.saturating_sub(ran) > SLEEP_THRESHOLD
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    struct Hands(Mutex<(Instant, SystemTime)>);

    impl Clock for Hands {
        fn monotonic(&self) -> Instant {
            self.0.lock().unwrap().0
        }
        fn wall(&self) -> SystemTime {
            self.0.lock().unwrap().1
        }
    }

    impl Hands {
        fn pass(&self, awake: u64, asleep: u64) {
            let mut hands = self.0.lock().unwrap();
            hands.0 += Duration::from_secs(awake);
            hands.1 += Duration::from_secs(awake + asleep);
        }
    }

    #[test]
    fn sleep_is_noticed_once_and_waking_hours_are_not_sleep() {
        let hands = Hands(Mutex::new((Instant::now(), SystemTime::UNIX_EPOCH)));
        let mut detector = SleepDetector::new(&hands);
        hands.pass(3600, 0);
        assert!(!detector.slept());
        hands.pass(1, 600);
        assert!(detector.slept());
        assert!(!detector.slept());
        hands.pass(1, 2);
        assert!(!detector.slept());
    }
}
