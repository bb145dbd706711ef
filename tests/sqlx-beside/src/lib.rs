//! Compiles if audit-lake and sqlx agree on one `libsqlite3-sys`, of which a program can link only one.

/// A lake, and a pool of the program's own databases beside it.
#[derive(Debug)]
pub struct Both {
    /// Where the program's audit events go.
    pub lake: audit_lake::Lake,
    /// What the program works with.
    pub pool: sqlx::SqlitePool,
}
