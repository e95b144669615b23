//! Reads resource usage of processes from `/proc` (Linux, `proc(5)`); nothing on other systems.

use std::fs;
use std::time::Duration;

use crate::Taken;

/// One clock tick of `/proc`: `USER_HZ` is 100 on every architecture of Linux that Rust has a standard library for.
const TICK: Duration = Duration::from_millis(10);

/// Resources that the process `pid` has used so far; `None` if it is gone, or on other systems.
pub(super) fn taken(part: &'static str, process: &str, pid: u32) -> Option<Taken> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(Taken {
        part,
        process: process.to_owned(),
        cpu: cpu_of(&stat)?,
        peak_kib: peak_of(&status)?,
    })
}

/// Busy time of all cores since the machine started, added up.
pub fn machine_busy() -> Option<Duration> {
    busy_of(&fs::read_to_string("/proc/stat").ok()?)
}

/// Reads `utime` and `stime`, fields 14 and 15. The name of the program, field 2, is in parentheses and may contain any
/// character.
fn cpu_of(stat: &str) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(TICK * ticks()?.saturating_add(ticks()?))
}

/// Reads `VmHWM`. A process that has ended and is not reaped yet has none.
fn peak_of(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Adds up the first line, `cpu  user nice system idle iowait irq softirq steal`, except for `idle` and `iowait`. `steal`
/// counts as busy: the virtual machine could not use that time.
fn busy_of(stat: &str) -> Option<Duration> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = fields
        .split_ascii_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    let [user, nice, system, _, _, irq, softirq, steal, ..] = fields[..] else {
        return None;
    };
    let ticks = user + nice + system + irq + softirq + steal;
    Some(Duration::from_millis(ticks * 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_any_name_is_read() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 4 0 9 1 2 3";
        assert_eq!(cpu_of(stat), Some(Duration::from_secs(2)));
        assert_eq!(cpu_of("7 (a) S 1"), None);
        assert_eq!(
            peak_of("Name:\ta\nVmHWM:\t   1234 kB\nVmRSS: 1 kB\n"),
            Some(1234)
        );
        assert_eq!(peak_of("Name:\ta\n"), None);
    }

    #[test]
    fn a_machine_is_busy_with_all_but_idling() {
        let stat = "cpu  100 20 30 999 999 1 2 3 0 0\ncpu0 1 2 3\n";
        assert_eq!(busy_of(stat), Some(Duration::from_millis(1_560)));
        assert_eq!(busy_of("cpu 1 2\n"), None);
        assert_eq!(busy_of(""), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_taken_something() {
        let own = taken("consumers", "own", std::process::id()).unwrap();
        assert!(own.peak_kib > 1_000, "{own:?}");
        assert!(machine_busy().unwrap() > Duration::ZERO);
        assert_eq!(taken("consumers", "nobody", u32::MAX), None);
    }
}
