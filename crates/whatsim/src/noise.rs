//! The server's side of the Noise handshake and the encrypted channel after it.
//!
//! A client that knows the server's static key opens with IK and is answered in
//! one message; any other opens with XX. An IK opening made for another static
//! key is answered in XX form, as the real service does after a key change.
//!
//! ```text
//! ClientHello ──XX──> AwaitingFinish ──ClientFinish──> Established
//!             ──IK───────────────────────────────────> Established
//! ```

use buffa::{Message, MessageField};
use bytes::BytesMut;
use wacore_binary::consts::{
    NOISE_PATTERN_IK, NOISE_PATTERN_XX, NOISE_PATTERN_XXFALLBACK, WA_CONN_HEADER,
};
use wacore_libsignal::protocol::KeyPair;
use wacore_noise::{HandshakeError, NoiseCipher, NoiseHandshake};
use waproto::whatsapp as wa;

use crate::server_key::{KEY_BYTES, public_bytes};

/// Announces routing information ahead of the prologue: `ED`, 0, 1, then a
/// three-byte length and that many bytes.
const EDGE_ROUTING_MARK: [u8; 4] = [b'E', b'D', 0, 1];
const EDGE_ROUTING_HEADER: usize = 7;

/// Why a client could not be let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoiseFault {
    #[error("the connection does not open with the expected prologue: {0:02x?}")]
    Prologue([u8; 4]),
    #[error("the handshake message lacks {0}")]
    Missing(&'static str),
    #[error("{0} has the wrong length")]
    Length(&'static str),
    #[error("undecodable handshake message: {0}")]
    Decode(#[from] buffa::DecodeError),
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error("a frame failed to decrypt or decompress: {0}")]
    Frame(String),
    #[error("a frame counter ran out")]
    CounterExhausted,
}

/// How many leading bytes belong to the prologue, or `None` while it is incomplete.
pub(crate) fn prologue_length(bytes: &[u8]) -> Result<Option<usize>, NoiseFault> {
    let mut start = 0;
    if bytes.starts_with(&EDGE_ROUTING_MARK) {
        let Some(header) = bytes.get(..EDGE_ROUTING_HEADER) else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([0, header[4], header[5], header[6]]) as usize;
        start = EDGE_ROUTING_HEADER + length;
    }
    let Some(prologue) = bytes.get(start..start + WA_CONN_HEADER.len()) else {
        return Ok(None);
    };
    if prologue != WA_CONN_HEADER {
        let mut seen = [0; 4];
        seen.copy_from_slice(prologue);
        return Err(NoiseFault::Prologue(seen));
    }
    Ok(Some(start + WA_CONN_HEADER.len()))
}

/// A finished handshake: who the client is and the channel to it.
pub(crate) struct Established {
    pub(crate) channel: Channel,
    /// The client's static public key.
    pub(crate) client_key: [u8; KEY_BYTES],
    pub(crate) payload: wa::ClientPayload,
}

/// What the server does after the client's opening.
pub(crate) enum Opening {
    /// IK: answer and talk.
    Established { answer: Vec<u8>, established: Box<Established> },
    /// XX: answer and wait for the client's last handshake message.
    AwaitingFinish { answer: Vec<u8>, pending: Box<PendingFinish> },
}

/// An XX handshake that still needs the client's static key and payload.
pub(crate) struct PendingFinish {
    noise: NoiseHandshake,
    ephemeral: KeyPair,
}

/// Answers a client's opening message.
pub(crate) fn open(static_key: &KeyPair, frame: &[u8]) -> Result<Opening, NoiseFault> {
    let hello = wa::HandshakeMessage::decode_from_slice(frame)?
        .client_hello
        .into_option()
        .ok_or(NoiseFault::Missing("the client hello"))?;
    let client_ephemeral = key(hello.ephemeral.as_deref(), "the client's ephemeral key")?;
    match (hello.r#static, hello.payload) {
        (Some(sealed_key), Some(sealed_payload)) => {
            match open_ik(static_key, &client_ephemeral, &sealed_key, &sealed_payload) {
                Ok(opening) => Ok(opening),
                Err(fault) => {
                    tracing::debug!(%fault, "an IK opening is answered in XX form");
                    open_xx(static_key, &client_ephemeral, NOISE_PATTERN_XXFALLBACK)
                }
            }
        }
        _ => open_xx(static_key, &client_ephemeral, NOISE_PATTERN_XX),
    }
}

fn open_ik(
    static_key: &KeyPair,
    client_ephemeral: &[u8; KEY_BYTES],
    sealed_key: &[u8],
    sealed_payload: &[u8],
) -> Result<Opening, NoiseFault> {
    let own = static_key.private_key.serialize();
    let mut noise = NoiseHandshake::new(NOISE_PATTERN_IK, &WA_CONN_HEADER)?;
    noise.authenticate(static_key.public_key.public_key_bytes());
    noise.authenticate(client_ephemeral);
    noise.mix_shared_secret(own, client_ephemeral)?;
    let client_key = key(Some(&noise.decrypt(sealed_key)?), "the client's static key")?;
    noise.mix_shared_secret(own, &client_key)?;
    let payload = wa::ClientPayload::decode_from_slice(&noise.decrypt(sealed_payload)?)?;

    let ephemeral = fresh_key();
    let ephemeral_public = public_bytes(&ephemeral);
    noise.authenticate(&ephemeral_public);
    noise.mix_shared_secret(ephemeral.private_key.serialize(), client_ephemeral)?;
    noise.mix_shared_secret(ephemeral.private_key.serialize(), &client_key)?;
    let sealed_certificate = noise.encrypt(&certificate_chain(&public_bytes(static_key)))?;
    let answer = server_hello(&ephemeral_public, None, sealed_certificate);
    let established = Established { channel: Channel::new(noise)?, client_key, payload };
    Ok(Opening::Established { answer, established: Box::new(established) })
}

fn open_xx(
    static_key: &KeyPair,
    client_ephemeral: &[u8; KEY_BYTES],
    pattern: &str,
) -> Result<Opening, NoiseFault> {
    let mut noise = NoiseHandshake::new(pattern, &WA_CONN_HEADER)?;
    noise.authenticate(client_ephemeral);
    let ephemeral = fresh_key();
    let ephemeral_public = public_bytes(&ephemeral);
    noise.authenticate(&ephemeral_public);
    noise.mix_shared_secret(ephemeral.private_key.serialize(), client_ephemeral)?;
    let static_public = public_bytes(static_key);
    let sealed_static = noise.encrypt(&static_public)?;
    noise.mix_shared_secret(static_key.private_key.serialize(), client_ephemeral)?;
    let sealed_certificate = noise.encrypt(&certificate_chain(&static_public))?;
    let answer = server_hello(&ephemeral_public, Some(sealed_static), sealed_certificate);
    let pending = PendingFinish { noise, ephemeral };
    Ok(Opening::AwaitingFinish { answer, pending: Box::new(pending) })
}

impl PendingFinish {
    /// Reads the client's last handshake message.
    pub(crate) fn finish(mut self, frame: &[u8]) -> Result<Established, NoiseFault> {
        let finish = wa::HandshakeMessage::decode_from_slice(frame)?
            .client_finish
            .into_option()
            .ok_or(NoiseFault::Missing("the client finish"))?;
        let sealed_key = finish.r#static.ok_or(NoiseFault::Missing("the client's static key"))?;
        let sealed_payload = finish.payload.ok_or(NoiseFault::Missing("the client's payload"))?;
        let client_key = key(Some(&self.noise.decrypt(&sealed_key)?), "the client's static key")?;
        self.noise.mix_shared_secret(self.ephemeral.private_key.serialize(), &client_key)?;
        let payload = wa::ClientPayload::decode_from_slice(&self.noise.decrypt(&sealed_payload)?)?;
        Ok(Established { channel: Channel::new(self.noise)?, client_key, payload })
    }
}

/// The encrypted channel of one connection.
pub(crate) struct Channel {
    from_client: NoiseCipher,
    to_client: NoiseCipher,
    received: u32,
    sent: u32,
}

impl Channel {
    fn new(noise: NoiseHandshake) -> Result<Self, NoiseFault> {
        let (from_client, to_client) = noise.finish()?;
        Ok(Self { from_client, to_client, received: 0, sent: 0 })
    }

    /// Decrypts a frame in place and returns the marshalled node in it.
    pub(crate) fn unseal(&mut self, mut frame: BytesMut) -> Result<bytes::Bytes, NoiseFault> {
        self.from_client
            .decrypt_in_place_with_counter(self.received, &mut frame)
            .map_err(|error| NoiseFault::Frame(error.to_string()))?;
        self.received = self.received.checked_add(1).ok_or(NoiseFault::CounterExhausted)?;
        wacore_binary::util::unpack_bytes(frame)
            .map_err(|error| NoiseFault::Frame(error.to_string()))
    }

    /// Encrypts a marshalled node and appends it to `out` as one frame.
    pub(crate) fn seal(&mut self, node: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseFault> {
        let sealed = self
            .to_client
            .encrypt_with_counter(self.sent, node)
            .map_err(|error| NoiseFault::Frame(error.to_string()))?;
        self.sent = self.sent.checked_add(1).ok_or(NoiseFault::CounterExhausted)?;
        wacore_noise::framing::append_frame_into(&sealed, None, out)
            .map_err(|error| NoiseFault::Frame(error.to_string()))
    }
}

fn server_hello(
    ephemeral: &[u8; KEY_BYTES],
    sealed_static: Option<Vec<u8>>,
    sealed_certificate: Vec<u8>,
) -> Vec<u8> {
    wa::HandshakeMessage {
        server_hello: MessageField::some(wa::handshake_message::ServerHello {
            ephemeral: Some(ephemeral.to_vec()),
            r#static: sealed_static,
            payload: Some(sealed_certificate),
            ..Default::default()
        }),
        ..Default::default()
    }
    .encode_to_vec()
}

/// A chain of the right form whose signatures are empty: nobody but the real
/// service can sign it, and prepared sessions never look at it.
fn certificate_chain(static_public: &[u8; KEY_BYTES]) -> Vec<u8> {
    const YEAR_SECONDS: u64 = 365 * 24 * 3600;
    let now = crate::clock::unix_seconds();
    let certificate = |serial: u32, issuer_serial: u32, key: &[u8]| {
        let details = wa::cert_chain::noise_certificate::Details {
            serial: Some(serial),
            issuer_serial: Some(issuer_serial),
            key: Some(key.to_vec()),
            not_before: Some(now.saturating_sub(YEAR_SECONDS)),
            not_after: Some(now + YEAR_SECONDS),
        };
        MessageField::some(wa::cert_chain::NoiseCertificate {
            details: Some(details.encode_to_vec()),
            signature: Some(vec![0; 64]),
        })
    };
    wa::CertChain {
        leaf: certificate(2, 1, static_public),
        intermediate: certificate(1, 0, static_public),
    }
    .encode_to_vec()
}

fn key(bytes: Option<&[u8]>, name: &'static str) -> Result<[u8; KEY_BYTES], NoiseFault> {
    bytes.ok_or(NoiseFault::Missing(name))?.try_into().map_err(|_| NoiseFault::Length(name))
}

fn fresh_key() -> KeyPair {
    KeyPair::generate(&mut rand::make_rng::<rand::rngs::StdRng>())
}

#[cfg(test)]
mod tests;
