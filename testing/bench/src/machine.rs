//! Describes the machine of the figures, and how busy it was.

use std::fs;

/// Cores, memory, processor, kernel.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let first = |path: &str, prefix: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(prefix));
        line.map(|line| line.trim_matches([':', '\t', ' ']).to_owned())
    };
    let memory = first("/proc/meminfo", "MemTotal")
        .and_then(|text| text.strip_suffix(" kB")?.parse::<u64>().ok())
        .map_or_else(String::new, |kib| {
            format!(", {} GiB", (kib + (1 << 19)) >> 20)
        });
    let model =
        first("/proc/cpuinfo", "model name").map_or_else(String::new, |model| format!(", {model}"));
    format!("{cores} cores{memory}, {}{model}", std::env::consts::ARCH)
}

/// The load averages of `/proc/loadavg`: processes that wanted a core in the last 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
