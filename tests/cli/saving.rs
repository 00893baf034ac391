//! Images and contents that are saved: their names, what is said of them, and what is broken.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::program::{Run, run};

/// A server of revision 2025-11-25. Its tool gives text, an image, an image whose base64 is broken, and a resource whose
/// address leads out of every folder; each resource is three bytes; its prompt is a sound.
const SERVER: &str = r#"
answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')" "$1"; }
while IFS= read -r line; do
    case $line in
    *'"method":"initialize"'*)
        answer '{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"resources":{},"prompts":{}},"serverInfo":{"name":"files","version":"1"}}' ;;
    *'"method":"tools/call"'*)
        answer '{"content":[{"type":"text","text":"before"},
            {"type":"image","mimeType":"image/png","data":"QUJD"},
            {"type":"image","mimeType":"image/png","data":"not base64"},
            {"type":"resource","resource":{"uri":"file:///../../..%2f..%2fetc/passwd","mimeType":"text/plain","text":"inside"}},
            {"type":"text","text":"after"}]}' ;;
    *'"method":"resources/read"'*)
        answer '{"contents":[{"uri":"demo:///report.pdf","mimeType":"application/pdf","blob":"QUJD"}]}' ;;
    *'"method":"prompts/get"'*)
        answer '{"messages":[{"role":"user","content":{"type":"audio","mimeType":"audio/wav","data":"QUJD"}}]}' ;;
    esac
done
"#;

/// A folder that is not there yet.
fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    dir.join("new")
}

fn saved(dir: &Path, args: &[&str]) -> Run {
    // One line, as every message is.
    let server = SERVER.replace("\n            {", "{");
    let fixed = ["--protocol", "2025-11-25", "--progress", "none", "--save"];
    let dir = dir.to_str().expect("UTF-8");
    run(&[args, &fixed, &[dir, "--", "sh", "-c", &server]].concat())
}

fn files(dir: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(dir).expect("the folder was made");
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("readable").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        (name, fs::read_to_string(path).expect("text"))
    };
    let mut files: Vec<_> = entries.map(file).collect();
    files.sort();
    files
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn what_is_broken_takes_nothing_with_it() {
    let dir = folder("saving-text");
    let run = saved(&dir, &["call", "files"]);
    let shown = dir.display();
    let expected = format!(
        "before\n[image: image/png, 3 B] saved: {shown}/image.png\n\
         [image: image/png, 6 B] not saved: the base64 is broken: Invalid symbol 110, offset 0.\n\
         [resource: file:///../../..%2f..%2fetc/passwd, text/plain, 6 B] saved: {shown}/passwd.txt\nafter\n"
    );
    let (start, end) = expected
        .split_once("Invalid symbol 110, offset 0.")
        .expect("it is there");
    // What exactly is wrong is said by others.
    assert!(
        run.stdout.starts_with(start) && run.stdout.ends_with(end),
        "{run:?}"
    );
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.stderr.contains("is not saved: the base64 is broken"),
        "{run:?}"
    );
    assert_eq!(
        files(&dir),
        pairs(&[("image.png", "ABC"), ("passwd.txt", "inside")])
    );
    // Again: nothing is overwritten.
    saved(&dir, &["call", "files"]);
    let names: Vec<String> = files(&dir).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["image-2.png", "image.png", "passwd-2.txt", "passwd.txt"]
    );
}

#[test]
fn programs_are_told_too() {
    let dir = folder("saving-jsonl");
    let run = saved(&dir, &["call", "files", "--output", "jsonl"]);
    assert_eq!(run.names(), ["start", "saved", "saved", "result"]);
    let path = dir.join("image.png");
    let expected =
        json!({"event": "saved", "path": path, "kind": "image", "mime_type": "image/png"});
    assert_eq!(run.events()[1], expected);
    let dir = folder("saving-json");
    let run = saved(&dir, &["call", "files", "--output", "json"]);
    assert!(
        run.stdout.starts_with(r#"{"content":["#) && run.stdout.lines().count() == 1,
        "{run:?}"
    );
    assert!(
        run.stderr.contains("saved: ") && run.stderr.contains("image.png\n"),
        "{run:?}"
    );
    assert_eq!(files(&dir).len(), 2);
}

#[test]
fn what_is_read_and_what_is_prompted() {
    let dir = folder("saving-read");
    let run = saved(&dir, &["read", "demo:///report.pdf"]);
    let expected = format!(
        "[resource: demo:///report.pdf, application/pdf, 3 B] saved: {}/report.pdf\n",
        dir.display()
    );
    assert_eq!(run.stdout, expected);
    let run = saved(&dir, &["prompt", "sound"]);
    assert!(
        run.stdout
            .starts_with("[user]\n[audio: audio/wav, 3 B] saved: "),
        "{run:?}"
    );
    assert_eq!(
        files(&dir),
        pairs(&[("audio.wav", "ABC"), ("report.pdf", "ABC")])
    );
}

#[test]
fn a_folder_that_cannot_be_made_is_known_before_the_call() {
    let dir = folder("saving-never");
    let parent = dir.parent().expect("a folder");
    fs::create_dir_all(parent).expect("a folder");
    fs::write(&dir, "a file").expect("a file");
    let run = saved(&dir, &["call", "files", "--output", "jsonl"]);
    assert_eq!(
        (run.code, run.names()),
        (Some(2), vec!["error".to_owned()]),
        "{run:?}"
    );
    assert!(run.stderr.contains("--save: "), "{run:?}");
}
