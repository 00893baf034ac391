//! What the compiler promises to users: which types may cross threads, and what must not be dropped unseen.
//!
//! Most of this is checked by compiling it.

use std::fmt::Debug;
use std::future::{Future, IntoFuture, Ready};
use std::rc::Rc;

use futures::stream::{FusedStream, Stream};
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{
    AsyncHandler, Call, CallResult, Canceller, Client, Connect, Detached, DetachedResult,
    Diagnostics, Error, Listen, NoHandler, Notifications, Pages, Progress, ProgressRegistry,
    ProgressToken, Registration, Request, Running, Stats, SyncHandler, Updates,
};
use serde_json::{Value, json};

fn send<T: Send>() {}
fn sync<T: Sync>() {}
fn unpin<T: Unpin>() {}
fn long_lived<T: 'static>() {}
fn cloned<T: Clone>() {}
fn stream<T: Stream<Item = Progress> + FusedStream>() {}
fn awaited<T: IntoFuture>() {}
fn shown<T: Debug>() {}

/// Tells at run time whether a type is `Send`: the inherent constant applies only where it is, and wins there.
struct Probe<T>(std::marker::PhantomData<T>);

trait NotSend {
    const IS_SEND: bool = false;
}

impl<T> NotSend for Probe<T> {}

impl<T: Send> Probe<T> {
    const IS_SEND: bool = true;
}

/// As `Probe`, for being a future.
struct FutureProbe<T>(std::marker::PhantomData<T>);

trait NotFuture {
    const IS_FUTURE: bool = false;
}

impl<T> NotFuture for FutureProbe<T> {}

impl<T: Future> FutureProbe<T> {
    const IS_FUTURE: bool = true;
}

#[test]
fn what_shows_calls_crosses_threads() {
    use mcp_progress::ui::{CallView, Mark, Taskbar, sse};
    use mcp_progress::{GroupMember, GroupProgress, GroupUpdates, GroupedCall, ProgressGroup};

    send::<ProgressGroup>();
    sync::<ProgressGroup>();
    cloned::<ProgressGroup>();
    send::<GroupMember>();
    sync::<GroupMember>();
    send::<GroupUpdates>();
    unpin::<GroupUpdates>();
    cloned::<GroupProgress>();
    send::<GroupedCall<Value>>();
    long_lived::<GroupedCall<Value>>();
    stream::<GroupedCall<Value>>();
    awaited::<GroupedCall<Value>>();
    send::<CallView>();
    cloned::<CallView>();
    sync::<Mark>();
    send::<Taskbar>();
    shown::<Taskbar>();
    send::<sse::SseEvents>();
    unpin::<sse::SseEvents>();
    send::<sse::SseText<sse::SseEvents>>();
}

#[cfg(feature = "indicatif")]
#[test]
fn bars_cross_threads() {
    use mcp_progress::ui::indicatif::{Bars, CallBar, GroupBar, Hold, LogWriter, WithBar};

    send::<Bars>();
    sync::<Bars>();
    cloned::<Bars>();
    send::<CallBar>();
    sync::<CallBar>();
    send::<GroupBar>();
    send::<Hold>();
    send::<LogWriter>();
    sync::<LogWriter>();
    cloned::<LogWriter>();
    send::<WithBar<Value>>();
    awaited::<WithBar<Value>>();
}

#[cfg(feature = "blocking")]
#[test]
fn blocking_handles_cross_threads() {
    use mcp_progress::blocking;

    send::<blocking::Client>();
    sync::<blocking::Client>();
    cloned::<blocking::Client>();
    send::<blocking::Call<Value>>();
    long_lived::<blocking::Call<Value>>();
    send::<blocking::Connect>();
    shown::<blocking::Client>();
}

#[test]
fn handles_cross_threads() {
    // A result that may not: it is never stored in the call.
    type Local = Rc<()>;
    send::<Call<Local>>();
    send::<CallResult<Local>>();
    long_lived::<Call<Value>>();
    unpin::<Call<Local>>();
    stream::<Call<Value>>();
    awaited::<Call<Value>>();

    send::<Client>();
    sync::<Client>();
    cloned::<Client>();
    send::<ProgressRegistry>();
    sync::<ProgressRegistry>();
    cloned::<ProgressRegistry>();
    send::<Canceller>();
    sync::<Canceller>();
    cloned::<Canceller>();
    send::<Detached<Value>>();
    send::<DetachedResult<Value>>();
    unpin::<DetachedResult<Value>>();
    send::<Updates>();
    unpin::<Updates>();
    stream::<Updates>();
    send::<Registration>();
    sync::<Registration>();
    send::<Notifications>();
    send::<Diagnostics>();
    send::<Listen>();
    send::<Pages<mcp_progress::model::ListToolsResult>>();
    send::<Connect>();
    send::<<Connect as IntoFuture>::IntoFuture>();
    send::<Progress>();
    sync::<Progress>();
    send::<ProgressToken>();
    sync::<ProgressToken>();
    send::<Error>();
    sync::<Error>();
    send::<Stats>();
    shown::<Call<Local>>();
    shown::<Updates>();
    shown::<Request<Local>>();
}

/// Being both a stream and a future would make `map`, `fuse` or `boxed` ambiguous.
#[test]
fn a_call_is_no_future() {
    const {
        assert!(!FutureProbe::<Call<Value>>::IS_FUTURE);
        assert!(FutureProbe::<CallResult<Value>>::IS_FUTURE);
        assert!(!FutureProbe::<Request<Value>>::IS_FUTURE);
    }
}

#[test]
fn a_running_request_is_send_exactly_when_its_handler_is() {
    type Sent = fn(Progress);
    const {
        assert!(Probe::<Running<Rc<()>, NoHandler>>::IS_SEND);
        assert!(Probe::<Running<Value, SyncHandler<Sent>>>::IS_SEND);
        assert!(!Probe::<Running<Value, SyncHandler<Rc<Sent>>>>::IS_SEND);
        assert!(Probe::<Running<Value, AsyncHandler<Sent, Ready<()>>>>::IS_SEND);
        // The closure is, its future is not; and the other way round.
        assert!(!Probe::<Running<Value, AsyncHandler<Sent, Rc<()>>>>::IS_SEND);
        assert!(!Probe::<Running<Value, AsyncHandler<Rc<Sent>, Ready<()>>>>::IS_SEND);
    }
}

/// A handler that borrows and is not `Send` works where nothing asks for it: in `join!`, on one thread.
#[tokio::test]
async fn handlers_may_borrow_and_need_not_be_send() {
    let server = ScriptedServer::new().tool("work", |_| {
        Script::new().burst(|together| together.progress(1, 2).progress(2, 2).text("done"))
    });
    let client = Client::connect(server).await.expect("connects");
    let local = Rc::new(std::cell::Cell::new(0.0));
    let mut seen = Vec::new();
    let one = client.call_tool("work", json!({})).on_progress(|update| {
        seen.push(update.progress);
        local.set(local.get() + update.progress);
    });
    let two = client
        .call_tool("work", json!({}))
        .on_progress_async(|update| {
            let local = local.clone();
            async move { local.set(local.get() + update.progress) }
        });
    let (one, two) = tokio::join!(one.into_future(), two.into_future());
    assert!(one.is_ok() && two.is_ok());
    assert_eq!((seen.as_slice(), local.get()), (&[1.0, 2.0][..], 6.0));
}

/// Each statement drops what must not be dropped unseen. Should the compiler stop saying so, the expectation is not
/// fulfilled, which is an error here.
#[deny(unfulfilled_lint_expectations)]
mod unused {
    use super::{
        Call, Canceller, Client, Connect, Detached, Listen, ProgressToken, Request, Value,
    };

    fn requests(client: &Client, request: fn() -> Request<Value>) {
        #[expect(unused_must_use, reason = "a request does nothing until it is awaited")]
        request();
        #[expect(unused_must_use, reason = "nor with a handler")]
        request().on_progress(drop);
        #[expect(unused_must_use, reason = "nor does its future")]
        IntoFuture::into_future(request());
        #[expect(unused_must_use, reason = "dropping a call cancels it")]
        request().start();
        #[expect(unused_must_use, reason = "nor does a list of pages")]
        client.tools();
    }

    fn handles(call: fn() -> Call<Value>, detached: fn() -> Detached<Value>) {
        #[expect(unused_must_use, reason = "a result is lost")]
        call().detach();
        #[expect(unused_must_use, reason = "a stream does nothing unread")]
        call().updates();
        #[expect(unused_must_use, reason = "a future does nothing unpolled")]
        IntoFuture::into_future(call());
        #[expect(unused_must_use, reason = "a future does nothing unpolled")]
        IntoFuture::into_future(detached());
        #[expect(unused_must_use, reason = "a button that nobody holds")]
        call().canceller();
    }

    fn registrations(client: &Client, token: &ProgressToken) {
        #[expect(unused_must_use, reason = "a guard unregisters when dropped")]
        client.progress().register(token, drop);
        #[expect(unused_must_use, reason = "a stream unsubscribes when dropped")]
        client.progress().subscribe(token);
        #[expect(unused_must_use, reason = "a stream unsubscribes when dropped")]
        client.progress().get(token);
        #[expect(unused_must_use, reason = "a stream of what happens next")]
        client.notifications();
        #[expect(unused_must_use, reason = "a stream of what happens next")]
        client.diagnostics();
    }

    fn connections(connect: fn() -> Connect, listen: fn() -> Listen, stop: &Canceller) {
        #[expect(unused_must_use, reason = "nothing is connected until it is awaited")]
        connect();
        #[expect(unused_must_use, reason = "dropping a subscription cancels it")]
        listen();
        // Whether there was something to cancel is nobody's duty to ask.
        stop.cancel("unwatched");
    }

    #[test]
    fn what_must_be_used_says_so() {
        // Compiled, and never run: there is nothing to see.
        let _ = (requests, handles, registrations, connections);
    }
}
