//! The control plane's parts, held together.

use std::sync::Arc;

use runtime::Runtime;
use store::Store;

use crate::config::Settings;
use crate::fleet::Fleet;
use crate::reconcile::driver::Reconciler;
use crate::recorder::Recorder;
use crate::token::LinkKey;

/// What every route and every background task of the control plane works on.
pub struct ControlPlane {
    /// The settings.
    pub settings: Settings,
    /// What is durable.
    pub store: Store,
    /// What is known.
    pub fleet: Fleet,
    /// Where workers run.
    pub runtime: Arc<dyn Runtime>,
    /// Makes what runs equal to what is wanted.
    pub reconciler: Reconciler,
    /// Writes down what happens.
    pub recorder: Recorder,
    /// Proves who speaks on the worker link.
    pub link_key: LinkKey,
    /// The SHA-256 of the admin token.
    pub admin_token_hash: String,
}
