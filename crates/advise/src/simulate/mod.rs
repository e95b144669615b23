//! `harness simulate`: the effect of scaling settings.
//!
//! A model of KEDA and the HPA ([`autoscaler`]) scales replicas of a given speed under a load: minutes of a cluster in
//! milliseconds. It describes backlogs and replicas, not single messages. Its results are called the model's, never "KEDA's".
//!
//! - `args`, `subject`, `load`, `prices`: the question. A ScaledObject that a cluster would refuse is refused.
//! - `outlook`: the likely course, and all phases of the two loops. `findings`: problems in words, with advice that was tried
//!   on the model. `jobs`: the same for a ScaledJob.
//! - [`Forecast`]: all of it; `terminal`, `page` and `simulate.json` are its views.

mod answer;
mod args;
mod findings;
mod jobs;
mod load;
mod outlook;
mod page;
mod prices;
mod subject;
mod terminal;

use std::path::PathBuf;

use anyhow::Context as _;

pub use answer::{Cost, Forecast, JobOutcomes, Outcomes, Priced, Prospect, Range};
pub use args::SimulateArgs;
pub use findings::Finding;
pub use load::LoadError;
pub use prices::PricesError;
pub use subject::SubjectError;
pub use terminal::text;
use workflow::exit::WrongInput;

use prices::NodeSize;
use subject::Subject;

/// The files of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The page for people: one self-contained file.
    pub html: PathBuf,
    /// The JSON file for programs.
    pub json: PathBuf,
}

/// Answers the question. An invalid question gives an error with [`WrongInput`] as its context.
pub fn simulate(args: &SimulateArgs) -> anyhow::Result<Forecast> {
    let paths = std::iter::once(&args.settings).chain(&args.compare);
    let subjects = paths.map(|path| Subject::read(path, args));
    let subjects: Vec<_> = subjects
        .collect::<Result<_, _>>()
        .context(WrongInput("read the settings"))?;
    let arrivals = load::arrivals(args).context(WrongInput("plan the simulation"))?;
    load::single(args, &arrivals, &subjects).context(WrongInput("plan the simulation"))?;
    let node = NodeSize::read(args.prices.as_deref(), args.node.as_deref());
    let node = node.context(WrongInput("tell what nodes cost"))?;
    Ok(Forecast::new(args, &arrivals, &node, &subjects))
}

/// Writes the page and the figures into `--out`.
pub fn write(args: &SimulateArgs, answer: &Forecast) -> anyhow::Result<Files> {
    let out = &args.out;
    std::fs::create_dir_all(out).with_context(|| {
        format!(
            "create the directory {}; choose another with --out",
            out.display()
        )
    })?;
    let write = |name: &str, content: &[u8]| {
        views::write_whole(out, name, content)
            .with_context(|| format!("write {}; choose another --out", out.join(name).display()))
    };
    let json = serde_json::to_vec_pretty(answer).expect("an answer must be JSON");
    Ok(Files {
        html: write("simulate.html", page::page(answer).as_bytes())?,
        json: write("simulate.json", &json)?,
    })
}

#[cfg(test)]
mod tests;
