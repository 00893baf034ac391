//! What a server tells of its own accord: lists that changed, resources that were updated, log messages.
//!
//! Owns asking for it in both eras, reading anew what has changed, and the end. It must not know formats.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use mcp_progress::model::{ServerCapabilities, SubscriptionFilter};
use mcp_progress::{Client, Error, ErrorKind, Listen, Notification, Notifications};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep};

use crate::args::output::Format;
use crate::args::watch::WatchArgs;
use crate::context::Context;
use crate::failure::{Failure, code};
use crate::show::change::{self, Change, Changed, Entries, Fetched, List, Other, Watching};
use crate::show::event::{self, Log};

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
/// A server that is reached over HTTP says nothing when it goes away: it is asked this often whether it is there.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Prints what the server tells, until there was enough of it.
pub(crate) async fn run(
    client: &Client,
    args: &WatchArgs,
    context: &Context,
) -> Result<u8, Failure> {
    let mut watch = Watch {
        client,
        context,
        began: now(),
        fetch: args.fetch,
        known: HashMap::new(),
        changes: Vec::new(),
        seen: 0,
    };
    let enough = args.count.unwrap_or(u64::MAX);
    let watching = async {
        let source = watch.begin(&args.uris).await?;
        watch.follow(source, enough).await
    };
    let lasting = args.lasting.and_then(|limit| limit.0);
    let over = async {
        match lasting {
            Some(time) => sleep(time).await,
            None => std::future::pending().await,
        }
    };
    let done = tokio::select! {
        done = context.unless_interrupted(watching) => done,
        () = over => Ok(()),
    };
    if context.output.format() == Format::Json {
        let changes = watch.changes.join(",");
        context
            .output
            .document(&format!("{{\"changes\":[{changes}]}}"))?;
    }
    done.map(|()| code::OK)
}

/// From where it is told.
enum Source {
    /// In the handshake revisions everything comes on one stream.
    Stream(Notifications),
    /// In 2026-07-28 changes come with a subscription, and the rest beside it.
    Subscription(Box<Listen>, Notifications),
}

enum Told {
    Of(Notification),
    /// Nothing more will come.
    Over,
    /// It has been quiet for a while.
    Quiet,
}

impl Source {
    async fn next(&mut self) -> Told {
        let told = match self {
            Self::Stream(stream) => {
                tokio::select! {
                    told = stream.next() => told,
                    () = sleep(HEARTBEAT) => return Told::Quiet,
                }
            }
            Self::Subscription(listen, beside) => loop {
                tokio::select! {
                    told = listen.next() => break told,
                    Some(told) = beside.next() => {
                        // It is in the subscription too, if it is ours.
                        if Change::of(&told).is_none() && told.method != ACKNOWLEDGED {
                            break Some(told);
                        }
                    }
                }
            },
        };
        told.map_or(Told::Over, Told::Of)
    }

    fn missed(&self) -> u64 {
        match self {
            Self::Stream(stream) => stream.missed(),
            Self::Subscription(listen, _) => listen.missed(),
        }
    }
}

struct Watch<'a> {
    client: &'a Client,
    context: &'a Context,
    began: Instant,
    fetch: bool,
    /// The lists as they were when they were last read.
    known: HashMap<List, Entries>,
    /// The changes as events, where they are to be printed at the end.
    changes: Vec<String>,
    seen: u64,
}

impl Watch<'_> {
    /// Asks the server to tell, and says what of it was agreed to.
    async fn begin(&mut self, uris: &[String]) -> Result<Source, Failure> {
        let server = self.client.server();
        let notifications = self.client.notifications();
        let offered = offered(&server.capabilities);
        let (source, lists, resources) = if server.protocol_version.is_modern() {
            let mut filter = SubscriptionFilter::new()
                .with_tools()
                .with_prompts()
                .with_resources();
            filter.resource_subscriptions = uris.to_vec();
            let mut listen = self.client.listen(&filter)?;
            let agreed = match listen.next().await {
                Some(first) if first.method == ACKNOWLEDGED => agreed(&first),
                // One that does not say what it agrees to is taken at its word all the same.
                Some(_) => filter,
                None => return Err(ended(listen).await.into()),
            };
            let wanted = [
                (List::Tools, agreed.tools_list_changed),
                (List::Prompts, agreed.prompts_list_changed),
                (List::Resources, agreed.resources_list_changed),
            ];
            let lists = wanted.into_iter().filter(|(_, agreed)| *agreed);
            let lists: Vec<List> = lists.map(|(list, _)| list).collect();
            let source = Source::Subscription(Box::new(listen), notifications);
            (source, lists, agreed.resource_subscriptions)
        } else {
            for uri in uris {
                self.client.subscribe_resource(uri).await?;
            }
            (Source::Stream(notifications), offered, uris.to_vec())
        };
        for uri in uris.iter().filter(|uri| !resources.contains(uri)) {
            let text = format!("the server does not tell of {uri}");
            self.context
                .screen
                .notice(&crate::show::printable::line(&text));
        }
        if self.fetch {
            for list in &lists {
                let entries = entries(self.client, *list).await?;
                self.known.insert(*list, entries);
            }
        }
        let watching = Watching::new(&lists, &resources);
        self.context.output.event(&watching)?;
        let words = watching.in_words();
        self.context.screen.notice(&if words.is_empty() {
            "the server offers to tell of nothing; waiting all the same".to_owned()
        } else {
            format!("watching {words}")
        });
        Ok(source)
    }

    /// Shows what comes, until so many changes were seen.
    async fn follow(&mut self, mut source: Source, enough: u64) -> Result<(), Failure> {
        let mut missed = 0;
        while self.seen < enough {
            match source.next().await {
                Told::Of(notification) => self.show(&notification).await?,
                Told::Quiet => self.still_there().await?,
                Told::Over => return Err(self.why_over(source).await.into()),
            }
            if source.missed() > missed {
                let more = source.missed() - missed;
                missed = source.missed();
                let text = format!(
                    "{more} notifications were dropped: they came faster than they were shown"
                );
                self.context.screen.notice(&text);
            }
        }
        Ok(())
    }

    async fn show(&mut self, notification: &Notification) -> Result<(), Failure> {
        let elapsed = now() - self.began;
        let output = &self.context.output;
        if let Some(change) = Change::of(notification) {
            let fetched = self.fetched(&change).await?;
            let changed = Changed::new(&change, elapsed, fetched.as_ref());
            match output.format() {
                Format::Text => {
                    output.text(&change::in_words(&change, elapsed, fetched.as_ref()))?
                }
                Format::Json => self.changes.push(event::line(&changed)),
                Format::Jsonl => output.event(&changed)?,
            }
            self.seen += 1;
        } else if let Some(log) = Log::new(notification) {
            match output.format() {
                Format::Text => {
                    let text = crate::show::meter::described(&log);
                    output.text(&change::stamped(change::milliseconds(elapsed), &text))?;
                }
                Format::Json => {}
                Format::Jsonl => output.event(&log)?,
            }
        } else {
            let other = Other::new(notification, elapsed);
            match output.format() {
                Format::Text => output.text(&other.in_words())?,
                Format::Json => {}
                Format::Jsonl => output.event(&other)?,
            }
        }
        Ok(())
    }

    /// Reads what has changed, if that is wanted. What cannot be read is said, and the watch goes on.
    async fn fetched(&mut self, change: &Change) -> Result<Option<Fetched>, Failure> {
        if !self.fetch {
            return Ok(None);
        }
        let fetched = match change {
            Change::List(list) => entries(self.client, *list).await.map(|now| {
                let before = self.known.insert(*list, now.clone());
                Fetched::List(before.unwrap_or_default(), now)
            }),
            Change::Resource(uri) => contents(self.client, uri).await.map(Fetched::Contents),
        };
        match fetched {
            Ok(fetched) => Ok(Some(fetched)),
            Err(error) if error.kind() == ErrorKind::ConnectionLost => Err(error.into()),
            Err(error) => {
                let text = format!("what has changed cannot be read: {error}");
                self.context
                    .screen
                    .notice(&crate::show::printable::line(&text));
                Ok(None)
            }
        }
    }

    /// Any answer will do, and a server that is busy may take its time.
    async fn still_there(&self) -> Result<(), Failure> {
        match self.client.ping().total_timeout(HEARTBEAT).await {
            Err(error) if error.kind() == ErrorKind::ConnectionLost => Err(error.into()),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn why_over(&self, source: Source) -> Error {
        match source {
            Source::Subscription(listen, _) => ended(*listen).await,
            // The next request says what became of the connection.
            Source::Stream(_) => match self.client.ping().await {
                Ok(_) => Error::connect("the server's notifications ended"),
                Err(error) => error,
            },
        }
    }
}

/// Why a subscription is over: in good order is not what a watcher waits for, either.
async fn ended(listen: Listen) -> Error {
    match listen.end().await {
        Ok(()) => Error::connect("the server ended the subscription"),
        Err(error) if error.kind() == ErrorKind::Cancelled => {
            Error::connect("the server cancelled the subscription").with_source(error)
        }
        Err(error) => error,
    }
}

/// The lists of which the server says that it tells.
fn offered(server: &ServerCapabilities) -> Vec<List> {
    let tells = |list: &List| match list {
        List::Tools => server
            .tools
            .as_ref()
            .is_some_and(|tools| tools.list_changed),
        List::Prompts => server
            .prompts
            .as_ref()
            .is_some_and(|prompts| prompts.list_changed),
        List::Resources => {
            let resources = server.resources.as_ref();
            resources.is_some_and(|resources| resources.list_changed)
        }
    };
    List::ALL.into_iter().filter(tells).collect()
}

fn agreed(acknowledgement: &Notification) -> SubscriptionFilter {
    #[derive(Deserialize)]
    struct Acknowledged {
        notifications: SubscriptionFilter,
    }

    let params = acknowledgement.params::<Acknowledged>();
    params
        .map(|params| params.notifications)
        .unwrap_or_default()
}

/// All entries of a list, page by page, as the server wrote them.
async fn entries(client: &Client, list: List) -> Result<Entries, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        #[serde(alias = "tools", alias = "prompts", alias = "resources", default)]
        items: Vec<Box<RawValue>>,
        #[serde(default)]
        next_cursor: Option<String>,
    }
    #[derive(Deserialize)]
    struct Named {
        /// Several resources may have the same name.
        #[serde(default)]
        uri: Option<String>,
        #[serde(default)]
        name: String,
    }

    let mut entries = Entries::new();
    let mut cursor: Option<String> = None;
    let mut seen = HashSet::new();
    loop {
        let params = match &cursor {
            Some(cursor) => json!({ "cursor": cursor }),
            None => json!({}),
        };
        let method = format!("{}/list", list.name());
        let page: Page = client.request(method, params).await?;
        for item in page.items {
            let named: Option<Named> = serde_json::from_str(item.get()).ok();
            let name = named.map(|named| named.uri.unwrap_or(named.name));
            entries.insert(name.unwrap_or_else(|| item.get().to_owned()), item);
        }
        // A server that gives the same pages for ever would otherwise be asked for ever.
        match page.next_cursor {
            Some(next) if seen.insert(next.clone()) => cursor = Some(next),
            _ => return Ok(entries),
        }
    }
}

async fn contents(client: &Client, uri: &str) -> Result<Vec<Box<RawValue>>, Error> {
    #[derive(Deserialize)]
    struct Contents {
        contents: Vec<Box<RawValue>>,
    }

    let read = client.request::<Contents>("resources/read", json!({ "uri": uri }));
    Ok(read.await?.contents)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command reads the clock, for the times of its lines"
)]
fn now() -> Instant {
    Instant::now()
}
