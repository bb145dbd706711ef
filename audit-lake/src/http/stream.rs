//! A connection's stream as hyper reads and writes it, observed: which version of HTTP it begins as, and whether input is
//! still unanswered.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What an HTTP/2 connection begins with.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How far into an answer to look for what hyper answers by itself.
const AUTOMATIC_BYTES: usize = 128;

/// A stream, and what was observed on it.
pub(crate) struct ObservedStream<S> {
    stream: S,
    /// Bytes that were read to learn the version, and that hyper has not had yet.
    ahead: Vec<u8>,
    /// Whether bytes came in after the last that went out.
    unanswered: bool,
    /// Called when bytes were read, and when bytes were written.
    observers: Option<[Box<dyn Fn() + Send>; 2]>,
}

impl<S> ObservedStream<S> {
    fn wrote(&mut self, bytes: usize) {
        if bytes > 0 {
            self.unanswered = false;
            if let Some([_, written]) = &self.observers {
                written();
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> ObservedStream<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, ahead: Vec::new(), unanswered: false, observers: None }
    }

    /// Reads until it is certain whether the connection begins as HTTP/2.
    pub(crate) async fn begins_as_http2(&mut self) -> io::Result<bool> {
        while self.ahead.len() < PREFACE.len() && PREFACE.starts_with(&self.ahead) {
            let mut piece = [0; PREFACE.len()];
            let wanted = PREFACE.len() - self.ahead.len();
            let read = self.stream.read(&mut piece[..wanted]).await?;
            if read == 0 {
                break;
            }
            self.unanswered = true;
            self.ahead.extend_from_slice(&piece[..read]);
        }
        Ok(self.ahead == PREFACE)
    }

    /// Calls `read` and `written` whenever bytes were, and `read` now if some were read already.
    pub(crate) fn observe(&mut self, read: Box<dyn Fn() + Send>, written: Box<dyn Fn() + Send>) {
        if !self.ahead.is_empty() {
            read();
        }
        self.observers = Some([read, written]);
    }

    /// Whether bytes were read after the last that were written.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.unanswered
    }

    /// The stream itself, for a final error.
    pub(crate) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }
}

/// Whether this is the bare answer that hyper gives by itself to what it cannot read. Ours all have a body.
fn is_automatic(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(AUTOMATIC_BYTES)];
    let status = [&b"HTTP/1.1 400 "[..], b"HTTP/1.1 414 ", b"HTTP/1.1 431 "].iter().any(|line| start.starts_with(line));
    let bare = b"\r\nconnection: close\r\ncontent-length: 0\r\n";
    status && start.windows(bare.len()).any(|window| window == bare)
}

impl<S: AsyncRead + Unpin> AsyncRead for ObservedStream<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.ahead.is_empty() {
            let fits = this.ahead.len().min(into.remaining());
            into.put_slice(&this.ahead[..fits]);
            this.ahead.drain(..fits);
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, into))?;
        if into.filled().len() > before {
            this.unanswered = true;
            if let Some([read, _]) = &this.observers {
                read();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ObservedStream<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if is_automatic(bytes) {
            // Kept back: the question stays unanswered, and gets an answer that AWS's clients understand.
            this.unanswered = true;
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = ready!(Pin::new(&mut this.stream).poll_write(context, bytes))?;
        this.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = pieces.iter().find(|piece| !piece.is_empty());
        if let Some(first) = first.filter(|first| is_automatic(first)) {
            return self.poll_write(context, first);
        }
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write_vectored(context, pieces))?;
        this.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.unanswered {
            // A final error is to come, after which the stream is closed.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}
