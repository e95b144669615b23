//! Chooses the next rate to try: doubles it until one breaks a limit, then searches between the highest rate that keeps the limits
//! and the lowest that does not.

/// The first rate to try, in messages a second: a fraction of what one laptop can send.
const FIRST: f64 = 500.0;

/// The lowest and the highest rate to try. The highest is ten times the limit of one account ("Scalability and performance targets
/// for Queue Storage": 20,000 messages of 1 KiB a second).
const LEAST: f64 = 5.0;
const MOST: f64 = 200_000.0;

/// The search ends once the lowest rate that breaks the limits is at most this many times the highest that keeps them.
const CLOSE: f64 = 1.1;

/// The most rates that are tried.
const TRIES: usize = 16;

/// What a rate that was tried has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// It keeps all limits.
    Kept,
    /// It breaks one.
    Broken,
    /// It could not be told.
    Untold,
}

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Search {
    kept: Option<f64>,
    broken: Option<f64>,
    untold: Option<f64>,
    tried: usize,
}

impl Search {
    /// The rate to try next, in messages a second; `None` if the search is over.
    pub(super) fn next(&self) -> Option<f64> {
        if self.tried == TRIES {
            return None;
        }
        match (self.kept, self.bound()) {
            (None, None) => Some(FIRST),
            (Some(kept), None) => Some(kept * 2.0).filter(|rate| *rate <= MOST),
            (None, Some(broken)) => Some(broken / 2.0).filter(|rate| *rate >= LEAST),
            (Some(kept), Some(broken)) => {
                let between = rounded((kept * broken).sqrt());
                let is_new = kept < between && between < broken;
                (broken / kept > CLOSE && is_new).then_some(between)
            }
        }
    }

    /// Records what `rate` has shown. The search goes no higher than a rate of which nothing could be told.
    pub(super) fn told(&mut self, rate: f64, shown: Shown) {
        self.tried += 1;
        let lowest = |known: Option<f64>| Some(known.map_or(rate, |known| known.min(rate)));
        match shown {
            Shown::Kept => self.kept = Some(self.kept.map_or(rate, |known| known.max(rate))),
            Shown::Broken => self.broken = lowest(self.broken),
            Shown::Untold => self.untold = lowest(self.untold),
        }
    }

    /// The highest rate that kept the limits.
    pub(super) const fn kept(&self) -> Option<f64> {
        self.kept
    }

    /// The lowest rate that broke a limit.
    pub(super) const fn broken(&self) -> Option<f64> {
        self.broken
    }

    /// The rate at which the search went no higher, if it could not be told whether that rate keeps the limits.
    pub(super) fn untold(&self) -> Option<f64> {
        let is_below = |rate: &f64| self.broken.is_none_or(|broken| *rate < broken);
        self.untold.filter(is_below)
    }

    /// The lowest rate that did not keep the limits, as far as could be told.
    pub(super) fn bound(&self) -> Option<f64> {
        self.untold().or(self.broken)
    }
}

/// Rounds a rate to two digits: no measurement is more exact.
fn rounded(rate: f64) -> f64 {
    let digits = 10_f64.powf(rate.log10().floor() - 1.0);
    (rate / digits).round() * digits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rates that are tried, where every rate up to `bound` keeps the limits.
    fn tried(bound: f64) -> (Vec<f64>, Search) {
        let (mut search, mut rates) = (Search::default(), Vec::new());
        while let Some(rate) = search.next() {
            let shown = if rate <= bound {
                Shown::Kept
            } else {
                Shown::Broken
            };
            search.told(rate, shown);
            rates.push(rate);
        }
        (rates, search)
    }

    #[test]
    fn rates_are_doubled_until_one_breaks_and_then_closed_in_on() {
        let (rates, search) = tried(5_000.0);
        assert_eq!(rates[..5], [500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0]);
        let (kept, broken) = (search.kept().unwrap(), search.broken().unwrap());
        assert!(kept <= 5_000.0 && 5_000.0 < broken, "{kept} {broken}");
        assert!(broken / kept <= CLOSE, "{kept} {broken}");
        assert!(rates.len() <= 9, "{rates:?}");
    }

    #[test]
    fn a_first_rate_that_breaks_is_halved() {
        let (rates, search) = tried(40.0);
        assert_eq!(rates[..5], [500.0, 250.0, 125.0, 62.5, 31.25]);
        assert!(search.kept().is_some());
        let (rates, search) = tried(0.0);
        assert_eq!((search.kept(), rates.last()), (None, Some(&7.8125)));
    }

    #[test]
    fn only_a_rate_that_broke_a_limit_is_said_to() {
        let mut search = Search::default();
        for (rate, shown) in [
            (500.0, Shown::Kept),
            (1_000.0, Shown::Broken),
            (710.0, Shown::Untold),
        ] {
            assert_eq!(search.next(), Some(rate));
            search.told(rate, shown);
        }
        assert_eq!(search.next(), Some(600.0), "no higher than what is known");
        assert_eq!(
            (search.kept(), search.broken()),
            (Some(500.0), Some(1_000.0))
        );
        assert_eq!(
            (search.untold(), search.bound()),
            (Some(710.0), Some(710.0))
        );
        // A lower rate that breaks a limit makes it irrelevant.
        search.told(600.0, Shown::Broken);
        assert_eq!((search.untold(), search.bound()), (None, Some(600.0)));
        assert_eq!(search.broken(), Some(600.0));
    }

    #[test]
    fn the_search_ends_whatever_it_is_told() {
        let (rates, search) = tried(f64::MAX);
        assert!(rates.len() <= TRIES && search.broken().is_none());
        assert_eq!(rates.last(), Some(&128_000.0));
        let mut search = Search::default();
        let mut told = 0;
        while let Some(rate) = search.next() {
            // A machine that is busy now and then.
            let shown = [Shown::Untold, Shown::Kept, Shown::Broken];
            search.told(rate, shown[told % 3]);
            told += 1;
        }
        assert!(told <= TRIES);
    }
}
