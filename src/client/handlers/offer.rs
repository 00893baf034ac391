//! What a client says that it can do: what its handlers are good for, and what its user said.
//!
//! Owns how the two are put together, and how that reads in each revision. It must not know handlers.

use serde_json::{Map, Value};

use crate::model::{ClientCapabilities, ElicitationCapability, ProtocolVersion};

/// What both say together; where both say something of the same capability, `first` counts.
pub(crate) fn together(
    first: &ClientCapabilities,
    second: &ClientCapabilities,
) -> ClientCapabilities {
    let mut both = first.clone();
    let second = second.clone();
    both.roots = both.roots.or(second.roots);
    both.sampling = both.sampling.or(second.sampling);
    both.elicitation = both.elicitation.or(second.elicitation);
    both.tasks = both.tasks.or(second.tasks);
    add(&mut both.experimental, second.experimental);
    add(&mut both.extensions, second.extensions);
    for (key, value) in second.other {
        both.other.entry(key).or_insert(value);
    }
    both
}

fn add(first: &mut Option<Map<String, Value>>, second: Option<Map<String, Value>>) {
    for (key, value) in second.into_iter().flatten() {
        let first = first.get_or_insert_default();
        first.entry(key).or_insert(value);
    }
}

/// What handlers offer, as this revision says it.
pub(crate) fn in_revision(
    offered: &ClientCapabilities,
    version: ProtocolVersion,
) -> ClientCapabilities {
    let mut offered = offered.clone();
    if version < ProtocolVersion::V2025_06_18 {
        offered.elicitation = None;
    }
    if version < ProtocolVersion::V2025_11_25 {
        // There is no other mode than a form, and no name for it.
        let form = offered.elicitation.take().filter(asks_by_form);
        offered.elicitation = form.map(|mut form| {
            (form.form, form.url) = (None, None);
            form
        });
        if let Some(sampling) = &mut offered.sampling {
            (sampling.context, sampling.tools) = (None, None);
        }
    }
    if let Some(roots) = &mut offered.roots
        && version.is_modern()
    {
        // Each request that needs them asks for them anew.
        roots.list_changed = false;
    }
    offered
}

/// An empty object means forms.
pub(crate) fn asks_by_form(capability: &ElicitationCapability) -> bool {
    capability.form.is_some() || capability.url.is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> ClientCapabilities {
        serde_json::from_value(value).expect("capabilities")
    }

    fn said(offered: &Value, version: ProtocolVersion) -> Value {
        serde_json::to_value(in_revision(&read(offered.clone()), version)).expect("JSON")
    }

    #[test]
    fn each_revision_has_its_own_words() {
        use ProtocolVersion as V;

        let all = json!({
            "roots": {"listChanged": true}, "sampling": {"tools": {}},
            "elicitation": {"form": {}, "url": {}},
        });
        let early = json!({"roots": {"listChanged": true}, "sampling": {}});
        for version in [V::V2024_11_05, V::V2025_03_26] {
            assert_eq!(said(&all, version), early);
        }
        let mut june = early;
        june["elicitation"] = json!({});
        assert_eq!(said(&all, V::V2025_06_18), june);
        assert_eq!(said(&all, V::V2025_11_25), all);
        let mut modern = all;
        modern["roots"] = json!({});
        assert_eq!(said(&modern, V::V2026_07_28), modern);

        // A server of 2025-06-18 would send forms to a client that has only pages.
        let pages = json!({"elicitation": {"url": {}}});
        assert_eq!(said(&pages, V::V2025_06_18), json!({}));
        assert_eq!(said(&pages, V::V2025_11_25), pages);
    }

    #[test]
    fn the_first_counts_and_the_rest_is_added() {
        let first = read(json!({
            "sampling": {}, "extensions": {"a/b": {"x": 1}}, "vendor": 1,
        }));
        let second = read(json!({
            "sampling": {"tools": {}}, "elicitation": {"form": {}}, "vendor": 2, "more": true,
            "extensions": {"a/b": {}, "c/d": {}}, "experimental": {"e": {}},
        }));
        let both = serde_json::to_value(together(&first, &second)).expect("JSON");
        assert_eq!(
            both,
            json!({
                "sampling": {}, "elicitation": {"form": {}}, "vendor": 1, "more": true,
                "extensions": {"a/b": {"x": 1}, "c/d": {}}, "experimental": {"e": {}},
            })
        );
    }
}
