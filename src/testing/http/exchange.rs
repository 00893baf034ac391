//! Owns the playing of one script on a stream of HTTP. Must not know which HTTP request asked for it.

use super::hub::Hub;
use super::jobs::Jobs;
use super::options::Options;
use super::session::HttpSession;
use super::stream::{Cut, Stream};
use crate::testing::answer;
use crate::testing::backstage::Backstage;
use crate::testing::config::Config;
use crate::testing::frame::Answer;
use crate::testing::log::Log;
use crate::testing::request::Request;
use crate::testing::runner::Runner;
use crate::testing::script::Script;
use crate::testing::stage::Stage;
use crate::testing::tasks::hosting::TaskHosting;
use futures::future::{BoxFuture, select};
use serde_json::Value;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::Notify;

/// One connection, as the answering of its requests sees it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) config: Arc<Config>,
    pub(crate) log: Log,
    pub(crate) backstage: Arc<Backstage>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) options: Arc<Options>,
    /// What runs on this connection.
    pub(crate) jobs: Jobs,
    /// Which connection of the server it is.
    pub(crate) number: usize,
}

/// Where a script of HTTP is played.
#[derive(Debug)]
struct Exchange {
    config: Arc<Config>,
    log: Log,
    backstage: Arc<Backstage>,
    stream: Stream,
    /// Whether the stream is the request's own and ends with it.
    own: bool,
    session: Option<Arc<HttpSession>>,
}

impl Link {
    /// Starts a script. Its messages go to the stream, which ends with it if it is the request's own. Returns what
    /// cancels it.
    pub(crate) fn play(
        &self,
        request: Request,
        script: Script,
        stream: &Stream,
        own: bool,
        session: Option<&Arc<HttpSession>>,
    ) -> Arc<Notify> {
        let cancel = Arc::new(Notify::new());
        if let Some(session) = session {
            session.began(request.id(), &cancel);
        }
        if own {
            stream.begin();
        }
        let exchange = Exchange {
            config: Arc::clone(&self.config),
            log: self.log.clone(),
            backstage: Arc::clone(&self.backstage),
            stream: stream.clone(),
            own,
            session: session.cloned(),
        };
        let run = Runner::new(Arc::new(exchange), request).run(script, Arc::clone(&cancel));
        match session.cloned() {
            Some(session) => self.jobs.push(async move {
                select(pin!(session.over()), pin!(run)).await;
            }),
            None => self.jobs.push(run),
        }
        cancel
    }
}

impl Stage for Exchange {
    fn write(&self, bytes: Vec<u8>) {
        self.stream.write(&bytes);
    }

    fn aside(&self, bytes: &[u8], keep: bool) -> bool {
        let listening = self.session.as_ref().map(|session| session.listening());
        let reader = listening.is_some_and(Stream::is_attached);
        if let Some(listening) = listening.filter(|_| reader || keep) {
            listening.write(bytes);
        }
        reader
    }

    fn write_through(&self, bytes: Vec<u8>) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.stream.write_through(&bytes).await })
    }

    fn is_modern(&self, request: &Request) -> bool {
        self.config.is_modern(request)
    }

    fn backstage(&self) -> &Arc<Backstage> {
        &self.backstage
    }

    fn shape(&self, request: &Request, answer: Answer) -> Answer {
        answer::shape(&self.config, request, answer)
    }

    fn hosting(&self) -> Option<&TaskHosting> {
        self.config.tasks.as_ref()
    }

    fn began(&self, request: &Request) {
        self.log.began(request);
    }

    fn became(&self, task: &str) {
        self.log.became(task);
    }

    fn task_stopped(&self, task: &str) {
        self.log.stop_task(task);
    }

    fn stopped(&self, id: &Value) {
        self.log.stop(id.clone());
    }

    fn finished(&self, id: &Value, cancel: &Arc<Notify>) {
        if let Some(session) = &self.session {
            session.finished(id, cancel);
        }
        if self.own {
            self.stream.done();
        }
    }

    fn crash(&self) {
        self.stream.cut(Cut::Broken);
    }

    fn close_stream(&self) {
        if self.own {
            self.stream.cut(Cut::Closed);
        }
    }
}
