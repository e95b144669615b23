//! The results as rows of a Markdown table, and whether they meet their targets.

use std::process::ExitCode;

/// A target was missed.
const MISSED: u8 = 3;

#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<String>,
    missed: bool,
}

impl Report {
    /// Adds the rates of Azurite and of the engine; the engine's must be at least `least` times Azurite's.
    pub(crate) fn ratio(&mut self, what: &str, azurite: f64, engine: f64, least: f64) {
        let ratio = engine / azurite;
        let detail = format!("Azurite {azurite:.1}/s, engine {engine:.0}/s");
        self.row(
            what,
            &format!("{ratio:.0} times"),
            &format!(">= {least}"),
            ratio >= least,
            &detail,
        );
    }

    /// Adds two rates of the engine; the second must be at least `least` of the first.
    pub(crate) fn share(&mut self, what: &str, first: f64, second: f64, least: f64) {
        let share = second / first;
        let detail = format!("{first:.0}/s, then {second:.0}/s");
        self.row(
            what,
            &format!("{share:.2}"),
            &format!(">= {least}"),
            share >= least,
            &detail,
        );
    }

    pub(crate) fn at_most(&mut self, what: &str, bytes: f64, most: f64) {
        self.row(
            what,
            &format!("{bytes:.0} bytes"),
            &format!("< {most}"),
            bytes < most,
            "resident memory, without the text",
        );
    }

    fn row(&mut self, what: &str, figure: &str, target: &str, met: bool, detail: &str) {
        let verdict = if met { "met" } else { "missed" };
        self.missed |= !met;
        self.rows.push(format!(
            "| {what} | {figure} | {target} | {verdict} | {detail} |"
        ));
        println!(
            "{}",
            self.rows.last().map(String::as_str).unwrap_or_default()
        );
    }

    pub(crate) fn print(self) -> ExitCode {
        println!("\n| what | figure | target | | detail |\n|---|---:|---|---|---|");
        for row in &self.rows {
            println!("{row}");
        }
        if self.missed {
            return ExitCode::from(MISSED);
        }
        ExitCode::SUCCESS
    }
}
