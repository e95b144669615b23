//! Student's t distribution, for integer degrees of freedom.

use std::f64::consts::FRAC_2_PI;

/// The value below which |t| stays with probability `confidence`, at `freedom` degrees of freedom, at least 1.
pub(super) fn quantile(confidence: f64, freedom: usize) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while within(high, freedom) < confidence && high < 1e12 {
        high *= 2.0;
    }
    // Bisection until no double lies between the ends: some sixty steps.
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if within(middle, freedom) < confidence {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The probability that |t| is below `value`: the finite series of Abramowitz and Stegun, Handbook of Mathematical Functions,
/// 26.7.3 for odd and 26.7.4 for even degrees of freedom.
fn within(value: f64, freedom: usize) -> f64 {
    let angle = (value / (freedom as f64).sqrt()).atan();
    let (sin, cos) = angle.sin_cos();
    let is_odd = freedom % 2 == 1;
    // The first power of the cosine, and the ratio of each term to the one before.
    let (mut term, mut sum) = (if is_odd { cos } else { 1.0 }, 0.0);
    let mut power = usize::from(is_odd);
    while power + 2 <= freedom {
        sum += term;
        power += 2;
        term *= cos * cos * (power - 1) as f64 / power as f64;
    }
    if is_odd {
        FRAC_2_PI * (angle + sin * sum)
    } else {
        sin * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_published_table() {
        // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: critical values of Student's t, two-sided.
        for (freedom, at_95, at_99) in [
            (1, 12.706, 63.657),
            (2, 4.303, 9.925),
            (3, 3.182, 5.841),
            (4, 2.776, 4.604),
            (5, 2.571, 4.032),
            (6, 2.447, 3.707),
            (7, 2.365, 3.499),
            (10, 2.228, 3.169),
            (29, 2.045, 2.756),
            (100, 1.984, 2.626),
        ] {
            for (confidence, expected) in [(0.95, at_95), (0.99, at_99)] {
                let found = quantile(confidence, freedom);
                let off = (found - expected).abs();
                assert!(
                    off < 0.000_6,
                    "{freedom} at {confidence}: {found}, not {expected}"
                );
            }
        }
    }
}
