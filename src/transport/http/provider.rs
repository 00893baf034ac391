//! Headers that are asked for anew with each HTTP request.
//!
//! Owns the question and the stored closure. It must not know when requests are sent.

use std::fmt;
use std::future::Future;

use futures::future::{BoxFuture, FutureExt};
use reqwest::header::HeaderMap;

use super::header::header;
use crate::error::{Error, ErrorKind, Result};
use crate::sync::Arc;

/// What a header provider is asked; see [`HttpEndpoint::header_provider`](super::endpoint::HttpEndpoint::header_provider).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct HeaderQuery {
    /// Whether the server has just answered 401 to the headers given before: new ones are needed, or none will help.
    pub refused: bool,
    /// The `WWW-Authenticate` header of that answer, which says what the server wants.
    pub challenge: Option<String>,
}

type Answer = std::result::Result<Vec<(String, String)>, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Clone)]
pub(crate) struct HeaderProvider(
    Arc<dyn Fn(HeaderQuery) -> BoxFuture<'static, Answer> + Send + Sync>,
);

impl HeaderProvider {
    pub(crate) fn new<F, Fut>(provide: F) -> Self
    where
        F: Fn(HeaderQuery) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        Self(Arc::new(move |query| provide(query).boxed()))
    }

    pub(crate) async fn headers(&self, query: HeaderQuery) -> Result<HeaderMap> {
        let failed = |source| {
            Error::new(
                ErrorKind::InvalidInput,
                "the header provider gave no headers",
            )
            .with_source(source)
        };
        let given = (self.0)(query).await.map_err(failed)?;
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            let (name, value) =
                header(&name, &value).map_err(|text| Error::new(ErrorKind::InvalidInput, text))?;
            headers.append(name, value);
        }
        Ok(headers)
    }
}

impl fmt::Debug for HeaderProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeaderProvider")
    }
}
