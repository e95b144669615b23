# Sourced by the scripts here: headings, and commands that print output only if they fail.
# shellcheck shell=bash
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
target=${CARGO_TARGET_DIR:-target}
logs=$target/ci
mkdir -p "$logs"

phase() { printf '\n== %s\n' "$*"; }

# quietly NAME COMMAND...: output goes to a log, whose end is shown when the command fails.
quietly() {
  local log=$logs/$1.log status=0
  shift
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" != 0 ]; then
    tail -n 60 "$log"
    printf 'failed (exit code %s): %s\nall of its output: %s\n' "$status" "$*" "$log"
  fi
  return "$status"
}
