//! Kinds that are stored and that nothing acts on yet: what must hold within one of them all the same.

use std::collections::BTreeSet;

use breakwater_proto::v1;

use super::Problems;

/// Checks that targets have names of their own and that each route of the workflow names targets that exist.
pub(super) fn check_delivery_workflow(spec: &v1::DeliveryWorkflowSpec, problems: &mut Problems) {
    problems.unique("spec.targets", spec.targets.iter().map(|target| target.name.as_str()));
    let names: BTreeSet<&str> = spec.targets.iter().map(|target| target.name.as_str()).collect();
    for (route_index, route) in spec.routes.iter().enumerate() {
        for (index, target) in route.targets.iter().enumerate() {
            if !names.contains(target.as_str()) {
                let known: Vec<_> = names.iter().copied().collect();
                problems.add(
                    format!("spec.routes[{route_index}].targets[{index}]"),
                    format!(
                        "this workflow has no target \"{target}\"; its targets are: {}",
                        known.join(", ")
                    ),
                );
            }
        }
    }
}
