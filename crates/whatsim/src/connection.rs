//! One client's connection: a single task that reads, reacts and writes.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use futures::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_websockets::{Limits, Message, ServerBuilder, WebSocketStream};
use wacore::xml::DisplayableNodeRef;
use wacore_binary::marshal::unmarshal_ref;
use wacore_noise::framing::{FrameDecoder, encode_frame};

use crate::network::Network;
use crate::noise::{self, Channel, Established, NoiseFault, Opening};
use crate::stanza::login::{self, Credentials};
use crate::stanza::{self, Reaction, nodes};
use crate::world::{Connection, ConnectionId, Control, Manner, Role};

/// Longest wait for the upgrade and each handshake message.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(20);
/// Longest time one write may take.
const WRITE_LIMIT: Duration = Duration::from_secs(20);
/// How long a closed connection waits for the client to close as well. Dropping
/// a socket with unread bytes would take the last words back from the client.
const LINGER: Duration = Duration::from_secs(1);
/// Largest WebSocket message: a frame has a 24-bit length.
const MESSAGE_LIMIT: usize = 1 << 24;

type Socket = WebSocketStream<TcpStream>;

/// Why a connection ended before its client said goodbye.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionFault {
    #[error("the socket failed: {0}")]
    Socket(#[from] tokio_websockets::Error),
    #[error("the option of a socket cannot be set: {0}")]
    Option(#[from] std::io::Error),
    #[error(transparent)]
    Noise(#[from] NoiseFault),
    #[error("the client went away during the handshake")]
    GoneEarly,
    #[error("the client took too long")]
    TooSlow,
    #[error("an unreadable stanza: {0}")]
    Stanza(#[from] wacore_binary::BinaryError),
    #[error("a frame cannot be formed: {0}")]
    Frame(String),
}

/// Serves one accepted connection until it ends.
pub(crate) async fn serve(network: Arc<Network>, stream: TcpStream) {
    let ended = tokio::select! {
        ended = run(&network, stream) => ended,
        () = network.stop.cancelled() => Ok(()),
    };
    if let Err(fault) = ended {
        tracing::debug!(%fault, "a connection ended");
    }
}

async fn run(network: &Arc<Network>, stream: TcpStream) -> Result<(), ConnectionFault> {
    stream.set_nodelay(true)?;
    let builder =
        ServerBuilder::new().limits(Limits::default().max_payload_len(Some(MESSAGE_LIMIT)));
    let (_, mut socket) = tokio::time::timeout(HANDSHAKE_LIMIT, builder.accept(stream))
        .await
        .map_err(|_| ConnectionFault::TooSlow)??;
    let mut decoder = FrameDecoder::new();
    let established = Box::pin(handshake(network, &mut socket, &mut decoder)).await?;
    let credentials = Credentials::from_payload(&established.payload);
    let limit = network.world().config.outbound_limit.max(1);
    let (out, queue) = mpsc::channel(limit);
    let (control, orders) = watch::channel(Control::Running(Manner::default()));
    let role = Role::Stranger;
    let connection = Connection { out, control, client_key: established.client_key, role };
    let (id, greeting) = {
        let mut world = network.world();
        let id = world.open_connection(connection);
        let greeting = login::greet(&mut world, id, credentials.as_ref());
        (id, greeting)
    };
    let registration = Registration { network, id };
    let mut session = Session {
        socket,
        decoder,
        channel: established.channel,
        manner: Manner::default(),
        withheld: Vec::new(),
        withheld_limit: limit,
    };
    let outcome = session.converse(network, id, greeting, queue, orders).await;
    drop(registration);
    match outcome {
        Ok(Ending::Polite) => {
            session.linger().await;
            Ok(())
        }
        Ok(Ending::Abrupt) => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// Takes a connection out of the world's books, however its task ends.
struct Registration<'a> {
    network: &'a Arc<Network>,
    id: ConnectionId,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.network.world().close_connection(self.id);
    }
}

async fn handshake(
    network: &Network,
    socket: &mut Socket,
    decoder: &mut FrameDecoder,
) -> Result<Established, ConnectionFault> {
    let mut opening = BytesMut::new();
    loop {
        opening.extend_from_slice(&next_bytes(socket).await?);
        if let Some(length) = noise::prologue_length(&opening)? {
            decoder.feed(&opening[length..]);
            break;
        }
    }
    let hello = next_frame(socket, decoder).await?;
    match noise::open(&network.static_key, &hello)? {
        Opening::Established { answer, established } => {
            send(socket, framed(&answer)?).await?;
            Ok(*established)
        }
        Opening::AwaitingFinish { answer, pending } => {
            send(socket, framed(&answer)?).await?;
            let finish = next_frame(socket, decoder).await?;
            Ok(pending.finish(&finish)?)
        }
    }
}

async fn next_frame(
    socket: &mut Socket,
    decoder: &mut FrameDecoder,
) -> Result<BytesMut, ConnectionFault> {
    loop {
        if let Some(frame) = decoder.decode_frame() {
            return Ok(frame);
        }
        decoder.feed(&next_bytes(socket).await?);
    }
}

async fn next_bytes(socket: &mut Socket) -> Result<bytes::Bytes, ConnectionFault> {
    let message = tokio::time::timeout(HANDSHAKE_LIMIT, socket.next())
        .await
        .map_err(|_| ConnectionFault::TooSlow)?
        .ok_or(ConnectionFault::GoneEarly)??;
    Ok(message.into_payload().into())
}

fn framed(bytes: &[u8]) -> Result<Vec<u8>, ConnectionFault> {
    encode_frame(bytes, None).map_err(|error| ConnectionFault::Frame(error.to_string()))
}

async fn send(socket: &mut Socket, bytes: Vec<u8>) -> Result<(), ConnectionFault> {
    tokio::time::timeout(WRITE_LIMIT, socket.send(Message::binary(bytes)))
        .await
        .map_err(|_| ConnectionFault::TooSlow)??;
    Ok(())
}

/// How a conversation ended.
enum Ending {
    /// Last words were said; the client is to read them.
    Polite,
    /// The client left, or the socket is to be dropped at once.
    Abrupt,
}

struct Session {
    socket: Socket,
    decoder: FrameDecoder,
    channel: Channel,
    manner: Manner,
    /// Answers that wait because the connection may not write.
    withheld: Vec<Vec<u8>>,
    withheld_limit: usize,
}

impl Session {
    async fn converse(
        &mut self,
        network: &Network,
        id: ConnectionId,
        greeting: Reaction,
        mut queue: mpsc::Receiver<Vec<u8>>,
        mut orders: watch::Receiver<Control>,
    ) -> Result<Ending, ConnectionFault> {
        if let Control::Running(manner) = *orders.borrow() {
            self.manner = manner;
        }
        if self.answer(greeting).await?.is_break() {
            return Ok(Ending::Polite);
        }
        // Stanzas may have come in together with the handshake.
        if self.react_to_frames(network, id).await?.is_break() {
            return Ok(Ending::Polite);
        }
        loop {
            let order = orders.borrow_and_update().clone();
            match order {
                Control::Running(manner) => self.manner = manner,
                Control::Closing(last_words) => {
                    self.manner = Manner::default();
                    self.release().await?;
                    while let Ok(bytes) = queue.try_recv() {
                        self.write([bytes.as_slice()]).await?;
                    }
                    if !last_words.is_empty() {
                        self.write([last_words.as_slice()]).await?;
                    }
                    return Ok(Ending::Polite);
                }
                Control::Cut => return Ok(Ending::Abrupt),
            }
            self.release().await?;
            tokio::select! {
                biased;
                changed = orders.changed() => {
                    if changed.is_err() {
                        return Ok(Ending::Abrupt);
                    }
                }
                Some(bytes) = queue.recv(), if self.manner.writes() => {
                    self.write([bytes.as_slice()]).await?;
                }
                message = self.socket.next(), if self.manner.reads() => {
                    let Some(message) = message else {
                        return Ok(Ending::Abrupt);
                    };
                    let message = message?;
                    if message.is_close() {
                        return Ok(Ending::Abrupt);
                    }
                    if message.is_binary() {
                        self.decoder.feed(message.as_payload());
                        if self.react_to_frames(network, id).await?.is_break() {
                            return Ok(Ending::Polite);
                        }
                    }
                }
            }
        }
    }

    /// Handles every complete frame received so far.
    async fn react_to_frames(
        &mut self,
        network: &Network,
        id: ConnectionId,
    ) -> Result<ControlFlow<()>, ConnectionFault> {
        while let Some(frame) = self.decoder.decode_frame() {
            self.pause().await;
            let bytes = self.channel.unseal(frame)?;
            let reaction = {
                let node = unmarshal_ref(&bytes)?;
                tracing::trace!(connection = id, stanza = %DisplayableNodeRef(&node), "received");
                stanza::react(&mut network.world(), id, &node)
            };
            if self.answer(reaction).await?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn answer(&mut self, reaction: Reaction) -> Result<ControlFlow<()>, ConnectionFault> {
        let bytes: Vec<Vec<u8>> = reaction.replies.iter().filter_map(nodes::marshalled).collect();
        if self.manner.writes() {
            self.write(bytes.iter().map(Vec::as_slice)).await?;
        } else {
            self.withheld.extend(bytes);
            if self.withheld.len() > self.withheld_limit {
                return Err(ConnectionFault::TooSlow);
            }
        }
        Ok(if reaction.close { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// Writes what was withheld, once that is allowed.
    async fn release(&mut self) -> Result<(), ConnectionFault> {
        if !self.manner.writes() {
            return Ok(());
        }
        let withheld = std::mem::take(&mut self.withheld);
        self.write(withheld.iter().map(Vec::as_slice)).await
    }

    async fn pause(&self) {
        if !self.manner.delay.is_zero() {
            tokio::time::sleep(self.manner.delay).await;
        }
    }

    /// Writes stanzas as frames of one WebSocket message, or one by one if each is slow.
    async fn write<'a>(
        &mut self,
        stanzas: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), ConnectionFault> {
        let mut wire = Vec::new();
        for stanza in stanzas {
            if !self.manner.delay.is_zero() && !wire.is_empty() {
                send(&mut self.socket, std::mem::take(&mut wire)).await?;
            }
            self.pause().await;
            self.channel.seal(stanza, &mut wire)?;
        }
        if wire.is_empty() {
            return Ok(());
        }
        send(&mut self.socket, wire).await
    }

    /// Closes and waits a moment for the client to do the same.
    async fn linger(&mut self) {
        let farewell = async {
            if self.socket.close().await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // A client that does not close is left.
        let _ = tokio::time::timeout(LINGER, farewell).await;
    }
}
