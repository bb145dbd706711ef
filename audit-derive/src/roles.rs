//! The roles of fields: one table, and the order of an event's members in it. `audit-core` has its own table of the same
//! roles (`catalog/role.rs`); `tests/derive/tests/roles.rs` compares the two.

/// What the derive knows of a role.
#[derive(Debug)]
pub(crate) struct Row {
    /// The attribute that gives the role; what messages call the role.
    pub(crate) attribute: &'static str,
    /// What the attribute does, for docs and completion. Empty where no attribute gives the role.
    pub(crate) doc: &'static str,
    /// Whether it is the role of a field of something else than an event: of an identity, or of a value.
    pub(crate) of_identity: bool,
    /// The role's letter in a catalog's text.
    pub(crate) letter: char,
    /// The JSON object of which such fields are keys. Any number of fields may have such a role.
    pub(crate) object: Option<&'static str>,
    /// What the role asks of the field's type: a trait in the library's hidden module.
    pub(crate) needs: &'static str,
    /// The method of the library's `Fields` that writes such a field, if it has no key.
    pub(crate) method: &'static str,
    /// Whether every event has the field, so that it cannot have `skip_if`.
    pub(crate) required: bool,
}

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident { $($row:tt)* })*) => {
        /// What a field is in its event, in the order in which the writer wants them.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub(crate) enum Role {
            $($(#[$doc])* $role,)*
        }

        impl Role {
            /// All roles, in their order.
            pub(crate) const ALL: &[Self] = &[$(Self::$role),*];

            /// The row of the table.
            pub(crate) const fn row(self) -> &'static Row {
                match self {
                    $(Self::$role => const { &roles!(@row $($row)*) },)*
                }
            }
        }
    };
    (@row $attribute:literal, $letter:literal, key of $object:literal, $needs:ident; $doc:literal) => {
        Row { object: Some($object), ..of_event($attribute, $letter, stringify!($needs), "", $doc) }
    };
    (@row $attribute:literal, $letter:literal, $method:ident($needs:ident); $doc:literal) => {
        of_event($attribute, $letter, stringify!($needs), stringify!($method), $doc)
    };
    (@row $attribute:literal, $letter:literal, required $method:ident($needs:ident); $doc:literal) => {
        Row { required: true, ..of_event($attribute, $letter, stringify!($needs), stringify!($method), $doc) }
    };
    (@row $attribute:literal, identity, required $needs:ident; $doc:literal) => {
        Row { of_identity: true, required: true, ..of_event($attribute, 'q', stringify!($needs), "", $doc) }
    };
    (@row $attribute:literal, identity, key of $object:literal, $needs:ident) => {
        Row { of_identity: true, object: Some($object), ..of_event($attribute, 'q', stringify!($needs), "", "") }
    };
}

const fn of_event(
    attribute: &'static str,
    letter: char,
    needs: &'static str,
    method: &'static str,
    doc: &'static str,
) -> Row {
    Row { attribute, doc, of_identity: false, letter, object: None, needs, method, required: false }
}

// attribute, letter, `key of` an object and the trait that the type needs, or the method that writes it and that trait;
// what the attribute does.
roles! {
    EventName { "event_name", 'n', required event_name(TextValue); "role: the `eventName`, where it is not the same for all events of the type" }
    Id { "id", 'i', required id(Display); "role: the event's own id, as `UID` and, where it fits, as the entry's id" }
    Time { "time", 't', time(EventTimeValue); "role: when it happened; now where it is left out" }
    UserIdentity { "user_identity", 'u', actor(UserIdentity); "role: who did it" }
    UserAgent { "user_agent", 'a', user_agent(TextValue); "role: with what it was done" }
    SourceIp { "source_ip", 's', ip(SourceIp); "role: from which IP address" }
    Request { "request", 'q', key of "requestParameters", Serialize; "role: a key of `requestParameters`; the role of a field without one" }
    Response { "response", 'r', key of "responseElements", Serialize; "role: a key of `responseElements`" }
    Outcome { "outcome", 'o', required outcome(Serialize); "role: a `Result`: `Ok` becomes `responseElements`, `Err` becomes `errorCode` and `errorMessage`" }
    ErrorCode { "error_code", 'c', error_code(TextValue); "role: the code of the error that it ended in" }
    ErrorMessage { "error_message", 'm', error_message(TextValue); "role: the text of the error that it ended in" }
    Additional { "additional", 'x', key of "additionalEventData", Serialize; "role: a key of `additionalEventData`" }
    /// Nothing but a target: with `skip`.
    Target { "target", 'g', target(Display); "" }
    /// Of an identity.
    PrincipalId { "principal_id", identity, required Display; "role: the identity's `principalId`; required" }
    /// Of an identity: a key of its `details`. A field without an attribute has it.
    Detail { "detail", identity, key of "details", Serialize }
    /// Of an audit value: one of its keys. Its fields have no other role.
    Member { "member", identity, key of "the value", Serialize }
}

impl Role {
    /// Whether the role is that of a JSON object's keys: then any number of fields may have it.
    pub(crate) const fn has_keys(self) -> bool {
        self.row().object.is_some()
    }

    /// The attribute that gives it, or what the field is without one.
    pub(crate) const fn attribute(self) -> &'static str {
        self.row().attribute
    }

    /// Whether an attribute gives the role.
    pub(crate) const fn has_attribute(self) -> bool {
        !self.row().doc.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two tables have the same roles in the same order, by the same names. That the letters fit as well is seen by
    /// `tests/derive/tests/roles.rs`, which reads a catalog with every role.
    #[test]
    fn the_library_has_the_same_roles_in_the_same_order() {
        let own = Role::ALL.iter().filter(|role| !role.row().of_identity);
        let own: Vec<_> = own.map(|role| (format!("{role:?}"), role.attribute())).collect();
        let of_library = audit_core::Role::ALL.iter().map(|role| (format!("{role:?}"), role.as_str()));
        assert_eq!(own, of_library.collect::<Vec<_>>());
        assert_eq!(crate::attributes::all().filter(|attribute| attribute.doc.starts_with("role: ")).count(), 13);
    }
}
