//! One night: a directory with fakes, their state and files, and the real program.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::books::{Books, VARIABLE};

/// A time after every expiry.
const LATER: &str = "2099-01-01T00:00:00Z";

pub(crate) struct Night {
    dir: TempDir,
    /// Whether the job can fetch assertions.
    pub(crate) in_a_workflow: bool,
}

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` if it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

impl Ended {
    /// Checks that it ended with `code` and printed `said`.
    #[track_caller]
    pub(crate) fn with(&self, code: i32, said: &str) {
        assert_eq!(self.code, Some(code), "{}", self.text);
        assert!(
            self.text.contains(said),
            "{said:?} is not said: {}",
            self.text
        );
    }
}

impl Night {
    pub(crate) fn begin() -> Self {
        let dir = TempDir::new().expect("a directory");
        let own = std::env::current_exe().expect("this binary");
        for program in ["az", "kubectl", "docker", "curl"] {
            std::os::unix::fs::symlink(&own, dir.path().join(program)).expect("a stand-in");
        }
        Books::begin(&dir.path().join("books"));
        Self {
            dir,
            in_a_workflow: false,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn books(&self) -> Books {
        Books::read(&self.path().join("books"))
    }

    /// Plants a fault `times` times.
    pub(crate) fn plant(&self, fault: &str, times: u64) {
        let mut books = self.books();
        books.all["faults"][fault] = times.into();
        books.write();
    }

    pub(crate) fn up(&self) -> Ended {
        self.up_with(&[])
    }

    pub(crate) fn up_with(&self, more: &[&str]) -> Ended {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root.to_str().expect("a path");
        let mut args = vec!["up", "--run", "night1", "--root", root];
        args.extend(more);
        self.aks(&args)
    }

    pub(crate) fn check(&self) -> Ended {
        self.aks(&["check", "--run", "night1"])
    }

    pub(crate) fn down(&self) -> Ended {
        self.aks(&["down", "--run", "night1"])
    }

    pub(crate) fn sweep(&self) -> Ended {
        self.aks(&["sweep", "--delete", "--as-of", LATER])
    }

    /// Runs the real program; PATH has only the fakes.
    pub(crate) fn aks(&self, args: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aks"));
        command
            .args(args)
            .args(["--poll-seconds", "0", "--out"])
            .arg(self.out())
            .env_clear()
            .env("PATH", self.path())
            .env(VARIABLE, self.path().join("books"));
        if self.in_a_workflow {
            command.envs([
                ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://runner/token?v=1"),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer-of-the-job"),
                ("AZURE_CLIENT_ID", "client"),
                ("AZURE_TENANT_ID", "tenant"),
                ("AZURE_SUBSCRIPTION_ID", "subscription"),
            ]);
        }
        let output = command.output().expect("the program must start");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(!text.contains("STAND-IN"), "{text}");
        Ended {
            code: output.status.code(),
            text,
        }
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.path().join("out")
    }

    /// Checks that nothing is left: no group in Azure, and none in the ledger.
    #[track_caller]
    pub(crate) fn is_over(&self) {
        let groups = self.books().all["groups"].clone();
        assert_eq!(groups, serde_json::json!({}), "groups are left");
        let ledger = std::fs::read_to_string(self.out().join("ledger.jsonl")).unwrap_or_default();
        let last = ledger.lines().rfind(|line| !line.is_empty());
        assert!(
            last.is_none_or(|line| line.contains("\"removed\"")),
            "the ledger still has {last:?}"
        );
    }
}
