//! Files that a server gave, on the disk.
//!
//! Owns their names: what a server calls them leads nowhere else, and nothing that is there is overwritten. It must not
//! know how they came.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::show::content::{Body, File};

/// So long may a name be, in characters and in bytes, without its number and its extension. File systems take 255 bytes.
const LONGEST: usize = 80;
const LONGEST_BYTES: usize = 200;

/// Extensions of types for which there are several, or none that is known.
const PREFERRED: &[(&str, &str)] = &[
    ("application/json", "json"),
    ("application/octet-stream", "bin"),
    ("audio/mp4", "m4a"),
    ("audio/mpeg", "mp3"),
    ("audio/ogg", "ogg"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("image/jpeg", "jpg"),
    ("image/svg+xml", "svg"),
    ("image/tiff", "tiff"),
    ("text/html", "html"),
    ("text/markdown", "md"),
    ("text/plain", "txt"),
    ("video/mp4", "mp4"),
];

/// Names that mean a device on Windows, whatever stands behind their dot.
const DEVICES: &[&str] = &["aux", "con", "nul", "prn"];

/// The folder that files go to.
#[derive(Clone, Debug)]
pub(crate) struct Saver(PathBuf);

/// Why a file is not there.
#[derive(Debug)]
pub(crate) enum Unsaved {
    /// It cannot be decoded.
    Broken(String),
    /// The disk does not take it.
    Disk(PathBuf, io::Error),
}

impl Saver {
    pub(crate) const fn new(dir: PathBuf) -> Self {
        Self(dir)
    }

    /// Makes the folder, so that it is known before anything is asked of a server whether there is a place to save to.
    pub(crate) fn prepare(&self) -> Result<(), String> {
        fs::create_dir_all(&self.0)
            .map_err(|error| format!("--save: {}: {error}", self.0.display()))
    }

    /// Writes the file under a name that is free, and says which.
    pub(crate) fn save(&self, file: &File<'_>) -> Result<PathBuf, Unsaved> {
        let bytes = file.bytes().map_err(Unsaved::Broken)?;
        let (stem, extension) = name(file);
        for number in 1_u32.. {
            let number = if number == 1 {
                String::new()
            } else {
                format!("-{number}")
            };
            let path = self.0.join(format!("{stem}{number}{extension}"));
            match write(&path, &bytes) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Unsaved::Disk(path, error)),
            }
        }
        Err(Unsaved::Disk(
            self.0.clone(),
            io::ErrorKind::AlreadyExists.into(),
        ))
    }
}

/// Writes a file that is not there yet; not by looking first, since another could make it meanwhile.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)
}

/// The name without its end, and its end with the dot.
fn name(file: &File<'_>) -> (String, String) {
    let called = file.uri.map(last_part).unwrap_or_default();
    let called = safe(&called);
    let (stem, given) = match called.rsplit_once('.') {
        Some((stem, end)) if !stem.is_empty() && is_extension(end) => (stem, Some(end)),
        _ => (called.as_str(), None),
    };
    let known = file.mime.and_then(extension);
    let extension = match (given, known) {
        // `text/plain` and `application/octet-stream` say less than the name does.
        (Some(given), _) if fits(given, file.mime) => given.to_owned(),
        (given, Some(known)) => match given {
            Some(given) => format!("{given}.{known}"),
            None => known,
        },
        (Some(given), None) => given.to_owned(),
        (None, None) => match file.body {
            Body::Text(_) => "txt".to_owned(),
            Body::Base64(_) => "bin".to_owned(),
        },
    };
    let stem = shortened(stem);
    let stem = if stem.is_empty() { file.kind } else { stem };
    let stem = stem.to_owned();
    (stem, format!(".{extension}"))
}

fn shortened(stem: &str) -> &str {
    let fits = |(at, char): &(usize, char)| at + char.len_utf8() <= LONGEST_BYTES;
    let kept = stem.char_indices().take(LONGEST).take_while(fits);
    let end = kept.last().map_or(0, |(at, char)| at + char.len_utf8());
    &stem[..end]
}

/// What stands behind the last slash of an address, without a query, and with `%2F` and the like read.
fn last_part(uri: &str) -> String {
    let path = uri
        .split(['?', '#'])
        .next()
        .unwrap_or(uri)
        .trim_end_matches('/');
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let part = path.rsplit('/').next().unwrap_or(path);
    decoded(part)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A name that means a file in this folder on every system.
fn safe(called: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = called.chars().map(plain).collect();
    // A dot in front hides a file, one behind is dropped by Windows; dots alone are folders; a dash in front is an option
    // to whatever program is given the file.
    let name = name
        .trim_matches(['.', '_'])
        .trim_start_matches(['-', '.', '_']);
    let first = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let numbered = ["com", "lpt"].iter().any(|port| {
        first
            .strip_prefix(port)
            .is_some_and(|rest| matches!(rest, "¹" | "²" | "³") || is_digit(rest))
    });
    if numbered || DEVICES.contains(&first.as_str()) {
        format!("_{name}")
    } else {
        name.to_owned()
    }
}

fn is_digit(text: &str) -> bool {
    text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_extension(end: &str) -> bool {
    (1..=10).contains(&end.len()) && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The media type without its parameters.
fn bare(mime: &str) -> String {
    mime.split(';')
        .next()
        .unwrap_or(mime)
        .trim()
        .to_ascii_lowercase()
}

fn extension(mime: &str) -> Option<String> {
    let mime = bare(mime);
    let preferred = PREFERRED.iter().find(|(known, _)| *known == mime);
    if let Some((_, extension)) = preferred {
        return Some((*extension).to_owned());
    }
    let known = mime_guess::get_mime_extensions_str(&mime)?;
    known.first().map(|extension| (*extension).to_owned())
}

/// Whether a file of this type may be called so.
fn fits(extension: &str, mime: Option<&str>) -> bool {
    let Some(mime) = mime.map(bare) else {
        return true;
    };
    let vague = mime.starts_with("text/") || mime == "application/octet-stream";
    vague
        || mime_guess::from_ext(extension)
            .iter()
            .any(|guess| guess.essence_str() == mime)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Body, File, Saver, Unsaved, name};

    fn named(uri: Option<&str>, mime: Option<&str>) -> String {
        let body = Body::Base64("QUJD");
        let (stem, extension) = name(&File {
            kind: "image",
            uri,
            mime,
            body,
        });
        stem + &extension
    }

    #[test]
    fn names_come_from_the_address_and_the_type() {
        let png = Some("image/png");
        for (uri, mime, expected) in [
            (None, png, "image.png"),
            (None, Some("image/jpeg"), "image.jpg"),
            (None, Some("Audio/WAV; rate=1"), "image.wav"),
            (None, Some("no/such-type"), "image.bin"),
            (None, None, "image.bin"),
            (
                Some("demo://resource/static/document/features.md"),
                Some("text/markdown"),
                "features.md",
            ),
            (Some("file:///a/main.rs"), Some("text/plain"), "main.rs"),
            (
                Some("file:///a/photo.jpeg?x=1#y"),
                Some("image/jpeg"),
                "photo.jpeg",
            ),
            (Some("https://host/picture.txt"), png, "picture.txt.png"),
            (Some("demo://resource/7"), png, "7.png"),
            (Some("https://host"), png, "host.png"),
            (Some("demo://a/b c%20d%2Fe.png"), png, "b_c_d_e.png"),
            (Some("file:///Über/Größe.png"), png, "Größe.png"),
            (Some("file:///a/.hidden"), None, "hidden.bin"),
            (
                Some("file:///a/archive.tar.gz"),
                Some("application/gzip"),
                "archive.tar.gz",
            ),
        ] {
            assert_eq!(named(uri, mime), expected, "{uri:?} {mime:?}");
        }
    }

    #[test]
    fn no_name_leads_elsewhere() {
        for uri in [
            "file:///..",
            "file:///a/..%2f..%2fetc%2fpasswd",
            "..\\..\\x",
            "/etc/passwd",
            "C:\\x",
            "a:b",
            "%00",
            "%",
            "%zz",
            "%2e%2e",
            "file:///con",
            "file:///NUL.txt",
            "file:///com1",
            "file:///LPT².txt",
            "file:///-rf",
            "file:///_-.-o",
            "\u{1b}[31m",
            "",
            "///",
            "\u{202e}gnp.exe",
            "a\nb",
        ] {
            let name = named(Some(uri), None);
            assert!(
                !name.contains(['/', '\\', ':', '\0', '\n', '\u{1b}', '\u{202e}']),
                "{uri:?}: {name:?}"
            );
            assert!(!name.starts_with(['.', '-']), "{uri:?}: {name:?}");
            let first = name.split('.').next().unwrap().to_ascii_lowercase();
            assert!(
                !["con", "nul", "com1", "lpt²"].contains(&first.as_str()),
                "{uri:?}: {name:?}"
            );
        }
        let long = named(Some(&format!("file:///{}.png", "x".repeat(5000))), None);
        assert!(long.len() < 100 && long.ends_with(".png"), "{long}");
        // Letters of four bytes each: a file system counts bytes.
        let wide = named(Some(&format!("file:///{}.png", "𝒜".repeat(300))), None);
        assert!(wide.len() <= 220 && wide.ends_with("𝒜.png"), "{wide}");
    }

    #[test]
    fn nothing_is_overwritten() {
        let dir = std::env::temp_dir().join(format!("mcp-progress-save-{}", std::process::id()));
        let saver = Saver::new(dir.join("new"));
        saver.prepare().unwrap();
        let file = |data| File {
            kind: "image",
            uri: None,
            mime: Some("image/png"),
            body: Body::Base64(data),
        };
        let paths = ["QUFB", "QkJC", "Q0ND"].map(|data| saver.save(&file(data)).unwrap());
        assert_eq!(
            paths
                .clone()
                .map(|path| path.file_name().unwrap().to_owned()),
            ["image.png", "image-2.png", "image-3.png"]
        );
        assert_eq!(
            paths.map(|path| fs::read_to_string(path).unwrap()),
            ["AAA", "BBB", "CCC"]
        );
        assert!(matches!(saver.save(&file("!")), Err(Unsaved::Broken(_))));
        fs::remove_dir_all(&dir).unwrap();
        assert!(matches!(saver.save(&file("QUFB")), Err(Unsaved::Disk(..))));
    }
}
