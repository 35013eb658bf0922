//! A client's end of the encrypted connection.

use anyhow::{Context as _, Result, ensure};
use buffa::{Message as _, MessageField};
use bytes::BytesMut;
use futures::{SinkExt as _, StreamExt as _};
use rand::rngs::StdRng;
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, MaybeTlsStream, Message, WebSocketStream};
use wacore_binary::consts::{NOISE_PATTERN_XX, WA_CONN_HEADER};
use wacore_binary::marshal::marshal;
use wacore_binary::{Node, OwnedNodeRef};
use wacore_libsignal::protocol::KeyPair;
use wacore_noise::framing::{FrameDecoder, encode_frame};
use wacore_noise::{NoiseCipher, NoiseHandshake};
use waproto::whatsapp as wa;

/// An encrypted connection.
pub struct Wire {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    decoder: FrameDecoder,
    to_server: NoiseCipher,
    from_server: NoiseCipher,
    sent: u32,
    received: u32,
}

impl Wire {
    /// Connects and shakes hands, without looking at the server's certificate.
    pub async fn open(url: &str, key: &KeyPair, payload: &wa::ClientPayload) -> Result<Self> {
        let (mut socket, _) = ClientBuilder::new().uri(url)?.connect().await?;
        let mut decoder = FrameDecoder::new();
        let ephemeral = KeyPair::generate(&mut rand::make_rng::<StdRng>());
        let mut noise = NoiseHandshake::new(NOISE_PATTERN_XX, &WA_CONN_HEADER)?;
        let public = ephemeral.public_key.public_key_bytes();
        noise.authenticate(public);
        let hello = wa::handshake_message::ClientHello {
            ephemeral: Some(public.to_vec()),
            ..Default::default()
        };
        let hello =
            wa::HandshakeMessage { client_hello: MessageField::some(hello), ..Default::default() };
        let frame = encode_frame(&hello.encode_to_vec(), Some(&WA_CONN_HEADER))?;
        socket.send(Message::binary(frame)).await?;

        let answer = frame_from(&mut socket, &mut decoder).await?;
        let answer = wa::HandshakeMessage::decode_from_slice(&answer)?;
        let answer = answer.server_hello.into_option().context("no server hello")?;
        let theirs: [u8; 32] =
            answer.ephemeral.unwrap_or_default().try_into().ok().context("no key")?;
        noise.authenticate(&theirs);
        noise.mix_shared_secret(ephemeral.private_key.serialize(), &theirs)?;
        let their_static: [u8; 32] = noise
            .decrypt(&answer.r#static.context("no static key")?)?
            .try_into()
            .ok()
            .context("no key")?;
        noise.mix_shared_secret(ephemeral.private_key.serialize(), &their_static)?;
        noise.decrypt(&answer.payload.context("no certificate")?)?;
        let sealed_key = noise.encrypt(key.public_key.public_key_bytes())?;
        noise.mix_shared_secret(key.private_key.serialize(), &theirs)?;
        let sealed_payload = noise.encrypt(&payload.encode_to_vec())?;
        let finish = wa::handshake_message::ClientFinish {
            r#static: Some(sealed_key),
            payload: Some(sealed_payload),
            ..Default::default()
        };
        let finish = wa::HandshakeMessage {
            client_finish: MessageField::some(finish),
            ..Default::default()
        };
        socket.send(Message::binary(encode_frame(&finish.encode_to_vec(), None)?)).await?;
        let (to_server, from_server) = noise.finish()?;
        Ok(Self { socket, decoder, to_server, from_server, sent: 0, received: 0 })
    }

    /// Sends a stanza.
    pub async fn send(&mut self, node: &Node) -> Result<()> {
        let sealed = self.to_server.encrypt_with_counter(self.sent, &marshal(node)?)?;
        self.sent += 1;
        self.socket.send(Message::binary(encode_frame(&sealed, None)?)).await?;
        Ok(())
    }

    /// The next stanza.
    pub async fn next(&mut self) -> Result<OwnedNodeRef> {
        let mut frame = frame_from(&mut self.socket, &mut self.decoder).await?;
        self.from_server.decrypt_in_place_with_counter(self.received, &mut frame)?;
        self.received += 1;
        Ok(OwnedNodeRef::new(wacore_binary::util::unpack_bytes(frame)?)?)
    }
}

async fn frame_from(
    socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>,
    decoder: &mut FrameDecoder,
) -> Result<BytesMut> {
    loop {
        if let Some(frame) = decoder.decode_frame() {
            return Ok(frame);
        }
        let message = socket.next().await.context("the network hung up")??;
        ensure!(!message.is_close(), "the network hung up");
        decoder.feed(message.as_payload());
    }
}
