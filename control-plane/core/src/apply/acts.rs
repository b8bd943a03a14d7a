//! Acts of proxies. They change no resource, so that there is no new revision; they are in the ledger all the same.

use super::Done;
use crate::audit::Entry;
use crate::command::Act;
use crate::draft::Draft;

/// Records each act that was not recorded before. A proxy repeats its report until it is answered, so that the same act
/// may come many times: it counts once for each process, object and generation.
pub(super) fn record(draft: &mut Draft, acts: &[Act]) -> Done {
    let mut entries = Vec::new();
    for act in acts {
        let origin = format!("{}\0{}", act.boot_id, act.object);
        if draft.state.acts.get(&origin).is_some_and(|newest| act.generation <= *newest) {
            continue;
        }
        draft.put_generation(origin, act.generation);
        let entry = Entry::new(&act.action, act.object.clone())
            .because(&act.reason)
            .with("proxy", &act.proxy)
            .with("boot_id", &act.boot_id)
            .with("from", &act.from)
            .with("to", &act.to)
            .with("at", &act.at.to_rfc3339())
            .with("generation", &act.generation.to_string());
        entries.push(entry);
    }
    Done { entries, ..Done::default() }
}
