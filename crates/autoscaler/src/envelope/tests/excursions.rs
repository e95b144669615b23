//! Tests of excursions from bands made by hand.

use super::*;

#[test]
fn an_excursion_is_one_for_as_long_as_it_lasts() {
    let bands = [(0, 0), (1, 2), (3, 4), (0, 9), (2, 2)];
    let bands = (0..)
        .step_by(10)
        .zip(bands)
        .map(|(from, (low, high))| Band {
            from: seconds(from),
            until: seconds(from + 10),
            low,
            high,
        });
    let envelope = Envelope {
        bands: bands.collect(),
        reaches: Vec::new(),
        likely: series(&[(0, 0)]),
        horizon: seconds(50),
    };
    let told = |steps: &[(u64, u32)]| -> Vec<_> {
        let excursions = envelope.excursions(&series(steps)).into_iter();
        excursions
            .map(|it| {
                (
                    it.from.as_secs(),
                    it.until.as_secs(),
                    it.replicas,
                    it.possible,
                )
            })
            .collect()
    };
    assert_eq!(told(&[(0, 5)]), [(0, 30, 5, (0, 0)), (40, 50, 5, (2, 2))]);
    let changed = [(0, 25, 5, (0, 0)), (25, 30, 6, (3, 4)), (40, 50, 6, (2, 2))];
    assert_eq!(told(&[(0, 5), (25, 6)]), changed);
}
