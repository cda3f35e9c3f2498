//! How fast a person may do what costs others something: token buckets in PostgreSQL.
//!
//! They are here and not in DynamoDB, because every request that they limit asks PostgreSQL anyway. A send's bucket is in the row
//! that it updates, one for each of a person's chats, so that it costs nothing; the others are rows of their own.

use std::time::Duration;

use strum::IntoStaticStr;

use crate::db::Database;
use crate::ids::UserId;
use crate::{Error, Result};

/// What a bucket holds and how fast it is filled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// How often at once.
    pub burst: f32,
    /// How often a second after that.
    pub per_second: f32,
}

/// Messages of one person in one chat.
pub const SENDS: Rate = Rate { burst: 30.0, per_second: 1.0 };

/// What else is limited. The names are those of the buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Deed {
    /// A new chat or group.
    NewChat,
    /// Somebody added to a group, or a link into one.
    Invitation,
    /// A search for messages or people.
    Search,
    /// A reaction, an edit, a deletion or a pin.
    Change,
    /// A change of one's own account.
    Account,
    /// A file that is announced.
    Upload,
    /// A page of an export.
    Export,
    /// A push subscription, which a page renews whenever it is opened.
    Subscription,
}

impl Deed {
    pub const fn rate(self) -> Rate {
        match self {
            Self::NewChat => Rate { burst: 30.0, per_second: 1.0 / 20.0 },
            Self::Invitation => Rate { burst: 100.0, per_second: 1.0 / 5.0 },
            Self::Search => Rate { burst: 30.0, per_second: 2.0 },
            Self::Change => Rate { burst: 60.0, per_second: 2.0 },
            Self::Account => Rate { burst: 20.0, per_second: 1.0 / 60.0 },
            Self::Export => Rate { burst: 100.0, per_second: 2.0 },
            Self::Upload => Rate { burst: 40.0, per_second: 1.0 / 20.0 },
            Self::Subscription => Rate { burst: 40.0, per_second: 1.0 / 20.0 },
        }
    }
}

/// Takes from a person's bucket. If the bucket cannot be asked, the deed is allowed: what follows will tell.
///
/// # Errors
/// [`Error::RateLimited`] if it is empty.
pub async fn take(db: &Database, user_id: UserId, deed: Deed) -> Result<()> {
    if !db.has_limits() {
        return Ok(());
    }
    let Rate { burst, per_second } = deed.rate();
    // Nothing is updated, and so no row returned, if less than one is left.
    let taken = sqlx::query_scalar!(
        r#"
        insert into buckets as b (user_id, deed, tokens, filled_at) values ($1, $2, $3::real - 1, clock_timestamp())
        on conflict on constraint buckets_pkey do update set
            tokens = least($3, b.tokens + greatest(0, extract(epoch from clock_timestamp() - b.filled_at)) * $4::real) - 1,
            filled_at = clock_timestamp()
        where least($3, b.tokens + greatest(0, extract(epoch from clock_timestamp() - b.filled_at)) * $4::real) >= 1
        returning true as "taken!"
        "#,
        user_id as UserId,
        <&str>::from(deed),
        burst,
        per_second,
    )
    .fetch_optional(db)
    .await;
    match taken {
        Ok(None) => {
            tracing::warn!(%user_id, deed = <&str>::from(deed), "Somebody is too fast.");
            Err(Error::RateLimited { retry_after: Duration::from_secs_f32((1.0 / per_second).ceil()) })
        }
        Ok(Some(_)) => Ok(()),
        Err(error) => {
            tracing::warn!(%error, "Could not ask how fast somebody is.");
            Ok(())
        }
    }
}
