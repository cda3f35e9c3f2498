//! Files: what is known of them and who may have them. Their contents are in the store.
//!
//! A file is announced, put into the store, checked, and then sent or shown. `uses` counts the messages, people and groups that
//! have it. A file that nothing has is doomed: whoever uploads next deletes it.

use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::file_fields::{MAX_AVATAR_BYTES, MAX_AVATAR_SIDE, Preview};
use crate::ids::{ChatId, FileId, MessageId, UserId};
use crate::protocol::{FileInfo, NewFile};
use crate::{Error, Result};

/// Announces a file. If it is not sent within a day, it is doomed.
pub async fn announce(db: impl PgExecutor<'_>, owner: UserId, new: &NewFile) -> Result<FileInfo> {
    let NewFile { name, content_type, size, width, height, preview } = new;
    let id = FileId::new();
    sqlx::query!(
        "
        insert into files (file_id, owner_id, name, content_type, size, width, height, preview, doomed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, now() + interval '1 day')
        ",
        id as FileId,
        owner as UserId,
        name.as_str(),
        content_type.as_str(),
        *size,
        *width,
        *height,
        preview.as_ref().map(Preview::as_str),
    )
    .execute(db)
    .await?;
    Ok(FileInfo {
        id,
        name: name.as_str().to_owned(),
        content_type: content_type.as_str().to_owned(),
        size: *size,
        width: *width,
        height: *height,
        preview: preview.as_ref().map(|preview| preview.as_str().to_owned()),
    })
}

/// A file that its owner has announced, and whether its contents have been checked.
///
/// # Errors
/// [`Error::FileNotFound`], also if it is somebody else's, or doomed by now.
pub async fn announced(db: impl PgExecutor<'_>, owner: UserId, id: FileId) -> Result<(FileInfo, bool)> {
    let row = sqlx::query!(
        r#"
        select file_id as "id: FileId", name, content_type, size, width, height, preview, is_ready from files
        where file_id = $1 and owner_id = $2 and (doomed_at > now()) is not false
        "#,
        id as FileId,
        owner as UserId,
    );
    let row = row.fetch_optional(db).await?.ok_or(Error::FileNotFound)?;
    let file = FileInfo {
        id: row.id,
        name: row.name,
        content_type: row.content_type,
        size: row.size,
        width: row.width,
        height: row.height,
        preview: row.preview,
    };
    Ok((file, row.is_ready))
}

/// The contents are there and are what was announced.
///
/// # Errors
/// [`Error::FileNotFound`] if the file was doomed meanwhile.
pub async fn set_ready(db: impl PgExecutor<'_>, id: FileId) -> Result<()> {
    let ready = sqlx::query!(
        "update files set is_ready = true where file_id = $1 and (doomed_at > now()) is not false",
        id as FileId
    );
    if ready.execute(db).await?.rows_affected() == 0 { Err(Error::FileNotFound) } else { Ok(()) }
}

/// The contents are not what was announced: the file can only be deleted.
pub async fn doom(db: impl PgExecutor<'_>, id: FileId) -> Result<()> {
    sqlx::query!("update files set doomed_at = now() where file_id = $1 and not is_ready and uses = 0", id as FileId)
        .execute(db)
        .await?;
    Ok(())
}

/// Those of the files that a person may have: what they are about to send, what is in a message of one of their chats, what a
/// person shows, and what one of their groups shows.
pub async fn visible(db: impl PgExecutor<'_>, me: UserId, ids: &[FileId]) -> Result<Vec<FileInfo>> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    Ok(sqlx::query_as!(
        FileInfo,
        r#"
        select f.file_id as "id: FileId", f.name, f.content_type, f.size, f.width, f.height, f.preview from files f
        where f.file_id = any ($2) and (f.is_avatar
            or f.owner_id = $1 and f.is_ready and f.doomed_at > now()
            or exists (select from attachments a join chat_members m on m.chat_id = a.chat_id
                where a.file_id = f.file_id and m.user_id = $1)
            or exists (select from chat_members m where m.chat_id = f.picture_of and m.user_id = $1))
        "#,
        me as UserId,
        &ids,
    )
    .fetch_all(db)
    .await?)
}

/// What a message had is not its any more. Must be called under the chat's lock.
pub async fn detach(db: &mut PgConnection, chat_id: ChatId, message_id: MessageId) -> Result<()> {
    let detached = sqlx::query_scalar!(
        r#"delete from attachments where chat_id = $1 and message_id = $2 returning file_id as "id: FileId""#,
        chat_id as ChatId,
        message_id,
    );
    let detached = detached.fetch_all(&mut *db).await?;
    release(db, &detached).await
}

/// In the order in which a send locks them.
async fn lock(db: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sqlx::query!("select file_id from files where file_id = any ($1) order by file_id for update", ids)
        .fetch_all(db)
        .await?;
    Ok(())
}

/// What a group had that nobody is in any more is nobody's. Must be called under the chat's lock.
pub async fn detach_all(db: &mut PgConnection, chat_id: ChatId) -> Result<()> {
    let ids = sqlx::query_scalar!(
        r#"
        select file_id as "id!" from attachments where chat_id = $1
        union select picture_id from chats where chat_id = $1 and picture_id is not null
        "#,
        chat_id as ChatId,
    );
    let ids = ids.fetch_all(&mut *db).await?;
    lock(&mut *db, &ids).await?;
    sqlx::query!(
        "
        with gone as (delete from attachments where chat_id = $1 returning file_id),
            shown as (select picture_id from chats where chat_id = $1 and picture_id is not null),
            counted as (
                select file_id, count(*)::integer as uses
                from (select file_id from gone union all select picture_id from shown) all_uses group by file_id
            ),
            no_picture as (update chats set picture_id = null where chat_id = $1 and picture_id is not null)
        update files f set uses = f.uses - c.uses, picture_of = nullif(f.picture_of, $1),
            doomed_at = case when f.uses = c.uses then now() end
        from counted c where f.file_id = c.file_id
        ",
        chat_id as ChatId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Counts a use less of each of these files.
async fn release(db: &mut PgConnection, ids: &[FileId]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    lock(&mut *db, &ids).await?;
    sqlx::query!(
        "update files set uses = uses - 1, doomed_at = case when uses = 1 then now() end where file_id = any ($1)",
        &ids,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Who shows a picture.
#[derive(Debug, Clone, Copy)]
pub enum Shown {
    /// To everybody.
    ByPerson(UserId),
    /// To its members. The group's lock is held.
    ByGroup(ChatId),
}

/// Shows a picture of `owner`'s in place of the one before, or none, and returns whether that is a change. Must be called in a
/// transaction.
///
/// # Errors
/// [`Error::FileNotFound`] if it is not `owner`'s or not in the store; [`Error::InvalidField`] named `field` if it is no picture,
/// is too large, or is shown elsewhere.
pub async fn show(
    db: &mut PgConnection,
    shown: Shown,
    owner: UserId,
    field: &str,
    wanted: Option<FileId>,
) -> Result<bool> {
    let before = match shown {
        Shown::ByPerson(user_id) => {
            let before = sqlx::query_scalar!(
                r#"
                select avatar_id as "id: FileId" from users where user_id = $1 and deleted_at is null for no key update
                "#,
                user_id as UserId,
            );
            before.fetch_optional(&mut *db).await?.ok_or(Error::UserNotFound)?
        }
        Shown::ByGroup(chat_id) => {
            let before = sqlx::query_scalar!(
                r#"select picture_id as "id: FileId" from chats where chat_id = $1"#,
                chat_id as ChatId
            );
            before.fetch_one(&mut *db).await?
        }
    };
    if before == wanted {
        return Ok(false);
    }
    let both: Vec<_> = before.iter().chain(&wanted).map(|id| id.0).collect();
    lock(&mut *db, &both).await?;
    if let Some(id) = wanted {
        take(&mut *db, shown, owner, field, id).await?;
    }
    match shown {
        Shown::ByPerson(user_id) => {
            sqlx::query!(
                "update users set avatar_id = $2 where user_id = $1",
                user_id as UserId,
                wanted.map(|id| id.0)
            )
            .execute(&mut *db)
            .await?;
        }
        Shown::ByGroup(chat_id) => {
            sqlx::query!(
                "update chats set picture_id = $2 where chat_id = $1",
                chat_id as ChatId,
                wanted.map(|id| id.0)
            )
            .execute(&mut *db)
            .await?;
        }
    }
    if let Some(id) = before {
        put_away(&mut *db, id).await?;
    }
    Ok(true)
}

/// Marks a picture as shown. It must be locked.
async fn take(db: &mut PgConnection, shown: Shown, owner: UserId, field: &str, id: FileId) -> Result<()> {
    let picture = sqlx::query!(
        r#"
        select size, width, height, is_avatar or picture_of is not null as "is_shown!" from files
        where file_id = $1 and owner_id = $2 and is_ready and (doomed_at > now()) is not false
        "#,
        id as FileId,
        owner as UserId,
    );
    let picture = picture.fetch_optional(&mut *db).await?.ok_or(Error::FileNotFound)?;
    let (Some(width), Some(height)) = (picture.width, picture.height) else {
        return Err(Error::field(field, "must be a picture"));
    };
    if width.max(height) > MAX_AVATAR_SIDE || picture.size > MAX_AVATAR_BYTES {
        let limits = format!("must have at most {MAX_AVATAR_SIDE} pixels a side and {MAX_AVATAR_BYTES} bytes");
        return Err(Error::field(field, limits));
    }
    if picture.is_shown {
        return Err(Error::field(field, "is shown elsewhere already"));
    }
    let group = match shown {
        Shown::ByPerson(_) => None,
        Shown::ByGroup(chat_id) => Some(chat_id.0),
    };
    sqlx::query!(
        "
        update files set uses = uses + 1, doomed_at = null, is_avatar = $2::uuid is null, picture_of = $2
        where file_id = $1
        ",
        id as FileId,
        group,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Marks a picture as shown no more. It must be locked.
async fn put_away(db: &mut PgConnection, id: FileId) -> Result<()> {
    sqlx::query!(
        "
        update files set is_avatar = false, picture_of = null, uses = uses - 1,
            doomed_at = case when uses = 1 then now() end
        where file_id = $1
        ",
        id as FileId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Up to `limit` files that nothing has any more. From now on nothing can have them, and their contents may be deleted;
/// [`forget`] ends it. One whose deletion was cut short is returned again.
pub async fn doomed(db: impl PgExecutor<'_>, limit: i64) -> Result<Vec<FileId>> {
    Ok(sqlx::query_scalar!(
        r#"
        update files set is_ready = false where file_id in (
            select file_id from files where doomed_at < now() order by doomed_at limit $1 for update skip locked)
        returning file_id as "id: FileId"
        "#,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// The contents of these files are gone.
pub async fn forget(db: impl PgExecutor<'_>, ids: &[FileId]) -> Result<()> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    sqlx::query!("delete from files where file_id = any ($1) and uses = 0", &ids).execute(db).await?;
    Ok(())
}
