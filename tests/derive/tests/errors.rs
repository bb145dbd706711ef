//! `AuditError`: the code of an error is the name of its variant, or what the attribute says.
#![allow(dead_code, reason = "the errors show their fields by Debug only")]

use std::fmt::{self, Debug, Display};

use audit_core::AuditError;

const CODE: &str = "ByConstant";

#[derive(Debug, AuditError)]
enum ChargeError<'a, T> {
    CardExpired,
    #[audit(code = "Declined")]
    ByBank(&'a str),
    #[audit(code = CODE)]
    Other {
        cause: T,
    },
    r#Try,
}

impl<T: Debug> Display for ChargeError<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed: {self:?}")
    }
}

#[derive(Debug, AuditError)]
struct NotFound;

#[derive(Debug, AuditError)]
#[audit(code = "Gone")]
enum Gone {
    A,
    #[audit(code = "B")]
    B(u8),
}

#[derive(Debug, AuditError)]
enum Never {}

macro_rules! displayed {
    ($($name:ty),*) => {$(
        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self:?}")
            }
        }
    )*};
}
displayed!(NotFound, Gone, Never);

#[test]
fn the_code_is_the_name_or_what_the_attribute_says() {
    let codes = [
        ChargeError::<u8>::CardExpired.error_code().into_owned(),
        ChargeError::<u8>::ByBank("no funds").error_code().into_owned(),
        ChargeError::Other { cause: 1 }.error_code().into_owned(),
        ChargeError::<u8>::Try.error_code().into_owned(),
        NotFound.error_code().into_owned(),
        Gone::A.error_code().into_owned(),
        Gone::B(1).error_code().into_owned(),
    ];
    assert_eq!(codes, ["CardExpired", "Declined", "ByConstant", "Try", "NotFound", "Gone", "B"]);
    let none: Option<Never> = None;
    assert!(none.is_none_or(|error| error.error_code().is_empty()));
}
