//! A change of what exists: `restart NAME --max-memory-restart 200M`.

use supervisor::wire::ProcessSpec;

use super::{AppError, Context, Specs, label};
use crate::app::App;

/// An existing description with some fields changed. The instance keeps its number, and its log files unless the change
/// names others. It inherits `context.env`: give the description's own `base_env` there to keep it.
///
/// # Errors
/// As [`App::specs`].
pub fn updated(spec: &ProcessSpec, flags: &App, context: &Context) -> Result<Specs, AppError> {
    let mut app = App::from_spec(spec);
    app.overlay(flags);
    app.instances = None;
    app.merge_logs = Some(app.merge_logs.unwrap_or(spec.merge_logs));
    let mut context = context.clone();
    let name = app.full_name(context.env_name.as_deref())?;
    context.taken.insert(name, (0..spec.instance).collect());
    let mut new = app.specs(&context)?;
    for changed in &mut new.specs {
        keep_logs(spec, flags, changed);
        if let Some(instances) = spec.labels.get(label::INSTANCES) {
            changed.labels.insert(label::INSTANCES, instances);
        }
        for (name, value) in spec.labels.iter() {
            if !changed.labels.contains_key(name) {
                changed.labels.insert(name, value);
            }
        }
    }
    Ok(new)
}

fn keep_logs(old: &ProcessSpec, flags: &App, new: &mut ProcessSpec) {
    if flags.disable_logs.is_some() || flags.merge_logs.is_some() {
        return;
    }
    if flags.out_file.is_none() {
        new.out_file.clone_from(&old.out_file);
    }
    if flags.error_file.is_none() {
        new.error_file.clone_from(&old.error_file);
    }
    if flags.log_file.is_none() {
        new.log_file.clone_from(&old.log_file);
    }
    new.merge_logs = old.merge_logs;
}
