//! Chooses the messages that are sent twice on purpose.

use workflow::contract::Seq;

/// Separates this choice from other random numbers of the run's seed.
const DUPLICATES: u64 = 0x6475_706c_6963_6174;

/// The messages of a run that are sent twice: a function of seed and sequence number, so that the set is known without
/// being stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Duplicates {
    seed: u64,
    rate: f64,
}

impl Duplicates {
    /// Chooses a fraction `rate` of the messages, from 0 (none) to 1 (all); `None` for any other rate.
    pub fn new(seed: u64, rate: f64) -> Option<Self> {
        (0.0..=1.0).contains(&rate).then_some(Self { seed, rate })
    }

    /// Whether message `seq` is sent twice.
    pub fn is_duplicated(&self, seq: Seq) -> bool {
        // 53 bits of a hash as a number in [0, 1): rate 0 takes none, rate 1 takes all.
        let unit = (hash(self.seed ^ DUPLICATES, seq.get()) >> 11) as f64 / (1_u64 << 53) as f64;
        unit < self.rate
    }
}

/// Two rounds of `SplitMix64`'s finaliser (Steele, Lea and Flood, OOPSLA 2014): written out because the set must stay the
/// same across versions.
const fn hash(seed: u64, seq: u64) -> u64 {
    mix(mix(seed).wrapping_add(seq.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(seed: u64, rate: f64, upto: u64) -> Vec<u64> {
        let duplicates = Duplicates::new(seed, rate).unwrap();
        let is = |n: &u64| duplicates.is_duplicated(Seq::new(*n).unwrap());
        (1..=upto).filter(is).collect()
    }

    #[test]
    fn the_set_has_the_asked_size_and_repeats() {
        for rate in [0.01, 0.1, 0.5] {
            let count = chosen(42, rate, 100_000).len() as f64;
            assert!(
                (count / 100_000.0 / rate - 1.0).abs() < 0.05,
                "{rate}: {count}"
            );
        }
        assert_eq!(chosen(42, 0.1, 1_000), chosen(42, 0.1, 1_000));
        assert_ne!(chosen(42, 0.1, 1_000), chosen(43, 0.1, 1_000));
    }

    #[test]
    fn the_set_is_the_same_in_every_version() {
        assert_eq!(chosen(1, 0.1, 60), [10, 27, 37, 53]);
    }

    #[test]
    fn none_and_all_are_exact_and_nonsense_is_refused() {
        assert_eq!(chosen(7, 0.0, 1_000).len(), 0);
        assert_eq!(chosen(7, 1.0, 1_000).len(), 1_000);
        for rate in [-0.1, 1.1, f64::NAN] {
            assert_eq!(Duplicates::new(7, rate), None);
        }
    }
}
