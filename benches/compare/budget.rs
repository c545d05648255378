//! What the bridge may cost.

/// A limit, most often one that moves with the floor of the same run.
#[derive(Clone, Copy, Debug)]
pub enum Budget {
    AtMost(f64),
    FloorPlus(f64),
    FloorTimes(f64),
    /// More is better: no less than this share of the floor.
    ShareOfFloor(f64),
    /// None: it is measured and written down.
    Unbounded,
}

/// How the bridge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail,
}

impl Budget {
    /// Judges. What could not be measured has failed.
    pub fn judge(self, bridge: Option<f64>, floor: Option<f64>) -> Verdict {
        if let Self::Unbounded = self {
            return if bridge.is_some() { Verdict::Pass } else { Verdict::Fail };
        }
        let met = bridge.zip(self.limit(floor)).is_some_and(|(bridge, limit)| match self {
            Self::ShareOfFloor(_) => bridge >= limit,
            _ => bridge <= limit,
        });
        if met { Verdict::Pass } else { Verdict::Fail }
    }

    /// The limit beside this floor.
    pub fn limit(self, floor: Option<f64>) -> Option<f64> {
        match self {
            Self::AtMost(limit) => Some(limit),
            Self::Unbounded => None,
            Self::FloorPlus(more) => floor.map(|floor| floor + more),
            Self::FloorTimes(factor) | Self::ShareOfFloor(factor) => {
                floor.map(|floor| floor * factor)
            }
        }
    }

    /// The rule in words; empty where the limit says all.
    pub fn rule(self, unit: &str) -> String {
        match self {
            Self::AtMost(_) | Self::Unbounded => String::new(),
            Self::FloorPlus(more) => format!("floor + {more} {unit}"),
            Self::FloorTimes(factor) | Self::ShareOfFloor(factor) => format!("floor × {factor}"),
        }
    }
}
