//! People.

use sqlx::PgExecutor;

use crate::db::has_more;
use crate::error::OnConstraint as _;
use crate::fields::{Email, Name, Username};
use crate::ids::{FileId, UserId};
use crate::protocol::{Account, AccountChange, Person, Profile, Timestamp, WhoMayAdd};
use crate::short_fields::About;
use crate::{Error, Result};

#[derive(Debug)]
pub struct NewUser<'a> {
    pub name: &'a Name,
    pub username: Option<&'a Username>,
    pub email: &'a Email,
    /// PHC string.
    pub password_hash: &'a str,
}

/// # Errors
/// [`Error::EmailTaken`], [`Error::UsernameTaken`].
pub async fn insert(db: impl PgExecutor<'_>, new: &NewUser<'_>) -> Result<Account> {
    sqlx::query_as!(
        Account,
        r#"
        insert into users (user_id, name, username, email, password_hash)
        values ($1, $2, $3, $4, $5)
        returning user_id as "id: UserId", name, username, avatar_id as "avatar_id: FileId", about, email,
            created_at as "created_at: Timestamp", coalesce(who_may_add, 'everyone') as "who_may_add!: WhoMayAdd"
        "#,
        UserId::new() as UserId,
        new.name.as_str(),
        new.username.map(Username::as_str),
        new.email.as_str(),
        new.password_hash,
    )
    .fetch_one(db)
    .await
    .on_constraint(|name| match name {
        "users_email_key" => Some(Error::EmailTaken),
        "users_username_key" => Some(Error::UsernameTaken),
        _ => None,
    })
}

/// What a login needs to know about an account.
#[derive(Debug)]
pub struct Credentials {
    pub user_id: UserId,
    /// PHC string.
    pub password_hash: String,
}

/// The account with this e-mail address or username. An address contains an @; a username cannot.
///
/// `login` is in the form in which [`Email`] and [`Username`] are stored; `typed` is what was typed, because an account
/// may be older than that form. `login` takes precedence.
pub async fn credentials(db: impl PgExecutor<'_>, login: &str, typed: &str) -> Result<Option<Credentials>> {
    Ok(sqlx::query_as!(
        Credentials,
        r#"
        select user_id as "user_id: UserId", password_hash from users
        where case when position('@' in $1) > 0 then lower(email) in (lower($1), lower($2)) else username = lower($1) end
        order by lower(email) = lower($1) desc limit 1
        "#,
        login,
        typed,
    )
    .fetch_optional(db)
    .await?)
}

/// # Errors
/// [`Error::UserNotFound`].
pub async fn password_hash(db: impl PgExecutor<'_>, user_id: UserId) -> Result<String> {
    let hash = sqlx::query_scalar!("select password_hash from users where user_id = $1", user_id as UserId);
    hash.fetch_optional(db).await?.ok_or(Error::UserNotFound)
}

/// Whom a mail about an account goes to.
#[derive(Debug)]
pub struct Addressee {
    pub user_id: UserId,
    /// The address as the account has it, which may not be what was typed.
    pub email: String,
}

pub async fn by_email(db: impl PgExecutor<'_>, email: &Email) -> Result<Option<Addressee>> {
    Ok(sqlx::query_as!(
        Addressee,
        r#"select user_id as "user_id: UserId", email from users where lower(email) = lower($1)"#,
        email.as_str(),
    )
    .fetch_optional(db)
    .await?)
}

/// # Errors
/// [`Error::EmailTaken`].
pub async fn set_email(db: impl PgExecutor<'_>, user_id: UserId, email: &str) -> Result<()> {
    sqlx::query!("update users set email = $2 where user_id = $1 and deleted_at is null", user_id as UserId, email)
        .execute(db)
        .await
        .on_constraint(|name| (name == "users_email_key").then_some(Error::EmailTaken))?;
    Ok(())
}

pub async fn set_password_hash(db: impl PgExecutor<'_>, user_id: UserId, hash: &str) -> Result<()> {
    sqlx::query!("update users set password_hash = $2 where user_id = $1", user_id as UserId, hash).execute(db).await?;
    Ok(())
}

/// # Errors
/// [`Error::UserNotFound`].
pub async fn account(db: impl PgExecutor<'_>, user_id: UserId) -> Result<Account> {
    sqlx::query_as!(
        Account,
        r#"
        select user_id as "id: UserId", name, username, avatar_id as "avatar_id: FileId", about, email,
            created_at as "created_at: Timestamp", coalesce(who_may_add, 'everyone') as "who_may_add!: WhoMayAdd"
        from users where user_id = $1
        "#,
        user_id as UserId,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::UserNotFound)
}

/// Changes an account.
///
/// # Errors
/// [`Error::UsernameTaken`].
pub async fn update(db: impl PgExecutor<'_>, user_id: UserId, change: &AccountChange) -> Result<()> {
    let who_may_add = change.who_may_add.map(<&str>::from);
    sqlx::query!(
        "
        update users set name = coalesce($2, name), username = case when $3 then $4 else username end,
            who_may_add = nullif(coalesce($5, who_may_add), 'everyone'), about = case when $6 then $7 else about end
        where user_id = $1 and deleted_at is null
        ",
        user_id as UserId,
        change.name.as_ref().map(Name::as_str),
        change.username.is_some(),
        change.username.as_ref().and_then(|username| username.as_ref()).map(Username::as_str),
        who_may_add,
        change.about.is_some(),
        change.about.as_ref().and_then(|about| about.as_ref()).map(About::as_str),
    )
    .execute(db)
    .await
    .on_constraint(|name| (name == "users_username_key").then_some(Error::UsernameTaken))?;
    Ok(())
}

/// Takes everything personal out of an account; its messages stay, under this name.
pub async fn delete(db: impl PgExecutor<'_>, user_id: UserId) -> Result<()> {
    sqlx::query!(
        "
        with no_sessions as (
                -- Ended and not deleted: one row that is revoked ends what may be added to its family at this moment.
                update sessions set revoked_at = coalesce(revoked_at, now()), device = null,
                    expires_at = greatest(expires_at, now() + interval '31 days')
                where user_id = $1
            ),
            no_failures as (delete from login_failures where subject like 'account:' || $1::text || '%'),
            no_addresses as (delete from login_addresses where user_id = $1),
            no_blocks as (delete from blocks where user_id = $1 or blocked_id = $1),
            no_mentions as (delete from mentions where user_id = $1),
            no_memberships as (delete from former_members where user_id = $1),
            no_buckets as (delete from buckets where user_id = $1),
            no_codes as (delete from codes where user_id = $1),
            no_pushes as (delete from push_subscriptions where user_id = $1),
            no_reporter as (update reports set reporter_id = null where reporter_id = $1),
            closed as (
                update chats c set closed = true from chat_members m
                where m.user_id = $1 and c.chat_id = m.chat_id and c.kind = 'private'
            ),
            -- What was not sent goes at once, and so does the picture.
            no_files as (
                update files set doomed_at = now() where owner_id = $1 and doomed_at is not null
            ),
            no_picture as (
                update files f set uses = f.uses - 1, is_avatar = false, doomed_at = case when f.uses = 1 then now() end
                from users u where u.user_id = $1 and f.file_id = u.avatar_id
            )
        update users set name = 'Deleted account', username = null, email = 'deleted:' || user_id, password_hash = '',
            avatar_id = null, about = null, last_seen_at = null, who_may_add = null, deleted_at = date_trunc('milliseconds', clock_timestamp())
        where user_id = $1
        ",
        user_id as UserId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// These people, in no particular order; unknown ids are left out.
pub async fn by_ids(db: impl PgExecutor<'_>, ids: &[UserId]) -> Result<Vec<Person>> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    Ok(sqlx::query_as!(
        Person,
        r#"
        select user_id as "id: UserId", name, username, avatar_id as "avatar_id: FileId" from users where user_id = any ($1)
        "#,
        &ids,
    )
    .fetch_all(db)
    .await?)
}

/// What everybody may see of one person.
///
/// # Errors
/// [`Error::UserNotFound`].
pub async fn profile(db: impl PgExecutor<'_>, user_id: UserId) -> Result<Profile> {
    sqlx::query_as!(
        Profile,
        r#"
        select user_id as "id: UserId", name, username, avatar_id as "avatar_id: FileId", about from users
        where user_id = $1
        "#,
        user_id as UserId,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::UserNotFound)
}

/// People whose name or username has, for each of the words, a part that begins with it. One index covers both. Whoever
/// has exactly this username is the first: they must be found however many have names like it. One page, after the person
/// `after`, and the person after whom the next one begins.
pub async fn search(
    db: impl PgExecutor<'_>,
    words: &str,
    after: Option<UserId>,
    limit: i64,
) -> Result<(Vec<Person>, Option<UserId>)> {
    // As it is shown.
    let username = words.trim().trim_start_matches('@').to_lowercase();
    let mut found = sqlx::query_as!(
        Person,
        r#"
        select user_id as "id: UserId", name, username, avatar_id as "avatar_id: FileId" from users
        where deleted_at is null and (username = $3
            or to_tsvector('simple'::regconfig, search_text(name || ' ' || coalesce(username, ''))) @@ search_words($1))
            and ($4::uuid is null or (username is distinct from $3, lower(name), user_id) > (
                select p.username is distinct from $3, lower(p.name), p.user_id from users p where p.user_id = $4
            ))
        order by username is distinct from $3, lower(name), user_id limit $2
        "#,
        words,
        limit + 1,
        username,
        after.map(|after| after.0),
    )
    .fetch_all(db)
    .await?;
    let has_more = has_more(&mut found, limit)?;
    let next = found.last().filter(|_| has_more).map(|last| last.id);
    Ok((found, next))
}
