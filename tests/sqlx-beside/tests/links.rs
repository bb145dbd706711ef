//! That it links, and that both work in one process.

use audit_lake::Lake;
use audit_sqlx_beside::Both;
use sqlx::SqlitePool;

#[tokio::test]
async fn a_program_has_a_lake_and_a_database_of_its_own_with_sqlx() {
    let lake = Lake::builder().start().await.expect("a lake");
    let pool = SqlitePool::connect("sqlite::memory:").await.expect("a database");
    let both = Both { lake, pool };
    let sum: i64 = sqlx::query_scalar("SELECT 1 + 1").fetch_one(&both.pool).await.expect("SQLite answers");
    assert_eq!(sum, 2);
    assert!(both.lake.channel_arn().as_str().starts_with("arn:"));
}
