//! What a parity run found, for programs and as a table for people. The comparing itself is left to `parity.rs`.

use std::fmt;

/// Everything that was compared.
#[derive(Debug, Clone, PartialEq)]
pub struct ParityReport {
    /// What computed.
    pub device: String,
    /// Of the kit as a whole: names and shapes of its tensors.
    pub kit: Vec<Quantity>,
    pub scenarios: Vec<ScenarioReport>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioReport {
    pub name: String,
    pub quantities: Vec<Quantity>,
}

/// One thing that a kit states, by the kit's name for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    pub name: String,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Ids, counts or an order, equal to the last.
    Equal,
    /// Ids or counts that differ; how, in words.
    Differs(String),
    /// Differs as it should: what is written here is meant, in words.
    Meant(String),
    /// Numbers: the largest difference to the kit's, and the largest that is allowed.
    Apart { largest: f32, allowed: f32, group: &'static str },
    /// In the kit and not computed here; why.
    NotComputed(String),
    /// Not in the kit.
    NotInKit,
    /// In the kit, but not in a form that can be compared; or its computation failed. In words.
    Failed(String),
}

impl Outcome {
    /// Whether it was compared, and with which result.
    pub fn passes(&self) -> Option<bool> {
        match self {
            Outcome::Equal => Some(true),
            Outcome::Differs(_) | Outcome::Failed(_) => Some(false),
            Outcome::Apart { largest, allowed, .. } => Some(largest <= allowed),
            Outcome::Meant(_) | Outcome::NotComputed(_) | Outcome::NotInKit => None,
        }
    }
}

impl ParityReport {
    /// Something was compared in every scenario, and all of it is equal or within what is allowed.
    pub fn passes(&self) -> bool {
        let passes = |quantities: &[Quantity]| {
            let mut compared = quantities.iter().filter_map(|quantity| quantity.outcome.passes()).peekable();
            compared.peek().is_some() && compared.all(|passes| passes)
        };
        let kit = self.kit.iter().all(|quantity| quantity.outcome.passes() != Some(false));
        kit && !self.scenarios.is_empty() && self.scenarios.iter().all(|scenario| passes(&scenario.quantities))
    }

    /// (what, largest difference of it in all scenarios, what is allowed): latents, vectors, unit vectors,
    /// scores, losses, as far as any were compared.
    pub fn largest(&self) -> Vec<(&'static str, f32, f32)> {
        let mut all: Vec<(&'static str, f32, f32)> = Vec::new();
        for quantity in self.quantities() {
            if let Outcome::Apart { largest, allowed, group } = quantity.outcome {
                match all.iter_mut().find(|(name, _, _)| *name == group) {
                    // Not `max`, which would let what is not a number pass.
                    Some((_, so_far, _)) if largest <= *so_far || so_far.is_nan() => {}
                    Some((_, so_far, _)) => *so_far = largest,
                    None => all.push((group, largest, allowed)),
                }
            }
        }
        all
    }

    fn quantities(&self) -> impl Iterator<Item = &Quantity> {
        self.kit.iter().chain(self.scenarios.iter().flat_map(|scenario| &scenario.quantities))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Equal => write!(f, "equal"),
            Outcome::Differs(how) => write!(f, "DIFFERS: {how}"),
            Outcome::Meant(why) => write!(f, "differs as meant: {why}"),
            Outcome::Apart { largest, allowed, .. } if largest <= allowed => {
                write!(f, "{largest:.1e}  (allowed {allowed:.0e})")
            }
            Outcome::Apart { largest, allowed, .. } => write!(f, "TOO FAR: {largest:.1e}  (allowed {allowed:.0e})"),
            Outcome::NotComputed(why) => write!(f, "not computed here: {why}"),
            Outcome::NotInKit => write!(f, "not in the kit"),
            Outcome::Failed(why) => write!(f, "FAILED: {why}"),
        }
    }
}

impl fmt::Display for ParityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Computed by: {}", self.device)?;
        for quantity in &self.kit {
            writeln!(f, "{:<36} {}", quantity.name, quantity.outcome)?;
        }
        for scenario in &self.scenarios {
            writeln!(f, "\n{}", scenario.name)?;
            for quantity in &scenario.quantities {
                writeln!(f, "  {:<34} {}", quantity.name, quantity.outcome)?;
            }
        }
        writeln!(f, "\nLargest differences")?;
        for (group, largest, allowed) in self.largest() {
            writeln!(f, "  {group:<34} {largest:.1e}  (allowed {allowed:.0e})")?;
        }
        match self.passes() {
            true => writeln!(f, "Everything that was compared is within the tolerances."),
            false => writeln!(f, "Not within the tolerances: see DIFFERS, TOO FAR and FAILED above."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcomes: &[Outcome]) -> ParityReport {
        let quantities = outcomes.iter().map(|outcome| Quantity { name: "x".into(), outcome: outcome.clone() });
        let scenarios = vec![ScenarioReport { name: "s".into(), quantities: quantities.collect() }];
        ParityReport { device: "CPU".into(), kit: Vec::new(), scenarios }
    }

    #[test]
    fn only_what_was_compared_and_is_near_passes() {
        let apart = |largest| Outcome::Apart { largest, allowed: 1e-4, group: "vectors" };
        let check = |outcomes: &[Outcome], expected| assert_eq!(report(outcomes).passes(), expected, "{outcomes:?}");
        check(&[Outcome::Equal, apart(1e-5)], true);
        check(&[apart(1e-4), Outcome::NotInKit, Outcome::Meant(String::new())], true);
        check(&[apart(2e-4), Outcome::Equal], false);
        check(&[apart(f32::NAN)], false);
        check(&[Outcome::Equal, Outcome::Failed(String::new())], false);
        check(&[Outcome::NotInKit], false);
        check(&[], false);
        assert!(report(&[apart(1e-6), apart(f32::NAN), apart(1e-6)]).largest()[0].1.is_nan());
    }
}
