//! What people have reported to whoever runs the messenger.

use sqlx::PgExecutor;
use sqlx::types::Json;

use crate::Result;
use crate::ids::{ChatId, MessageId, ReportId, UserId};
use crate::protocol::{ChatKind, FileInfo, Message, Timestamp};
use crate::short_fields::Reason;

/// Keeps what a message says now, with who has reported it. Once more changes nothing, unless the message says something else by
/// now, or the operator has dealt with the report.
pub async fn add(db: impl PgExecutor<'_>, me: UserId, message: &Message, reason: Option<&Reason>) -> Result<()> {
    sqlx::query!(
        "
        insert into reports as r (report_id, chat_id, message_id, reporter_id, sender_id, text, reason, files)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict on constraint reports_once do update set text = excluded.text, reason = excluded.reason,
            files = excluded.files, created_at = excluded.created_at, resolved_at = null
            where r.resolved_at is not null or r.text <> excluded.text
        ",
        ReportId::new() as ReportId,
        message.chat_id as ChatId,
        message.id,
        me as UserId,
        message.sender_id as UserId,
        message.text.as_deref().unwrap_or_default(),
        reason.map(Reason::as_str),
        (!message.details.files.is_empty()).then_some(Json(&message.details.files)) as _,
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
    pub files: Option<Json<Vec<FileInfo>>>,
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
            r.text as "text!", r.files as "files?: Json<Vec<FileInfo>>"
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
