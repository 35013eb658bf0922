use wacore_noise::framing::FrameDecoder;
use wacore_noise::{IkHandshakeState, IkServerHelloOutcome};

use super::*;

fn login_payload() -> Vec<u8> {
    wa::ClientPayload { username: Some(15_550_001), device: Some(3), ..Default::default() }
        .encode_to_vec()
}

#[test]
fn a_client_that_knows_the_key_is_let_in_with_one_answer() {
    let (server, client) = (fresh_key(), fresh_key());
    let mut initiator = IkHandshakeState::new(
        client.clone(),
        public_bytes(&server),
        login_payload(),
        &WA_CONN_HEADER,
    )
    .unwrap();
    let hello = initiator.build_client_hello().unwrap();
    let Opening::Established { answer, established } = open(&server, &hello).unwrap() else {
        panic!("an IK opening was not accepted");
    };
    let mut established = *established;
    assert_eq!(established.client_key, public_bytes(&client));
    assert_eq!(established.payload.username, Some(15_550_001));

    let IkServerHelloOutcome::Continue(outcome) = initiator.read_server_hello(&answer).unwrap()
    else {
        panic!("the answer reads as a refusal");
    };
    let mut wire = Vec::new();
    established.channel.seal(b"\0to the client", &mut wire).unwrap();
    let mut decoder = FrameDecoder::new();
    decoder.feed(&wire);
    let mut frame = decoder.decode_frame().unwrap();
    outcome.read_cipher.decrypt_in_place_with_counter(0, &mut frame).unwrap();
    assert_eq!(&frame[..], b"\0to the client");

    let sealed = outcome.write_cipher.encrypt_with_counter(0, b"\0to the server").unwrap();
    let node = established.channel.unseal(BytesMut::from(&sealed[..])).unwrap();
    assert_eq!(&node[..], b"to the server");
}

#[test]
fn an_opening_for_another_key_is_answered_in_xx_form() {
    let (server, client) = (fresh_key(), fresh_key());
    let mut initiator =
        IkHandshakeState::new(client, public_bytes(&fresh_key()), login_payload(), &WA_CONN_HEADER)
            .unwrap();
    let hello = initiator.build_client_hello().unwrap();
    let Opening::AwaitingFinish { answer, .. } = open(&server, &hello).unwrap() else {
        panic!("an opening for a foreign key was accepted");
    };
    assert!(matches!(
        initiator.read_server_hello(&answer).unwrap(),
        IkServerHelloOutcome::Fallback(_)
    ));
}

#[test]
fn the_prologue_may_follow_routing_information() {
    let mut routed = vec![b'E', b'D', 0, 1, 0, 0, 2, 9, 9];
    assert_eq!(prologue_length(&routed).unwrap(), None);
    routed.extend_from_slice(&WA_CONN_HEADER);
    assert_eq!(prologue_length(&routed).unwrap(), Some(13));
    assert_eq!(prologue_length(&WA_CONN_HEADER[..2]).unwrap(), None);
    assert_eq!(prologue_length(&WA_CONN_HEADER).unwrap(), Some(4));
    assert!(prologue_length(b"GET / HTTP/1.1").is_err());
}
