//! Formats of minutes and hours for people, and ticks of time axes.

use std::time::Duration;

/// Round intervals of ticks, in seconds.
const STEPS: [u32; 18] = [
    1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400,
    432_000,
];

/// Formats a time to the second, or to the minute from an hour on: `28 s`, `1 min 5 s`, `2 h 30 min`, `3 d 4 h`.
pub fn words(time: Duration) -> String {
    let seconds = (time + Duration::from_millis(500)).as_secs();
    let pair = |big: u64, unit: &str, small: u64, smaller: &str| match small {
        0 => format!("{big} {unit}"),
        small => format!("{big} {unit} {small} {smaller}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => pair(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => pair(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// Ticks from 0 to `seconds`, at most `most` steps apart, with their labels.
pub fn ticks(seconds: f64, most: u32) -> Vec<(f64, String)> {
    let fits = |step: &u32| seconds / f64::from(*step) <= f64::from(most);
    let step = STEPS.into_iter().find(fits).unwrap_or(864_000);
    let ticks = (0..).map(|n: u32| f64::from(n) * f64::from(step));
    let ticks = ticks.take_while(|at| *at <= seconds * 1.000_1);
    ticks
        .map(|at| (at, words(Duration::from_secs_f64(at))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_units_that_suit_them() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (28.4, "28 s"),
            (59.6, "1 min"),
            (65.0, "1 min 5 s"),
            (3_600.0, "1 h"),
            (9_000.0, "2 h 30 min"),
            (273_600.0, "3 d 4 h"),
        ] {
            assert_eq!(words(Duration::from_secs_f64(seconds)), text);
        }
    }

    #[test]
    fn ticks_are_round_and_reach_the_end() {
        let labels = |seconds, most| -> Vec<String> {
            ticks(seconds, most)
                .into_iter()
                .map(|(_, label)| label)
                .collect()
        };
        assert_eq!(
            labels(2_400.0, 5),
            ["0 s", "10 min", "20 min", "30 min", "40 min"]
        );
        assert_eq!(labels(90.0, 4), ["0 s", "30 s", "1 min", "1 min 30 s"]);
        assert_eq!(
            labels(8_640_000.0, 5).len(),
            11,
            "the coarsest step there is"
        );
    }
}
