//! Simulated work: what a real worker would do between receiving a message and storing its result.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand_distr::{Distribution as _, Exp1, Uniform};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use workflow::duration;

/// An exponential duration is cut at this many means (1 in 22,000 draws is longer), so that every wait has a bound.
const LONGEST_EXPONENTIAL: u32 = 10;

/// How often a burn checks whether it should stop.
const BURN_SLICE: Duration = Duration::from_millis(1);

/// What a worker does with a message before it stores the result.
///
/// As text: `none`, `fixed:50ms`, `uniform:10ms..100ms`, `exponential:50ms` (its mean), `cpu:20ms` (burns a core).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Work {
    /// Nothing.
    #[default]
    None,
    /// Waits this long, as for a slow dependency.
    Fixed(Duration),
    /// Waits a duration of this range, equally likely.
    Uniform(Duration, Duration),
    /// Waits exponentially long with this mean, at most ten times the mean.
    Exponential(Duration),
    /// Keeps one core busy this long (wall-clock time on a blocking thread).
    Cpu(Duration),
}

/// Why a text is not a kind of work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "work {text:?} is not 'none', 'fixed:<duration>', 'uniform:<min>..<max>', 'exponential:<mean>' or 'cpu:<duration>', \
     such as uniform:10ms..100ms"
)]
pub struct ParseWorkError {
    text: String,
}

impl FromStr for Work {
    type Err = ParseWorkError;

    fn from_str(text: &str) -> Result<Self, ParseWorkError> {
        let refused = || ParseWorkError {
            text: text.to_owned(),
        };
        let time = |text: &str| duration::parse(text).map_err(|_| refused());
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            Some(("fixed", wait)) => time(wait).map(Self::Fixed),
            Some(("exponential", mean)) => time(mean).map(Self::Exponential),
            Some(("cpu", burn)) => time(burn).map(Self::Cpu),
            Some(("uniform", range)) => {
                let (min, max) = range.split_once("..").ok_or_else(refused)?;
                let (min, max) = (time(min)?, time(max)?);
                if min <= max {
                    Ok(Self::Uniform(min, max))
                } else {
                    Err(refused())
                }
            }
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Fixed(wait) => write!(f, "fixed:{}", duration::text(*wait)),
            Self::Uniform(min, max) => write!(
                f,
                "uniform:{}..{}",
                duration::text(*min),
                duration::text(*max)
            ),
            Self::Exponential(mean) => write!(f, "exponential:{}", duration::text(*mean)),
            Self::Cpu(burn) => write!(f, "cpu:{}", duration::text(*burn)),
        }
    }
}

impl Work {
    fn wait(self) -> Duration {
        let mut rng = rand::rng();
        match self {
            Self::None | Self::Cpu(_) => Duration::ZERO,
            Self::Fixed(wait) => wait,
            Self::Uniform(min, max) => {
                let micros = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
                Uniform::new_inclusive(micros(min), micros(max))
                    .map_or(min, |range| Duration::from_micros(range.sample(&mut rng)))
            }
            Self::Exponential(mean) => {
                let means: f64 = Exp1.sample(&mut rng);
                mean.mul_f64(means.min(f64::from(LONGEST_EXPONENTIAL)))
            }
        }
    }
}

/// How a piece of work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Performed {
    /// Done; it took this long once it had begun.
    Done(Duration),
    /// It had not begun when the drain did.
    Unstarted,
}

/// Does the work. Burns run on blocking threads, at most one per core: they can delay each other, never a lease renewal.
#[derive(Debug)]
pub(crate) struct Performer {
    work: Work,
    cores: Arc<Semaphore>,
}

impl Performer {
    pub(crate) fn new(work: Work, cores: usize) -> Self {
        Self {
            work,
            cores: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Works once. If the work still waits for a core when `drain` is cancelled, it is [`Performed::Unstarted`]. Dropping the
    /// future stops the work, a burn within about a millisecond.
    pub(crate) async fn perform(&self, drain: &CancellationToken) -> Performed {
        let begun = tokio::time::Instant::now();
        match self.work {
            Work::None => return Performed::Done(Duration::ZERO),
            Work::Cpu(burn) => return self.burn(burn, drain).await,
            _ => tokio::time::sleep(self.work.wait()).await,
        }
        Performed::Done(begun.elapsed())
    }

    async fn burn(&self, length: Duration, drain: &CancellationToken) -> Performed {
        let core = tokio::select! {
            biased;
            () = drain.cancelled() => return Performed::Unstarted,
            core = Arc::clone(&self.cores).acquire_owned() => core.expect("the semaphore of cores must stay open"),
        };
        let stop = CancellationToken::new();
        let stop_on_drop = stop.clone().drop_guard();
        #[expect(
            clippy::disallowed_methods,
            reason = "it ends after its length or with the caller, by `stop`"
        )]
        let burn = tokio::task::spawn_blocking(move || {
            let took = spin(length, &stop);
            drop(core);
            took
        });
        let took = burn.await.expect("burning must not panic");
        drop(stop_on_drop.disarm());
        Performed::Done(took)
    }
}

fn spin(length: Duration, stop: &CancellationToken) -> Duration {
    let begun = Instant::now();
    while begun.elapsed() < length && !stop.is_cancelled() {
        let slice = Instant::now();
        while slice.elapsed() < BURN_SLICE.min(length) {
            std::hint::spin_loop();
        }
    }
    begun.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_read_and_written_alike() {
        for text in [
            "none",
            "fixed:50ms",
            "uniform:10ms..100ms",
            "exponential:50ms",
            "cpu:20ms",
        ] {
            assert_eq!(text.parse::<Work>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_kinds_there_are() {
        for text in [
            "",
            "fixed",
            "fixed:",
            "fixed:5",
            "uniform:9ms",
            "uniform:9ms..1ms",
            "sleep:1s",
            "none:",
        ] {
            let error = text.parse::<Work>().unwrap_err().to_string();
            assert!(error.contains("exponential:<mean>"), "{text:?}: {error}");
        }
    }

    #[test]
    fn drawn_waits_stay_in_their_bounds_and_near_their_mean() {
        let mean = Duration::from_millis(50);
        let draws: Vec<_> = (0..4_000).map(|_| Work::Exponential(mean).wait()).collect();
        assert!(draws.iter().all(|wait| *wait <= mean * LONGEST_EXPONENTIAL));
        let average = draws.iter().sum::<Duration>() / 4_000;
        // The standard error is 0.8 ms: this fails by chance once in 10^9 runs.
        assert!(
            average.abs_diff(mean) < Duration::from_millis(5),
            "{average:?}"
        );

        let (min, max) = (Duration::from_millis(10), Duration::from_millis(20));
        assert!((0..1_000).all(|_| (min..=max).contains(&Work::Uniform(min, max).wait())));
    }

    #[tokio::test]
    async fn a_burn_that_waits_for_a_core_at_the_drain_is_unstarted() {
        let worker = Performer::new(Work::Cpu(Duration::from_secs(30)), 1);
        let drain = CancellationToken::new();
        let first = worker.perform(&drain);
        let second = async {
            tokio::task::yield_now().await;
            drain.cancel();
            worker.perform(&drain).await
        };
        tokio::select! {
            _ = first => panic!("the first burn takes 30 s"),
            ended = second => assert_eq!(ended, Performed::Unstarted),
        }
    }

    #[tokio::test]
    async fn a_dropped_burn_gives_its_core_back() {
        let worker = Performer::new(Work::Cpu(Duration::from_secs(30)), 1);
        let drain = CancellationToken::new();
        {
            let mut burn = std::pin::pin!(worker.perform(&drain));
            assert!(futures::poll!(burn.as_mut()).is_pending());
            assert_eq!(worker.cores.available_permits(), 0);
        }
        let free = tokio::time::timeout(Duration::from_secs(10), worker.cores.acquire()).await;
        assert!(free.is_ok(), "a dropped burn must end");
    }
}
