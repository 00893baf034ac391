//! The manual as files, and completions as the shells take them.

use std::fs;
use std::path::Path;

use crate::program::run;

#[test]
fn every_command_has_a_page() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("manual");
    let _ = fs::remove_dir_all(&dir);
    let path = dir.to_str().expect("UTF-8");
    let written = run(&["man", "--dir", path]);
    assert_eq!(
        (written.code, written.stdout.as_str()),
        (Some(0), ""),
        "{written:?}"
    );
    let help = run(&["--help"]).stdout;
    let commands = help
        .split("Commands:\n")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next());
    // Lines with two blanks in front begin with a name; others go on with the one above.
    let lines = commands
        .expect("a list")
        .lines()
        .filter_map(|line| line.strip_prefix("  "));
    let names = lines
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(' ').next());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.len() > 12, "{help}");
    for name in &names {
        let page = fs::read_to_string(dir.join(format!("mcp-progress-{name}.1"))).expect("a page");
        assert!(
            page.contains(&format!(".TH mcp-progress-{name} 1"))
                && page.contains(".SH EXAMPLES\n.nf\n  mcp\\-progress "),
            "{name}"
        );
    }
    let pages = fs::read_dir(&dir).expect("the folder").count();
    assert_eq!(pages, names.len() + 1);
    assert!(dir.join("mcp-progress.1").exists());
    assert!(
        written.stderr.contains(&format!("{pages} pages in ")),
        "{written:?}"
    );
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("manual-file");
    fs::write(&file, "").expect("a file");
    let run = run(&["man", "--dir", file.join("below").to_str().expect("UTF-8")]);
    assert_eq!(run.code, Some(141), "{run:?}");
    assert!(
        run.stderr.contains("cannot save ") && run.stderr.contains("below"),
        "{run:?}"
    );
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]).stdout;
        for word in [
            "serve-demo",
            "resources",
            "--save",
            "--server",
            "--bearer-env",
            "jsonl",
        ] {
            let word = if shell == "fish" {
                word.trim_start_matches("--")
            } else {
                word
            };
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}
