//! Event streams against the HTML standard: row by row, against a reader of whole texts, and at the limits.

use std::convert::Infallible;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};

use super::lines::KEPT_START;
use super::sse::{Item, Sse};
use super::sse_model::{Out, Said, by_the_standard, said};

fn event(data: &str) -> Out {
    typed("", data, None)
}

fn with_id(data: &str, id: &str) -> Out {
    typed("", data, Some(id))
}

fn typed(kind: &str, data: &str, id: Option<&str>) -> Out {
    Out::Event(kind.into(), data.into(), id.map(str::to_owned))
}

/// Feeds a row whole, in two pieces of every size, with nothing in between, and byte by byte.
#[track_caller]
fn check(stream: impl AsRef<[u8]>, items: &[Out], last_id: Option<&str>) {
    let stream = stream.as_ref();
    let shown = stream.escape_ascii();
    let whole = said(usize::MAX, [stream]);
    assert_eq!(whole.items, items, "{shown}");
    assert_eq!(whole.last_id.as_deref(), last_id, "{shown}");
    for at in 0..=stream.len() {
        let (left, right) = stream.split_at(at);
        let cut = said(usize::MAX, [left, b"", right]);
        assert_eq!(cut, whole, "{shown} cut at {at}");
    }
    assert_eq!(
        said(usize::MAX, stream.chunks(1)),
        whole,
        "{shown} by bytes"
    );
    assert_eq!(by_the_standard(stream, usize::MAX), whole, "{shown}");
}

#[test]
fn lines() {
    check("", &[], None);
    check("data: a\n\n", &[event("a")], None);
    check("data: a\r\rdata: b\r\r", &[event("a"), event("b")], None);
    check(
        "data: a\r\n\r\ndata: b\r\n\r\n",
        &[event("a"), event("b")],
        None,
    );
    check(
        "data: a\r\ndata: b\ndata: c\r\n\r",
        &[event("a\nb\nc")],
        None,
    );
    // LF CR is two ends, CR LF one.
    check("data: a\n\rdata: b\n\r\n", &[event("a"), event("b")], None);
    check("data: a\r\ndata: b\r\n\n", &[event("a\nb")], None);
    check("\n\r\n\r\rdata: a\n\n\n\n", &[event("a")], None);
}

#[test]
fn byte_order_mark() {
    check("\u{FEFF}data: a\n\n", &[event("a")], None);
    check("\u{FEFF}", &[], None);
    check(
        "\u{FEFF}\n\u{FEFF}data: a\n\ndata: b\n\n",
        &[event("b")],
        None,
    );
    check("\u{FEFF}\u{FEFF}data: a\n\n", &[], None);
    check("data: \u{FEFF}\n\n", &[event("\u{FEFF}")], None);
    // The start of a mark is none.
    check(b"\xEF\xBBdata: a\n\ndata: b\n\n", &[event("b")], None);
    check(b"\xEF\ndata: b\n\n", &[event("b")], None);
    check(
        b"\xEF\xBB\xEF\xBB\xBFdata: a\ndata: b\n\n",
        &[event("b")],
        None,
    );
}

#[test]
fn fields() {
    check(": data: a\n:\n::\n\n", &[], None);
    check(":a\ndata: b\n: c\ndata: d\n\n", &[event("b\nd")], None);
    check("data:a\n\ndata:  b \n\n", &[event("a"), event(" b ")], None);
    check("data:a:b: c\n\n", &[event("a:b: c")], None);
    check("data:\ta\n\n", &[event("\ta")], None);
    check("data\n\n", &[event("")], None);
    check("data:\n\ndata: \n\n", &[event(""), event("")], None);
    check("data\ndata\n\n", &[event("\n")], None);
    check("data:\ndata: a\ndata\n\n", &[event("\na\n")], None);
    check("Data: a\nDATA: b\n data: c\ndata : d\n\n", &[], None);
    check("dat: a\ndat\ndatas: b\ndatabase\nretries\nx\n\n", &[], None);
    check("event\u{0}: a\nevents: b\ndata: c\n\n", &[event("c")], None);
    check("data: \u{0}\n\n", &[event("\u{0}")], None);
    let raw = Out::Event(Vec::new(), b"\xFF\xC3".to_vec(), None);
    check(b"data: \xFF\xC3\n\n", &[raw], None);
}

#[test]
fn types() {
    let tick = typed("tick", "a", None);
    check(
        "event: tick\ndata: a\n\n",
        std::slice::from_ref(&tick),
        None,
    );
    check(
        "data: a\nevent: tick\n\n",
        std::slice::from_ref(&tick),
        None,
    );
    check(
        "event: x\nevent:tick\ndata: a\n\n",
        std::slice::from_ref(&tick),
        None,
    );
    check("event: x\nevent\ndata: a\n\n", &[event("a")], None);
    check("event: x\n\ndata: a\n\n", &[event("a")], None);
    check(
        "event:tick\ndata: a\n\ndata: b\n\n",
        &[tick, event("b")],
        None,
    );
}

#[test]
fn ids() {
    let one = Some("1");
    check("id: 1\ndata: a\n\n", &[with_id("a", "1")], one);
    check("data: a\nid: 1\n\n", &[with_id("a", "1")], one);
    check(
        "id: 1\ndata: a\n\ndata: b\n\n",
        &[with_id("a", "1"), with_id("b", "1")],
        one,
    );
    check("id: 1\n\n", &[], one);
    check("id: 1\n\ndata: a\n\n", &[with_id("a", "1")], one);
    check("id: 1\nid: 2\n\n", &[], Some("2"));
    check("id: 1\n\nid: 2\ndata: b\n", &[], one);
    check("id: 1\n\nid: 2\n", &[], one);
    check("id: 1\n\nid: 2", &[], one);
    check("id: 1\n\nid\ndata: a\n\n", &[event("a")], None);
    check("id: 1\n\nid:\n\n", &[], None);
    check("id: 1\nid: 2\u{0}\n\n", &[], one);
    check("id: \u{0}\ndata: a\n\n", &[event("a")], None);
    check("id:  x \n\n", &[], Some(" x "));
    check(b"id: \xFF-\xC3\xA9\n\n", &[], Some("\u{FFFD}-\u{E9}"));
}

#[test]
fn retry() {
    check("retry: 1500\n", &[Out::Retry(1500)], None);
    check("retry:007\r", &[Out::Retry(7)], None);
    check("retry: 1500", &[], None);
    check("data: a\nretry: 1\n\n", &[Out::Retry(1), event("a")], None);
    check("retry\nretry:\nretry: \nretry:  1\nretry: 1 \n", &[], None);
    check(
        "retry: -1\nretry: +1\nretry: 1.5\nretry: \u{661}\n",
        &[],
        None,
    );
    let most = format!("retry: {}\n", u64::MAX);
    check(most, &[Out::Retry(u64::MAX)], None);
    check("retry: 18446744073709551616\n", &[], None);
    check("retry: 99999999999999999999\n", &[], None);
}

#[test]
fn ends() {
    for (stream, unfinished) in [
        ("data: a\n\n", None),
        ("data: a\n\n: b", None),
        ("data: a\n\nid: 1\nevent: b\n", None),
        ("data: a\n\ndata", None),
        ("data: a\n\ndata:", Some("")),
        ("data: a\n\ndata: b", Some("b")),
        ("data: a\n\ndata: b\n", Some("b")),
        ("data: a\n\ndata: b\ndata:", Some("b\n")),
        ("data: a\n\ndata: b\nid: 1", Some("b")),
    ] {
        check(stream, &[event("a")], None);
        let unfinished = unfinished.map(|data| data.as_bytes().to_vec());
        assert_eq!(said(100, [stream.as_bytes()]).unfinished, unfinished);
    }
}

#[test]
fn failing() {
    let mut sse = Sse::new(100);
    let mut seen = 0;
    let failed = sse.feed(b"data: a\n\nretry: 1\ndata: b\n\n", |item| {
        seen += 1;
        match item {
            Item::Retry(_) => Err("enough"),
            _ => Ok(()),
        }
    });
    assert_eq!((failed, seen), (Err("enough"), 2));
}

/// Parts of streams, of which most mean something.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let words: [&[u8]; 12] = [
        b"data",
        b"data:",
        b"data: ",
        b"event: ",
        b"id: ",
        b"id:",
        b"retry: ",
        b"\n\n",
        b"\r\n",
        b"\xEF\xBB\xBF",
        b"\ndata: a\n",
        b"\xC3\xA9",
    ];
    let words = words.map(<[u8]>::to_vec).to_vec();
    let bytes = b"\r\n\r\n: \0a1\xEF\xBB".to_vec();
    prop_oneof![
        proptest::sample::select(words),
        proptest::sample::select(bytes).prop_map(|byte| vec![byte]),
        any::<u8>().prop_map(|byte| vec![byte]),
    ]
}

#[test]
fn any_stream_in_any_pieces_is_what_the_standard_says() {
    let limit = prop_oneof![Just(usize::MAX), 0..8_usize];
    let input = (limit, vec(part(), 0..40), vec(0..12_usize, 1..20));
    let config = Config {
        cases: 4_000,
        failure_persistence: None,
        ..Config::default()
    };
    let run = TestRunner::new(config).run(&input, |(limit, parts, sizes)| {
        let stream = parts.concat();
        let mut rest = &stream[..];
        // At least one byte at the end of each round, so that all of the stream comes.
        let sizes = sizes.iter().copied().chain([1]).cycle();
        let chunks = sizes.map_while(|size| {
            let (chunk, behind) = rest.split_at_checked(size).unwrap_or((rest, b""));
            let more = !rest.is_empty();
            rest = behind;
            more.then_some(chunk)
        });
        let cut = said(limit, chunks);
        let expected = by_the_standard(&stream, limit);
        assert_eq!(cut, expected, "{}", stream.escape_ascii());
        assert_eq!(said(limit, [&stream[..]]), expected);
        Ok(())
    });
    run.unwrap();
}

/// A line of `size` bytes behind `head`, in chunks of a read's size, whole, and uneven.
fn long(head: &str, size: usize, tail: &str) -> [Said; 3] {
    let stream = [head.as_bytes(), &vec![b'7'; size], tail.as_bytes()].concat();
    let limit = 100_000;
    [
        said(limit, stream.chunks(8 * 1024)),
        said(limit, [&stream[..]]),
        said(limit, stream.chunks(65_521)),
    ]
}

#[test]
fn data_at_its_limit() {
    let items = |said: Said| said.items;
    for said in long("id: 1\ndata: 7\ndata: ", 99_998, "\n\n") {
        let whole = [b"7\n", &vec![b'7'; 99_998][..]].concat();
        let expected = Out::Event(Vec::new(), whole, Some(String::from("1")));
        assert_eq!(items(said), [expected]);
    }
    let start = [b"7\n", &vec![b'7'; KEPT_START - 2][..]].concat();
    let one = Some(String::from("1"));
    for size in [99_999, 300_000] {
        let expected = [
            Out::TooLong(start.clone(), size as u64 + 2, one.clone()),
            typed("", "b", Some("1")),
        ];
        for said in long("id: 1\ndata: 7\ndata: ", size, "\n\ndata: b\n\n") {
            assert_eq!(items(said), expected);
        }
    }
    for said in long("data: 7\ndata: ", 300_000, "") {
        assert_eq!(said.unfinished.as_deref(), Some(&start[..]));
    }
    // Nothing may be too long as well.
    assert_eq!(said(0, [&b"data\n\n"[..]]).items, [event("")]);
    let one = Out::TooLong(b"a".to_vec(), 1, None);
    assert_eq!(said(0, [&b"data:a\n\n"[..]]).items, [one]);
}

#[test]
fn other_values_at_their_limits() {
    let kinds = |size| long("event: ", size, "\ndata: a\n\n");
    for (size, kept) in [(1024, 1024), (1025, 1024), (200_000, 1024)] {
        let expected = typed(&"7".repeat(kept), "a", None);
        for said in kinds(size) {
            assert_eq!(said.items, std::slice::from_ref(&expected));
        }
    }
    for said in long("id: ", 65_536, "\n\n") {
        assert_eq!(said.last_id.map(|id| id.len()), Some(65_536));
    }
    for said in long("id: 1\nid: ", 65_537, "\n\n") {
        assert_eq!(said.last_id.as_deref(), Some("1"));
    }
    for said in long("retry: ", 300_000, "\ndata: a\n\n") {
        assert_eq!(said.items, [event("a")]);
    }
}

#[test]
fn memory_is_bounded() {
    let filler = [b'7'; 4096];
    for head in [
        "",
        ":",
        ": ",
        "x: ",
        "database: ",
        "event: ",
        "id: ",
        "retry: ",
        "data: ",
        "data: a\ndata:",
    ] {
        let mut sse = Sse::new(1_000_000);
        let mut feed = |chunk: &[u8]| {
            let fed = sse.feed(chunk, |_| Ok::<_, Infallible>(()));
            fed.unwrap();
            sse.memory()
        };
        feed(head.as_bytes());
        let (most, bound) = match head {
            "" | ":" | ": " | "x: " | "database: " => (0, 0),
            _ => (2_000_000, 300_000),
        };
        let held: Vec<usize> = (0..1000).map(|_| feed(&filler)).collect();
        assert!(held.iter().all(|held| *held <= most), "{head:?}: {held:?}");
        assert!(held[999] <= bound, "{head:?} holds {} bytes", held[999]);
        let after = feed(b"\n\n");
        assert!(after <= bound, "{head:?} leaves {after} bytes");
    }
    // A large event within the limit gives its memory back.
    let mut sse = Sse::new(usize::MAX);
    let mut lengths = Vec::new();
    for chunk in [&b"data: "[..]]
        .into_iter()
        .chain([&filler[..]; 1000])
        .chain([&b"\n\n"[..]])
    {
        let fed = sse.feed(chunk, |item| {
            lengths.extend(match item {
                Item::Event(event) => Some(event.data.len()),
                _ => None,
            });
            Ok::<_, Infallible>(())
        });
        fed.unwrap();
    }
    assert_eq!(lengths, [4_096_000]);
    assert!(sse.memory() <= 1024 * 1024, "{}", sse.memory());
}
