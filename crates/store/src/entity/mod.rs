//! The tables, one entity each. Enumerations are stored as the words that the API says.

pub mod api_key;
pub mod audit_head;
pub mod audit_log;
pub mod brand;
pub mod browser_session;
pub mod deletion;
pub mod event;
pub mod event_head;
pub mod installation_key;
pub mod membership;
pub mod message_log;
pub mod one_time_link;
pub mod outgoing;
pub mod tenant;
pub mod tenant_config;
pub mod upload;
pub mod user;
pub mod whatsapp_session;
pub mod worker_process;
