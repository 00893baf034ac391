//! Owns HTTP/2, which hyper speaks: replies as bodies whose pieces come through a channel.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::job::Job;
use crate::linger::Lingering;
use crate::reply::{Reply, reply};

/// So many calls may be open on one connection.
const STREAMS: u32 = 50_000;
/// Room for the requests of all of them. With hyper's 1 MiB, h2 cuts the requests that come at the edge of the window into small frames, and
/// then takes the many small frames for an attack and closes the connection ("too_many_data_frames").
const WINDOW: u32 = 64 * 1024 * 1024;

/// A body that was there at once, or that comes piece by piece.
enum Pieces {
    Whole(Option<Bytes>),
    Coming(mpsc::Receiver<Bytes>),
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take()),
            Self::Coming(pieces) => pieces.poll_recv(context),
        };
        piece.map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }
}

/// Serves one connection until the client closes it.
pub async fn serve(socket: TcpStream, lingering: Arc<Lingering>) -> io::Result<()> {
    hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .max_concurrent_streams(STREAMS)
        .initial_connection_window_size(WINDOW)
        .serve_connection(
            TokioIo::new(socket),
            service_fn(move |request| answer(request, Arc::clone(&lingering))),
        )
        .await
        .map_err(io::Error::other)
}

async fn answer(
    request: Request<Incoming>,
    lingering: Arc<Lingering>,
) -> Result<Response<Pieces>, Failure> {
    if request.method() != hyper::Method::POST {
        return Ok(Response::builder()
            .status(StatusCode::METHOD_NOT_ALLOWED)
            .body(Pieces::Whole(None))?);
    }
    let body = request.into_body().collect().await?.to_bytes();
    let response = Response::builder();
    Ok(match reply(&body, &lingering) {
        Reply::Accepted => response
            .status(StatusCode::ACCEPTED)
            .body(Pieces::Whole(None))?,
        Reply::Json(json) => response
            .header(header::CONTENT_TYPE, "application/json")
            .body(Pieces::Whole(Some(json.into())))?,
        Reply::Stream(job) => {
            let (sender, pieces) = mpsc::channel(4);
            tokio::spawn(stream(*job, sender));
            response
                .header(header::CONTENT_TYPE, "text/event-stream")
                .body(Pieces::Coming(pieces))?
        }
    })
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn stream(mut job: Job, sender: mpsc::Sender<Bytes>) {
    loop {
        job.due().await;
        let mut out = Vec::new();
        let last = loop {
            let last = job.event(&mut out);
            if last || out.len() >= job.chunk {
                break last;
            }
        };
        // The client has gone when this fails.
        if sender.send(out.into()).await.is_err() || last {
            return;
        }
    }
}
