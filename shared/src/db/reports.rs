//! What people have reported to whoever runs the messenger.

use sqlx::PgExecutor;

use crate::Result;
use crate::ids::{ChatId, MessageId, ReportId, UserId};
use crate::protocol::{ChatKind, Message, Timestamp};
use crate::short_fields::Reason;

/// Keeps what a message says now, with who has reported it. Once more changes nothing.
pub async fn add(db: impl PgExecutor<'_>, me: UserId, message: &Message, reason: Option<&Reason>) -> Result<()> {
    sqlx::query!(
        "
        insert into reports (report_id, chat_id, message_id, reporter_id, sender_id, text, reason)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict on constraint reports_once do nothing
        ",
        ReportId::new() as ReportId,
        message.chat_id as ChatId,
        message.id,
        me as UserId,
        message.sender_id as UserId,
        message.text.as_deref().unwrap_or_default(),
        reason.map(Reason::as_str),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A report as an operator sees it.
#[derive(Debug)]
pub struct Report {
    pub id: ReportId,
    pub created_at: Timestamp,
    pub chat_id: ChatId,
    pub kind: ChatKind,
    /// The name of a group.
    pub chat_name: Option<String>,
    pub message_id: MessageId,
    pub sender_id: UserId,
    pub sender_name: String,
    pub sender_username: Option<String>,
    /// Nothing if their account is deleted.
    pub reporter_name: Option<String>,
    pub reporter_username: Option<String>,
    pub reason: Option<String>,
    pub text: String,
}

/// Up to `limit` reports with which nobody has dealt, the oldest first.
pub async fn open(db: impl PgExecutor<'_>, limit: i64) -> Result<Vec<Report>> {
    Ok(sqlx::query_as!(
        Report,
        r#"
        select r.report_id as "id!: ReportId", r.created_at as "created_at!: Timestamp", r.chat_id as "chat_id!: ChatId",
            c.kind as "kind!: ChatKind", c.name as "chat_name?", r.message_id as "message_id!",
            r.sender_id as "sender_id!: UserId", sender.name as "sender_name!", sender.username as "sender_username?",
            reporter.name as "reporter_name?", reporter.username as "reporter_username?", r.reason as "reason?",
            r.text as "text!"
        from reports r
        join chats c on c.chat_id = r.chat_id
        join users sender on sender.user_id = r.sender_id
        left join users reporter on reporter.user_id = r.reporter_id
        where r.resolved_at is null order by r.created_at, r.report_id limit $1
        "#,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// Somebody has dealt with a report. Returns whether there was such an open one.
pub async fn resolve(db: impl PgExecutor<'_>, id: ReportId) -> Result<bool> {
    let resolved = sqlx::query!(
        "update reports set resolved_at = now() where report_id = $1 and resolved_at is null",
        id as ReportId
    );
    Ok(resolved.execute(db).await?.rows_affected() > 0)
}
