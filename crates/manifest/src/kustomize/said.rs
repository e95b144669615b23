//! Extracts the reason from kubectl's error output, without log prefixes and warnings.

/// The reason in kubectl's standard error: the value of `err` in its log line (`klog`, `textlogger`: in quotes as in Go, or, if
/// it has several lines, between `<` and `>`), without the configuration that kustomize repeats before it
/// (`api/internal/target/kusttarget_configplugin.go`: "trouble configuring builtin … with config").
pub(super) fn reason(said: &str) -> String {
    let lines = said.lines().filter(|line| !is_warning(line));
    let said = lines.collect::<Vec<_>>().join("\n");
    let whole = match said.split_once("err=") {
        Some((_, quoted)) if quoted.starts_with('"') => unquoted(quoted),
        Some((_, block)) if block.starts_with('<') => {
            let block = block.trim_start_matches('<').trim_end();
            block.strip_suffix('>').unwrap_or(block).to_owned()
        }
        _ => said,
    };
    let configured = whole
        .trim_start()
        .starts_with("trouble configuring builtin");
    let last = whole.rsplit_once("`: ").filter(|_| configured);
    let reason = last.map_or(whole.as_str(), |(_, reason)| reason);
    reason.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Warnings of kustomize (`api/types/kustomization.go`, `CheckDeprecatedFields`) and of kubectl.
fn is_warning(line: &str) -> bool {
    let line = line.trim_start_matches(['#', ' ']);
    line.starts_with("Warning:")
}

/// The quoted text at the beginning of `quoted`; a line break in it becomes a space (Go `strconv.Quote`).
fn unquoted(quoted: &str) -> String {
    let mut text = String::new();
    let mut letters = quoted.chars().skip(1);
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => match letters.next() {
                Some('n' | 't' | 'r') => text.push(' '),
                Some(letter) => text.push(letter),
                None => {}
            },
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: output of kubectl 1.32 (kustomize 5.5) for kustomizations that cannot be rendered.
    #[test]
    fn only_the_reason_is_left_of_what_kubectl_logs() {
        for (said, expected) in [
            (
                "E1129 19:02:51.700034   14872 run.go:72] \"command failed\" err=\"accumulating resources: 'C:\\\\a': no \\\"b\\\"\"\n",
                "accumulating resources: 'C:\\a': no \"b\"",
            ),
            (
                "# Warning: 'patchesStrategicMerge' is deprecated. Please use 'patches' instead.\n\
                 E1129 19:02:51.797065   14880 run.go:72] \"command failed\" err=<\n\
                 \ttrouble configuring builtin PatchTransformer with config: `\n\tpath: p.yaml\n\t`: lstat p.yaml: no such file or directory\n >\n",
                "lstat p.yaml: no such file or directory",
            ),
            ("error: something else\n", "error: something else"),
        ] {
            assert_eq!(reason(said), expected, "{said}");
        }
    }
}
