//! What a field is to its event: one table, in the order of an event's members. `audit-derive` has a table of the same roles
//! (`roles.rs`); `tests/derive/tests/roles.rs` compares the two.

use serde::{Serialize, Serializer};

use crate::limits::Field;

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident $name:literal $letter:literal $member:ident $($keyed:ident)?;)*) => {
        /// What a field is to its event, in the order of an event's JSON.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Role {
            $($(#[$doc])* $role,)*
        }

        impl Role {
            /// All roles, in the order of an event's JSON.
            pub const ALL: &'static [Self] = &[$(Self::$role),*];

            /// The role as the derive's attribute names it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$role => $name,)*
                }
            }

            /// The role for which a letter stands in a catalog's text.
            #[track_caller]
            pub(crate) const fn of_letter(letter: &str) -> Self {
                match letter.as_bytes() {
                    $([$letter] => Self::$role,)*
                    _ => panic!("a catalog's text has a letter of no role: audit-derive and audit-core do not fit together"),
                }
            }

            /// The member of the event that the field writes, or of which it is a key.
            pub(crate) const fn member(self) -> Field {
                match self {
                    $(Self::$role => Field::$member,)*
                }
            }

            /// Whether the field is a key of an object.
            pub(crate) const fn has_keys(self) -> bool {
                match self {
                    $(Self::$role => false $(|| stringify!($keyed).len() > 0)?,)*
                }
            }
        }
    };
}

roles! {
    /// `eventName`, where it is not the same for all events of the type.
    EventName "event_name" b'n' EventName;
    /// The source's own ID of the event: `UID`, and the entry's id.
    Id "id" b'i' Uid;
    /// `eventTime`
    Time "time" b't' EventTime;
    /// `userIdentity`
    UserIdentity "user_identity" b'u' UserIdentity;
    /// `userAgent`
    UserAgent "user_agent" b'a' UserAgent;
    /// `sourceIPAddress`
    SourceIp "source_ip" b's' SourceIpAddress;
    /// A member of `requestParameters`.
    Request "request" b'q' RequestParameters keyed;
    /// A member of `responseElements`.
    Response "response" b'r' ResponseElements keyed;
    /// `responseElements`, or `errorCode` and `errorMessage`.
    Outcome "outcome" b'o' ResponseElements;
    /// `errorCode`
    ErrorCode "error_code" b'c' ErrorCode;
    /// `errorMessage`
    ErrorMessage "error_message" b'm' ErrorMessage;
    /// A member of `additionalEventData`.
    Additional "additional" b'x' AdditionalEventData keyed;
    /// Only a target: an entry of `additionalEventData.targets`.
    Target "target" b'g' AdditionalEventData;
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
