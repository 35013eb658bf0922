//! The one place where errors become status codes.

use axum::http::StatusCode;

use crate::engine::EngineError;
use crate::wire::{ErrorBody, ErrorCode};

/// An error as it goes over the wire.
#[derive(Debug)]
pub(crate) struct HttpError {
    pub(super) status: StatusCode,
    pub(super) body: ErrorBody,
}

impl HttpError {
    fn new(code: ErrorCode, message: String) -> Self {
        let body = ErrorBody { code, message, exit: None, log_tail: Vec::new() };
        Self { status: status(code), body }
    }

    pub(crate) fn bad_request(message: &str) -> Self {
        Self::new(ErrorCode::BadRequest, message.to_owned())
    }

    pub(crate) fn too_large() -> Self {
        let message = "the request is too large; describe fewer processes in one, or less of each";
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, ..Self::bad_request(message) }
    }

    pub(crate) fn upgrade_failed(message: &str) -> Self {
        Self::new(ErrorCode::UpgradeFailed, message.to_owned())
    }

    pub(crate) fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "there is no such path".to_owned())
    }

    pub(crate) fn method_not_allowed() -> Self {
        let message = "this path does not know this method".to_owned();
        Self::new(ErrorCode::MethodNotAllowed, message)
    }
}

fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::UnknownProcess | ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::AmbiguousTarget
        | ErrorCode::NotRunning
        | ErrorCode::NoStdin
        | ErrorCode::AlreadyRunning
        | ErrorCode::Busy
        | ErrorCode::Superseded => StatusCode::CONFLICT,
        ErrorCode::InvalidSpec
        | ErrorCode::SpawnFailed
        | ErrorCode::ExitedEarly
        | ErrorCode::NotReady
        | ErrorCode::UpgradeFailed => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
        ErrorCode::StopFailed | ErrorCode::StateNotSaved => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl From<EngineError> for HttpError {
    fn from(error: EngineError) -> Self {
        let code = match &error {
            EngineError::Unknown { .. } => ErrorCode::UnknownProcess,
            EngineError::Ambiguous { .. } => ErrorCode::AmbiguousTarget,
            EngineError::NotRunning { .. } => ErrorCode::NotRunning,
            EngineError::NoStdin { .. } => ErrorCode::NoStdin,
            EngineError::AlreadyRunning { .. } => ErrorCode::AlreadyRunning,
            EngineError::Busy { .. } => ErrorCode::Busy,
            EngineError::Superseded { .. } => ErrorCode::Superseded,
            EngineError::Invalid(_) | EngineError::OtherName { .. } => ErrorCode::InvalidSpec,
            EngineError::Spawn { .. } => ErrorCode::SpawnFailed,
            EngineError::ExitedEarly { .. } => ErrorCode::ExitedEarly,
            EngineError::NotReady { .. } => ErrorCode::NotReady,
            EngineError::StopFailed { .. } => ErrorCode::StopFailed,
            EngineError::NotSaved { .. } => ErrorCode::StateNotSaved,
            EngineError::ShuttingDown => ErrorCode::ShuttingDown,
        };
        let mut http = Self::new(code, error.to_string());
        match error {
            EngineError::ExitedEarly { exit, log_tail, .. } => {
                http.body.exit = Some(exit);
                http.body.log_tail = log_tail;
            }
            EngineError::NotReady { log_tail, .. } => http.body.log_tail = log_tail,
            _ => {}
        }
        http
    }
}
