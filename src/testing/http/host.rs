//! Owns the serving of one connection, from its first byte to its last. Must not know where it comes from.

use super::endpoint;
use super::exchange::Link;
use super::hub::Hub;
use super::jobs::{Jobs, drive};
use super::options::Options;
use crate::testing::backstage::Backstage;
use crate::testing::config::Config;
use crate::testing::log::Log;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// A server as its connections see it.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) config: Arc<Config>,
    pub(crate) log: Log,
    pub(crate) backstage: Arc<Backstage>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) options: Arc<Options>,
}

impl Host {
    /// Serves one connection until it and what was begun on it have ended.
    pub(crate) async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let link = Link {
            config: Arc::clone(&self.config),
            log: self.log.clone(),
            backstage: Arc::clone(&self.backstage),
            hub: Arc::clone(&self.hub),
            options: Arc::clone(&self.options),
            jobs: Jobs::default(),
            number: self.log.connected(),
        };
        let jobs = link.jobs.clone();
        let broken = self.hub.broken();
        let service = service_fn(move |request| endpoint::answer(link.clone(), request));
        let builder = auto::Builder::new(jobs.clone());
        let connection = async {
            // A connection that fails has ended like any other.
            let _ = builder
                .serve_connection(TokioIo::new(stream), service)
                .await;
        };
        drive(&jobs, self.backstage.crew.shift(), connection, broken).await;
    }
}
