//! How far messages come, as their recipients say.

use api::link::WorkerConfig;
use api::records::MessageState;
use whatsim::{Fault, ReceiptKind};

use crate::fixture::{ACCOUNT, CONTACT, Fixture};

async fn greeting() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.plane.set_config(WorkerConfig {
        version: 1,
        greeting: "hello".to_owned(),
        rate_limit_max_per_minute: 600,
        pacing: api::pacing::Pacing::off(),
        ..WorkerConfig::default()
    });
    fixture
}

#[tokio::test]
async fn an_answer_is_sent_then_delivered_then_read() {
    let fixture = greeting().await;
    let running = fixture.start_paired().await;
    fixture.sim.withhold_receipts(CONTACT, true).unwrap();
    fixture.write("hi");
    assert_eq!(fixture.answer_after(0).await, "hello");
    let id = fixture.answer_ids().remove(0);
    fixture.plane.state(&id, MessageState::Sent).await;
    for (kind, state) in
        [(ReceiptKind::Delivered, MessageState::Delivered), (ReceiptKind::Read, MessageState::Read)]
    {
        fixture.sim.send_receipt(CONTACT, &id, kind).unwrap();
        assert_eq!(fixture.plane.state(&id, state).await, None);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_receipt_stands_in_for_a_lost_acknowledgement() {
    let fixture = greeting().await;
    let running = fixture.start_paired().await;
    fixture.sim.inject(ACCOUNT, Fault::LoseAcks).unwrap();
    fixture.write("hi");
    assert_eq!(fixture.answer_after(0).await, "hello");
    let id = fixture.answer_ids().remove(0);
    fixture.plane.state(&id, MessageState::Delivered).await;
    assert_eq!(fixture.plane.messages(2).await.len(), 2, "it is in the log");
    assert_eq!(fixture.answers(), 1, "it is not sent again");
    running.stop().await;
}
