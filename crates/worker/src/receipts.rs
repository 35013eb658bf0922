//! Receipts: what contacts' phones say of the messages that were sent to them.

use api::records::MessageState;
use chrono::Utc;
use whatsapp_rust::types::events::Receipt;
use whatsapp_rust::types::presence::ReceiptType;

use crate::answers::AckDesk;
use crate::store::BotStore;

/// Takes note of a receipt. One that comes without the acknowledgement stands for it.
pub fn note(store: &BotStore, acks: &AckDesk, receipt: &Receipt) {
    let state = match receipt.r#type {
        ReceiptType::Delivered | ReceiptType::Inactive => MessageState::Delivered,
        ReceiptType::Read | ReceiptType::Played => MessageState::Read,
        _ => return,
    };
    if receipt.source.is_from_me {
        return;
    }
    if let Err(error) = store.advance(&receipt.message_ids, state, Utc::now()) {
        tracing::error!(%error, "cannot store a receipt; the messages stay as they are");
        return;
    }
    for id in &receipt.message_ids {
        acks.acknowledged(id, None);
    }
}
