//! What only this crate can name.

/// The value of a hidden constant of a trait that no other crate implements. A supertrait would do the same, and would stand in the
/// compiler's errors in place of what the trait says itself.
#[derive(Debug)]
pub struct Sealed;
