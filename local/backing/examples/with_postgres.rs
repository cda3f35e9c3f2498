//! Runs a command with `DATABASE_URL` set to a temporary PostgreSQL that has the schema:
//! `cargo run -p windi-backing --example with_postgres -- cargo sqlx prepare --workspace`.

use std::path::Path;
use std::process::ExitCode;

use sqlx::PgPool;
use sqlx::migrate::Migrator;
use windi_backing::postgres::Cluster;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().ok_or("no command given; pass the command to run and its arguments")?;
    let cluster = Cluster::temporary().await?;
    cluster.create_database("windi").await?;
    let url = cluster.url("windi");
    let db = PgPool::connect(&url).await?;
    Migrator::new(Path::new("migrations")).await?.run(&db).await?;
    db.close().await;
    let status = std::process::Command::new(program).args(arguments).env("DATABASE_URL", url).status()?;
    cluster.stop();
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
